"""Feature tests: what a part must have, written as data, with the answer in words.

Lengths and tolerances are in mm, `relative` is of the value wanted. Every kind is a row of KINDS: its fields, those
that may be left out with what stands for them then, and the function that looks.
"""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from OCP.BRepAlgoAPI import BRepAlgoAPI_Common
from OCP.BRepBuilderAPI import BRepBuilderAPI_MakeFace
from OCP.BRepGProp import BRepGProp
from OCP.gp import gp_Dir, gp_Pln, gp_Pnt
from OCP.GProp import GProp_GProps

from palestra.envs.cad.geometry.holes import holes
from palestra.envs.cad.geometry.part import Part
from palestra.envs.cad.geometry.properties import histogram
from palestra.envs.cad.geometry.thickness import thickness
from palestra.envs.cad.records import FACE_TYPES, Hole, Tested

Test = Mapping[str, Any]
Answer = tuple[bool, str]  # whether it holds, and what was found

TOLERANCE: Final = 0.01  # mm, where a test names none
RELATIVE: Final = 1e-4
TILT: Final = 1e-3  # radians between axes that are one
AXES: Final = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


def tested(part: Part, test: Test) -> Tested:
    """Return what a test says of a part; raises ValueError for a malformed one."""
    whole = checked(test)
    try:
        passed, found = KINDS[test["kind"]].look(part, whole)
    except RuntimeError as error:  # the kernel's exceptions: this part cannot be shown to have it
        passed, found = False, f"the kernel cannot tell: {str(error)[:80]}"
    wanted = ", ".join(f"{name} {_shown(value)}" for name, value in test.items() if name != "kind")
    return Tested(dict(test), bool(passed), f"{test['kind']}: wanted {wanted}; found {found}")


def checked(test: Test) -> dict[str, Any]:
    """Return a test with all its fields; raises ValueError that names what is wrong with it."""
    kind = KINDS.get(test.get("kind", "")) if isinstance(test.get("kind"), str) else None
    if kind is None:
        raise ValueError(f"feature test {dict(test)!r}: there is no such kind; there are {', '.join(KINDS)}")
    given = {name: value for name, value in test.items() if name != "kind"}
    unknown = sorted(set(given) - {*kind.fields, *kind.optional, *kind.either})
    missing = sorted(set(kind.fields) - set(given))
    if unknown or missing:
        said = [f"{word} {', '.join(names)}" for word, names in (("unknown", unknown), ("missing", missing)) if names]
        raise ValueError(f"feature test {dict(test)!r}: {'; '.join(said)}")
    if kind.either and sum(name in given for name in kind.either) == 0:
        raise ValueError(f"feature test {dict(test)!r}: it needs one of {', '.join(kind.either)}")
    for name, value in given.items():
        if not FIELDS.get(f"{test['kind']} {name}", FIELDS[name])(value):
            raise ValueError(f"feature test {dict(test)!r}: {name} must not be {value!r}")
    return {**kind.optional, **given}


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_vector(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(_is_number(one) for one in value)


def _is_axis(value: Any) -> bool:
    return value in AXES if isinstance(value, str) else _is_vector(value) and any(one != 0 for one in value)


FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "count": _is_count,
    "value": _is_number,
    "inside value": _is_bool,
    "relative": _is_positive,
    "tolerance": _is_positive,
    "size": _is_vector,
    "low": _is_vector,
    "high": _is_vector,
    "at": _is_vector,
    "section at": _is_number,
    "type": lambda value: isinstance(value, str) and value in FACE_TYPES,
    "diameter": _is_positive,
    "axis": _is_axis,
    "section axis": lambda value: isinstance(value, str) and value in AXES,
    "depth": _is_positive,
    "through": _is_bool,
    "area": lambda value: _is_number(value) and value >= 0,
    "at_least": _is_positive,
}


def _solids(part: Part, test: Test) -> Answer:
    return len(part.solids) == test["count"], f"{len(part.solids)}"


def _volume(part: Part, test: Test) -> Answer:
    volume = part.mass.volume
    return abs(volume - test["value"]) <= test["relative"] * abs(test["value"]), f"{volume:.8g} mm^3"


def _box(part: Part, test: Test) -> Answer:
    low, high = part.box
    found = {"size": high - low, "low": low, "high": high}
    named = [name for name in found if name in test]
    passed = all(np.abs(found[name] - np.array(test[name])).max() <= test["tolerance"] for name in named)
    return passed, ", ".join(f"{name} {_shown(found[name])}" for name in named)


def _centre(part: Part, test: Test) -> Answer:
    off = float(np.linalg.norm(part.mass.centre - np.array(test["at"])))
    return off <= test["tolerance"], f"{_shown(part.mass.centre)}, {off:.4g} mm away"


