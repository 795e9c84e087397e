"""Every usual widget and kind of site is there: told by what stands on pages and what using it does, not by names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import pytest

from palestra.envs.web import browsing
from palestra.envs.web.browsing import NotPossible, View
from palestra.envs.web.element import FILLED, Element
from palestra.envs.web.search import Graph, Move, TooLarge, moved
from palestra.envs.web.site import Goal, Knobs, Site, changes
from palestra.envs.web.sites.catalogue import SITES

SMALL = Knobs(size=6, fields=2, pages=1, popups=True)
MOST = 1000  # nodes of a search; goals that need more are left out here


class Step(NamedTuple):
    """One thing done on a page, and the page after it."""

    before: View
    move: Move
    after: View

    @property
    def used(self) -> Element:
        return self.before.elements[self.move.key]


class Way(NamedTuple):
    """What is asked for, and what is seen and done on the way to it."""

    goal: Goal
    views: Sequence[View]
    moves: Sequence[Move]


@lru_cache
def ways(name: str) -> tuple[Way, ...]:
    site = SITES[name](5, "train", SMALL)
    return tuple(way for goal in site.goals() if (way := way_to(site, goal)))


def way_to(site: Site, goal: Goal) -> Way | None:
    try:
        moves = Graph(site, goal).plan(MOST)
    except TooLarge:
        return None
    views = [View(site, browsing.begin(site))]
    for move in moves or ():
        views.append(View(site, moved(views[-1], move)))
    return Way(goal, views, moves) if moves else None


@lru_cache
def steps(name: str) -> tuple[Step, ...]:
    """Return what can be done at every page on the way to some goal."""
    pages = {(view.state.tab.address, str(view.state.tab.ui)): view for way in ways(name) for view in way.views}
    found = []
    for view in pages.values():
        for move in possible(view):
            try:
                found.append(Step(view, move, View(view.site, moved(view, move))))
            except NotPossible:
                continue
    return tuple(found)


def possible(view: View) -> Iterator[Move]:
    for key, one in view.elements.items():
        if one.role == "combobox":
            yield from (Move("select_option", key, option) for option in one.options[:3])
        elif one.role in FILLED:
            yield Move("press", key, "ArrowRight")
            yield from (Move("fill", key, value) for value in ("a", "e", "o"))
        else:
            yield Move("click", key)


def all_of(view: View, role: str) -> list[Element]:
    return [one for one in view.page.walk() if one.role == role]


def texts(view: View) -> set[str]:
    return {one.name for one in view.page.walk()}


def state_of(view: View, key: str) -> Element:
    return view.elements.get(key, Element(role="img"))


def is_same_page(step: Step) -> bool:
    return step.before.state.tab.address == step.after.state.tab.address


def is_changed(step: Step) -> bool:
    return bool(changes(step.before.state.data, step.after.state.data))


# -- widgets -------------------------------------------------------------------------------------------


def picks_a_day(step: Step) -> bool:
    days = [one for one in all_of(step.before, "gridcell") if one.command]
    return (
        len(days) >= 28
        and step.used in days
        and not all_of(step.after, "grid")
        and any(step.used.name in one.name.split() for one in all_of(step.after, "button"))
    )


def suggests(step: Step) -> bool:
    new = [one for one in all_of(step.after, "option") if one not in all_of(step.before, "option")]
    return step.move.name == "fill" and bool(new) and all(step.move.value in one.name.casefold() for one in new)


def checks(step: Step) -> bool:
    return step.used.role == "checkbox" and state_of(step.after, step.move.key).checked is not step.used.checked


def chooses_one_of_several(step: Step) -> bool:
    checked = [one for one in all_of(step.after, "radio") if one.checked and one.field == step.used.field]
    return step.used.role == "radio" and [one.key for one in checked] == [step.move.key] and not step.used.checked


def slides(step: Step) -> bool:
    now = state_of(step.after, step.move.key).value
    return step.used.role == "slider" and step.move.name == "press" and now > step.used.value


def opens_a_branch(step: Step) -> bool:
    now = state_of(step.after, step.move.key)
    is_closed = step.used.role == "treeitem" and step.used.expanded is False and not step.used.children
    return is_closed and now.expanded is True and bool(now.children)


def turns_to_a_tab(step: Step) -> bool:
    panels = [all_of(view, "tabpanel") for view in (step.before, step.after)]
    is_turned = step.used.selected is False and state_of(step.after, step.move.key).selected is True
    return step.used.role == "tab" and is_turned and is_same_page(step) and panels[0] != panels[1]


def opens_a_part(step: Step) -> bool:
    is_opened = step.used.expanded is False and state_of(step.after, step.move.key).expanded is True
    is_more = texts(step.after) > texts(step.before) and not all_of(step.after, "grid")
    return step.used.role == "button" and is_opened and is_more


def asks_first(step: Step) -> bool:
    """Whether a dialog is shown that can be answered in two ways, one of which changes the data."""
    if step.before.page.dialog or not step.after.page.dialog or is_changed(step):
        return False
    answers = [Step(step.after, move, View(step.after.site, moved(step.after, move))) for move in possible(step.after)]
    return len(answers) == 2 and sorted(map(is_changed, answers)) == [False, True]


def edits_in_a_table(step: Step) -> bool:
    rows = [one for table in all_of(step.before, "table") for one in table.children]
    return is_changed(step) and any(
        cell.children and cell.children[0] == step.used for row in rows for cell in row.children
    )


def shows_a_month(step: Step) -> bool:
    for table in all_of(step.after, "table"):
        days = [cell for row in table.children for cell in row.children if cell.children and cell.children[0].href]
        if len(table.children[0].children) == 7 and len(days) >= 28:
            return True
    return False


WIDGETS: dict[str, Callable[[Step], bool]] = {
    "date picker": picks_a_day,
    "autocomplete": suggests,
    "check boxes": checks,
    "radio buttons": chooses_one_of_several,
    "sliders": slides,
    "trees": opens_a_branch,
    "tabs": turns_to_a_tab,
    "collapsibles": opens_a_part,
    "modal dialog": asks_first,
    "table editing": edits_in_a_table,
    "calendar": shows_a_month,
}


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_widget_stands_on_some_site_and_works(widget: str) -> None:
    assert any(WIDGETS[widget](step) for name in SITES for step in steps(name))


# -- kinds of sites --------------------------------------------------------------------------------------


def listed(view: View) -> list[str]:
    """Return what links lead to in lists and tables, in their order."""
    inside = [one for role in ("list", "table") for part in all_of(view, role) for one in leaves(part)]
    return [one.href for one in inside if one.href and not one.href.partition("?")[2]]


def leaves(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        yield from leaves(child)


def sent(view: View, key: str, value: str) -> View:
    """Return what is shown when an entry is made and its form sent."""
    one = view.elements[key]
    state = moved(view, Move("select_option" if one.role == "combobox" else "fill", key, value))
    entered = View(view.site, state)
    form = entered.form_of(key)
    pressed = [one.key for one in entered.elements.values() if form and one.command == form.command]
    return View(view.site, browsing.click(entered, pressed[0])) if pressed else entered


def searches_filters_and_sorts(way: Way) -> bool:
    done = set[str]()
    for view in {one.state.tab.address: one for one in way.views if not one.page.dialog}.values():
        before = listed(view)
        for key, one in view.elements.items():
            values = one.options if one.role == "combobox" else ("a",) if one.role == "searchbox" else ()
            for after in (listed(sent(view, key, value)) for value in values):
                if set(after) < set(before):
                    done.add(one.role)
                if after != before and sorted(after) == sorted(before):
                    done.add("sort")
    return done == {"searchbox", "combobox", "sort"}


def remembered(way: Way) -> set[str]:
    """Return the pages on which something chosen before is remembered of the visitor, and is not among the data yet."""
    start, found = way.views[0].state, set[str]()
    for view in way.views:
        kept = [value for name, value in view.state.visit.items() if value != start.visit[name]]
        if view.state.data == start.data and any(not isinstance(value, bool) for value in kept):
            found.add(view.place.path)
    return found


def makes_a_record(way: Way) -> bool:
    return way.goal.kind == "change" and len(way.goal.changes) >= 3


def checks_out(way: Way) -> bool:
    return makes_a_record(way) and len(remembered(way)) >= 3


def books_by_suggestions_and_a_day(way: Way) -> bool:
    used = [view.elements[move.key].role for view, move in zip(way.views, way.moves, strict=False) if move.key]
    is_found = used.count("option") >= 2 and "gridcell" in used and "radio" in used
    return makes_a_record(way) and is_found and bool(remembered(way))


def moves_between_folders(way: Way) -> bool:
    """Whether an entry of one list of a navigation stands in another of it at the end."""
    first, last = way.views[0], way.views[-1]
    hrefs = {one.href for part in all_of(last, "navigation") for one in leaves(part) if one.href}
    if way.goal.kind != "change" or len(way.goal.changes) != 1:
        return False
    before, after = (
        {
            href: set(listed(View(view.site, browsing.visit(replace(last.state, data=view.state.data), href))))
            for href in hrefs
        }
        for view in (first, last)
    )
    gone = [before[href] - after[href] for href in hrefs]
    come = [after[href] - before[href] for href in hrefs]
    return any(one and one in come for one in gone)


def answers_others(way: Way) -> bool:
    """Whether a text that was written stands below those of others on the same page."""
    last, before = way.views[-1], way.views[-2]
    written = {move.value for move in way.moves if move.name == "fill"}
    is_same = last.place.path == before.place.path and last.state.data != before.state.data
    items = [texts_of(part) for part in all_of(last, "list")]
    return is_same and any(written & told and len(told) > 2 for told in items)


def texts_of(element: Element) -> set[str]:
    return {one.name for one in leaves(element)}


KINDS: dict[str, Callable[[Way], bool]] = {
    "search, filter and sort": searches_filters_and_sorts,
    "checkout": checks_out,
    "flight booking": books_by_suggestions_and_a_day,
    "inbox": moves_between_folders,
    "forum": answers_others,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_site_is_there(kind: str) -> None:
    assert any(KINDS[kind](way) for name in SITES for way in ways(name))


def test_some_site_has_records_created_read_updated_and_deleted() -> None:
    def done_to(table: str, goal: Goal, site: Site) -> str:
        if goal.kind == "answer":
            return "read"
        cells = [cell.split("/") for cell in goal.changes if cell.startswith(f"{table}/")]
        rows = site.start().data[table]
        if goal.kind != "change" or not cells:
            return ""
        return "delete" if len(cells[0]) == 2 else "update" if cells[0][1] in rows else "create"

    found = []
    for name in SITES:
        site = SITES[name](5, "train", SMALL)
        tables = site.start().data
        found += [{done_to(table, way.goal, site) for way in ways(name)} for table in tables]
    assert any(done >= {"create", "read", "update", "delete"} for done in found)


@pytest.mark.parametrize("name", SITES)
def test_a_pop_up_is_in_the_way_unasked_where_one_is_wanted(name: str) -> None:
    start = View(site := SITES[name](5, "train", SMALL), browsing.begin(site))
    assert start.page.dialog
    assert len(start.elements) == 1
    closed = View(site, browsing.click(start, next(iter(start.elements))))
    assert not closed.page.dialog
    assert closed.state.data == start.state.data
    assert len(closed.elements) > 1
    other = SITES[name](5, "train", Knobs())
    assert not View(other, browsing.begin(other)).page.dialog
