"""What a page shows at a moment, from what Chromium tells of its accessibility tree and of its layout.

No script of the page has a say in it, and nothing is told that neither a reader nor a user of assistive technology
would get: no attributes but ids and classes (which MiniWoB++ tells, too), no comments, no scripts, nothing hidden.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

Answer = Mapping[str, Any]  # of Chromium's protocol
Box = tuple[int, int, int, int]  # left, top, width, height, in pixels of the window

STYLES: Final = ("background-color", "color", "fill", "visibility", "opacity")
_TEXTS: Final = frozenset({"StaticText", "InlineTextBox", "LineBreak"})
_PLAIN: Final = frozenset({"generic", "none", "paragraph", "LabelText", "RootWebArea", "SvgRoot", "Section"})
_BOXES: Final = frozenset({"checkbox", "radio"})  # which have a value that tells nothing
_STATES: Final = ("level", "checked", "selected", "expanded", "pressed", "valuemin", "valuemax")
_FLAGS: Final = ("disabled", "readonly", "required", "focused")
_ELEMENT, _TEXT = 1, 3  # types of nodes
_CLEAR: Final = "rgba(0, 0, 0, 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One element of a page, or (without an id) a piece of text in one."""

    id: str
    node: int  # Chromium's own number of it
    depth: int
    role: str  # of the accessibility tree; "" where it has none
    name: str
    states: tuple[tuple[str, str], ...] = ()
    tag: str = ""
    html_id: str = ""
    classes: tuple[str, ...] = ()
    text: str = ""  # all that is written in it
    value: str = ""
    box: Box = (0, 0, 0, 0)
    colour: str = ""  # of the text, or of what fills a shape, if it is not black: "#ff0000"
    background: str = ""  # if it has one
    is_clickable: bool = False
    is_leaf: bool = True  # holds no other element that is told

    @property
    def centre(self) -> tuple[int, int]:
        """The middle of its box."""
        left, top, width, height = self.box
        return left + width // 2, top + height // 2

    def is_(self, state: str) -> bool:
        """Tell whether it is "checked", "selected", "disabled" ..."""
        return dict(self.states).get(state) == "true"


@dataclass(frozen=True)
class Look:
    """All items in the order of the page, and the part of them that the accessibility tree tells."""

    items: tuple[Item, ...]
    told: tuple[Item, ...]

    @cached_property
    def nodes(self) -> dict[str, int]:
        """Chromium's numbers of the elements that have an id."""
        return {item.id: item.node for item in (*self.items, *self.told) if item.id}

    @cached_property
    def tree(self) -> str:
        """The accessibility tree as text, one element a line."""
        return "\n".join("\t" * item.depth + _line(item) for item in self.told)

    @cached_property
    def elements(self) -> str:
        """Every visible element, with its place and colours, one a line."""
        return "\n".join(map(_element_line, self.items))


def read(tree: Answer, snapshot: Answer, ids: dict[int, str], query: int) -> Look:
    """Return what is shown.

    Args:
        tree: what ``Accessibility.getFullAXTree`` told.
        snapshot: what ``DOMSnapshot.captureSnapshot`` told, with `STYLES`.
        ids: of Chromium's numbers of elements; new elements get the next ones.
        query: Chromium's number of the element that holds the instruction, which is told otherwise.
    """
    roles = {node["backendDOMNodeId"]: node for node in tree["nodes"] if "backendDOMNodeId" in node}
    layout = _Layout(snapshot, roles, ids, query)
    items = tuple(layout.items())
    by_node = {item.node: item for item in items}
    return Look(items, tuple(_told(tree["nodes"], by_node, {*layout.unseen(), query})))


