"""The accessibility tree that a real browser tells of a page, brought back to elements.

`palestra.envs.web.axtree` writes both, those of a site and those that were heard, so that texts are equal where what is
told is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from palestra.envs.web.axtree import axtree
from palestra.envs.web.element import FILLED, NAMED_BY_CONTENT, Element, Page, Role

Node = Mapping[str, Any]  # of Accessibility.getFullAXTree

_LOOKED_THROUGH: Final = frozenset({"none", "generic", "paragraph", "rowgroup", "MenuListPopup"})
_UNHEARD: Final = frozenset({"InlineTextBox", "LineBreak", "ListMarker"})
_CELLS: Final = frozenset({"cell", "gridcell", "columnheader"})
_ROLES: Final[Mapping[str, str]] = {"image": "img"}


def heard_text(nodes: Sequence[Node], document: Node) -> str:
    """Return the accessibility tree as `axtree` writes it.

    Args:
        nodes: what ``Accessibility.getFullAXTree`` returned.
        document: the root that ``DOM.getDocument`` returned, whole.
    """
    attributes = dict(_attributes(document))
    hearing = _Hearing({node["nodeId"]: node for node in nodes}, attributes)
    root = nodes[0]
    page = Page(_words(root), tuple(hearing.below(root)))
    ids = {told["id"]: told["id"] for told in attributes.values() if "id" in told}
    return axtree(page, ids)


class _Hearing:
    def __init__(self, nodes: Mapping[str, Node], attributes: Mapping[int, Mapping[str, str]]) -> None:
        self._nodes, self._attributes = nodes, attributes

    def below(self, node: Node) -> Iterator[Element]:
        """Yield the elements that a node holds."""
        for child in self._children(node):
            yield from self._element(child)

    def _children(self, node: Node) -> list[Node]:
        return [self._nodes[number] for number in node.get("childIds", ()) if number in self._nodes]

    def _element(self, node: Node) -> Iterator[Element]:
        role = _role(node)
        if role in _UNHEARD:
            return
        if node["ignored"] or role in _LOOKED_THROUGH:
            yield from self.below(node)
            return
        held = () if role in FILLED or role == "combobox" else tuple(self.below(node))
        name = _words(node)
        if role in NAMED_BY_CONTENT:
            if role in _CELLS and not all(child["ignored"] or _is_text(child) for child in self._children(node)):
                name = ""
            elif name:
                held = tuple(one for one in held if one.role != "StaticText")
        elif role in ("row", "listitem"):
            name = ""
        if role == "StaticText" and not name.strip():
            return
        yield self._made(node, role, name, held)

    def _made(self, node: Node, role: str, name: str, held: tuple[Element, ...]) -> Element:
        told = {each["name"]: each["value"].get("value") for each in node.get("properties", ())}
        attributes = self._attributes.get(node.get("backendDOMNodeId", 0), {})
        has_value = role in FILLED or role == "combobox"
        value = _text(node.get("value", {}).get("value", "")) if has_value else ""
        checked = told.get("checked")
        return Element(
            role=cast(Role, role),
            name=name,
            children=held,
            key=attributes.get("id", ""),
            value=value,
            field="field" if has_value else "",
            checked=None if checked is None else checked == "true",
            selected=bool(told.get("selected")) if "aria-selected" in attributes else None,
            expanded=told.get("expanded") if role != "combobox" else None,
            is_disabled=bool(told.get("disabled")),
            is_required=bool(told.get("required")),
            is_invalid=told.get("invalid", "false") != "false",
            level=int(told.get("level", 0)) if role == "heading" else 0,
            options=tuple(self._options(node)) if role == "combobox" else (),
            limits=(int(told.get("valuemin", 0)), int(told.get("valuemax", 0)), 1),
        )

    def _options(self, node: Node) -> Iterator[str]:
        for child in self._children(node):
            if _role(child) == "option":
                yield _words(child)
            else:
                yield from self._options(child)


def _attributes(node: Node) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the attributes of each element of a document, with its number."""
    stack = [node]
    while stack:
        one = stack.pop()
        if pairs := one.get("attributes"):
            yield one["backendNodeId"], dict(zip(pairs[::2], pairs[1::2], strict=True))
        stack += one.get("children", ())


def _role(node: Node) -> str:
    role = str(node.get("role", {}).get("value", ""))
    return _ROLES.get(role, role)


def _is_text(node: Node) -> bool:
    return _role(node) == "StaticText"


def _words(node: Node) -> str:
    return str(node.get("name", {}).get("value", ""))


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
