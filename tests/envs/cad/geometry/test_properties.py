"""What is measured of parts whose figures have a closed form."""

import math
from collections.abc import Callable
from typing import Any

import cadquery as cq
import numpy as np
import pytest

from palestra.envs.cad.geometry import answer, wire
from palestra.envs.cad.records import Properties

Written = Callable[..., bytes]
PI = math.pi
close: Any = pytest.approx  # also within tuples


def measured(text: bytes) -> Properties:
    return wire.properties_of(answer(wire.measure(text)))


def block(*holes: tuple[float, float]) -> cq.Workplane:
    """A plate of 60 x 40 x 10 around the datum with holes of 5 mm."""
    plate = cq.Workplane().box(60, 40, 10)
    return plate.faces(">Z").workplane().pushPoints(list(holes)).hole(5) if holes else plate


def test_a_block_has_the_figures_of_a_block(brep: Written) -> None:
    found = measured(brep(cq.Workplane().box(60, 40, 10).translate((1, 2, 3))))
    assert found.volume == close(24000, rel=1e-12)
    assert found.area == close(2 * (60 * 40 + 60 * 10 + 40 * 10), rel=1e-12)
    assert found.centre == close((1, 2, 3), abs=1e-9)
    assert (found.low, found.high) == (close((-29, -18, -2)), close((31, 22, 8)))
    moments = [24000 / 12 * (a * a + b * b) for a, b in ((40, 10), (60, 10), (60, 40))]
    assert np.allclose(found.inertia, np.diag(moments), atol=1e-5)
    assert (found.solids, found.faces, found.edges, found.vertices, found.euler) == (1, {"plane": 6}, 12, 8, 2)
    assert (found.holes, found.thickness) == ((), close(10, abs=1e-9))


ROUND: dict[str, tuple[Any, float, float, dict[str, int], int]] = {
    "cylinder": (cq.Solid.makeCylinder(3, 7), PI * 9 * 7, 2 * PI * 3 * 10, {"plane": 2, "cylinder": 1}, 2),
    "cone": (cq.Solid.makeCone(4, 0, 3), PI * 16, PI * 16 + PI * 4 * 5, {"plane": 1, "cone": 1}, 2),
    "sphere": (cq.Workplane().sphere(5), 4 / 3 * PI * 125, 4 * PI * 25, {"sphere": 1}, 2),
    "torus": (cq.Solid.makeTorus(10, 3), 2 * PI**2 * 90, 4 * PI**2 * 30, {"torus": 1}, 0),
}


@pytest.mark.parametrize("name", ROUND)
def test_round_solids_have_their_figures(brep: Written, name: str) -> None:
    shape, volume, area, faces, euler = ROUND[name]
    found = measured(brep(shape))
    assert (found.volume, found.area) == (close(volume, rel=1e-9), close(area, rel=1e-9))
    assert (dict(found.faces), found.euler) == (faces, euler)


@pytest.mark.parametrize("count", range(6))
def test_every_hole_through_a_block_takes_two_from_its_euler_characteristic(brep: Written, count: int) -> None:
    found = measured(brep(block(*[(10 * (number - 2), 0) for number in range(count)])))
    assert (found.euler, len(found.holes)) == (2 - 2 * count, count)
    assert found.volume == close(24000 - count * PI * 6.25 * 10, rel=1e-9)


def test_a_cavity_is_a_second_boundary(brep: Written) -> None:
    found = measured(brep(cq.Workplane().box(10, 10, 10).cut(cq.Workplane().sphere(3))))
    assert (found.solids, found.euler) == (1, 4)
    assert found.volume == close(1000 - 4 / 3 * PI * 27, rel=1e-9)


def test_a_hole_has_its_diameter_axis_middle_depth_and_ends(brep: Written) -> None:
    plate = cq.Workplane().box(60, 40, 10).faces(">Z").workplane()
    found = measured(brep(plate.pushPoints([(10, 5)]).hole(6).faces(">Z").workplane().center(-15, 0).hole(4, 3)))
    blind, through = found.holes
    assert (blind.diameter, blind.depth, blind.is_through) == (close(4), close(3), False)
    assert (through.diameter, through.depth, through.is_through) == (close(6), close(10), True)
    assert through.axis == (0, 0, 1)
    assert through.at == close((10, 5, 0), abs=1e-9)
    assert blind.at[2] == close(3.5)


