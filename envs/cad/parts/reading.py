"""Texts read back to the trees that they tell: the proof that nothing was left out."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from palestra.envs.cad.parts.phrases import (
    AGAIN,
    BACKWARDS,
    DATUMS,
    FRAMES,
    LENGTH,
    SIDES,
    SPANS,
    WAYS,
    read_length,
    read_place,
)
from palestra.envs.cad.parts.text import ANGLES, BOOKS, LABELS
from palestra.envs.cad.parts.tree import (
    AXES,
    BASES,
    FEATURES,
    KINDS,
    REPEATS,
    TREATMENTS,
    Datum,
    PartError,
    Relation,
    Step,
    Tree,
    make,
    values,
    with_value,
)
from palestra.envs.cad.parts.words import REGISTERS, Register

_NAMES: Final = "|".join(["x", "y", "z", *SPANS.values(), *WAYS.values(), *SIDES.values()])
_AXES: Final = {word: axis for words in (SPANS, WAYS, SIDES) for axis, word in words.items()} | {a: a for a in AXES}
_WAYS: Final = "|".join([*WAYS.values(), *BACKWARDS.values()])
_SLOTS: Final = {
    "n": r"\d{1,3}",
    "feature": r"[^;]+",
    "where": r"the (?:\w+ (?:face|side)|inner floor|end face of step \d+|end of what step \d+ made)",
    "position": rf"[xyz] = {LENGTH}, [xyz] = {LENGTH}|{LENGTH} (?:{_WAYS}) and {LENGTH} (?:{_WAYS})",
    **dict.fromkeys(("direction", "across_axis", "first", "second"), _NAMES),
    **dict.fromkeys(("sides", "count", "columns", "rows"), r"\d+"),
    **dict.fromkeys(ANGLES, r"\d+(?:\.\d+)?"),
}
_LACKS: Final[Mapping[str, Mapping[str, Decimal | None]]] = {
    "through": {"depth": None},
    "sharp": {"radius": Decimal(0)},
    "solid": {"bore": Decimal(0)},
}


def parse(text: str, register: Register) -> Tree:
    """Return the tree that a text tells.

    Raises:
        PartError: a sentence or a row says nothing that is known, or more than one thing.
    """
    if register not in REGISTERS:
        raise PartError(f"unknown register {register!r}; known: {', '.join(REGISTERS)}")
    reader = _Reader(register)
    if register == "table":
        reader.read_table(text)
    else:
        for sentence in re.split(r"(?<=\.)\s+", text.strip()):
            reader.read_sentence(sentence.removesuffix("."))
    return reader.tree()


class _Reader:
    """One tree in the making: nodes with what is said of each dimension."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.datum: Datum | None = None
        self.base: dict[str, Any] | None = None
        self.edges: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.relations: dict[str, tuple[str, Decimal]] = {}

    def tree(self) -> Tree:
        """Return what was read.

        Raises:
            PartError: it makes no tree.
        """
        if self.base is None or self.datum is None:
            raise PartError("the text names no base, or no datum")
        steps = []
        for number, step in enumerate(self.steps, 1):
            at = [self._length(f"{number}.{name}", step[name]) for name in "ab"]
            repeat = self._node(f"{number}.repeat", step["repeat"]) if step.get("repeat") else None
            steps.append(Step(self._node(str(number), step["feature"]), step["on"], (at[0], at[1]), repeat))
        edges = tuple(self._node(f"edges.{number}", edge) for number, edge in enumerate(self.edges, 1))
        tree = Tree(self._node("base", self.base), self.datum, edges, tuple(steps))
        return related(tree, self.relations)

    def _node(self, path: str, said: Mapping[str, Any]) -> Any:
        kind = KINDS[said["kind"]]
        given = {}
        for name, value in said.items():
            if name != "kind":
                is_length = isinstance(value, str) and re.fullmatch(LENGTH, value)
                given[name] = self._length(f"{path}.{name}", value) if is_length else value
        return make(kind, given)

    def _length(self, path: str, said: str) -> Decimal:
        found = read_length(said.removeprefix("-"))
        if isinstance(found, tuple):
            self.relations[path] = found
            return Decimal(1)  # until the base is known
        return -found if said.startswith("-") else found

    def read_sentence(self, sentence: str) -> None:
        """Take in one sentence.

        Raises:
            PartError: it says nothing that is known, or more than one thing.
        """
        for pool in DATUMS[self.register]:
            for datum, words in pool.items():
                if sentence.lower() == words.lower():
                    self.datum = datum
                    return
        if sentence in self._plain_sentences(sentence):
            return
        steps = list(self._step_sentences(sentence))
        if len(steps) != 1 or steps[0][0] != len(self.steps) + 1:
            raise PartError(f"{len(steps)} steps are told by {sentence!r}, or out of order")
        self.steps.append(steps[0][1])

    def _plain_sentences(self, sentence: str) -> list[str]:
        found = list(self._nodes(sentence, (*BASES, *TREATMENTS)))
        if len(found) > 1:
            raise PartError(f"{sentence!r} says more than one thing")
        for node, _ in found:
            if KINDS[node["kind"]] in BASES:
                if self.base is not None:
                    raise PartError("the text names two bases")
                self.base = node
            else:
                self.edges.append(node)
        return [sentence] if found else []

    def _step_sentences(self, sentence: str) -> Iterator[tuple[int, dict[str, Any]]]:
        said, _, again = sentence.partition(AGAIN)
        for pool in FRAMES[self.register]:
            for frame in pool:
                found = _pattern(frame).fullmatch(said)
                if found is None:
                    continue
                axes, lengths = self._position(found["position"])
                for feature, names in self._nodes(found["feature"], FEATURES):
                    step = {"feature": feature, "on": read_place(found["where"]), "a": lengths[0], "b": lengths[1]}
                    repeats = list(self._nodes(again, REPEATS)) if again else [({}, {})]
                    for repeat, more in repeats:
                        _agree({**names, **more}, axes)
                        yield int(found["n"]), {**step, "repeat": repeat}

    def _position(self, said: str) -> tuple[tuple[str, str], tuple[str, str]]:
        if self.register == "expert":
            found = re.fullmatch(rf"([xyz]) = ({LENGTH}), ([xyz]) = ({LENGTH})", said)
            if found is None:
                raise PartError(f"{said!r} is no position")
            return (found[1], found[3]), (found[2], found[4])
        forward, backward = (
            {word: axis for axis, word in WAYS.items()},
            {word: axis for axis, word in BACKWARDS.items()},
        )
        ways = "|".join([*forward, *backward])
        found = re.fullmatch(rf"({LENGTH}) ({ways}) and ({LENGTH}) ({ways})", said)
        if found is None:
            raise PartError(f"{said!r} is no position")
        axes, lengths = [], []
        for length, way in ((found[1], found[2]), (found[3], found[4])):
            axes.append(forward.get(way) or backward[way])
            lengths.append(length if way in forward else f"-{length}")
        return (axes[0], axes[1]), (lengths[0], lengths[1])

    def _nodes(self, said: str, kinds: tuple[type, ...]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """Yield every node of these kinds that the words may tell, and the axes of its place that they name."""
        seen: list[Any] = []
        for key, pools in BOOKS[self.register].items():
            kind, *lacks = key.split(".")
            if KINDS[kind] not in kinds:
                continue
            for template in {template for pool in pools for template in pool}:
                found = _pattern(template).fullmatch(said)
                if found is None:
                    continue
                node, names = _named(kind, lacks, found.groupdict())
                if (node, names) not in seen:
                    seen.append((node, names))
                    yield node, names

    def read_table(self, text: str) -> None:
        """Take in a table.

        Raises:
            PartError: a row says nothing that is known.
        """
        full = {label: name for name, label in LABELS.items()}
        for line in text.splitlines():
            if not line.startswith("|"):
                if line and not line.startswith("Note: "):
                    self._read_datum(line.removesuffix("."))
                continue
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) != 4:
                raise PartError(f"a row has four cells, unlike {line!r}")
            item, kind, label, value = cells
            if item not in ("item", "---"):
                self._read_row(item, kind, full.get(label, label.replace(" ", "_")), value)

    def _read_datum(self, line: str) -> None:
        for pool in DATUMS["expert"]:
            for datum, words in pool.items():
                if line == words:
                    self.datum = datum
                    return
        raise PartError(f"{line!r} is no datum")

    def _read_row(self, item: str, kind: str, name: str, value: str) -> None:
        found = re.fullmatch(r"(base)|edge (\d{1,3})|step (\d{1,3})( pattern)?", item)
        if found is None or kind not in KINDS:
            raise PartError(f"a row is of the base, an edge or a step, not of {item!r}, {kind!r}")
        said = None if value == "through" else value.removesuffix(" degrees")
        if found[1]:
            self.base = {**(self.base or {}), "kind": kind, name: said}
        elif found[2]:
            _grow(self.edges, int(found[2]))
            self.edges[int(found[2]) - 1].update({"kind": kind, name: said})
        else:
            _grow(self.steps, int(found[3]))
            step = self.steps[int(found[3]) - 1]
            if name == "place":
                step["on"] = read_place(value)
            elif name in AXES:
                step["b" if "a" in step else "a"] = value
            else:
                slot = "repeat" if found[4] else "feature"
                step[slot] = {**step.get(slot, {}), "kind": kind, name: said}


