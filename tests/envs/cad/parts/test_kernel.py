"""The real geometry kernel builds what the closed forms say: volume, centroid, faces, handles, holes, membership."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import cadquery as cq
import numpy as np
import pytest

from palestra.envs.cad.parts import Part, Tree, draw_part
from palestra.envs.cad.parts.tree import (
    AXES,
    Boss,
    Box,
    Chamfer,
    Counterbore,
    Countersink,
    Cylinder,
    Datum,
    Fillet,
    Grid,
    Hole,
    Line,
    Loft,
    Mirror,
    Pocket,
    Polar,
    Prism,
    Profile,
    Revolve,
    Rib,
    Shell,
    Slot,
    Step,
    Sweep,
    Treatment,
)
from palestra.envs.draws import Draws

PartOf = Callable[[int], Part]
D = Decimal
TYPES = {"PLANE": "plane", "CYLINDER": "cylinder", "CONE": "cone", "SPHERE": "sphere", "TORUS": "torus"}

BOX = Box(D(80), D(50), D(20))
PRISM = Prism(6, D(60), D(20))
ROUND = Cylinder(D(40), D(20))
TRIANGLE = Prism(3, D(90), D(20))
BASES: list[tuple[Any, Datum, tuple[Treatment, ...]]] = [
    (BOX, "corner", ()),
    (BOX, "centre", (Fillet("vertical", D(5)), Chamfer("top", D(2)))),
    (BOX, "corner", (Fillet("vertical", D(5)), Fillet("top", D(2)))),
    (BOX, "corner", (Fillet("top", D(2)),)),
    (BOX, "corner", (Chamfer("top", D(2)),)),
    (BOX, "corner", (Chamfer("vertical", D(2)),)),
    (BOX, "corner", (Fillet("vertical", D(5)), Shell(D(3)))),
    (BOX, "centre", (Shell(D(3)),)),
    (ROUND, "centre", (Fillet("top", D(2)),)),
    (ROUND, "centre", (Chamfer("top", D(2)),)),
    (ROUND, "centre", (Shell(D(3)),)),
    (PRISM, "centre", (Fillet("top", D(2)),)),
    (PRISM, "centre", (Shell(D(3)),)),
    (PRISM, "centre", (Fillet("vertical", D(5)), Shell(D(2)))),
    (TRIANGLE, "centre", (Fillet("vertical", D(5)), Chamfer("top", D(2)))),
    (TRIANGLE, "centre", (Chamfer("vertical", D(5)),)),
    (Prism(5, D(60), D(20)), "centre", (Fillet("vertical", D(5)), Fillet("top", D(2)))),
    *((Profile(shape, D(80), D(60), D(12), D(30)), "corner", (Fillet("vertical", D(3)),)) for shape in ("L", "T", "U")),
    *((Profile(shape, D(80), D(60), D(12), D(30)), "centre", ()) for shape in ("L", "T", "U")),
    (Revolve(D(60), D(10), D(30), D(25), D(12)), "centre", ()),
    (Revolve(D(60), D(10), D(30), D(25), D(0)), "centre", ()),
    (Loft(D(60), D(40), D(30), D(20), D(25)), "corner", ()),
    (Sweep(D(16), D(10), D(30), D(25), D(40)), "centre", ()),
    (Sweep(D(16), D(0), D(30), D(25), D(40)), "centre", ()),
]


def built(part: Part) -> Any:
    """Return the kernel's shape of a part's program."""
    names: dict[str, Any] = {}
    exec(part.program(), names)
    return names["result"].val()


def assert_built(part: Part) -> None:
    """Assert that the kernel's part is the closed form's."""
    shape, model = built(part), part.model
    volume, error = part.volume()
    assert shape.isValid()
    assert len(shape.Solids()) == 1
    assert abs(shape.Volume() - volume) <= 1e-6 * volume + error
    assert np.allclose(shape.Center().toTuple(), model.body.centroid, atol=1e-4)
    found = Counter(TYPES.get(face.geomType(), "other") for face in shape.Faces())
    assert dict(found) == dict(model.faces)
    box = shape.BoundingBox()
    bounds = (box.xmin, box.ymin, box.zmin, box.xmax, box.ymax, box.zmax)
    assert np.allclose(bounds, [*model.body.bounds[0], *model.body.bounds[1]], atol=1e-3)


def assert_inside(part: Part, points: int) -> None:
    """Assert that the kernel and the closed form agree on which points lie in a part."""
    shape, model = built(part), part.model
    low, high = (np.array(corner) for corner in model.body.bounds)
    spots = low + (high - low) * np.random.default_rng(0).random((points, 3))
    solid = shape.Solids()[0]
    found = [solid.isInside(cq.Vector(*spot), 1e-9) for spot in spots]
    assert found == list(part.contains(spots))


@pytest.mark.parametrize(("base", "datum", "edges"), BASES)
def test_bases_and_edges_are_built_as_their_closed_forms_say(base: Any, datum: Datum, edges: Any) -> None:
    part = Part(Tree(base, datum, edges))
    assert_built(part)
    assert_inside(part, 60)


@pytest.mark.parametrize("on", ["top", "bottom", "left", "right", "front", "back"])
def test_features_are_built_on_every_face(on: str) -> None:
    first = "y" if on in ("left", "right") else "x"
    at = [(D(20), D(20)), (D(40), D(40)), (D(20), D(40)), (D(62), D(20)), (D(60), D(40)), (D(80), D(40))]
    steps = (
        Step(Hole(D(6), D(8)), on, at[0]),
        Step(Countersink(D(5), D(9), D(90)), on, at[1]),
        Step(Counterbore(D(4), D(8), D(3), D(9)), on, at[2]),
        Step(Slot(D(16), D(6), AXES[AXES.index(first)], D(5)), on, at[3]),
        Step(Pocket(D(12), D(10), D(2), D(6)), on, at[4]),
        Step(Boss(D(8), D(7)), on, at[5]),
        Step(Hole(D(4)), 6, at[5]),
        Step(Rib(D(12), D(3), D(4), AXES[AXES.index(first)]), on, (D(84), D(20))),
    )
    part = Part(Tree(Box(D(120), D(100), D(60)), "corner", (), steps))
    assert_built(part)
    assert_inside(part, 60)


def test_repeats_are_built() -> None:
    steps = (
        Step(Hole(D(5)), "top", (D(10), D(10)), Grid(3, D(20), 2, D(15))),
        Step(Boss(D(8), D(5)), "top", (D(90), D(60)), Polar(5, D(40), D(15))),
        Step(Slot(D(20), D(4), "z", D(5)), "left", (D(20), D(30)), Mirror("y")),
        Step(Pocket(D(10), D(20), D(0)), "top", (D(76), D(20)), Line(3, D(14), "x")),
    )
    assert_built(Part(Tree(Box(D(120), D(100), D(60)), "corner", (), steps)))


@pytest.mark.parametrize("seed", range(8))
def test_drawn_parts_are_built(seed: int, part_of: PartOf) -> None:
    assert_built(part_of(seed))


@pytest.mark.slow
@pytest.mark.parametrize("base", ["box", "cylinder", "prism", "profile", "revolve", "loft", "sweep"])
def test_many_drawn_parts_are_built(base: str) -> None:
    for seed in range(25):
        knobs = {"base": base, "features": 1 + seed % 4, "nesting": 3, "faces": 4, "decimals": seed % 3}
        part = draw_part(Draws("cad", f"kernel/{base}", seed, "part"), knobs)
        assert_built(part)
        assert_inside(part, 40)
