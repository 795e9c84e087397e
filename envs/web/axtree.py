"""The accessibility tree of a page as text, one element a line, as a browser with the same page tells it.

A line is ``[id] role 'name', value='...', checked='false', ...``, indented by its depth; what cannot be used has no id.
Texts that are empty or only repeat the name of the element around them are left out, and so are groups without a name.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from palestra.envs.web.element import Element, Page

_INDENT: Final = "\t"
UNNAMED_ARE_LEFT_OUT: Final = frozenset({"group", "region", "form"})  # as in browsers


def axtree(page: Page, ids: Mapping[str, str]) -> str:
    """Return the tree of a page.

    Args:
        page: what is shown.
        ids: of the keys of elements that can be used.
    """
    lines = [f"RootWebArea {' '.join(page.title.split())!r}"]
    for element in page.shown:
        lines += _lines(element, ids, 1)
    return "\n".join(lines)


def _lines(element: Element, ids: Mapping[str, str], depth: int) -> Iterator[str]:
    if not element.name and element.role in UNNAMED_ARE_LEFT_OUT:
        for child in element.children:
            yield from _lines(child, ids, depth)
        return
    if element.role == "StaticText" and not element.name.strip():
        return
    number = f"[{ids[element.key]}] " if element.key else ""
    yield _INDENT * depth + number + described(element)
    for option in element.options:
        selected = "true" if option == element.value else "false"
        yield f"{_INDENT * (depth + 1)}option {option!r}, selected='{selected}'"
    for child in element.children:
        yield from _lines(child, ids, depth + 1)


def described(element: Element) -> str:
    """Return an element's role, name and state."""
    told = [f"{element.role} {' '.join(element.name.split())!r}"]  # as a browser shows white space
    if element.field and element.checked is None:
        told.append(f"value={element.value!r}")
    if element.level:
        told.append(f"level={element.level}")
    if element.limits[1]:
        told.append(f"min={element.limits[0]}, max={element.limits[1]}")
    for name in ("checked", "selected", "expanded"):
        if (state := getattr(element, name)) is not None:
            told.append(f"{name}='{'true' if state else 'false'}'")
    if element.is_disabled:
        told.append("disabled")
    if element.is_required:
        told.append("required")
    if element.is_invalid:
        told.append("invalid")
    return ", ".join(told)
