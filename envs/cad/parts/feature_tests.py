"""What must hold of a part, as data: tests that a geometry kernel evaluates, and that a model can answer, too."""

from collections.abc import Mapping
from math import dist
from typing import Any, Final

import numpy as np

from palestra.envs.cad.parts.model import Model
from palestra.envs.cad.parts.place import Round
from palestra.envs.cad.parts.solid import IN_PLANE

Test = dict[str, Any]
VOLUME: Final = 5e-6  # relative
LENGTH: Final = 0.01  # mm
HOLES: Final = 12  # at most so many are looked for one by one


def facts(model: Model) -> list[Test]:
    """Return the tests that a part's sums and holes give."""
    low, high = model.body.bounds
    found: list[Test] = [
        {"kind": "solids", "count": 1},
        {"kind": "volume", "value": model.body.volume, "relative": VOLUME},
        {"kind": "box", "low": list(low), "high": list(high), "tolerance": LENGTH},
        {"kind": "centre", "at": list(model.body.centroid), "tolerance": LENGTH / 2},
        {"kind": "euler", "value": model.euler},
    ]
    if "other" not in model.faces:
        found += [{"kind": "faces", "type": name, "count": count} for name, count in sorted(model.faces.items())]
    for diameter in sorted({hole.diameter for hole in model.holes}):
        count = sum(abs(hole.diameter - diameter) <= LENGTH for hole in model.holes)
        found.append({"kind": "holes", "diameter": diameter, "count": count, "tolerance": LENGTH})
    found += [hole_test(hole) for hole in model.holes[:HOLES]]
    return found


def hole_test(hole: Round) -> Test:
    """Return the test of one cylindrical inner face."""
    axis = [0.0, 0.0, 0.0]
    axis[hole.axis] = 1.0
    found: Test = {
        "kind": "hole",
        "diameter": hole.diameter,
        "axis": axis,
        "at": list(hole.at),
        "depth": hole.depth,
        "tolerance": LENGTH,
    }
    return found if hole.is_through is None else {**found, "through": hole.is_through}


def holds(test: Mapping[str, Any], model: Model) -> bool:
    """Return whether a test holds of a model; tests of sections and of walls are a kernel's alone.

    Raises:
        ValueError: the model cannot tell.
    """
    body = model.body
    match test["kind"]:
        case "solids":
            return bool(test["count"] == 1)
        case "volume":
            return bool(abs(body.volume - test["value"]) <= test["relative"] * abs(test["value"]))
        case "box":
            low, high = body.bounds
            if "size" in test:
                size = [end - start for start, end in zip(low, high, strict=True)]
                return _near(size, test["size"], test["tolerance"])
            return _near(low, test["low"], test["tolerance"]) and _near(high, test["high"], test["tolerance"])
        case "centre":
            return bool(dist(body.centroid, test["at"]) <= test["tolerance"])
        case "faces":
            return bool(model.faces.get(test["type"], 0) == test["count"])
        case "euler":
            return bool(model.euler == test["value"])
        case "holes":
            like = [hole for hole in model.holes if abs(hole.diameter - test["diameter"]) <= test["tolerance"]]
            return bool(len(like) == test["count"])
        case "hole":
            return any(_is_hole(hole, test) for hole in model.holes)
        case "inside":
            return bool(body.contains(np.array([test["at"]], dtype=np.float64))[0] == test["value"])
    raise ValueError(f"a model cannot tell whether a test of kind {test['kind']!r} holds")


def _near(found: Any, wanted: Any, tolerance: float) -> bool:
    return all(abs(one - other) <= tolerance for one, other in zip(found, wanted, strict=True))


def _is_hole(hole: Round, test: Mapping[str, Any]) -> bool:
    tolerance = test["tolerance"]
    if abs(test["axis"][hole.axis]) < 0.999 or abs(hole.diameter - test["diameter"]) > tolerance:
        return False
    if any(abs(hole.at[index] - test["at"][index]) > tolerance for index in IN_PLANE[hole.axis]):
        return False
    if "depth" in test and abs(hole.depth - test["depth"]) > tolerance:
        return False
    return "through" not in test or hole.is_through is None or hole.is_through == test["through"]
