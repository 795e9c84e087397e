"""What has raised scores of geometry elsewhere, at the level of shapes: none of it passes."""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

import math
from collections.abc import Callable
from typing import Any

import cadquery as cq
import pytest
from OCP.BRep import BRep_Builder
from OCP.TopAbs import TopAbs_FACE
from OCP.TopExp import TopExp_Explorer
from OCP.TopoDS import TopoDS_Compound, TopoDS_Shell, TopoDS_Solid

from palestra.envs.cad.geometry import answer, wire
from palestra.envs.cad.records import Alignment, Comparison, Properties, ShapeError, ShapeLimits, Wanted

Written = Callable[..., bytes]
close: Any = pytest.approx


def judged(shape: bytes, reference: bytes, *, alignment: Alignment = "datum", **more: Any) -> Comparison:
    return wire.comparison_of(answer(wire.judge(shape, Wanted(brep=reference, alignment=alignment, **more))))


def measured(text: bytes, limits: ShapeLimits | None = None) -> Properties:
    return wire.properties_of(answer(wire.measure(text, limits)))


def passes(found: Comparison) -> bool:
    return found.iou >= 0.99 and all(one.passed for one in found.tests)


def bracket() -> cq.Workplane:
    """A part that equals none of its mirror images."""
    part = cq.Workplane().box(40, 20, 6, centered=False)
    part = part.union(cq.Workplane().box(6, 20, 25, centered=False))
    return part.cut(cq.Workplane().circle(3).extrude(6).translate((30, 14, 0)))


@pytest.fixture(scope="module")
def reference(brep: Written) -> bytes:
    return brep(bracket())


def test_the_same_part_is_equal_however_it_was_built(brep: Written, reference: bytes) -> None:
    other = cq.Workplane("XZ").polyline([(0, 0), (40, 0), (40, 6), (6, 6), (6, 25), (0, 25)]).close().extrude(-20)
    other = other.cut(cq.Workplane().circle(3).extrude(6).translate((30, 14, 0)))
    for shape in (brep(bracket()), brep(other)):
        found = judged(shape, reference)
        assert (found.iou, found.is_exact, found.spread, found.topology) == (1.0, True, 0.0, 1.0)
        assert (found.chamfer, found.hausdorff, found.normals, found.gain) == (0.0, 0.0, 1.0, 1.0)


def test_bodies_one_in_another_count_once(brep: Written, reference: bytes) -> None:
    found = judged(brep(bracket(), bracket().translate((0, 0, 0)), bracket()), reference)
    assert found.iou == close(1.0)
    assert measured(brep(bracket(), bracket())).volume == close(bracket().val().Volume())  # type: ignore[union-attr]


def test_half_of_a_part_twice_is_half_of_it(brep: Written) -> None:
    whole, half = cq.Workplane().box(10, 10, 10), cq.Workplane().box(5, 10, 10).translate((2.5, 0, 0))
    assert judged(brep(half, half), brep(whole)).iou == close(0.5)
    nearly = half.translate((-1e-3, 0, 0))
    assert judged(brep(half, nearly), brep(whole)).iou == close(0.5, abs=1e-3)


def test_overlapping_bodies_never_pass_one(brep: Written) -> None:
    whole = cq.Workplane().box(10, 10, 10)
    many = [whole.translate((0.5 * step, 0, 0)) for step in range(4)]
    found = judged(brep(*many), brep(whole))
    assert found.iou == close(1 / 1.15)
    assert measured(brep(*many)).volume == close(1150)


def test_bodies_that_touch_are_one_and_those_apart_are_counted(brep: Written) -> None:
    halves = [cq.Workplane().box(5, 10, 10).translate((side * 2.5, 0, 0)) for side in (-1, 1)]
    assert judged(brep(*halves), brep(cq.Workplane().box(10, 10, 10))).iou == close(1.0)
    apart = [cq.Workplane().box(5, 10, 10).translate((side * 3, 0, 0)) for side in (-1, 1)]
    with pytest.raises(ShapeError, match="2 solids came out where 1 solid was wanted"):
        judged(brep(*apart), brep(cq.Workplane().box(10, 10, 10)))
    assert judged(brep(*apart), brep(*apart), solids=2).iou == 1.0


