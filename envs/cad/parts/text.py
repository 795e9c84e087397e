"""A tree in words: by the workshop's terms, in plain words, or as a table of dimensions."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from palestra.envs.base import Split
from palestra.envs.cad.parts.model import model
from palestra.envs.cad.parts.notes import NOTES
from palestra.envs.cad.parts.phrases import (
    AGAIN,
    BACKWARDS,
    DATUMS,
    FRAMES,
    WAYS,
    axis_words,
    key_of,
    say_length,
    say_place,
    say_share,
)
from palestra.envs.cad.parts.shapes import plane_axes
from palestra.envs.cad.parts.tree import Node, PartError, Step, Tree, field_names, kind_of, plain
from palestra.envs.cad.parts.words import EXPERT, LAYMAN, REGISTERS, Register, Templates
from palestra.envs.draws import Draws

ANGLES: Final = ("angle", "start")  # dimensions in degrees
BOOKS: Final[Mapping[str, Templates]] = {"expert": EXPERT, "layman": LAYMAN}
LABELS: Final = {  # dimensions in tables, where a held-out table has another word
    "diameter": "dia.",
    "radius": "R",
    "depth": "deep",
    "height": "tall",
    "thickness": "thk.",
    "wall": "wall thk.",
    "count": "qty.",
    "spacing": "pitch",
    "setback": "leg",
    "circle": "PCD",
}


def text(tree: Tree, units: tuple[str, ...], split: Split, register: Register, draws: Draws) -> str:
    """Return the part in words, every dimension with its unit; the draws choose among paraphrases.

    Raises:
        PartError: the register is unknown, or the tree cannot be made.
    """
    if register not in REGISTERS:
        raise PartError(f"unknown register {register!r}; known: {', '.join(REGISTERS)}")
    writer = _Writer(tree, units, split, register, draws)
    return writer.table() if register == "table" else writer.sentences()


def say_step(tree: Tree, units: tuple[str, ...], split: Split, draws: Draws, number: int) -> str:
    """Return one step in the workshop's terms, without a full stop."""
    return _Writer(tree, units, split, "expert", draws).step(number, tree.steps[number - 1])


class _Writer:
    """One text in the making."""

    def __init__(self, tree: Tree, units: tuple[str, ...], split: Split, register: Register, draws: Draws) -> None:
        self.tree, self.units, self.register, self.draws = tree, units, register, draws
        self.pool = 1 if split == "heldout" else 0
        self.relations = {one.path: one for one in tree.relations}

    def sentences(self) -> str:
        """Return the text in sentences."""
        datum = DATUMS[self.register][self.pool][self.tree.datum]
        found = [self._node("base", self.tree.base, {})]
        if self.register == "layman":
            found.append(datum)
        else:
            found.insert(0, datum)
        found += [self._node(f"edges.{number}", edge, {}) for number, edge in enumerate(self.tree.edges, 1)]
        found += [self.step(number, step) for number, step in enumerate(self.tree.steps, 1)]
        joint = "\n" if self.register == "expert" else " "
        return joint.join(f"{one[0].upper()}{one[1:]}." for one in found)

    def step(self, number: int, step: Step) -> str:
        """Return one step in a sentence."""
        axis = model(self.tree).steps[number - 1].place.axis
        first, second = plane_axes(axis)
        names = {"first": first, "second": second}
        said = self.draws.pick(FRAMES[self.register][self.pool]).format(
            n=number,
            feature=self._node(str(number), step.feature, names),
            where=say_place(self.register, step.on),
            position=self._position(number, step, first, second),
        )
        return said if step.repeat is None else said + AGAIN + self._node(f"{number}.repeat", step.repeat, names)

    def _position(self, number: int, step: Step, first: str, second: str) -> str:
        if self.register == "expert":
            lengths = (self._length(f"{number}.{name}", at) for name, at in zip("ab", step.at, strict=True))
            return ", ".join(f"{axis} = {length}" for axis, length in zip((first, second), lengths, strict=True))
        said = []
        for name, axis, at in zip("ab", (first, second), step.at, strict=True):
            way = WAYS[axis] if at >= 0 else BACKWARDS[axis]
            said.append(f"{self._length(f'{number}.{name}', abs(at))} {way}")
        return " and ".join(said)

    def _node(self, path: str, node: Node, names: Mapping[str, str]) -> str:
        template = self.draws.pick(BOOKS[self.register][key_of(node)][self.pool])
        words = axis_words(self.register, kind_of(node))
        slots = {name: words[axis] for name, axis in names.items()}
        for name in field_names(type(node)):
            value = getattr(node, name)
            if name in ("direction", "across") and value in words:
                slots[name] = words[value]
            elif value is not None:
                slots[name] = self._value(f"{path}.{name}", name, value)
        return template.format(**slots)

    def _value(self, path: str, name: str, value: Decimal | int | str) -> str:
        if isinstance(value, Decimal) and name not in ANGLES:
            return self._length(path, value)
        return str(plain(value)) if isinstance(value, Decimal) else str(value)

    def _length(self, path: str, value: Decimal) -> str:
        if path in self.relations:
            relation = self.relations[path]
            return say_share(relation.factor, relation.source.removeprefix("base."))
        number = path.partition(".")[0]
        index = int(number) if number.isdecimal() else 0
        unit = self.units[index] if index < len(self.units) else "mm"
        return say_length(value, unit, in_words=self.register == "layman")

    def table(self) -> str:
        """Return the text as a table."""
        datum = DATUMS["expert"][self.pool][self.tree.datum]
        nodes: list[Node] = [self.tree.base, *self.tree.edges, *(step.feature for step in self.tree.steps)]
        nodes += [step.repeat for step in self.tree.steps if step.repeat is not None]
        kinds = dict.fromkeys(key_of(node) if kind_of(node) == "profile" else kind_of(node) for node in nodes)
        notes = [f"Note: {NOTES[kind]}." for kind in kinds if kind in NOTES]
        rows = [f"{datum}.", *notes, "", "| item | kind | dimension | value |", "| --- | --- | --- | --- |"]
        rows += self._rows("base", "base", self.tree.base)
        for number, edge in enumerate(self.tree.edges, 1):
            rows += self._rows(f"edge {number}", f"edges.{number}", edge)
        for number, step in enumerate(self.tree.steps, 1):
            item, kind = f"step {number}", kind_of(step.feature)
            rows.append(f"| {item} | {kind} | place | {say_place('expert', step.on)} |")
            axes = plane_axes(model(self.tree).steps[number - 1].place.axis)
            for name, axis, at in zip("ab", axes, step.at, strict=True):
                rows.append(f"| {item} | {kind} | {axis} | {self._length(f'{number}.{name}', at)} |")
            rows += self._rows(item, str(number), step.feature)
            if step.repeat is not None:
                rows += self._rows(f"{item} pattern", f"{number}.repeat", step.repeat)
        return "\n".join(rows)

    def _rows(self, item: str, path: str, node: Node) -> list[str]:
        kind, rows = kind_of(node), []
        for name in field_names(type(node)):
            value = getattr(node, name)
            label = LABELS.get(name, name) if self.pool else name
            said = "through" if value is None else self._value(f"{path}.{name}", name, value)
            if name in ANGLES:
                said += " degrees"
            rows.append(f"| {item} | {kind} | {label.replace('_', ' ')} | {said} |")
        return rows
