"""A site of one page with every kind of element that there is, for tests of how pages are written and read."""

from collections.abc import Iterator
from typing import ClassVar

from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    alert,
    box,
    button,
    choice,
    dialog,
    entry,
    form,
    heading,
    image,
    link,
    listing,
    number,
    part,
    pressed,
    radios,
    status,
    table,
    text,
)
from palestra.envs.web.site import Goal, Place, Site

WORDS = 'Say "it\'s" <b>&amp;</b>  twice '


class Everything(Site):
    """Each command is remembered, and shown as a status."""

    name: ClassVar[str] = "everything"

    def start(self) -> Place:
        return Place(data={"log": {"1": {"said": "nothing"}}}, visit={"is_open": False}, path="/")

    def page(self, place: Place) -> Page | None:
        if place.path != "/":
            return None
        asked = dialog("Sure?", text("Really?"), entry("Why", "why", place.ui), button("Yes", ("close",)))
        body = (*_read(), *_used(place), *_fields(place))
        return Page("Everything", body, asked if place.visit["is_open"] else None)

    def do(self, place: Place, command: Command) -> Place:
        if command == ("open",):
            return place.noted(is_open=True)
        if command == ("close",):
            return place.noted(is_open=False)
        return place.put("log", "1", said=" ".join(command))

    def goals(self) -> Iterator[Goal]:
        yield Goal(kind="change", template="press", intent="Press menu 1.", changes={"log/1/said": "menu 1"})


def _read() -> tuple[Element, ...]:
    days = part("row", "", *(Element(role="columnheader", name=day) for day in ("Mo", "Tu")))
    free = part("row", "", *(Element(role="gridcell", name=day) for day in ("1", "2")))
    return (
        heading("Everything", 1),
        heading(WORDS, 2),
        text(WORDS),
        image(WORDS),
        alert("Something is wrong."),
        status("Something was done."),
        listing("Things", [[text("one")], [text("two"), link("More", "/?more=1")], []]),
        table("Rows", ("A", "B"), [["a1", "b1"], ["a2", button("Pick a2", ("pick", "a2"))], ["", link("b3", "/b3")]]),
        part("grid", "Days", days, free),
        part("group", "Named", text("in a group")),
        part("group", "", text("in a group without a name")),
        part("region", "Region", heading("In a region", 3)),
        part("region", ""),
        part("navigation", "Ways", link("Home", "/"), link("Nowhere", "/nowhere")),
    )


def _used(place: Place) -> tuple[Element, ...]:
    said = str(place.data["log"]["1"]["said"])
    leaf = pressed("treeitem", "Leaf", ("leaf",), selected=said == "leaf")
    branch = pressed("treeitem", "Branch", ("branch",), leaf, expanded=True)
    return (
        status(said),
        part("tablist", "Tabs", *(pressed("tab", f"Tab {n}", ("tab", n), selected=said == f"tab {n}") for n in "12")),
        part("tabpanel", "Tab 1", text("on the tab")),
        part("tree", "Tree", branch, pressed("treeitem", "Twig", ("twig",), expanded=False)),
        part("listbox", "Options", pressed("option", "First", ("option", "1"), selected=said == "option 1")),
        part("menu", "Menu", pressed("menuitem", "Do it", ("menu", "1"))),
        part("grid", "Picker", part("row", "", pressed("gridcell", "5", ("day", "5"), selected=True), _taken())),
        button("Open", ("open",), expanded=False),
        button("Never", ("never",), is_disabled=True),
    )


def _taken() -> Element:
    return pressed("gridcell", "6", ("day", "6"), is_disabled=True)


def _fields(place: Place) -> tuple[Element, ...]:
    ui = place.ui
    return (
        form(
            "Form",
            ("send",),
            entry("Line", "line", ui, "as it is", is_required=True),
            entry("Wrong", "wrong", ui, is_invalid=True),
            entry("Closed", "closed", ui, "shut", is_disabled=True),
            entry("Find", "find", ui, role="searchbox"),
            number("Count", "count", ui, 3, (-5, 9, 2)),
            number("Size", "size", ui, 30, (0, 100, 10), role="slider"),
            box("Check", "check", ui),
            radios("Colour", "colour", ui, ("red", "green"), "red"),
            choice("Fruit", "fruit", ui, ("apple", "pear tree", "fig"), "fig"),
            button("Send", ("send",)),
        ),
        form("", ("bare",), entry("Bare", "bare", ui)),
    )