class _Layout:
    """The visible elements of a snapshot of the layout."""

    def __init__(self, snapshot: Answer, roles: Mapping[int, Answer], ids: dict[int, str], query: int) -> None:
        self._strings: Sequence[str] = snapshot["strings"]
        document = snapshot["documents"][0]
        self._nodes, self._layout = document["nodes"], document["layout"]
        self._roles, self._ids, self._query = roles, ids, query
        self._parents: Sequence[int] = self._nodes["parentIndex"]
        self._numbers: Sequence[int] = self._nodes["backendNodeId"]
        self._clickable = set(self._nodes.get("isClickable", {}).get("index", ()))
        self._values = self._rare("inputValue") | self._rare("textValue")
        self._boxes: dict[int, int] = {}  # of nodes, where they stand in the layout
        for place, node in enumerate(self._layout["nodeIndex"]):
            self._boxes.setdefault(node, place)
        self._seen = self._all_seen()
        self._texts = self._all_texts()
        self._parts = {self._parents[node] for node in self._seen if self._nodes["nodeType"][node] == _ELEMENT}

    def items(self) -> Iterator[Item]:
        for node in sorted(self._seen):
            if self._nodes["nodeType"][node] == _ELEMENT and (item := self._item(node)):
                yield item

    def unseen(self) -> Iterator[int]:
        """Yield Chromium's numbers of the texts that are laid out and cannot be seen, such as those of turned cards."""
        for node in self._boxes:
            if node not in self._seen and self._nodes["nodeType"][node] == _TEXT:
                yield self._numbers[node]

    def _item(self, node: int) -> Item | None:
        tag = self._string(self._nodes["nodeName"][node]).lower()
        place, number = self._boxes[node], self._numbers[node]
        background, colour, fill, *_ = map(self._string, self._layout["styles"][place])
        left, top, width, height = self._layout["bounds"][place]
        text = " ".join(self._texts.get(node, "").split())
        if (
            tag in ("html", "body")
            or self._is_empty(node)
            or (self._is_query(node) and (text or number == self._query))
        ):
            return None
        attributes = self._attributes(node)
        told = self._roles.get(number, {})
        return Item(
            id=self._ids.setdefault(number, str(len(self._ids) + 1)),
            node=number,
            depth=self._depth(node),
            role=_value(told, "role"),
            name=_value(told, "name"),
            states=_states(told),
            tag=tag,
            html_id=attributes.get("id", ""),
            classes=tuple(attributes.get("class", "").split()),
            text=text,
            value="" if _value(told, "role") in _BOXES else self._values.get(node, ""),
            box=(round(left), round(top), round(width), round(height)),
            colour=_hex(fill if self._is_shape(node) else colour, "#000000"),
            background=_hex(background, ""),
            is_clickable=node in self._clickable,
            is_leaf=node not in self._parts,
        )

    def _string(self, number: int) -> str:
        return self._strings[number] if number >= 0 else ""

    def _rare(self, name: str) -> dict[int, str]:
        told = self._nodes.get(name, {"index": [], "value": []})
        return {node: self._string(value) for node, value in zip(told["index"], told["value"], strict=True)}

    def _all_seen(self) -> set[int]:
        """Return what is laid out and neither invisible, nor in something of no opacity, nor a text of no size."""
        seen, clear = set[int](), set[int]()
        for node in sorted(self._boxes):  # what is around something comes before it
            if not (styles := self._layout["styles"][self._boxes[node]]):
                continue  # the document itself
            *_, visibility, opacity = map(self._string, styles)
            if opacity == "0" or any(one in clear for one in self._ancestors(node)):
                clear.add(node)
            elif visibility == "visible" and not (self._nodes["nodeType"][node] == _TEXT and self._is_empty(node)):
                seen.add(node)
        return seen

    def _all_texts(self) -> dict[int, str]:
        """Return the text in every element, made from the laid-out pieces within."""
        texts: dict[int, str] = {}
        for node in sorted(self._seen):
            if self._nodes["nodeType"][node] != _TEXT:
                continue
            text, inside = self._string(self._layout["text"][self._boxes[node]]), self._parents[node]
            while inside >= 0:
                texts[inside] = f"{texts[inside]} {text}" if inside in texts else text
                inside = self._parents[inside]
        return texts

    def _attributes(self, node: int) -> dict[str, str]:
        pairs = list(map(self._string, self._nodes["attributes"][node]))
        return dict(zip(pairs[::2], pairs[1::2], strict=True))

    def _ancestors(self, node: int) -> Iterator[int]:
        while node >= 0:
            yield node
            node = self._parents[node]

    def _depth(self, node: int) -> int:
        return max(0, sum(1 for one in self._ancestors(node) if one in self._boxes) - 4)  # below html, body, #wrap

    def _is_empty(self, node: int) -> bool:
        _, _, width, height = self._layout["bounds"][self._boxes[node]]
        return min(float(width), float(height)) <= 0

    def _is_query(self, node: int) -> bool:
        return any(self._numbers[one] == self._query for one in self._ancestors(node))

    def _is_shape(self, node: int) -> bool:
        return any(self._string(self._nodes["nodeName"][one]).lower() == "svg" for one in self._ancestors(node))


