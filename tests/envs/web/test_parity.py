"""A real browser and the simulator show the same and do the same: text, state and end."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.envs.web.everything import Everything
from tests.envs.web.notes import Notes
from tests.envs.web.walks import compare

from palestra.envs.base import Split
from palestra.envs.web.browser import BrowserDriver
from palestra.envs.web.env import WebEnv
from palestra.envs.web.site import Knobs, Site
from palestra.envs.web.sites.catalogue import SITES

ALL: tuple[type[Site], ...] = (Notes, Everything, *SITES.values())


@pytest.fixture(scope="module")
def driver() -> Iterator[BrowserDriver]:
    driver = BrowserDriver()
    yield driver
    driver.close()


@pytest.mark.parametrize("site", ALL, ids=lambda site: site.name)
def test_a_short_random_walk_is_the_same(driver: BrowserDriver, site: type[Site]) -> None:
    assert compare(site(1, "train", Knobs(popups=True)), driver, steps=12, seed=1) > 3


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "heldout"])
@pytest.mark.parametrize("site", ALL, ids=lambda site: site.name)
def test_long_random_walks_are_the_same(driver: BrowserDriver, site: type[Site], split: Split) -> None:
    for seed in range(4):
        knobs = Knobs(popups=seed % 2 == 1, strict=seed % 2 == 0, size=8 + 4 * seed)
        assert compare(site(seed, split, knobs), driver, steps=60, seed=seed) > 20


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_the_oracles_episodes_are_the_same(split: Split) -> None:
    simulated, real = WebEnv(split=split), WebEnv(split=split, driver="browser")
    for seed in range(12):
        assert simulated.reset(seed=seed)[0] == real.reset(seed=seed)[0]
        is_over, info = False, dict[str, Any]()
        for action in simulated.oracle():
            told, shown = simulated.step(action), real.step(action)
            assert told[:4] == shown[:4], (seed, action)
            assert told[4]["state_key"] == shown[4]["state_key"]
            is_over, info = told[2], told[4]
        assert is_over
        assert info["is_success"]
    real.close()
