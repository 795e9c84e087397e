"""What an agent may do with a part, and what it is told of its own shape."""

from collections.abc import Iterable, Mapping
from typing import Final

from palestra.envs.actions import function_tool
from palestra.envs.base import Json
from palestra.envs.cad.records import VIEWS, Hole, Properties

BUILD, MEASURE, RENDER, SUBMIT = "build", "measure", "render", "submit"
MOST_HOLES: Final = 40  # told of one shape
MOST_VIEWS: Final = 4  # drawn in one turn
TOOLS: Final[tuple[Mapping[str, Json], ...]] = (
    function_tool(
        BUILD,
        "Run a CadQuery program that leaves its solid in the name result. The last valid shape that was built counts.",
        {"code": {"type": "string", "description": "the whole program, in Python, with its imports"}},
    ),
    function_tool(MEASURE, "Measure the shape that was built: volume, area, box, faces, holes, walls.", {}),
    function_tool(
        RENDER,
        "Draw the shape that was built; the picture is in info['picture'].",
        {"views": {"type": "array", "items": {"type": "string", "enum": list(VIEWS)}, "maxItems": MOST_VIEWS}},
        (),
    ),
    function_tool(SUBMIT, "Hand in the shape that was built last. This ends the episode.", {}),
)
NOTHING_BUILT: Final = "error: nothing valid is built yet; call build with a program"


def built(shape: Properties) -> str:
    """Return what is told of a shape that was built, in a line."""
    count = "1 solid" if shape.solids == 1 else f"{shape.solids} solids"
    return f"built: {count}, volume {_sum(shape.volume)} mm^3, {_box(shape)}, faces: {_faces(shape)}"


def measured(shape: Properties) -> str:
    """Return what is told of a shape when it is measured."""
    lines = [
        f"solids: {shape.solids}",
        f"volume: {_sum(shape.volume)} mm^3",
        f"area: {_sum(shape.area)} mm^2",
        f"centre of mass: {_point(shape.centre)}",
        _box(shape),
        f"faces: {_faces(shape)}; edges: {shape.edges}; vertices: {shape.vertices}",
        f"Euler characteristic: {shape.euler}",
        f"thinnest wall: {length(shape.thickness)} mm",
        f"cylindrical holes: {len(shape.holes)}",
        *sorted(map(_hole, shape.holes))[:MOST_HOLES],
    ]
    return "\n".join(lines)


def length(value: float) -> str:
    """Return a length with at most four decimals: enough for what is halfway between thousandths."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _sum(value: float) -> str:
    return f"{value:.9g}"


def _point(values: Iterable[float]) -> str:
    return f"({', '.join(map(length, values))})"


def _box(shape: Properties) -> str:
    size = " x ".join(map(length, shape.size))
    return f"box {size} mm from {_point(shape.low)} to {_point(shape.high)}"


def _faces(shape: Properties) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(shape.faces.items())) or "none"


def _hole(hole: Hole) -> str:
    depth = f"{'through' if hole.is_through else 'blind'}, {length(hole.depth)} deep"
    return f"- diameter {length(hole.diameter)}, {depth}, axis {_point(hole.axis)}, its middle at {_point(hole.at)}"
