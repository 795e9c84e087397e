"""Pages as values: a tree of elements, from which the accessibility tree and the HTML are made.

The vocabulary is ARIA's. Elements are made by the functions below, which say what each kind is named by, what it
shows, and what using it does: a link goes to a place on the site, a button has the site carry out a command, a field
writes what was entered under its name (`field`) into what the page remembers (`ui`) until it is left.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from palestra.envs.base import Json

Role = Literal[
    "StaticText",
    "heading",
    "link",
    "button",
    "textbox",
    "searchbox",
    "spinbutton",
    "slider",
    "checkbox",
    "radio",
    "radiogroup",
    "combobox",
    "listbox",
    "option",
    "tablist",
    "tab",
    "tabpanel",
    "tree",
    "treeitem",
    "list",
    "listitem",
    "table",
    "row",
    "columnheader",
    "cell",
    "grid",
    "gridcell",
    "menu",
    "menuitem",
    "dialog",
    "alert",
    "status",
    "form",
    "group",
    "region",
    "navigation",
    "img",
]
Command = tuple[str, ...]
Ui = Mapping[str, Json]  # what was entered on a page since it was opened: texts, and whether boxes are checked

FILLED: Final = frozenset({"textbox", "searchbox", "spinbutton", "slider"})  # what `fill` writes into
NAMED_BY_CONTENT: Final = frozenset(
    {"heading", "link", "button", "option", "tab", "treeitem", "cell", "gridcell", "columnheader", "menuitem"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element of a page. Use the functions of this module to make one."""

    role: Role
    name: str = ""  # the accessible name; of StaticText, the text
    children: tuple["Element", ...] = ()
    key: str = ""  # names what can be used, once on a page; "" for what can only be read
    value: str = ""  # of fields: what they hold
    checked: bool | None = None  # of boxes and radio buttons
    selected: bool | None = None  # of tabs, options, cells of a date picker and tree items
    expanded: bool | None = None  # of what opens something
    is_disabled: bool = False
    is_required: bool = False
    is_invalid: bool = False
    level: int = 0  # of headings
    href: str = ""  # of links: a path of the site, with a query maybe
    command: Command = ()  # of what is pressed; of a form, what Enter in one of its fields does
    field: str = ""  # the name under which `ui` holds what was entered
    options: tuple[str, ...] = ()  # of a combobox: what can be chosen
    limits: tuple[int, int, int] = (0, 0, 0)  # of sliders and spin buttons: least, most, step


@dataclass(frozen=True, slots=True)
class Page:
    """What a place of a site shows. While `dialog` is there, nothing else can be used or is told."""

    title: str
    body: tuple[Element, ...]
    dialog: Element | None = None

    @property
    def shown(self) -> tuple[Element, ...]:
        """The elements that a reader and a user get to."""
        return self.body if self.dialog is None else (self.dialog,)

    def walk(self) -> Iterator[Element]:
        """Yield every shown element, parents first, in the order of the page."""
        stack = list(reversed(self.shown))
        while stack:
            element = stack.pop()
            yield element
            stack += reversed(element.children)


# -- what is read ------------------------------------------------------------------------------------


def text(words: str) -> Element:
    """Return a paragraph."""
    return Element(role="StaticText", name=words)


def heading(words: str, level: int = 2) -> Element:
    """Return a heading; a page's own is of level 1."""
    return Element(role="heading", name=words, level=level)


def image(words: str) -> Element:
    """Return a picture that these words describe."""
    return Element(role="img", name=words)


def listing(name: str, items: Sequence[Sequence[Element]]) -> Element:
    """Return a list whose items hold these elements."""
    made = tuple(Element(role="listitem", children=tuple(item)) for item in items)
    return Element(role="list", name=name, children=made)


def table(name: str, columns: Sequence[str], rows: Sequence[Sequence[str | Element]]) -> Element:
    """Return a table; a cell is a text or one element that can be used."""
    head = Element(role="row", children=tuple(Element(role="columnheader", name=column) for column in columns))
    body = (Element(role="row", children=tuple(_cell(one) for one in row)) for row in rows)
    return Element(role="table", name=name, children=(head, *body))