def _faces(part: Part, test: Test) -> Answer:
    found = histogram(part).get(test["type"], 0)
    return found == test["count"], f"{found}"


def _euler(part: Part, test: Test) -> Answer:
    return part.euler == test["value"], f"{part.euler}"


def _hole(part: Part, test: Test) -> Answer:
    found = holes(part)
    near = [hole for hole in found if abs(hole.diameter - test["diameter"]) <= test["tolerance"]]
    if not near:
        return False, f"none of this diameter, but {_listed({round(hole.diameter, 4) for hole in found})}"
    placed = [hole for hole in near if _is_placed(hole, test)]
    if not placed:
        return False, f"{len(near)} of this diameter, none of them there"
    deep = [hole for hole in placed if test["depth"] is None or abs(hole.depth - test["depth"]) <= test["tolerance"]]
    if not deep:
        return False, f"one with a depth of {_listed({round(hole.depth, 4) for hole in placed})}"
    passed = any(test["through"] in (None, hole.is_through) for hole in deep)
    return passed, f"one {'that goes' if deep[0].is_through else 'that does not go'} through"


def _is_placed(hole: Hole, test: Test) -> bool:
    """Say whether a hole lies along the axis wanted and through the point wanted."""
    axis = np.array(AXES[test["axis"]] if isinstance(test["axis"], str) else test["axis"], float)
    own, off = np.array(hole.axis), np.array(test["at"]) - np.array(hole.at)
    tilt = float(np.linalg.norm(np.cross(own, axis / np.linalg.norm(axis))))
    return bool(tilt <= TILT and np.linalg.norm(off - own * (off @ own)) <= test["tolerance"])


def _holes(part: Part, test: Test) -> Answer:
    found = [hole for hole in holes(part) if abs(hole.diameter - test["diameter"]) <= test["tolerance"]]
    return len(found) == test["count"], f"{len(found)}"


def _inside(part: Part, test: Test) -> Answer:
    state = part.state(np.array(test["at"], float))
    found = {"in": "matter", "out": "no matter", "on": "the boundary"}[state]
    return state == ("in" if test["value"] else "out"), found


def _section(part: Part, test: Test) -> Answer:
    axis, at = np.array(AXES[test["axis"]]), float(test["at"])
    low, high = part.box
    reach = 2 * part.diagonal + 1.0
    middle = np.where(axis != 0, at, (low + high) / 2)
    plane = gp_Pln(gp_Pnt(*(float(value) for value in middle)), gp_Dir(*(float(value) for value in axis)))
    cut = BRepAlgoAPI_Common(BRepBuilderAPI_MakeFace(plane, -reach, reach, -reach, reach).Face(), part.shape)
    if not cut.IsDone():
        return False, "a cut that the kernel cannot make"
    sums = GProp_GProps()
    BRepGProp.SurfaceProperties_s(cut.Shape(), sums)
    area = float(sums.Mass())
    return abs(area - test["area"]) <= test["relative"] * max(test["area"], 1.0), f"{area:.8g} mm^2"


def _thickness(part: Part, test: Test) -> Answer:
    found = thickness(part)
    return found >= test["at_least"] - test["tolerance"], f"{found:.4g} mm"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of test is made of."""

    look: Callable[[Part, Test], Answer]
    fields: tuple[str, ...]
    optional: Mapping[str, Any] = field(default_factory=dict)
    either: tuple[str, ...] = ()  # fields of which one must be there


_NEAR: Final = {"tolerance": TOLERANCE}
KINDS: Final[Mapping[str, Kind]] = {
    "solids": Kind(_solids, ("count",)),
    "volume": Kind(_volume, ("value",), {"relative": RELATIVE}),
    "box": Kind(_box, (), {**_NEAR}, ("size", "low", "high")),
    "centre": Kind(_centre, ("at",), _NEAR),
    "faces": Kind(_faces, ("type", "count")),
    "euler": Kind(_euler, ("value",)),
    "hole": Kind(_hole, ("diameter", "axis", "at"), {**_NEAR, "depth": None, "through": None}),
    "holes": Kind(_holes, ("diameter", "count"), _NEAR),
    "inside": Kind(_inside, ("at", "value")),
    "section": Kind(_section, ("axis", "at", "area"), {"relative": RELATIVE}),
    "thickness": Kind(_thickness, ("at_least",), {"tolerance": 1e-3}),
}


def _shown(value: Any) -> str:
    if isinstance(value, bool | str) or value is None:
        return str(value)
    if isinstance(value, list | tuple | np.ndarray):
        return "(" + ", ".join(_shown(one) for one in value) + ")"
    return f"{float(value):.8g}"


def _listed(values: set[float]) -> str:
    return " and ".join(f"{value:g}" for value in sorted(values)[:6]) or "none"