def test_crumbs_beside_a_part_are_counted(brep: Written, reference: bytes) -> None:
    with pytest.raises(ShapeError, match="2 solids"):
        judged(brep(bracket(), cq.Workplane().box(0.1, 0.1, 0.1).translate((50, 0, 0))), reference)


def test_the_filled_box_gains_nothing(brep: Written, reference: bytes) -> None:
    found = judged(brep(cq.Workplane().box(40, 20, 25, centered=False)), reference)
    assert found.iou == close(found.iou_box, rel=1e-9)
    assert (found.gain, passes(found)) == (close(0.0, abs=1e-9), False)


@pytest.mark.parametrize("alignment", ["datum", "translation", "rotations"])
@pytest.mark.parametrize("factor", [0.5, 0.97, 1.03, 2.0])
def test_a_scaled_copy_is_another_part(brep: Written, reference: bytes, alignment: Alignment, factor: float) -> None:
    scaled = brep(bracket().val().scale(factor))  # type: ignore[union-attr]
    found = judged(scaled, reference, alignment=alignment)
    ratio = min(factor, 1 / factor) ** 3
    assert found.iou <= ratio + 1e-9
    assert not passes(found)


@pytest.mark.parametrize("plane", ["XY", "XZ", "YZ"])
def test_a_mirror_image_is_another_part_in_every_pose(brep: Written, reference: bytes, plane: Any) -> None:
    found = judged(brep(bracket().mirror(plane)), reference, alignment="rotations")
    assert 0.3 < found.iou < 0.99


def test_poses_are_those_that_the_alignment_allows(brep: Written, reference: bytes) -> None:
    shifted = brep(bracket().translate((3, -2, 5)))
    turned = brep(bracket().rotate((0, 0, 0), (1, 0, 0), 90).rotate((0, 0, 0), (0, 0, 1), 180).translate((1, 2, 3)))
    tilted = brep(bracket().rotate((0, 0, 0), (1, 0, 0), 10))
    ious = {
        name: [judged(shape, reference, alignment=one).iou for one in ("datum", "translation", "rotations")]
        for name, shape in (("shifted", shifted), ("turned", turned), ("tilted", tilted))
    }
    assert ious["shifted"][0] < 0.7
    assert ious["shifted"][1:] == [1.0, 1.0]
    assert ious["turned"][0] < ious["turned"][1] + 1e-9 < 0.9
    assert ious["turned"][2] == 1.0
    assert max(ious["tilted"]) < 0.9


def test_tests_are_asked_in_the_pose_of_the_comparison(brep: Written, reference: bytes) -> None:
    hole = {"kind": "hole", "diameter": 6, "axis": [0, 0, 1], "at": [30, 14, 3], "tolerance": 0.01}
    moved = brep(bracket().translate((3, -2, 5)))
    assert not judged(moved, reference, tests=[hole]).tests[0].passed
    assert judged(moved, reference, tests=[hole], alignment="translation").tests[0].passed


def test_a_tiny_hole_decides_between_poses_that_are_equal_otherwise(brep: Written) -> None:
    def cube(x: float, y: float) -> cq.Workplane:
        return cq.Workplane().box(20, 20, 20).faces(">Z").workplane().center(x, y).hole(1, 2)

    turned = cube(6, 4).rotate((0, 0, 0), (1, 0, 0), 90).rotate((0, 0, 0), (0, 0, 1), 90)
    assert judged(brep(turned), brep(cube(6, 4)), alignment="rotations").iou == 1.0
    assert judged(brep(cube(4, 6)), brep(cube(6, 4)), alignment="rotations").iou < 1.0  # its mirror image


def test_a_solid_inside_out_is_refused(brep: Written, reference: bytes) -> None:
    reversed_ = cq.Shape.cast(bracket().val().wrapped.Reversed())  # type: ignore[union-attr]
    with pytest.raises(ShapeError, match="inside out"):
        judged(brep(reversed_), reference)


