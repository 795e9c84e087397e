"""What the process that judges answers: properties of a shape, or its comparison with a reference."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from palestra.envs.cad.geometry.comparing import compared
from palestra.envs.cad.geometry.loading import loaded
from palestra.envs.cad.geometry.properties import properties
from palestra.envs.cad.geometry.wire import unpacked, wanted_of
from palestra.envs.cad.records import ShapeError, ShapeLimits


def answered(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return {"properties": ...}, {"comparison": ...}, or {"refused": why, "of": "shape" or "reference"}.

    Raises ValueError for a request, or a feature test in it, that is malformed: that is the caller's fault.
    """
    kind, limits = request.get("kind"), ShapeLimits(**request.get("limits", {}))
    if kind not in ("measure", "judge"):
        raise ValueError(f"no request of the kind {kind!r}; there are 'measure' and 'judge'")
    brep = unpacked(request["brep"])
    try:
        if kind == "measure":
            return {"properties": asdict(properties(loaded(brep, limits)))}
    except ShapeError as error:
        return {"refused": str(error), "of": "shape"}
    wanted = wanted_of(request["wanted"])
    try:
        reference = loaded(wanted.brep, limits)
    except ShapeError as error:
        return {"refused": str(error), "of": "reference"}
    try:
        return {"comparison": asdict(compared(loaded(brep, limits), reference, wanted))}
    except ShapeError as error:
        return {"refused": str(error), "of": "shape"}