def _cell(content: str | Element) -> Element:
    if isinstance(content, str):
        return Element(role="cell", name=content)
    return Element(role="cell", children=(content,))


def alert(words: str) -> Element:
    """Return a message that something is wrong."""
    return Element(role="alert", children=(text(words),))


def status(words: str) -> Element:
    """Return a message that something was done."""
    return Element(role="status", children=(text(words),))


def part(role: Role, name: str, *children: Element) -> Element:
    """Return a part of a page: a group, region, navigation, tablist, tabpanel, tree, grid, listbox, menu ..."""
    return Element(role=role, name=name, children=children)


def form(name: str, submit: Command, *children: Element) -> Element:
    """Return a form; Enter in a text field of it carries out the command."""
    return Element(role="form", name=name, command=submit, children=children)


def dialog(name: str, *children: Element) -> Element:
    """Return a dialog, for `Page.dialog`."""
    return Element(role="dialog", name=name, children=children)


# -- what is used ------------------------------------------------------------------------------------


def link(name: str, href: str, key: str = "") -> Element:
    """Return a link to a path of the site."""
    return Element(role="link", name=name, href=href, key=key or f"to {href}")


def button(name: str, command: Command, *, is_disabled: bool = False, expanded: bool | None = None) -> Element:
    """Return a button."""
    return pressed("button", name, command, is_disabled=is_disabled, expanded=expanded)


def pressed(
    role: Role,
    name: str,
    command: Command,
    *children: Element,
    selected: bool | None = None,
    expanded: bool | None = None,
    is_disabled: bool = False,
) -> Element:
    """Return what a click has the site carry out: a button, tab, option, treeitem, gridcell or menuitem.

    Children (of a tree item) are shown below it.
    """
    return Element(
        role=role,
        name=name,
        key="do " + " ".join(command),
        command=command,
        children=children,
        selected=selected,
        expanded=expanded,
        is_disabled=is_disabled,
    )


def entry(
    name: str,
    field: str,
    ui: Ui,
    otherwise: str = "",
    *,
    role: Literal["textbox", "searchbox"] = "textbox",
    is_required: bool = False,
    is_invalid: bool = False,
    is_disabled: bool = False,
) -> Element:
    """Return a line to write in; `otherwise` stands in it until something else was entered."""
    return Element(
        role=role,
        name=name,
        key=field,
        field=field,
        value=str(ui.get(field, otherwise)),
        is_required=is_required,
        is_invalid=is_invalid,
        is_disabled=is_disabled,
    )


def number(
    name: str,
    field: str,
    ui: Ui,
    otherwise: int,
    limits: tuple[int, int, int],
    role: Literal["slider", "spinbutton"] = "spinbutton",
) -> Element:
    """Return a slider or a spin button."""
    value = str(ui.get(field, otherwise))
    return Element(role=role, name=name, key=field, field=field, value=value, limits=limits)


def box(name: str, field: str, ui: Ui, otherwise: bool = False) -> Element:
    """Return a box to check."""
    return Element(role="checkbox", name=name, key=field, field=field, checked=bool(ui.get(field, otherwise)))


def choice(name: str, field: str, ui: Ui, options: Sequence[str], otherwise: str) -> Element:
    """Return a list that drops down, of which one option is chosen."""
    value = str(ui.get(field, otherwise))
    return Element(role="combobox", name=name, key=field, field=field, value=value, options=tuple(options))


def radios(name: str, field: str, ui: Ui, options: Sequence[str], otherwise: str = "") -> Element:
    """Return a group of radio buttons, of which one at most is chosen."""
    chosen = str(ui.get(field, otherwise))
    buttons = tuple(
        Element(
            role="radio",
            name=option,
            key=f"{field}={option}",
            field=field,
            value=option,
            checked=option == chosen,
        )
        for option in options
    )
    return Element(role="radiogroup", name=name, children=buttons)