def opened(shape: Any, without: int = 1) -> cq.Shape:
    """A solid whose shell lacks faces."""
    builder, shell, solid = BRep_Builder(), TopoDS_Shell(), TopoDS_Solid()
    builder.MakeShell(shell)
    explorer, number = TopExp_Explorer(shape.wrapped, TopAbs_FACE), 0
    while explorer.More():
        if number >= without:
            builder.Add(shell, explorer.Current())
        explorer.Next()
        number += 1
    shell.Closed(True)
    builder.MakeSolid(solid)
    builder.Add(solid, shell)
    return cq.Shape.cast(solid)


def test_an_open_shell_is_refused_even_if_it_says_that_it_is_closed(brep: Written, reference: bytes) -> None:
    with pytest.raises(ShapeError, match="open"):
        judged(brep(opened(bracket().val())), reference)


def test_faces_shells_wires_and_points_are_no_solids(brep: Written, reference: bytes) -> None:
    shape: Any = bracket().val()
    for loose in (
        shape.Faces()[0],
        shape.Shells()[0],
        shape.Wires()[0],
        shape.Edges()[0],
        cq.Vertex.makeVertex(0, 0, 0),
    ):
        with pytest.raises(ShapeError, match="no solid"):
            judged(brep(loose), reference)
        with pytest.raises(ShapeError, match="beside the solids"):
            judged(brep(shape, loose), reference)


def test_nothing_is_no_solid(brep: Written, reference: bytes) -> None:
    empty = TopoDS_Compound()
    BRep_Builder().MakeCompound(empty)
    with pytest.raises(ShapeError, match="only nothing"):
        judged(brep(cq.Shape.cast(empty)), reference)


def test_a_solid_that_touches_itself_in_an_edge_is_refused(brep: Written) -> None:
    builder, shell, solid = BRep_Builder(), TopoDS_Shell(), TopoDS_Solid()
    boxes: Any = cq.Workplane().box(4, 4, 4).union(cq.Workplane().box(4, 4, 4).translate((4, 4, 0))).val()
    builder.MakeShell(shell)
    for face in boxes.Faces():
        builder.Add(shell, face.wrapped)
    shell.Closed(True)
    builder.MakeSolid(solid)
    builder.Add(solid, shell)
    with pytest.raises(ShapeError, match="more than two faces meet"):
        measured(brep(cq.Shape.cast(solid)))


def test_a_solid_that_crosses_itself_is_refused(brep: Written) -> None:
    block = brep(cq.Workplane().box(20, 10, 4))
    corners = cq.Workplane("XZ").polyline([(0, 0), (30, 0), (30, 20), (10, 20), (10, -15)])
    with pytest.raises(ShapeError, match="invalid"):
        judged(brep(cq.Workplane("YZ").rect(4, 4).sweep(corners, transition="right")), block)
    loop = cq.Workplane("XZ").spline([(0, 0), (20, 0), (25, 12), (10, 20), (5, 8), (12, -15)])
    with pytest.raises(ShapeError, match="runs through itself"):
        judged(brep(cq.Workplane("YZ").circle(2).sweep(loop)), block)
    bow = cq.Wire.makePolygon([cq.Vector(*at) for at in ((0, 0), (10, 10), (10, 0), (0, 10))], close=True)
    with pytest.raises(ShapeError):
        judged(brep(cq.Solid.extrudeLinear(bow, [], cq.Vector(0, 0, 5))), block)


