"""A page as HTML for a real browser: what its elements say, how it looks, and one script that is the same everywhere.

Nothing stands in it that the accessibility tree does not tell: no comments, no hidden fields, no data attributes.
Words that are drawn only because the name that they repeat would not be seen are hidden from that tree.
"""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Final

from palestra.envs.web.browsing import located
from palestra.envs.web.element import Element, Page, Role

Ids = Mapping[str, str]
Attributes = dict[str, str]

_FOLDER: Final = Path(__file__).parent
_STYLE: Final = (_FOLDER / "page.css").read_text(encoding="utf-8")
_SCRIPT: Final = (_FOLDER / "page.js").read_text(encoding="utf-8")
_INPUTS: Final[Mapping[str, str]] = {
    "textbox": "text",
    "searchbox": "search",
    "spinbutton": "number",
    "slider": "range",
}
_TAGS: Final[Mapping[Role, str]] = {  # of what HTML has an element for, whose role need not be told
    "list": "ul",
    "listitem": "li",
    "table": "table",
    "form": "form",
    "region": "section",
    "navigation": "nav",
}
_CAPTIONED: Final = frozenset(
    {"group", "region", "radiogroup", "list", "table", "form", "listbox", "tree", "grid", "menu"}
)
_IN_TABLES: Final[Mapping[Role, str]] = {"row": "tr", "columnheader": "th", "cell": "td"}


def whole(page: Page, ids: Ids) -> str:
    """Return the document of a page; `ids` are those of the keys of what can be used."""
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(page.title)}</title>'
    return f"{head}<style>{_STYLE}</style></head><body>{body(page, ids)}</body><script>{_SCRIPT}</script></html>"


def body(page: Page, ids: Ids) -> str:
    """Return what stands in the document's body: what changes while the address stays."""
    shown = "".join(_written(element, ids if page.dialog is None else {}) for element in page.body)
    if page.dialog is None:
        return f'<div class="sheet">{shown}</div>'
    asked = _written(page.dialog, ids)
    return f'<div class="sheet" inert>{shown}</div><div class="veil">{asked}</div>'


def _written(element: Element, ids: Ids, *, is_in_table: bool = False) -> str:
    if element.role in _INPUTS or element.role in ("checkbox", "radio", "combobox"):
        return _field(element, ids)
    write = _SPECIAL.get(element.role, _held)
    if is_in_table and element.role in _IN_TABLES:
        write = _tabled
    return write(element, ids)


def _inside(element: Element, ids: Ids, *, is_in_table: bool = False) -> str:
    return "".join(_written(child, ids, is_in_table=is_in_table) for child in element.children)


# -- kinds of elements -------------------------------------------------------------------------------


def _paragraph(element: Element, ids: Ids) -> str:
    return f"<p>{escape(element.name, quote=False)}</p>"


def _heading(element: Element, ids: Ids) -> str:
    return _tag(f"h{element.level}", {}, escape(element.name, quote=False))


def _link(element: Element, ids: Ids) -> str:
    return _tag("a", {"href": located(element.href), **_told(element, ids)}, escape(element.name, quote=False))


def _button(element: Element, ids: Ids) -> str:
    return _tag("button", {"type": "button", **_told(element, ids)}, escape(element.name, quote=False))


def _image(element: Element, ids: Ids) -> str:
    return _tag("span", {"role": "img", "aria-label": element.name}, _unread(element.name))


def _item(element: Element, ids: Ids) -> str:
    """A tree item: named by its label alone, not by what is below it."""
    attributes = {"role": element.role, "aria-label": element.name, **_told(element, ids)}
    return _tag("div", attributes, _unread(element.name) + _inside(element, ids))


def _pressed(element: Element, ids: Ids) -> str:
    """What is pressed and has no element of its own in HTML: named by its words."""
    return _tag("div", {"role": element.role, **_told(element, ids)}, _words(element) + _inside(element, ids))


