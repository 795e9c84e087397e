"""Every site keeps to what it promises: pages wherever one gets, pure commands, goals that can be met or cannot."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from palestra.envs.base import SPLITS, Split, canonical_json
from palestra.envs.web import browsing
from palestra.envs.web.browsing import NotPossible, State, View
from palestra.envs.web.element import FILLED
from palestra.envs.web.search import Graph, TooLarge, moved
from palestra.envs.web.site import Goal, Knobs, Site, changes
from palestra.envs.web.sites.catalogue import SITES
from palestra.envs.web.verify import is_known, seen_on

SMALL = Knobs(size=6, fields=2, pages=2)
TEXTS = ("", "x", " two  words ", "7", "-3", "²", "9" * 30, "31.2.2027", "<b>&amp;</b>", "é日", "a/b?c=d", "0")
MOST = 3000  # nodes of a search; goals that need more are left out here
EVERY = [(name, split) for name in SITES for split in SPLITS]


def knobs_of(seed: int) -> Knobs:
    """Return knobs that differ from seed to seed."""
    return Knobs(
        size=4 + seed * 7 % 30,
        fields=1 + seed % 6,
        pages=1 + seed % 4,
        distractors=seed % 5,
        popups=seed % 2 == 1,
        paraphrase=seed % 3 > 0,
        shuffle=seed % 4 > 0,
        strict=seed % 5 == 0,
    )


def made(name: str, seed: int, split: Split, knobs: Knobs | None = None) -> Site:
    return SITES[name](seed, split, knobs or knobs_of(seed))


def tried(view: View, key: str, draws: random.Random) -> State:
    """Return the state after using an element in some way that it has."""
    one = view.elements[key]
    try:
        if one.role in FILLED and draws.random() < 0.8:
            return browsing.fill(view, key, draws.choice(TEXTS))
        if one.role == "combobox":
            return browsing.select_option(view, key, draws.choice(one.options))
        return browsing.press(view, key, "Enter") if one.role in FILLED else browsing.click(view, key)
    except NotPossible:
        return view.state


def walked(site: Site, steps: int) -> Iterator[View]:
    """Yield what a random walk sees, and check each step to be pure."""
    draws, state = random.Random(site.seed), browsing.begin(site)
    for _ in range(steps):
        view, before = View(site, state), canonical_json(state.to_json())
        yield view
        if not view.elements:  # such as where an account was closed
            state = browsing.begin(site)
            continue
        key, luck = draws.choice(list(view.elements)), draws.getstate()
        after = tried(view, key, draws)
        draws.setstate(luck)
        assert tried(View(site, state), key, draws) == after
        assert canonical_json(state.to_json()) == before, key
        state = after if draws.random() < 0.97 else browsing.begin(site)


def check_walk(site: Site, steps: int) -> None:
    draws, goals = random.Random(-site.seed - 1), list(site.goals())
    for view in walked(site, steps):
        keys = [one.key for one in view.page.walk() if one.key]
        assert len(keys) == len(set(keys)), (view.place.path, keys)
        assert view.text
        for goal in goals:
            for key in keys:
                site.matters(view.place, goal, key)
                site.texts(view.place, goal, key)
        path, names = view.place.path, [*view.place.query, "page", "q", "told", "month", "day", "sort", "about"]
        for ending in ("", "/", "/x", "/²", "x", "/-1"):
            place = view.place.to(path + ending, **{name: draws.choice(TEXTS) for name in names})
            page = site.page(place)
            assert page is None or page.title


def check_goals(site: Site, goals: list[Goal], most: int = MOST) -> int:
    """Check that goals can be met, or cannot; return how many were looked at."""
    count = 0
    for goal in goals:
        try:
            plan = Graph(site, goal).plan(most)
            if goal.kind == "infeasible" and goal.changes:
                wanted = replace(goal, kind="change", facts=())
                assert Graph(site, wanted).exhausted(most), goal
        except TooLarge:
            continue
        assert plan is not None, goal
        state = browsing.begin(site)
        for move in plan:
            state = moved(View(site, state), move)
        expected = goal.changes if goal.kind == "change" else {}
        assert changes(site.start().data, state.data) == expected, goal
        count += 1
    return count


def check_said(site: Site) -> None:
    goals = list(site.goals())
    assert len({goal.intent for goal in goals}) == len(goals)
    assert goals == list(SITES[site.name](site.seed, site.split, site.knobs).goals())
    for goal in goals:
        assert goal.intent[0].isupper(), goal
        assert goal.intent[-1] in '.?")', goal
        assert (goal.answer is not None) == (goal.kind == "answer"), goal
        assert goal.kind != "change" or goal.changes, goal
        assert goal.kind == "change" or goal.facts, goal
        started = seen_on(View(site, browsing.begin(site)).page, goal.facts)
        assert goal.kind != "infeasible" or not is_known(goal, started), goal
        assert not any(fact in goal.intent for fact in goal.facts if goal.kind == "answer"), goal


@pytest.mark.parametrize(("name", "split"), EVERY)
def test_pages_are_whole_wherever_a_walk_leads(name: str, split: Split) -> None:
    for seed in (1, 4):
        check_walk(made(name, seed, split), 25)


@pytest.mark.parametrize(("name", "split"), EVERY)
def test_goals_are_said_unmistakably(name: str, split: Split) -> None:
    for seed in range(3):
        check_said(made(name, seed, split))


@pytest.mark.parametrize("name", SITES)
def test_goals_can_be_met_or_cannot(name: str) -> None:
    site = made(name, 5, "train", SMALL)
    goals = list(site.goals())
    assert check_goals(site, goals[:3])


def test_kinds_of_goals_are_many() -> None:
    for name in SITES:
        every = [goal for seed in range(4) for goal in made(name, seed, "train").goals()]
        kinds = {(goal.kind, goal.template) for goal in every}
        count = {kind: len([one for one, _ in kinds if one == kind]) for kind in ("change", "answer", "infeasible")}
        assert count["change"] >= 4, name
        assert count["answer"] >= 2, name
        assert count["infeasible"] >= 1, name


@pytest.mark.slow
@pytest.mark.parametrize(("name", "split"), EVERY)
def test_long_walks_on_many_sites(name: str, split: Split) -> None:
    for seed in range(6, 18):
        site = made(name, seed, split)
        check_said(site)
        check_walk(site, 60)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "split"), EVERY)
def test_all_goals_of_several_sites_can_be_met_or_cannot(name: str, split: Split) -> None:
    for seed in (20, 21, 22):
        site = made(name, seed, split, replace(knobs_of(seed), fields=2))
        assert check_goals(site, list(site.goals())) >= 3
