"""Feature tests: what holds, what does not, in words, and what is no test at all."""

import json
from collections.abc import Callable
from typing import Any

import cadquery as cq
import pytest

from palestra.envs.cad.geometry import answer, wire
from palestra.envs.cad.records import Comparison, ShapeError, Wanted

Written = Callable[..., bytes]


@pytest.fixture(scope="module")
def plate(brep: Written) -> bytes:
    """60 x 40 x 10 with its middle in the datum, a hole of 6 through (10, 5) and one of 4, 3 deep, in (-15, 0)."""
    part = cq.Workplane().box(60, 40, 10).faces(">Z").workplane(origin=(0, 0, 5))
    part = part.pushPoints([(10, 5)]).hole(6).faces(">Z").workplane(origin=(0, 0, 5))
    return brep(part.pushPoints([(-15, 0)]).hole(4, 3))


def asked(shape: bytes, *tests: dict[str, Any]) -> Comparison:
    request = json.loads(json.dumps(wire.judge(shape, Wanted(brep=shape, tests=tests))))
    return wire.comparison_of(json.loads(json.dumps(answer(request))))


def one(shape: bytes, test: dict[str, Any]) -> Any:
    return asked(shape, test).tests[0]


SIX: dict[str, Any] = {"kind": "hole", "diameter": 6, "axis": [0, 0, 1], "at": [10, 5, -40], "tolerance": 0.01}
CASES: list[tuple[dict[str, Any], bool, str]] = [
    ({"kind": "solids", "count": 1}, True, "found 1"),
    ({"kind": "solids", "count": 2}, False, "found 1"),
    ({"kind": "volume", "value": 23679.56, "relative": 1e-4}, True, "found 23679.5"),
    ({"kind": "volume", "value": 24000, "relative": 1e-3}, False, "found 23679.5"),
    ({"kind": "box", "size": [60, 40, 10], "tolerance": 0.01}, True, "size (60, 40, 10)"),
    ({"kind": "box", "size": [40, 60, 10], "tolerance": 0.01}, False, "size (60, 40, 10)"),
    ({"kind": "box", "low": [-30, -20, -5], "high": [30, 20, 5], "tolerance": 0.01}, True, "high (30, 20, 5)"),
    ({"kind": "box", "low": [0, 0, 0], "high": [60, 40, 10], "tolerance": 0.01}, False, "low (-30, -20, -5)"),
    ({"kind": "centre", "at": [-0.1, -0.06, 0], "tolerance": 0.1}, True, "mm away"),
    ({"kind": "centre", "at": [0, 0, 0], "tolerance": 0.01}, False, "mm away"),
    ({"kind": "faces", "type": "cylinder", "count": 2}, True, "found 2"),
    ({"kind": "faces", "type": "torus", "count": 1}, False, "found 0"),
    ({"kind": "euler", "value": 0}, True, "found 0"),
    ({"kind": "euler", "value": 2}, False, "found 0"),
    (SIX, True, "goes through"),
    ({**SIX, "axis": "z"}, True, "goes through"),
    ({**SIX, "axis": [0, 0, -3]}, True, "goes through"),
    ({**SIX, "depth": 10, "through": True}, True, "goes through"),
    ({**SIX, "depth": 9}, False, "a depth of 10"),
    ({**SIX, "through": False}, False, "goes through"),
    ({**SIX, "at": [10.1, 5, 0]}, False, "none of them there"),
    ({**SIX, "axis": [0, 1, 0]}, False, "none of them there"),
    ({**SIX, "diameter": 5}, False, "4 and 6"),
    ({**SIX, "diameter": 4, "at": [-15, 0, 0], "depth": 3, "through": False}, True, "does not go through"),
    ({"kind": "holes", "diameter": 6, "count": 1, "tolerance": 0.01}, True, "found 1"),
    ({"kind": "holes", "diameter": 5, "count": 1, "tolerance": 0.01}, False, "found 0"),
    ({"kind": "inside", "at": [0, 0, 0], "value": True}, True, "found matter"),
    ({"kind": "inside", "at": [10, 5, 0], "value": True}, False, "found no matter"),
    ({"kind": "inside", "at": [10, 5, 0], "value": False}, True, "found no matter"),
    ({"kind": "inside", "at": [30, 0, 0], "value": True}, False, "the boundary"),
    ({"kind": "inside", "at": [30, 0, 0], "value": False}, False, "the boundary"),
    ({"kind": "section", "axis": "z", "at": 0, "area": 2371.7257, "relative": 1e-6}, True, "mm^2"),
    ({"kind": "section", "axis": "z", "at": 4, "area": 2371.7257, "relative": 1e-6}, False, "2359.1593"),
    ({"kind": "section", "axis": "x", "at": 10, "area": 340, "relative": 1e-6}, True, "mm^2"),
    ({"kind": "section", "axis": "x", "at": 100, "area": 0, "relative": 1e-6}, True, "found 0"),
    ({"kind": "thickness", "at_least": 7}, True, "found 7"),
    ({"kind": "thickness", "at_least": 8}, False, "found 7"),
]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{test['kind']} {holds}" for test, holds, _ in CASES])
def test_a_test_holds_or_says_what_was_found(plate: bytes, number: int) -> None:
    test, holds, words = CASES[number]
    found = one(plate, test)
    assert found.test == test
    assert (found.passed, words in found.reason) == (holds, True), found.reason


