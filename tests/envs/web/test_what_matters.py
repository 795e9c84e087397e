"""What sites tell the search to leave out is on no shortest solution: a search of everything finds none shorter."""

import pytest

from palestra.envs.web.search import Graph, TooLarge
from palestra.envs.web.site import Knobs
from palestra.envs.web.sites.catalogue import SITES

SMALL = Knobs(size=4, fields=2, pages=2, distractors=1)
MOST_NODES = 600  # of the search of everything, which is given up beyond
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", SITES)
def test_a_search_of_everything_finds_no_shorter_solution(name: str) -> None:
    site, compared = SITES[name](11, "train", SMALL), 0
    for goal in site.goals():
        try:
            plan, other = Graph(site, goal).plan(), Graph(site, goal, is_all=True).plan(MOST_NODES)
        except TooLarge:  # tasks of such goals are not made, or nobody can look everywhere
            continue
        assert plan is not None, goal
        assert other is not None, goal
        assert len(other) == len(plan), (goal, other, plan)
        compared += 1
    assert compared >= 2