WHOLE: dict[str, Any] = {
    "thin tube": cq.Workplane().circle(30).circle(29.9).extrude(40),
    "thin ball": cq.Workplane().sphere(30).cut(cq.Workplane().sphere(29.9)),
    "thin shell with fillets": cq.Workplane().box(40, 30, 20).edges("|Z").fillet(6).faces(">Z").shell(-0.1),
    "letters": cq.Workplane().text("Ag8", 10, 3),
    "loft": cq.Workplane().rect(10, 10).workplane(offset=8).circle(3).loft(),
    "twisted": cq.Workplane().rect(10, 6).twistExtrude(10, 90),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_solid_that_only_comes_close_to_itself_is_not_refused(brep: Written, name: str) -> None:
    shape = brep(WHOLE[name])
    solids = measured(shape).solids
    assert judged(shape, brep(cq.Workplane().box(20, 10, 4)), solids=solids).iou < 1


def test_a_thin_shell_in_place_of_a_body_does_not_overlap_it(brep: Written) -> None:
    solid = cq.Workplane().box(40, 30, 20)
    hollow = solid.cut(cq.Workplane().box(39.8, 29.8, 19.8))
    found = judged(brep(hollow), brep(solid))
    assert found.iou == close(1 - 39.8 * 29.8 * 19.8 / 24000, abs=1e-9)
    assert found.hausdorff < 0.2  # what samples of surfaces see of it
    assert (found.topology, measured(brep(hollow)).thickness) == (1 / 3, close(0.1, abs=1e-6))


def test_a_sliver_that_points_would_miss_is_seen_by_the_volume(brep: Written) -> None:
    block, fin = cq.Workplane().box(40, 40, 10), cq.Workplane().box(1e-3, 40, 300).translate((0, 0, 155))
    found = judged(brep(block.union(fin)), brep(block), points=512)
    assert found.iou < 1.0
    assert found.hausdorff == close(300, rel=1e-3)


def test_facets_for_a_round_face_show_in_the_types_of_faces(brep: Written) -> None:
    rod = cq.Workplane().circle(10).extrude(20)
    facets = cq.Workplane().polygon(96, 20).extrude(20)
    wanted = [{"kind": "faces", "type": "cylinder", "count": 1}]
    found = judged(brep(facets), brep(rod), tests=wanted)
    assert found.iou == close(96 * math.sin(2 * math.pi / 96) / 2 / math.pi, abs=1e-6)
    assert found.topology == 2 / 4
    assert not passes(found)


def test_soups_of_facets_are_cut_off(brep: Written, reference: bytes) -> None:
    many = cq.Workplane().polygon(400, 20).extrude(20)
    with pytest.raises(ShapeError, match="402 faces; at most 300"):
        measured(brep(many), ShapeLimits(faces=300))
    with pytest.raises(ShapeError, match="bytes"):
        measured(reference, ShapeLimits(bytes=1000))
    with pytest.raises(ShapeError, match="3 solids; at most 2"):
        measured(brep(*[cq.Workplane().box(1, 1, 1).translate((3 * n, 0, 0)) for n in range(3)]), ShapeLimits(solids=2))


def test_what_is_far_away_or_not_finite_is_refused(brep: Written, reference: bytes) -> None:
    with pytest.raises(ShapeError, match="mm from the datum"):
        measured(brep(cq.Workplane().box(1, 1, 1).translate((20_000, 0, 0))))
    text = brep(cq.Workplane().box(7, 7, 7))
    for number in (b"nan", b"inf", b"1e308", b"-1e200"):
        with pytest.raises(ShapeError):
            measured(text.replace(b"3.5", number))


def test_wide_tolerances_are_refused(brep: Written) -> None:
    solid: Any = cq.Workplane().box(7, 7, 7).val()
    for vertex in solid.Vertices():
        BRep_Builder().UpdateVertex(vertex.wrapped, 2.0)
    with pytest.raises(ShapeError, match="may miss each other by 2 mm"):
        measured(brep(solid))


def test_triangles_in_the_text_are_not_believed(brep: Written, reference: bytes) -> None:
    solid: Any = bracket().val()
    solid.mesh(5.0, 1.0)
    assert judged(brep(solid), reference).iou == 1.0
    sphere: Any = cq.Workplane().sphere(10).val()
    sphere.mesh(8.0, 3.0)
    assert judged(brep(sphere), brep(cq.Workplane().sphere(9))).spread < 0.02