def _told(nodes: Sequence[Answer], by_node: Mapping[int, Item], left_out: Set[int]) -> Iterator[Item]:
    """Yield what the accessibility tree tells: texts, what has a role of its own, and what can be clicked."""
    by_id = {node["nodeId"]: node for node in nodes}
    stack: list[tuple[Answer, int, str]] = [(nodes[0], 0, "")] if nodes else []
    while stack:
        node, depth, above = stack.pop()
        role, number = _value(node, "role"), node.get("backendDOMNodeId", 0)
        if number in left_out or role == "InlineTextBox":
            continue
        item = _told_item(node, by_node.get(number), depth)
        if item is not None and not (item.role == "StaticText" and (not item.name.strip() or item.name in above)):
            yield item
            depth, above = depth + 1, item.name
        children = [by_id[one] for one in node.get("childIds", ()) if one in by_id]
        stack += [(child, depth, above) for child in reversed(children)]


def _told_item(node: Answer, item: Item | None, depth: int) -> Item | None:
    role, name = _value(node, "role"), _value(node, "name")
    if node.get("ignored") or not role:
        return None
    if role in _TEXTS or item is None:
        is_told = role == "StaticText" or role == "option"
        return Item(id="", node=0, depth=depth, role=role, name=name, states=_states(node)) if is_told else None
    if role in _PLAIN and not item.is_clickable:
        return None
    name = name or (item.text if item.is_leaf else "")
    return Item(
        id=item.id,
        node=item.node,
        depth=depth,
        role=role,
        name=name,
        states=item.states,
        tag=item.tag,
        value="" if role in _BOXES else _value(node, "value") or item.value,
        is_clickable=item.is_clickable,
    )


def _line(item: Item) -> str:
    told = [f"{item.role} {item.name!r}"]
    if item.value or item.role in ("textbox", "searchbox", "spinbutton", "slider", "combobox"):
        told.append(f"value={item.value!r}")
    told += [name if name in _FLAGS else f"{name}={value!r}" for name, value in item.states]
    if item.is_clickable and item.role in _PLAIN:
        told.append("clickable")
    return (f"[{item.id}] " if item.id else "") + ", ".join(told)


def _element_line(item: Item) -> str:
    left, top, width, height = item.box
    name = item.tag + (f"#{item.html_id}" if item.html_id else "") + "".join(f".{one}" for one in item.classes)
    words = item.text if item.is_leaf else ""
    told = [f"{name} {words!r}" if words else name, f"at ({left}, {top}), {width} x {height}"]
    if item.value:
        told.append(f"value={item.value!r}")
    told += [name if name in _FLAGS else f"{name}={value!r}" for name, value in item.states]
    told += [
        f"{what}={colour}" for what, colour in (("colour", item.colour), ("background", item.background)) if colour
    ]
    told += ["clickable"] if item.is_clickable else []
    return "\t" * item.depth + f"[{item.id}] " + ", ".join(told)


def _value(node: Answer, name: str) -> str:
    told = node.get(name, {}).get("value", "")
    return told if isinstance(told, str) else str(told)


def _states(node: Answer) -> tuple[tuple[str, str], ...]:
    """Return the states that are worth telling: those that things may have, and flags that are set."""
    told = {one["name"]: one["value"].get("value") for one in node.get("properties", ())}
    states = [(name, _word(told[name])) for name in _STATES if name in told]
    return (*states, *((name, "true") for name in _FLAGS if told.get(name) is True))


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _hex(colour: str, usual: str) -> str:
    """Return a colour as "#rrggbb"; "" for what is usual and for none at all."""
    numbers = re.findall(r"[\d.]+", colour)
    if not colour.startswith("rgb") or len(numbers) < 3 or colour == _CLEAR:
        return ""
    found = "#" + "".join(f"{round(float(one)):02x}" for one in numbers[:3])
    return "" if found == usual else found
