"""A real browser and the simulator show the same and do the same: text, state, reward and end, on every site."""

import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.envs.web.everything import Everything
from tests.envs.web.notes import Notes
from tests.envs.web.test_web_env import task_of
from tests.envs.web.walks import compare, drawn

from palestra.envs.actions import call_text
from palestra.envs.base import SPLITS, Split
from palestra.envs.web.browser import BrowserDriver
from palestra.envs.web.env import WebEnv
from palestra.envs.web.site import Knobs, Site
from palestra.envs.web.sites.catalogue import SITES
from palestra.envs.web.verify import KINDS, REPORT, SAY

ALL: tuple[type[Site], ...] = (Notes, Everything, *SITES.values())


@pytest.fixture(scope="module")
def driver() -> Iterator[BrowserDriver]:
    with closing(BrowserDriver()) as driver:
        yield driver


@pytest.fixture(scope="module")
def simulated() -> Iterator[WebEnv]:
    with closing(WebEnv()) as env:
        yield env


@pytest.fixture(scope="module")
def real() -> Iterator[WebEnv]:
    with closing(WebEnv(driver="browser")) as env:
        yield env


def check_episode(simulated: WebEnv, real: WebEnv, actions: Iterable[str]) -> dict[str, Any]:
    """Check that two environments with the same task tell the same of every action; return the last info."""
    info: dict[str, Any] = {}
    for action in actions:
        told, shown = simulated.step(action), real.step(action)
        assert told[:4] == shown[:4], action
        assert [told[4][name] for name in ("state_key", "outcome", "error")] == [
            shown[4][name] for name in ("state_key", "outcome", "error")
        ], action
        _, _, terminated, truncated, info = told
        if terminated or truncated:
            return info
    raise AssertionError(f"the episode did not end: {info}")


def begin(simulated: WebEnv, real: WebEnv, seed: int, **knobs: Any) -> None:
    task = task_of(tuple(knobs.items()), seed)
    assert simulated.reset(options={"task": task})[0] == real.reset(options={"task": task})[0]


def straying(env: WebEnv, seed: int, steps: int) -> Iterator[str]:
    """Yield random actions, then an end."""
    draws = random.Random(seed)
    for name, arguments in drawn(lambda: env._driver.view, draws, steps):
        yield call_text(name, arguments)
    yield call_text(draws.choice((SAY, REPORT)), {})


@pytest.mark.parametrize("site", ALL, ids=lambda site: site.name)
def test_a_short_random_walk_is_the_same(driver: BrowserDriver, site: type[Site]) -> None:
    assert compare(site(1, "train", Knobs(popups=True)), driver, steps=12, seed=1) > 3


@pytest.mark.parametrize("name", SITES)
def test_a_solution_and_a_short_random_episode_are_worth_the_same(simulated: WebEnv, real: WebEnv, name: str) -> None:
    for seed in (0, 1):
        begin(simulated, real, 1, site=name, size=6, fields=2, longest=8)
        actions = straying(simulated, seed, 4) if seed else simulated.oracle()
        assert check_episode(simulated, real, actions)["is_success"] == (not seed)


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("site", ALL, ids=lambda site: site.name)
def test_long_random_walks_are_the_same(driver: BrowserDriver, site: type[Site], split: Split) -> None:
    for seed in range(4):
        knobs = Knobs(popups=seed % 2 == 1, strict=seed % 2 == 0, size=8 + 4 * seed)
        assert compare(site(seed, split, knobs), driver, steps=60, seed=seed) > 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SITES)
def test_solutions_of_every_kind_are_the_same(simulated: WebEnv, real: WebEnv, name: str, kind: str) -> None:
    for seed, popups in ((1, True), (2, False)):
        begin(simulated, real, seed, site=name, kind=kind, popups=popups)
        assert check_episode(simulated, real, simulated.oracle())["is_success"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SITES)
def test_random_episodes_are_the_same(simulated: WebEnv, real: WebEnv, name: str) -> None:
    for seed in (1, 2):
        begin(simulated, real, seed, site=name, popups=True, longest=9)
        check_episode(simulated, real, straying(simulated, seed, 12))


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_the_oracles_episodes_of_any_site_are_the_same(split: Split) -> None:
    with closing(WebEnv(split=split)) as simulated, closing(WebEnv(split=split, driver="browser")) as real:
        for seed in range(6):
            assert simulated.reset(seed=seed)[0] == real.reset(seed=seed)[0]
            assert check_episode(simulated, real, simulated.oracle())["is_success"]
