"""Requests to `geometry.answer` and its answers as JSON-able dicts, written and read without the kernel."""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal, cast

from palestra.envs.cad.records import Comparison, Hole, Properties, ShapeError, ShapeLimits, Tested, Vector, Wanted


def measure(brep: bytes, limits: ShapeLimits | None = None) -> dict[str, Any]:
    """Return the request for the properties of a shape."""
    return {"kind": "measure", "brep": packed(brep), "limits": asdict(limits or ShapeLimits())}


def judge(brep: bytes, wanted: Wanted, limits: ShapeLimits | None = None) -> dict[str, Any]:
    """Return the request for the comparison of a shape with what is wanted."""
    against = {
        "brep": packed(wanted.brep),
        "solids": wanted.solids,
        "alignment": wanted.alignment,
        "tests": [dict(test) for test in wanted.tests],
        "seed": wanted.seed,
        "points": wanted.points,
    }
    return {"kind": "judge", "brep": packed(brep), "wanted": against, "limits": asdict(limits or ShapeLimits())}


def packed(brep: bytes) -> str:
    """Return BREP text as base64."""
    return base64.b64encode(brep).decode("ascii")


def unpacked(text: str) -> bytes:
    """Return the BREP text again."""
    return base64.b64decode(text, validate=True)


def wanted_of(data: Mapping[str, Any]) -> Wanted:
    """Return what a request wants."""
    return Wanted(**{**data, "brep": unpacked(data["brep"])})


def blamed(answer: Mapping[str, Any]) -> Literal["", "shape", "reference"]:
    """Return which of the two shapes cannot be judged, if the answer is a refusal."""
    return cast(Literal["", "shape", "reference"], answer.get("of", "") if "refused" in answer else "")


def properties_of(answer: Mapping[str, Any]) -> Properties:
    """Return the properties in an answer; raises ShapeError where it is a refusal."""
    data = _accepted(answer)["properties"]
    holes = tuple(
        Hole(one["diameter"], _vector(one["axis"]), _vector(one["at"]), one["depth"], one["is_through"])
        for one in data["holes"]
    )
    x, y, z = (_vector(row) for row in data["inertia"])
    lengths = {name: _vector(data[name]) for name in ("centre", "low", "high")}
    return Properties(**{**data, **lengths, "inertia": (x, y, z), "holes": holes})


def comparison_of(answer: Mapping[str, Any]) -> Comparison:
    """Return the comparison in an answer; raises ShapeError where it is a refusal."""
    data = _accepted(answer)["comparison"]
    return Comparison(**{**data, "tests": tuple(Tested(**one) for one in data["tests"])})


def _accepted(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "refused" in answer:
        raise ShapeError(str(answer["refused"]))
    return answer


def _vector(values: Any) -> Vector:
    x, y, z = values
    return float(x), float(y), float(z)
