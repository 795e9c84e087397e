"""What must hold of a part, as data: tests that a geometry kernel evaluates, and that a model can answer, too."""

from collections.abc import Iterable, Iterator, Mapping
from math import dist
from typing import Any, Final

import numpy as np

from palestra.envs.cad.parts.model import Model
from palestra.envs.cad.parts.place import Round
from palestra.envs.cad.parts.section import Floats
from palestra.envs.cad.parts.solid import IN_PLANE, Box3

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


def telling(one: Model, others: Iterable[Model]) -> list[Test]:
    """Return tests of single points that tell a part from others.

    A point counts that keeps its answer in both parts within the tolerance, so that no honest part is near it.
    """
    found: list[Test] = []
    for other in others:
        if not all(holds(test, other) for test in found):
            continue
        point = next(_between(one, other), None)
        if point is not None:
            at = [round(float(coordinate), 4) for coordinate in point]
            found.append({"kind": "inside", "at": at, "value": bool(one.body.contains(point[None])[0])})
    return found


def _between(one: Model, other: Model) -> Iterator[Floats]:
    """Yield points well inside one part and well outside the other, found about the pieces that only one has."""
    mine, others = set(one.body.pieces), set(other.body.pieces)
    for _, piece in sorted(mine ^ others, key=lambda signed: (signed[1].volume, signed[1].bounds, signed[0])):
        points = spread(piece.bounds, _SAMPLES)
        for point in points[one.body.contains(points) != other.body.contains(points)][:_TRIES]:
            near = point + LENGTH * _AROUND
            inside, outside = one.body.contains(near), other.body.contains(near)
            if inside.all() == inside.any() and outside.all() == outside.any():
                yield point


def spread(bounds: Box3, count: int) -> Floats:
    """Return points spread evenly over a box: the additive recurrence of the plastic number's powers."""
    low, high = np.array(bounds, dtype=np.float64)
    shares = (0.5 + np.arange(1, count + 1)[:, None] * _PLASTIC) % 1.0
    found: Floats = np.asarray(low + (high - low) * shares, dtype=np.float64)
    return found


_AROUND: Final = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
_PLASTIC: Final = np.array([0.8191725133961645, 0.6710436067037893, 0.5497004779019703])
_SAMPLES: Final = 6000
_TRIES: Final = 200