def test_a_stepped_hole_is_one_hole_for_each_diameter(brep: Written) -> None:
    plate = cq.Workplane().box(60, 40, 10).faces(">Z").workplane()
    small, large = measured(brep(plate.cboreHole(4, 8, 3))).holes
    assert (small.diameter, small.depth, small.is_through) == (close(4), close(7), True)
    assert (large.diameter, large.depth, large.is_through) == (close(8), close(3), False)


def test_a_countersunk_hole_goes_through_and_a_drilled_one_with_a_tip_does_not(brep: Written) -> None:
    plate = cq.Workplane().box(60, 40, 10).faces(">Z").workplane()
    (sunk,) = measured(brep(plate.cskHole(4, 8, 90))).holes
    assert (sunk.is_through, sunk.depth) == (True, close(8))
    drill = cq.Solid.makeCylinder(2, 6).fuse(cq.Solid.makeCone(0, 2, 1.2, pnt=cq.Vector(0, 0, -1.2)))
    (drilled,) = measured(
        brep(cq.Workplane().box(60, 40, 10).cut(cq.Workplane(drill.translate(cq.Vector(0, 0, -1)))))
    ).holes
    assert (drilled.is_through, drilled.depth) == (False, close(6))


def test_fillets_slots_and_bosses_are_no_holes(brep: Written) -> None:
    part = cq.Workplane().box(60, 40, 10).edges("|Z").fillet(5).faces(">Z").workplane().slot2D(20, 6).cutThruAll()
    part = part.faces(">Z").workplane().center(0, 12).circle(4).extrude(5)
    assert measured(brep(part)).holes == ()


def test_a_hole_across_a_round_bar_is_found(brep: Written) -> None:
    bar = cq.Workplane("YZ").circle(10).extrude(50).cut(cq.Workplane().center(25, 0).circle(3).extrude(40, both=True))
    (hole,) = measured(brep(bar)).holes
    assert (hole.diameter, hole.is_through) == (close(6), True)
    assert (hole.depth, hole.at) == (close(20, abs=1e-5), close((25, 0, 0), abs=1e-6))


def test_a_hole_in_two_halves_is_one(brep: Written) -> None:
    left = block((0, 0)).intersect(cq.Workplane().box(30, 40, 10).translate((-15, 0, 0)))
    right = block((0, 0)).intersect(cq.Workplane().box(30, 40, 10).translate((15, 0, 0)))
    found = measured(brep(left, right))
    assert (found.solids, len(found.holes), found.euler) == (1, 1, 0)
    assert dict(found.faces) == {"plane": 6, "cylinder": 1}


WALLS: dict[str, tuple[Any, float]] = {
    "plate": (cq.Workplane().box(50, 30, 1.5), 1.5),
    "shelled box": (cq.Workplane().box(50, 30, 20).faces(">Z").shell(-2.2), 2.2),
    "tube": (cq.Workplane().circle(10).circle(8.75).extrude(30), 1.25),
    "ball": (cq.Workplane().sphere(10).cut(cq.Workplane().sphere(9)), 1.0),
    "bar": (cq.Workplane().circle(4).extrude(30), 8.0),
    "hole near an edge": (cq.Workplane().box(40, 40, 10).faces(">Z").workplane().center(15, 0).hole(8), 1.0),
    "holes side by side": (cq.Workplane().box(40, 40, 9).faces(">Z").workplane().rarray(9, 1, 2, 1).hole(8), 1.0),
    "angle": (cq.Workplane().polyline([(0, 0), (40, 0), (40, 3), (5, 3), (5, 30), (0, 30)]).close().extrude(20), 3.0),
    "chamfered": (cq.Workplane().box(40, 30, 8).edges().chamfer(1), 8.0),
    "turned tube": (cq.Workplane().circle(10).circle(8.75).extrude(30).rotate((0, 0, 0), (1, 2, 3), 40), 1.25),
}


@pytest.mark.parametrize("name", WALLS)
def test_the_least_wall_is_found(brep: Written, name: str) -> None:
    shape, least = WALLS[name]
    assert measured(brep(shape)).thickness == close(least, abs=1e-5)
