"""Words that writing and reading share: lengths, faces, positions, frames of sentences."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from palestra.envs.cad.parts.tree import AXES, Datum, Node, PartError, exact, kind_of, plain

UNITS: Final[Mapping[str, Decimal]] = {"mm": Decimal(1), "cm": Decimal(10), "in": Decimal("25.4")}
UNIT_WORDS: Final = {"mm": "millimetres", "cm": "centimetres", "in": "inches"}
SHARES: Final = {
    "half": Decimal("0.5"),
    "a quarter of": Decimal("0.25"),
    "three quarters of": Decimal("0.75"),
    "a fifth of": Decimal("0.2"),
    "a tenth of": Decimal("0.1"),
}
_NUMBER: Final = r"-?\d+(?:\.\d+)?"
_SHARE: Final = rf"(?:{'|'.join(SHARES)}) the \w+ of the base"
LENGTH: Final = rf"(?:{_NUMBER} (?:mm|cm|in|millimetres|centimetres|inches)|{_SHARE})"
_SAID: Final = re.compile(
    rf"(?P<number>{_NUMBER}) (?P<unit>\w+)|(?P<share>{'|'.join(SHARES)}) the (?P<name>\w+) of the base"
)
_WORDS: Final = {word: unit for unit, word in UNIT_WORDS.items()}

SPANS: Final = {"x": "from left to right", "y": "from front to back", "z": "from bottom to top"}
WAYS: Final = {"x": "to the right", "y": "to the back", "z": "upwards"}
BACKWARDS: Final = {"x": "to the left", "y": "to the front", "z": "downwards"}
SIDES: Final = {"x": "right", "y": "back", "z": "up"}
FACE_NAMES: Final = ("top", "bottom", "left", "right", "front", "back", "floor", "shoulder")

# A step, with the word for its number, what is done, where, and again. No template of words has a semicolon.
FRAMES: Final = {
    "expert": (
        (
            "Step {n}: {feature}, on {where}, centre at {position}",
            "Step {n}, on {where}, centre at {position}: {feature}",
        ),
        ("{n}) On {where}, centred on {position}, {feature}",),
    ),
    "layman": (
        (
            "Step {n}: on {where}, {position} from the origin, {feature}",
            "Step {n}: go to {where}, and {position} from the origin {feature}",
        ),
        ("Job number {n} is on {where}, {position} from the origin: {feature}",),
    ),
}
AGAIN: Final = "; "
DATUMS: Final[Mapping[str, tuple[Mapping[Datum, str], Mapping[Datum, str]]]] = {
    "expert": (
        {
            "corner": "Datum: the origin is the base's corner at lowest x, y and z; x right, y back, z up",
            "centre": "Datum: the origin is the centre of the base's foot, which lies at z = 0; x right, y back, z up",
        },
        {
            "corner": "Coordinates count from the corner of the stock's bounding box that is lowest in x, y and z; "
            "x right, y back, z up",
            "centre": "Coordinates count from the middle of the foot of the stock, with x right, y back, z up",
        },
    ),
    "layman": (
        {
            "corner": "The origin, from which everything is measured, is the front left corner at the bottom of it, "
            "before anything is added",
            "centre": "The origin, from which everything is measured, is the middle of its bottom face, before "
            "anything is added",
        },
        {
            "corner": "Measure all positions from the origin, the "
            "lowest corner, at the front and the left, of this piece",
            "centre": "Measure all positions from the origin, the central spot of the bottom face of this piece",
        },
    ),
}


def key_of(node: Node) -> str:
    """Return the key of a node's templates."""
    kind = kind_of(node)
    if kind == "profile":
        return f"profile.{getattr(node, 'shape', '')}"
    if kind in ("fillet", "chamfer"):
        return f"{kind}.{getattr(node, 'edges', '')}"
    if not getattr(node, "bore", True):
        return f"{kind}.solid"
    sharp = ".sharp" if kind == "pocket" and not getattr(node, "radius", True) else ""
    return f"{kind}{sharp}.through" if getattr(node, "depth", 0) is None else f"{kind}{sharp}"


def say_length(value: Decimal, unit: str, *, in_words: bool = False) -> str:
    """Return a length in a unit, exactly; in mm if the unit has no exact number of few decimals for it."""
    number = plain(round(value / UNITS[unit], 7))
    if number * UNITS[unit] != value:
        number, unit = plain(value), "mm"
    return f"{number} {UNIT_WORDS[unit] if in_words else unit}"


def say_share(factor: Decimal, name: str) -> str:
    """Return a share of one of the base's dimensions in words.

    Raises:
        PartError: there are no words for it.
    """
    for words, known in SHARES.items():
        if known == factor:
            return f"{words} the {name} of the base"
    raise PartError(f"there are no words for {factor} of something")


def read_length(text: str) -> Decimal | tuple[str, Decimal]:
    """Return a length in mm, or the path of the dimension it is a share of and the share.

    Raises:
        PartError: it is neither.
    """
    found = _SAID.fullmatch(text)
    if found is None:
        raise PartError(f"{text!r} is no length")
    if found["share"]:
        return f"base.{found['name']}", SHARES[found["share"]]
    unit = _WORDS.get(found["unit"], found["unit"])
    if unit not in UNITS:
        raise PartError(f"{text!r} has no known unit; units are {', '.join(UNITS)}")
    return plain(exact(found["number"]) * UNITS[unit])


def axis_words(register: str, kind: str) -> Mapping[str, str]:
    """Return what a register calls the axes where a kind names them."""
    if register != "layman":
        return {axis: axis for axis in AXES}
    return {"line": WAYS, "grid": WAYS, "polar": SIDES}.get(kind, SPANS)


def say_place(register: str, on: str | int) -> str:
    """Return what a register calls a place."""
    if isinstance(on, int):
        return f"the end face of step {on}" if register == "expert" else f"the end of what step {on} made"
    if on == "floor":
        return "the inner floor"
    return f"the {on} face" if register == "expert" else f"the {on} side"


def read_place(text: str) -> str | int:
    """Return a place from what any register calls it.

    Raises:
        PartError: it is none.
    """
    if found := re.fullmatch(r"the end face of step (\d{1,3})|the end of what step (\d{1,3}) made", text):
        return int(found[1] or found[2])
    for name in FACE_NAMES:
        if text in (say_place("expert", name), say_place("layman", name)):
            return name
    raise PartError(f"{text!r} is no place")