def test_the_share_of_tests_that_hold_is_told(plate: bytes) -> None:
    found = asked(plate, {"kind": "solids", "count": 1}, {"kind": "solids", "count": 2}, {"kind": "euler", "value": 0})
    assert found.features == pytest.approx(2 / 3)
    assert asked(plate).features == 1.0


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "colour"}, "no such kind"),
    ({"kind": ["solids"]}, "no such kind"),
    ({}, "no such kind"),
    ({"kind": "solids"}, "missing count"),
    ({"kind": "solids", "count": 1, "colour": 2}, "unknown colour"),
    ({"kind": "solids", "count": True}, "count must not be True"),
    ({"kind": "solids", "count": 1.5}, r"count must not be 1\.5"),
    ({"kind": "volume", "value": float("nan"), "relative": 0.1}, "value must not be nan"),
    ({"kind": "volume", "value": 5, "relative": -0.1}, "relative must not be"),
    ({"kind": "box", "tolerance": 0.1}, "one of size, low, high"),
    ({"kind": "box", "size": [1, 2]}, "size must not be"),
    ({"kind": "inside", "at": [0, 0, 0], "value": 1}, "value must not be 1"),
    ({"kind": "inside", "at": 5, "value": True}, "at must not be 5"),
    ({"kind": "section", "axis": [0, 0, 1], "at": 0, "area": 1}, "axis must not be"),
    ({"kind": "section", "axis": "z", "at": [0, 0, 0], "area": 1}, "at must not be"),
    ({"kind": "faces", "type": "spline", "count": 1}, "type must not be 'spline'"),
    ({**SIX, "axis": [0, 0, 0]}, "axis must not be"),
    ({**SIX, "through": "yes"}, "through must not be 'yes'"),
    ({"kind": "euler", "value": True}, "value must not be True"),
]


@pytest.mark.parametrize("number", range(len(WRONG)), ids=[words for _, words in WRONG])
def test_a_malformed_test_is_our_fault_and_named(plate: bytes, number: int) -> None:
    test, words = WRONG[number]
    with pytest.raises(ValueError, match=words) as told:
        one(plate, test)
    assert not isinstance(told.value, ShapeError)


def test_who_is_to_blame_is_told(plate: bytes) -> None:
    assert wire.blamed(answer(wire.judge(b"nothing", Wanted(brep=plate)))) == "shape"
    assert wire.blamed(answer(wire.judge(plate, Wanted(brep=b"nothing")))) == "reference"
    assert wire.blamed(answer(wire.judge(plate, Wanted(brep=plate)))) == ""
    assert wire.blamed(answer(wire.measure(b"nothing"))) == "shape"
    with pytest.raises(ValueError, match="no request of the kind 'draw'"):
        answer({"kind": "draw"})


def test_equal_seeds_give_equal_figures_and_others_nearly_equal_ones(brep: Written, plate: bytes) -> None:
    moved = brep(cq.Workplane().box(60, 40, 10).translate((0.5, 0, 0)))
    first, again, other = (
        answer(wire.judge(moved, Wanted(brep=plate, seed=seed, points=4096)))["comparison"] for seed in (1, 1, 2)
    )
    assert first == again
    assert first["chamfer"] != other["chamfer"]
    assert first["chamfer"] == pytest.approx(other["chamfer"], rel=0.1)
    assert first["iou"] == other["iou"]
    assert first["hausdorff"] == pytest.approx(5, abs=0.1)  # from the middle of the through hole's wall
