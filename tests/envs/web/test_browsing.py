"""What a browser's user can do, on the smallest site."""

import json

import pytest
from tests.envs.web.notes import Notes

from palestra.envs.web.browsing import (
    MOST_TABS,
    NotPossible,
    State,
    View,
    back,
    begin,
    click,
    close_tab,
    fill,
    focus_tab,
    forward,
    new_tab,
    own_address,
    press,
    select_option,
    visit,
)
from palestra.envs.web.site import Goal, Knobs, Site, changes


@pytest.fixture
def site() -> Site:
    return Notes(7, "train", Knobs())


def goal(site: Site, template: str) -> Goal:
    return next(one for one in site.goals() if one.template == template)


def opened(site: Site, which: int) -> State:
    return click(View(site, begin(site)), f"to /notes/{which}")


def test_a_page_is_told_as_an_accessibility_tree_with_ids_of_what_can_be_used(site: Site) -> None:
    view = View(site, opened(site, 2))
    title, colour, save, printed = (view.ids[key] for key in ("title", "colour", "do save", "do print"))
    lines = view.text.splitlines()
    assert lines[:2] == ["RootWebArea 'Note 2'", "\theading 'Note 2', level=1"]
    assert f"\t\t[{title}] textbox 'Title', value='Note 2', required" in lines
    assert f"\t\t[{colour}] combobox 'Colour', value='red'" in lines
    assert "\t\t\toption 'red', selected='true'" in lines
    assert f"\t\t[{save}] button 'Save'" in lines
    assert f"\t\t[{printed}] button 'Print', disabled" in lines
    assert len(set(view.ids.values())) == len(view.elements)
    assert {view.keys[number] for number in view.ids.values()} == set(view.elements)


def test_ids_of_one_page_are_not_those_of_another_or_of_another_seed(site: Site) -> None:
    two, three = (set(View(site, opened(site, which)).ids.values()) for which in (2, 3))
    assert not two & three
    other = Notes(8, "train", Knobs())
    assert two != set(View(other, opened(other, 2)).ids.values())


def test_what_is_entered_and_saved_are_the_changes_of_the_goal(site: Site) -> None:
    start, state = begin(site), opened(site, 2)
    state = fill(View(site, state), "title", "Milk")
    state = click(View(site, state), "done")
    assert changes(start.data, state.data) == {}  # nothing is saved yet
    state = press(View(site, state), "title", "Enter")
    assert changes(start.data, state.data) == goal(site, "rename").changes
    assert state.tab.address == "/"
    assert start.data["notes"]["2"]["title"] == "Note 2"  # the start is still what it was


def test_a_dialog_is_all_that_can_be_used_while_it_is_there(site: Site) -> None:
    state = click(View(site, opened(site, 3)), "do ask")
    view = View(site, state)
    assert set(view.elements) == {"do delete", "do keep"}
    assert "textbox" not in view.text
    assert click(view, "do keep") == opened(site, 3)
    gone = click(view, "do delete")
    assert changes(begin(site).data, gone.data) == goal(site, "delete").changes == {"notes/3": None}
    assert "Deleted." in View(site, gone).text
    assert "Not found" in View(site, visit(gone, "/notes/3")).text


def test_entries_are_forgotten_when_the_page_is_left(site: Site) -> None:
    state = fill(View(site, opened(site, 1)), "title", "Other")
    there = forward(back(state))
    assert View(site, there).elements["title"].value == "Note 1"
    assert back(there).tab == back(state).tab
    with pytest.raises(NotPossible, match="no page to go back"):
        back(begin(site))


def test_fields_take_only_what_fits_them(site: Site) -> None:
    view = View(site, opened(site, 1))
    assert View(site, fill(view, "weight", "7")).elements["weight"].value == "7"
    assert View(site, press(view, "weight", "ArrowRight")).elements["weight"].value == "6"
    assert View(site, click(view, "size=large")).elements["size=large"].checked is True
    assert View(site, select_option(view, "colour", "blue")).elements["colour"].value == "blue"
    for wrong in ("11", "x", "-1", "٣", "9" * 400):
        with pytest.raises(NotPossible):
            fill(view, "weight", wrong)
    for key, value in (("title", "two\nlines"), ("title", "x" * 2001), ("do save", "x"), ("colour", "red")):
        with pytest.raises(NotPossible):
            fill(view, key, value)
    with pytest.raises(NotPossible, match="there are: red, green, blue"):
        select_option(view, "colour", "black")
    with pytest.raises(NotPossible, match="disabled"):
        click(view, "do print")
    with pytest.raises(NotPossible, match="unknown key"):
        press(view, "title", "F12")


def test_tabs_stand_each_where_they_are(site: Site) -> None:
    state = new_tab(opened(site, 2), site)
    assert state.tab.address == "/"
    assert focus_tab(state, 0).tab.address == "/notes/2"
    assert close_tab(state) == opened(site, 2)
    for _ in range(MOST_TABS - 2):
        state = new_tab(state, site)
    with pytest.raises(NotPossible, match="at most"):
        new_tab(state, site)
    with pytest.raises(NotPossible, match="no tab 9"):
        focus_tab(state, 9)
    with pytest.raises(NotPossible, match="only tab"):
        close_tab(begin(site))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "view-source:http://site.test/",
        "http://site.test.evil/",
        "https://site.test/",
        "http://user@site.test/",
        "//site.test/",
        " //evil/",
        "http://site.test:8080/",
        "notes/1",
        "",
        "/\\evil",
        "/a\nb",
        "http://[::1/",
    ],
)
def test_only_addresses_of_the_site_are_gone_to(url: str) -> None:
    with pytest.raises(NotPossible, match="only addresses of this site"):
        own_address(url)


def test_an_address_has_one_form(site: Site) -> None:
    assert own_address("http://site.test/notes/1?a=b#c") == "/notes/1?a=b"
    assert visit(begin(site), "/?told=a%20b").tab.address == visit(begin(site), "/?told=a+b").tab.address


def test_a_state_survives_json(site: Site) -> None:
    state = new_tab(fill(View(site, opened(site, 2)), "title", "é 🙂"), site)
    assert State.from_json(json.loads(json.dumps(state.to_json()))) == state


@pytest.mark.parametrize(
    "url", ["/a/../b", "/./a", "http://site.test/..", "/?q=%0A", "/?q=a%00", "/" + "a" * 2000, "/\u200b", "/a\\b"]
)
def test_addresses_that_a_browser_would_change_are_refused(url: str) -> None:
    with pytest.raises(NotPossible, match="only addresses of this site"):
        own_address(url)


def test_to_go_to_where_one_is_renews_the_page_and_is_no_place_in_the_history() -> None:
    site = Notes(1, "train", Knobs())
    there = visit(begin(site), "/notes/1")
    entered = fill(View(site, there), "title", "Milk")
    assert visit(entered, "/notes/1") == there
