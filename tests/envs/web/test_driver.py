"""The simulator carries out actions by the ids that it shows."""

from collections.abc import Mapping

import pytest
from tests.envs.web.notes import Notes

from palestra.envs.base import Json
from palestra.envs.web.browsing import NotPossible, begin
from palestra.envs.web.driver import Simulator
from palestra.envs.web.site import Knobs, changes


@pytest.fixture
def driver() -> Simulator:
    driver, site = Simulator(), Notes(7, "train", Knobs())
    driver.begin(site, begin(site))
    return driver


def act(driver: Simulator, name: str, key: str = "", **arguments: Json) -> None:
    driver.act(name, {"bid": driver.view.ids[key], **arguments} if key else arguments)


def test_actions_change_what_is_shown_and_the_data(driver: Simulator) -> None:
    start = driver.view.state
    act(driver, "click", "to /notes/2")
    act(driver, "fill", "title", value="Milk")
    act(driver, "select_option", "colour", options=["blue"])
    assert "textbox 'Title', value='Milk'" in driver.text()
    act(driver, "clear", "title")
    act(driver, "fill", "title", value="Tea")
    act(driver, "press", "title", key_comb="Enter")
    assert changes(start.data, driver.view.state.data) == {"notes/2/title": "Tea", "notes/2/colour": "blue"}
    assert "link 'Tea'" in driver.text()


def test_places_and_tabs_are_gone_to(driver: Simulator) -> None:
    act(driver, "goto", url="http://site.test/notes/3")
    act(driver, "new_tab")
    assert "'Notes'" in driver.text()
    act(driver, "tab_focus", index=0)
    assert "heading 'Note 3'" in driver.text()
    act(driver, "go_back")
    act(driver, "go_forward")
    act(driver, "tab_focus", index=1)
    act(driver, "tab_close")
    assert "heading 'Note 3'" in driver.text()


@pytest.mark.parametrize("name", ["noop", "scroll", "hover", "focus"])
def test_what_does_nothing_changes_nothing(driver: Simulator, name: str) -> None:
    state = driver.view.state
    act(driver, name, "to /notes/1" if name in ("hover", "focus") else "", delta_x=0, delta_y=100)
    assert driver.view.state is state


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("click", {"bid": "no such"}, "no element"),
        ("click", {"bid": ""}, "no element"),
        ("fill", {"bid": "to /notes/1", "value": "x"}, "cannot be filled"),
        ("select_option", {"bid": "to /notes/1", "options": []}, "one option"),
        ("select_option", {"bid": "to /notes/1", "options": ["a", "b"]}, "one option"),
        ("goto", {"url": "javascript:alert(1)"}, "only addresses of this site"),
        ("go_back", {}, "no page to go back"),
        ("tab_focus", {"index": 10**9}, "no tab"),
        ("mouse_click", {"x": 1, "y": 1}, "cannot be done on a page"),
        ("drag_and_drop", {"bid": "to /notes/1"}, "cannot be done to an element"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    driver: Simulator, name: str, arguments: Mapping[str, Json], told: str
) -> None:
    state, ids = driver.view.state, driver.view.ids
    given = {part: ids.get(value, value) if part == "bid" else value for part, value in arguments.items()}
    with pytest.raises(NotPossible, match=told):
        driver.act(name, given)
    assert driver.view.state is state


def test_an_id_of_a_page_that_was_left_is_stale(driver: Simulator) -> None:
    first = driver.view.ids["to /notes/1"]
    act(driver, "click", "to /notes/2")
    with pytest.raises(NotPossible, match="no element"):
        driver.act("click", {"bid": first})


def test_the_simulator_draws_nothing(driver: Simulator) -> None:
    with pytest.raises(NotPossible, match="driver='browser'"):
        driver.screenshot()
    driver.close()
    with pytest.raises(RuntimeError, match="call begin"):
        driver.text()
