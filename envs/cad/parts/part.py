"""A part, and all that is told of it: its program, its texts, its volume, its tests, its mutants."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from palestra.envs.base import Json, Split, digest
from palestra.envs.cad.parts.draw import KNOBS, check_knobs, draw_tree
from palestra.envs.cad.parts.edits import edit
from palestra.envs.cad.parts.faults import faults
from palestra.envs.cad.parts.feature_tests import Test, facts, holds, telling
from palestra.envs.cad.parts.model import Model, model
from palestra.envs.cad.parts.mutants import mutants
from palestra.envs.cad.parts.program import program
from palestra.envs.cad.parts.section import Floats, Mask
from palestra.envs.cad.parts.text import text
from palestra.envs.cad.parts.tree import (
    PartError,
    Tree,
    Value,
    from_json,
    independent,
    plain,
    shape_of,
    to_json,
    values,
)
from palestra.envs.cad.parts.words import Register
from palestra.envs.draws import Draws

HELDOUT_TEMPLATES: Final = 4  # one in so many is never trained on
_ATTEMPTS: Final = 300
_EDITS: Final = 20


@dataclass(frozen=True)
class Part:
    """One part. `units` are those in which the base, then each step, is told."""

    tree: Tree
    units: tuple[str, ...] = field(default=("mm",))
    split: Split = "train"

    def __post_init__(self) -> None:
        _check_relations(self.tree)
        model(self.tree)  # raises PartError

    @property
    def model(self) -> Model:
        """The part as geometry in closed form."""
        return model(self.tree)

    @property
    def template(self) -> Json:
        """The tree without its numbers."""
        return shape_of(self.tree)

    @property
    def parameters(self) -> Mapping[str, Value]:
        """What a text has to say: every dimension that does not follow from others, by its path."""
        return independent(self.tree)

    def program(self) -> str:
        """Return a CadQuery program that leaves the part in `result`."""
        return program(self.tree)

    def text(self, register: Register, seed: int = 0) -> str:
        """Return the part in words of a register; seeds choose among paraphrases.

        Raises:
            PartError: the register is unknown.
        """
        draws = Draws("cad", digest(self.to_json())[:16], seed, f"text/{register}")
        return text(self.tree, self.units, self.split, register, draws)

    def volume(self) -> tuple[float, float]:
        """Return the volume in mm^3, in closed form, and how far it may be off (of rounding alone)."""
        value = self.model.body.volume
        return value, 1e-9 * value

    def contains(self, points: Floats) -> Mask:
        """Return which of (n, 3) points lie in the part."""
        return self.model.body.contains(points)

    @cached_property
    def _mutants(self) -> tuple[tuple[str, Tree], ...]:
        return tuple(mutants(self.tree))

    @cached_property
    def _tests(self) -> tuple[Test, ...]:
        found = facts(self.model)
        others = [model(tree) for _, tree in self._mutants]
        unseen = [other for other in others if all(holds(test, other) for test in found)]
        return (*found, *telling(self.model, unseen))

    def tests(self) -> list[Test]:
        """Return what must hold of the part, as data; of every mutant, something does not."""
        return [dict(test) for test in self._tests]

    def mutants(self) -> list[tuple[str, "Part"]]:
        """Return what is wrong with each part that is wrong in one thing, and that part."""
        return [(kind, Part(tree, self.units, self.split)) for kind, tree in self._mutants]

    def edit(self, draws: Draws, distance: int = 1) -> tuple["Part", str]:
        """Return a changed part, and the changes in words, which name the steps of this one's program.

        Raises:
            PartError: there is no such change.
        """
        for _ in range(_EDITS):
            try:
                tree, told = edit(self.tree, self.units, self.split, draws, distance)
            except PartError:
                continue
            more = len(tree.steps) + 1 - len(self.units)
            return Part(tree, (*self.units, *self.units[-1:] * more), self.split), told
        raise PartError(f"no change of distance {distance} was found in {_EDITS} draws")

    def faults(self, draws: Draws) -> list[tuple[str, str]]:
        """Return programs that should build the part and do not, and what is wrong with each."""
        return faults(self.tree, draws)

    def to_json(self) -> Json:
        """Return the part as JSON."""
        return {"tree": to_json(self.tree), "units": list(self.units), "split": self.split}

    @classmethod
    def from_json(cls, found: Json) -> "Part":
        """Return the part of its JSON.

        Raises:
            PartError: it is none.
        """
        try:
            return cls(from_json(found["tree"]), tuple(found["units"]), found["split"])
        except (KeyError, TypeError) as error:
            raise PartError(f"this JSON is no part: {error!r}") from error


def is_heldout(template: Json) -> bool:
    """Return whether training never has a template."""
    return bool(hashlib.sha256(digest(template).encode()).digest()[0] % HELDOUT_TEMPLATES == 0)


def draw_part(draws: Draws, knobs: Mapping[str, Any] | None = None, split: Split = "train") -> Part:
    """Return a part of a split; `knobs` are those of `KNOBS` that are other than usual.

    Raises:
        PartError: a knob is unknown or out of range, or no part was found.
    """
    check_knobs(knobs or {})
    wanted = {**KNOBS, **(knobs or {})}
    for _ in range(_ATTEMPTS):
        try:
            drawn = draw_tree(draws, wanted)
        except PartError:
            continue
        if drawn is not None and is_heldout(shape_of(drawn[0])) == (split == "heldout"):
            return Part(drawn[0], drawn[1], split)
    raise PartError(f"no part was found in {_ATTEMPTS} draws with the knobs {wanted}")


def _check_relations(tree: Tree) -> None:
    """Refuse relations that do not hold.

    Raises:
        PartError: one does not.
    """
    known = values(tree)
    for one in tree.relations:
        source = known.get(one.source)
        if not one.source.startswith("base.") or not isinstance(source, Decimal) or one.path not in known:
            raise PartError(f"{one.path} does not follow from {one.source}")
        if known[one.path] != plain(source * one.factor):
            raise PartError(f"{one.path} is {known[one.path]}, not {one.factor} of {one.source}")