def _tabled(element: Element, ids: Ids) -> str:
    scope = {"scope": "col"} if element.role == "columnheader" else {}
    held = _words(element) + _inside(element, ids, is_in_table=element.role == "row")
    return _tag(_IN_TABLES[element.role], {**scope, **_told(element, ids)}, held)


def _held(element: Element, ids: Ids) -> str:
    """A part that holds others and is named by a label."""
    tag = _TAGS.get(element.role, "div")
    attributes: Attributes = {} if element.role in _TAGS else {"role": element.role}
    if element.name:
        attributes["aria-label"] = element.name
    if element.role == "form":
        attributes["autocomplete"] = "off"
    if element.role == "dialog":
        attributes["aria-modal"] = "true"
    caption = _unread(element.name) if element.name and element.role in _CAPTIONED | {"dialog"} else ""
    held = _inside(element, ids, is_in_table=element.role == "table")
    if element.role == "table":
        return f"<div>{caption}{_tag(tag, attributes, held)}</div>"
    return _tag(tag, {**attributes, **_told(element, ids)}, caption + held)


def _field(element: Element, ids: Ids) -> str:
    attributes = {"aria-label": element.name, "autocomplete": "off", **_told(element, ids)}
    label = _unread(element.name)
    if element.role == "combobox":
        options = (
            _tag("option", {"selected": ""} if option == element.value else {}, escape(option, quote=False))
            for option in element.options
        )
        return _tag("div", {"class": "field"}, label + _tag("select", attributes, "".join(options)))
    if element.role in ("checkbox", "radio"):
        state = {"checked": ""} if element.checked else {}
        return _tag("div", {"class": "box"}, _opened("input", {"type": element.role, **state, **attributes}) + label)
    least, most, step = (str(limit) for limit in element.limits)
    limits = {"min": least, "max": most, "step": step} if element.limits[1] else {}
    attributes = {"type": _INPUTS[element.role], "value": element.value, **limits, **attributes}
    shown = _unread(element.value) if element.role == "slider" else ""
    return _tag("div", {"class": "field"}, label + _opened("input", attributes) + shown)


_SPECIAL: Final[Mapping[Role, Callable[[Element, Ids], str]]] = {
    "StaticText": _paragraph,
    "heading": _heading,
    "link": _link,
    "button": _button,
    "img": _image,
    "treeitem": _item,
    "option": _pressed,
    "tab": _pressed,
    "menuitem": _pressed,
    "gridcell": _pressed,
    "cell": _pressed,
    "columnheader": _pressed,
}


# -- parts of elements -------------------------------------------------------------------------------


def _told(element: Element, ids: Ids) -> Attributes:
    """Return the attributes that every element may have: its id and its states."""
    attributes: Attributes = {}
    is_native = element.role in ("link", "button", "combobox", "checkbox", "radio") or element.role in _INPUTS
    if element.key in ids and element.key:
        attributes["id"] = ids[element.key]
    if element.key and not is_native:
        attributes["tabindex"] = "0"
    for name in ("selected", "expanded"):
        if (state := getattr(element, name)) is not None:
            attributes[f"aria-{name}"] = "true" if state else "false"
    if element.is_disabled:
        attributes |= {"disabled": ""} if is_native and element.role != "link" else {"aria-disabled": "true"}
    if element.is_required:
        attributes["aria-required"] = "true"
    if element.role in _INPUTS or element.role == "combobox":
        attributes["aria-invalid"] = "true" if element.is_invalid else "false"  # the site judges, not the browser
    return attributes


def _words(element: Element) -> str:
    return escape(element.name, quote=False)


def _unread(words: str) -> str:
    return f'<span class="label" aria-hidden="true">{escape(words, quote=False)}</span>'


def _tag(tag: str, attributes: Attributes, held: str) -> str:
    return f"{_opened(tag, attributes)}{held}</{tag}>"


def _opened(tag: str, attributes: Attributes) -> str:
    return f"<{' '.join([tag, *_pairs(attributes)])}>"


def _pairs(attributes: Attributes) -> Iterator[str]:
    for name, value in attributes.items():
        yield f'{name}="{escape(value)}"' if value or name in ("value", "aria-label") else name
