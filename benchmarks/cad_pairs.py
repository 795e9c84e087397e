"""Pairs of solids whose intersection over union has a closed form: what the geometry kernel is held to.

`PAIRS` is the table; `shapes` builds one of them with CadQuery. Every pair is also a case when both are moved alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import acos, cos, pi, radians, sqrt, tan
from typing import Any

import cadquery as cq


@dataclass(frozen=True, slots=True)
class Pair:
    """Two solids and their exact intersection over union."""

    name: str
    one: Callable[[], Any]
    two: Callable[[], Any]
    iou: float


def box(x: float, y: float, z: float, at: tuple[float, float, float] = (0, 0, 0)) -> Any:
    """Return a block with its middle at a point."""
    return cq.Workplane().box(x, y, z).translate(at)


def rod(radius: float, height: float, at: tuple[float, float, float] = (0, 0, 0)) -> Any:
    """Return a cylinder along z with its middle at a point."""
    return cq.Workplane().cylinder(height, radius).translate(at)


def ball(radius: float, at: tuple[float, float, float] = (0, 0, 0)) -> Any:
    """Return a sphere."""
    return cq.Workplane().sphere(radius).translate(at)


def cone(low: float, high: float, height: float, at: tuple[float, float, float] = (0, 0, 0)) -> Any:
    """Return a cone, or a stump, that stands on a point."""
    return cq.Workplane(cq.Solid.makeCone(low, high, height)).translate(at)


def ring(large: float, small: float, at: tuple[float, float, float] = (0, 0, 0)) -> Any:
    """Return a torus around z."""
    return cq.Workplane(cq.Solid.makeTorus(large, small)).translate(at)


def drilled(*holes: tuple[float, float, float]) -> Any:
    """Return a plate of 60 x 40 x 10 with holes: x, y and the diameter of each."""
    plate = box(60, 40, 10)
    for x, y, diameter in holes:
        plate = plate.cut(rod(diameter / 2, 20, (x, y, 0)))
    return plate


def wedge(a: float, height: float) -> Any:
    """Return half of a block of a x a x height, cut along a diagonal."""
    return cq.Workplane().polyline([(0, 0), (a, 0), (0, a)]).close().extrude(height)


def lens(r: float, s: float, d: float) -> float:
    """Return the area that two discs share whose middles lie d apart."""
    one, two = (d * d + r * r - s * s) / (2 * d * r), (d * d + s * s - r * r) / (2 * d * s)
    rest = sqrt((-d + r + s) * (d + r - s) * (d - r + s) * (d + r + s)) / 2
    return r * r * acos(one) + s * s * acos(two) - rest


def balls(r: float, s: float, d: float) -> float:
    """Return the volume that two balls share whose middles lie d apart."""
    return pi * (r + s - d) ** 2 * (d * d + 2 * d * (r + s) - 3 * (r - s) ** 2) / (12 * d)


def cap(radius: float, height: float) -> float:
    """Return the volume of a cap of a ball."""
    return pi * height**2 * (3 * radius - height) / 3


def shared(common: float, one: float, two: float) -> float:
    """Return the intersection over union of volumes."""
    return common / (one + two - common)


def _turned(degrees: float) -> float:
    """Return the area that a unit square shares with itself turned: a polygon around its inner circle."""
    return tan(radians(degrees) / 2) + tan(radians(90 - degrees) / 2)


PLATE, HOLE = 60.0 * 40 * 10, pi * 9 * 10
BALL, RING = 4 / 3 * pi * 125, 2 * pi**2 * 10 * 9

PAIRS = (
    Pair("blocks shifted along one axis", lambda: box(20, 10, 5), lambda: box(20, 10, 5, (4, 0, 0)), 16 / 24),
    Pair(
        "blocks shifted along all axes",
        lambda: box(20, 10, 5),
        lambda: box(20, 10, 5, (4, 3, 1)),
        shared(16 * 7 * 4, 1000, 1000),
    ),
    Pair("a block in another", lambda: box(20, 10, 5), lambda: box(10, 5, 2.5), 1 / 8),
    Pair("blocks across each other", lambda: box(20, 10, 5), lambda: box(10, 20, 5), 1 / 3),
    Pair("blocks apart", lambda: box(2, 2, 2), lambda: box(2, 2, 2, (3, 3, 0)), 0.0),
    Pair("blocks that touch", lambda: box(2, 2, 2), lambda: box(2, 2, 2, (2, 0, 0)), 0.0),
    Pair(
        "a block and itself turned by 45 degrees",
        lambda: box(10, 10, 4),
        lambda: box(10, 10, 4).rotate((0, 0, 0), (0, 0, 1), 45),
        shared(_turned(45), 1, 1),
    ),
    Pair(
        "a block and itself turned by 20 degrees",
        lambda: box(10, 10, 4),
        lambda: box(10, 10, 4).rotate((0, 0, 0), (0, 0, 1), 20),
        shared(_turned(20), 1, 1),
    ),
    Pair(
        "a block and its two halves",
        lambda: box(4, 4, 4),
        lambda: box(2, 4, 4, (1, 0, 0)) + box(2, 4, 4, (-1, 0, 0)),
        1,
    ),
    Pair("a rod in its box", lambda: box(10, 10, 8), lambda: rod(5, 8), pi / 4),
    Pair("a rod in a thicker one", lambda: rod(5, 10), lambda: rod(3, 10), 9 / 25),
    Pair("a rod and a tube around it", lambda: rod(5, 10), lambda: rod(5, 10).cut(rod(4, 10)), 9 / 25),
    Pair("rods shifted along", lambda: rod(5, 10), lambda: rod(5, 10, (0, 0, 4)), 6 / 14),
    Pair(
        "rods side by side", lambda: rod(5, 10), lambda: rod(5, 10, (3, 0, 0)), shared(lens(5, 5, 3), 25 * pi, 25 * pi)
    ),
    Pair(
        "rods of two sizes",
        lambda: rod(5, 8),
        lambda: rod(4, 8, (3, 2, 0)),
        shared(lens(5, 4, sqrt(13)), 25 * pi, 16 * pi),
    ),
    Pair(
        "rods across each other",
        lambda: rod(3, 20),
        lambda: rod(3, 20).rotate((0, 0, 0), (1, 0, 0), 90),
        shared(16 * 27 / 3, 180 * pi, 180 * pi),
    ),
    Pair(
        "rods that cross at 60 degrees",
        lambda: rod(3, 30),
        lambda: rod(3, 30).rotate((0, 0, 0), (1, 0, 0), 60),
        shared(16 * 27 / 3 / cos(radians(30)), 270 * pi, 270 * pi),
    ),
    Pair("a ball in its box", lambda: box(10, 10, 10), lambda: ball(5), pi / 6),
    Pair("a ball in its rod", lambda: rod(5, 10), lambda: ball(5), 2 / 3),
    Pair("a ball in a larger one", lambda: ball(5), lambda: ball(4), 64 / 125),
    Pair("balls side by side", lambda: ball(5), lambda: ball(5, (3, 0, 0)), shared(balls(5, 5, 3), BALL, BALL)),
    Pair(
        "balls of two sizes",
        lambda: ball(5),
        lambda: ball(3, (2, 2, 2)),
        shared(balls(5, 3, sqrt(12)), BALL, 36 * pi),
    ),
    Pair("half a ball", lambda: ball(5), lambda: ball(5).cut(box(20, 20, 20, (0, 0, 10))), 0.5),
    Pair("a ball and a slab", lambda: ball(5), lambda: box(12, 12, 10, (0, 0, 7)), shared(cap(5, 3), BALL, 1440)),
    Pair(
        "a ball and a rod through it",
        lambda: ball(5),
        lambda: rod(3, 20),
        shared(4 / 3 * pi * (125 - 64), BALL, 180 * pi),
    ),
    Pair("a cone in its rod", lambda: rod(4, 6, (0, 0, 3)), lambda: cone(4, 0, 6), 1 / 3),
    Pair("cones upside down", lambda: cone(4, 0, 6), lambda: cone(0, 4, 6), shared(1 / 4, 1, 1)),
    Pair("cones shifted along", lambda: cone(4, 0, 6), lambda: cone(4, 0, 6, (0, 0, 2)), shared(8 / 27, 1, 1)),
    Pair("a stump in its rod", lambda: rod(4, 6, (0, 0, 3)), lambda: cone(4, 2, 6), (16 + 8 + 4) / 48),
    Pair("a ring in its disc", lambda: rod(13, 6), lambda: ring(10, 3), RING / (pi * 169 * 6)),
    Pair("a ring in a thicker one", lambda: ring(10, 3), lambda: ring(10, 2), 4 / 9),
    Pair("half a ring", lambda: ring(10, 3), lambda: ring(10, 3).cut(box(40, 40, 40, (20, 0, 0))), 0.5),
    Pair(
        "rings shifted along",
        lambda: ring(10, 3),
        lambda: ring(10, 3, (0, 0, 2)),
        shared(lens(3, 3, 2), 9 * pi, 9 * pi),
    ),
    Pair(
        "a ring and a rod up to its middle",
        lambda: ring(10, 3),
        lambda: rod(10, 6),
        shared(2 * pi * (10 - 4 / pi) * pi * 9 / 2, RING, 600 * pi),
    ),
    Pair("a plate and one with a hole", lambda: box(60, 40, 10), lambda: drilled((0, 0, 6)), 1 - HOLE / PLATE),
    Pair(
        "holes in two places",
        lambda: drilled((10, 5, 6)),
        lambda: drilled((-10, 5, 6)),
        (PLATE - 2 * HOLE) / PLATE,
    ),
    Pair(
        "a hole moved a little",
        lambda: drilled((10, 5, 6)),
        lambda: drilled((12, 5, 6)),
        (PLATE - 2 * HOLE + 10 * lens(3, 3, 2)) / (PLATE - 10 * lens(3, 3, 2)),
    ),
    Pair(
        "a hole too wide",
        lambda: drilled((10, 5, 6)),
        lambda: drilled((10, 5, 8)),
        (PLATE - pi * 160) / (PLATE - HOLE),
    ),
    Pair(
        "a hole too many",
        lambda: drilled((10, 5, 6), (-10, 5, 6)),
        lambda: drilled((10, 5, 6), (-10, 5, 6), (0, -10, 6)),
        (PLATE - 3 * HOLE) / (PLATE - 2 * HOLE),
    ),
    Pair("half a block along a diagonal", lambda: box(10, 10, 4, (5, 5, 2)), lambda: wedge(10, 4), 0.5),
    Pair(
        "wedges that lean against each other",
        lambda: wedge(10, 4),
        lambda: wedge(10, 4).mirror("YZ", (5, 0, 0)),
        shared(25, 50, 50),
    ),
    Pair(
        "six sides in a circle",
        lambda: rod(5, 6, (0, 0, 3)),
        lambda: cq.Workplane().polygon(6, 10).extrude(6),
        3 * sqrt(3) / 2 / pi,
    ),
    Pair(
        "rounded edges",
        lambda: box(30, 20, 6),
        lambda: box(30, 20, 6).edges("|Z").fillet(4),
        1 - (4 - pi) * 16 / 600,
    ),
    Pair("cut edges", lambda: box(30, 20, 6), lambda: box(30, 20, 6).edges("|Z").chamfer(3), 1 - 18 / 600),
    Pair(
        "a shell and its block",
        lambda: box(30, 20, 10),
        lambda: box(30, 20, 10).faces(">Z").shell(-2),
        1 - 26 * 16 * 8 / 6000,
    ),
    Pair(
        "a quarter turn of a ring of square section",
        lambda: cq.Workplane("XZ").center(8, 0).rect(4, 4).revolve(360, (-8, 0), (-8, 1)),
        lambda: cq.Workplane("XZ").center(8, 0).rect(4, 4).revolve(90, (-8, 0), (-8, 1)),
        0.25,
    ),
    Pair(
        "a stump of a pyramid in its block",
        lambda: box(10, 10, 4, (0, 0, 2)),
        lambda: cq.Workplane().rect(10, 10).workplane(offset=4).rect(6, 6).loft(combine=True),
        (100 + 36 + 60) / 300,
    ),
)


def shapes(pair: Pair, *, is_turned: bool = False) -> tuple[Any, Any]:
    """Return the solids of a pair, both moved alike if that is asked for."""
    built = [made().val() for made in (pair.one, pair.two)]
    if is_turned:
        built = [one.rotate((1, 2, 3), (4, 6, 5), 37).translate(cq.Vector(3, -5, 7)) for one in built]
    return built[0], built[1]
