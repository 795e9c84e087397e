"""The driver of a real browser, as an environment uses it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.envs.web.everything import Everything
from tests.envs.web.notes import Notes
from tests.envs.web.walks import compare

from palestra.envs.web import browsing
from palestra.envs.web.browser import BrowserDriver
from palestra.envs.web.browsing import NotPossible, State, Tab, View, begin
from palestra.envs.web.chromium import Chromium
from palestra.envs.web.driver import Simulator
from palestra.envs.web.site import Knobs
from palestra.sandbox.base import InfraError


@pytest.fixture
def driver() -> Iterator[BrowserDriver]:
    driver, site = BrowserDriver(), Notes(7, "train", Knobs())
    driver.begin(site, begin(site))
    yield driver
    driver.close()


def test_a_state_with_tabs_and_history_is_gone_on_from(driver: BrowserDriver) -> None:
    site = Notes(7, "train", Knobs())
    place = site.start().put("notes", "2", title="Changed")
    middle = Tab("/notes/2", {"title": "half written"}, past=("/", "/notes/1"), future=("/notes/3", "/"))
    state = State(place.data, {}, (Tab("/notes/1"), middle), active=1)
    driver.begin(site, state)
    assert driver.view.state == state
    simulator = Simulator()
    simulator.begin(site, state)
    steps = ("go_forward", "go_forward", "go_back", "go_back", "go_back", "go_back")
    for name in ("", *steps):
        assert not name or driver.act(name, {}) == simulator.act(name, {})
        assert driver.text() == simulator.text()
    with pytest.raises(NotPossible, match="no page to go back"):
        driver.act("go_back", {})
    assert driver.act("tab_focus", {"index": 0}) == simulator.act("tab_focus", {"index": 0})
    assert driver.text() == simulator.text()


def test_what_cannot_be_done_changes_nothing(driver: BrowserDriver) -> None:
    state, told = driver.view.state, driver.text()
    for name, arguments in (
        ("click", {"bid": "no such"}),
        ("fill", {"bid": driver.view.ids["to /notes/1"], "value": "x"}),
        ("goto", {"url": "javascript:document.title='x'"}),
        ("goto", {"url": "file:///etc/passwd"}),
        ("goto", {"url": "view-source:http://site.test/"}),
        ("tab_close", {}),
        ("mouse_click", {"x": 1, "y": 1}),
    ):
        with pytest.raises(NotPossible):
            driver.act(name, arguments)
    assert driver.view.state is state
    assert driver.text() == told


def test_a_page_that_did_something_else_is_a_fault(driver: BrowserDriver) -> None:
    live = driver._live
    live.show(browsing.visit(live.view.state, "/notes/1"))  # behind the browser's back
    bid = live.view.ids["title"]
    with pytest.raises(InfraError, match="cannot be pointed at"):
        driver.act("click", {"bid": bid})


def test_pictures_show_the_page_and_marks_leave_no_trace(driver: BrowserDriver) -> None:
    told = driver.text()
    plain, marked = driver.screenshot(), driver.screenshot(is_marked=True)
    assert plain.shape == (720, 1280, 3)
    assert plain.dtype == np.uint8
    assert len({tuple(point) for point in plain[::7, ::7].reshape(-1, 3).tolist()}) > 10
    assert (plain != marked).any()
    assert (driver.screenshot() == plain).all()
    assert driver.text() == told


def test_nothing_is_shown_before_the_start() -> None:
    driver = BrowserDriver()
    for use in (driver.text, driver.screenshot, lambda: driver.act("noop", {})):
        with pytest.raises(RuntimeError, match="call begin first"):
            use()
    driver.close()


def test_under_a_running_event_loop(driver: BrowserDriver) -> None:
    async def play() -> str:
        driver.act("click", {"bid": driver.view.ids["to /notes/1"]})
        return driver.text()

    assert "heading 'Note 1'" in asyncio.run(play())


@pytest.mark.slow
def test_sixteen_episodes_at_once_do_not_mix() -> None:
    def play(seed: int) -> int:
        driver = BrowserDriver()
        try:
            return compare((Notes, Everything)[seed % 2](seed, "train", Knobs()), driver, steps=25, seed=seed)
        finally:
            driver.close()

    with ThreadPoolExecutor(16) as threads:
        assert all(done > 5 for done in threads.map(play, range(16)))


@pytest.mark.slow
def test_a_crash_in_mid_episode_is_a_fault_and_the_next_episode_goes_well(driver: BrowserDriver) -> None:
    driver.act("click", {"bid": driver.view.ids["to /notes/1"]})
    killed = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"--remote-debugging-pipe" in words and b"--type=" not in words and _is_ours(parent):
            os.kill(int(folder.name), signal.SIGKILL)
            killed += 1
    assert killed, "no browser of this process was found"
    with pytest.raises(InfraError):
        driver.act("click", {"bid": driver.view.ids["to /"]})
    with pytest.raises(InfraError):
        driver.text()
    site = Notes(8, "train", Knobs())
    driver.begin(site, begin(site))
    assert driver.text() == View(site, begin(site)).text
    assert Chromium.shared().is_running


def _is_ours(pid: int) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def test_states_differ_by_what_was_entered(driver: BrowserDriver) -> None:
    driver.act("click", {"bid": driver.view.ids["to /notes/1"]})
    before = driver.view.state
    state = driver.act("fill", {"bid": driver.view.ids["title"], "value": "Milk"})
    assert state == before.in_tab(replace(before.tab, ui={"title": "Milk"}))
    assert driver.act("clear", {"bid": driver.view.ids["title"]}).tab.ui == {"title": ""}