def related(tree: Tree, relations: Mapping[str, tuple[str, Decimal]]) -> Tree:
    """Return the tree in which some dimensions follow from others, in the order of its dimensions."""
    order = list(values(tree))
    listed = [Relation(path, *relations[path]) for path in sorted(relations, key=order.index)]
    found = Tree(tree.base, tree.datum, tree.edges, tree.steps, tuple(listed))
    for source in {one.source for one in listed}:
        if source not in order:
            raise PartError(f"the base has no {source.removeprefix('base.')}")
        found = with_value(found, source, values(tree)[source])
    return found


def _named(kind: str, lacks: list[str], groups: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    node: dict[str, Any] = {"kind": kind}
    if kind == "profile":
        node["shape"] = lacks[0]
    elif kind in ("fillet", "chamfer"):
        node["edges"] = lacks[0]
    for lack in lacks:
        node = {**node, **_LACKS.get(lack, {})}
    names = {}
    for name, said in groups.items():
        if name in ("first", "second"):
            names[name] = _AXES[said]
        else:
            node[name] = _AXES[said] if name in ("direction", "across") and kind not in ("prism",) else said
    return node, names


def _agree(names: Mapping[str, str], axes: tuple[str, str]) -> None:
    if any(names.get(name, axis) != axis for name, axis in zip(("first", "second"), axes, strict=True)):
        raise PartError(f"the axes {names} are not those of the position, {axes}")


def _grow(found: list[dict[str, Any]], number: int) -> None:
    if number not in (len(found), len(found) + 1):
        raise PartError(f"item {number} comes out of order")
    if number > len(found):
        found.append({})


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Return the expression that reads a template."""
    parts = []
    is_prism = "{sides}" in template
    for words, name in re.findall(r"([^{}]*)(?:\{(\w+)\})?", template):
        parts.append(re.escape(words))
        if name:
            slot = _SLOTS.get("across_axis" if name == "across" and not is_prism else name, LENGTH)
            parts.append(f"(?P<{name}>{slot})")
    first = parts[0]
    if first[:1].isalpha():
        parts[0] = f"[{first[0].upper()}{first[0].lower()}]{first[1:]}"
    return re.compile("".join(parts))
