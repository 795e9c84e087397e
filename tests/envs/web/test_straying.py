"""Distances are exact off the way, too: from where one strays, a search of everything finds no shorter way back."""

import random

import pytest

from palestra.envs.web.browsing import View, begin
from palestra.envs.web.search import Graph, Move, Node, TooLarge, moved
from palestra.envs.web.site import Goal, Knobs, Site
from palestra.envs.web.sites.catalogue import SITES

SMALL = Knobs(size=4, fields=2, pages=1, distractors=0)
MOST = 500  # nodes of the search of everything, which is given up beyond
FAR = 9  # steps that are looked at, at most
pytestmark = pytest.mark.slow


def strayed(site: Site, goal: Goal, seed: int) -> tuple[tuple[Graph, Node], tuple[Graph, Node]]:
    """Return where a few random steps lead, for a search of what matters and one of everything."""
    some, every = Graph(site, goal), Graph(site, goal, is_all=True)
    draws, here, there, state = random.Random(seed), some.start, every.start, begin(site)
    for _ in range(draws.randint(1, 4)):
        if not (moves := every.moves(there)):
            break
        move, there = draws.choice(moves)
        state = moved(View(site, state), move)
        here = some.node(state, here.seen)
    return (some, here), (every, there)


@pytest.mark.parametrize("name", SITES)
def test_a_search_of_everything_finds_no_shorter_way_back(name: str) -> None:
    site, compared = SITES[name](11, "train", SMALL), 0
    for goal in site.goals():
        for seed in range(3):
            (some, here), (every, there) = strayed(site, goal, seed)
            try:
                known = some.distance(here, FAR)
                nearer = every.distance(there, FAR if known is None else known - 1, MOST)
            except TooLarge:
                continue
            assert nearer is None, (goal, here.state)
            compared += 1
    assert compared >= 3


def test_what_lies_in_a_basket_by_mistake_can_be_taken_out() -> None:
    site = SITES["shop"](11, "train", SMALL)
    goal = next(one for one in site.goals() if one.template == "buy")
    target = next(iter(goal.changes.values()))
    graph, view = Graph(site, goal), View(site, begin(site))
    wrong = next(
        key
        for key, one in view.elements.items()
        if key.startswith("to /product/")
        and one.name not in str(target)
        and f"do add {key.removeprefix('to /product/')}" in usable(site, key)
    )
    state = moved(view, Move("click", wrong))
    state = moved(View(site, state), Move("click", f"do add {wrong.removeprefix('to /product/')}"))
    assert graph.distance(graph.node(state, 0), within=13) is not None


def usable(site: Site, link: str) -> list[str]:
    page = View(site, moved(View(site, begin(site)), Move("click", link)))
    return [key for key, one in page.elements.items() if not one.is_disabled]
