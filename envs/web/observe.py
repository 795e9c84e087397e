"""What an agent is shown of a page: its accessibility tree, a pruned DOM, or a list of what can be used."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final, Literal, get_args

from palestra.envs.web.axtree import UNNAMED_ARE_LEFT_OUT, described
from palestra.envs.web.browsing import ORIGIN, State, View
from palestra.envs.web.element import Element

Mode = Literal["axtree", "html", "elements", "screenshot"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
_TAGS: Final[Mapping[str, str]] = {
    "StaticText": "p",
    "link": "a",
    "button": "button",
    "textbox": "input",
    "searchbox": "input",
    "spinbutton": "input",
    "slider": "input",
    "checkbox": "input",
    "radio": "input",
    "combobox": "select",
    "list": "ul",
    "listitem": "li",
    "table": "table",
    "row": "tr",
    "columnheader": "th",
    "cell": "td",
    "dialog": "dialog",
    "form": "form",
    "navigation": "nav",
    "region": "section",
}
_TYPES: Final[Mapping[str, str]] = {
    "textbox": "text",
    "searchbox": "search",
    "spinbutton": "number",
    "slider": "range",
    "checkbox": "checkbox",
    "radio": "radio",
}
_HOLDS_NAME: Final = frozenset(
    {"StaticText", "heading", "link", "button", "tab", "treeitem", "cell", "gridcell", "columnheader", "menuitem"}
)


def around(state: State, error: str) -> str:
    """Return the lines above a page: what went wrong with the last action, the address, and tabs if there are many."""
    lines = [f"Error of the last action: {error}"] if error else []
    lines.append(f"Address: {ORIGIN}{state.tab.address}")
    if len(state.tabs) > 1:
        tabs = (
            f"{place}{' (in front)' * (place == state.active)} {tab.address}" for place, tab in enumerate(state.tabs)
        )
        lines.append(f"Tabs: {', '.join(tabs)}")
    return "\n".join(lines)


def shown(view: View, error: str = "", mode: Mode = "axtree", tree: str = "") -> str:
    """Return what an agent is told after an action.

    Args:
        view: what the page is.
        error: what went wrong with the action.
        mode: what of the page is told.
        tree: its accessibility tree as a browser tells it; "" for that of the view.
    """
    page = ""
    if mode == "axtree":
        page = tree or view.text
    elif mode == "html":
        page = dom(view)
    elif mode == "elements":
        page = elements(view)
    return f"{around(view.state, error)}\n{page}".rstrip("\n")


def dom(view: View) -> str:
    """Return the page as HTML with nothing in it but what the accessibility tree tells, too."""
    lines = [f"<title>{escape(view.page.title)}</title>"]
    for element in view.page.shown:
        lines += _html(element, view.ids, 0)
    return "\n".join(lines)


def elements(view: View) -> str:
    """Return what can be used, one element a line, and nothing else."""
    return "\n".join(f"[{view.ids[key]}] {described(one)}{_choices(one)}" for key, one in view.elements.items())


def _choices(element: Element) -> str:
    return f", options={list(element.options)}" if element.options else ""


def _html(element: Element, ids: Mapping[str, str], depth: int) -> Iterator[str]:
    if not element.name and element.role in UNNAMED_ARE_LEFT_OUT:
        for child in element.children:
            yield from _html(child, ids, depth)
        return
    tag = f"h{element.level}" if element.role == "heading" else _TAGS.get(element.role, "div")
    start = " ".join([tag, *_attributes(element, ids)])
    held = escape(element.name, quote=False) if element.role in _HOLDS_NAME else ""
    held += "".join(
        f"<option{' selected' * (option == element.value)}>{escape(option, quote=False)}</option>"
        for option in element.options
    )
    indent = " " * depth
    if not element.children:
        yield f"{indent}<{start}>" + (f"{held}</{tag}>" if tag != "input" else "")
        return
    yield f"{indent}<{start}>{held}"
    for child in element.children:
        yield from _html(child, ids, depth + 1)
    yield f"{indent}</{tag}>"


def _attributes(element: Element, ids: Mapping[str, str]) -> Iterator[str]:
    if element.key:
        yield f'bid="{ids[element.key]}"'
    if kind := _TYPES.get(element.role):
        yield f'type="{kind}"'
    elif element.role not in _TAGS and element.role != "heading":
        yield f'role="{element.role}"'
    if element.name and element.role not in _HOLDS_NAME:
        yield f'aria-label="{escape(element.name)}"'
    if kind and element.checked is None:
        yield f'value="{escape(element.value)}"'
    if element.limits[1]:
        yield f'min="{element.limits[0]}" max="{element.limits[1]}"'
    for name in ("checked", "selected", "expanded"):
        if (state := getattr(element, name)) is not None:
            yield f'aria-{name}="{"true" if state else "false"}"'
    for name, is_so in (
        ("disabled", element.is_disabled),
        ("required", element.is_required),
        ("aria-invalid", element.is_invalid),
    ):
        if is_so:
            yield name
