"""Intersection over union of two parts: of their B-reps, and of two tessellations beside it.

Parts whose faces, edges and corners are the same are equal, and nothing is intersected. Otherwise the volume that they
share comes from the kernel's boolean, which is believed only where closed meshes agree with it. The error of a mesh
goes with the square of the angle between neighbours on a curve, so two tessellations give a better figure than either.
"""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

from dataclasses import dataclass
from typing import Final

import manifold3d
import numpy as np
from OCP.BRepAdaptor import BRepAdaptor_Curve
from OCP.BRepAlgoAPI import BRepAlgoAPI_Common
from OCP.BRepGProp import BRepGProp
from OCP.GProp import GProp_GProps
from OCP.TopTools import TopTools_ListOfShape

from palestra.envs.cad.geometry.mesh import ANGLES
from palestra.envs.cad.geometry.part import Floats, Part, mass_of, matrix, point
from palestra.envs.cad.records import FACE_TYPES, ShapeError

SAME: Final = 1e-6  # mm within which faces, edges and corners are the same
AGREED: Final = 2e-3  # IoU by which meshes may differ from the boolean, beyond what they differ from each other
MOST_FACES: Final = 600  # of both parts, for the boolean of the B-reps
_REFINED: Final = (ANGLES[0] / ANGLES[1]) ** 2 - 1


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much two parts share."""

    iou: float
    is_exact: bool  # it is of the B-reps
    spread: float  # between it and those of the two tessellations, at most


def overlap(one: Part, two: Part) -> Overlap:
    """Return how much two parts share; raises ShapeError where neither B-reps nor meshes can be intersected."""
    if is_same(one, two):
        return Overlap(1.0, True, 0.0)
    if _are_apart(one, two):
        return Overlap(0.0, True, 0.0)
    meshes = [found for level in (0, 1) if (found := iou_mesh(one, two, level)) is not None]
    exact = iou_brep(one, two) if len(one.faces) + len(two.faces) <= MOST_FACES else None
    if len(meshes) < 2:
        if exact is None:
            raise ShapeError("the shape cannot be intersected, neither its faces nor its mesh: it may cross itself")
        return Overlap(exact, True, 1.0)
    refined = extrapolated(*meshes)
    known = exact is not None and abs(exact - refined) <= AGREED + abs(meshes[1] - meshes[0])
    iou = exact if exact is not None and known else refined
    return Overlap(iou, known, max(abs(meshes[0] - meshes[1]), *(abs(iou - mesh) for mesh in meshes)))


def extrapolated(coarse: float, fine: float) -> float:
    """Return what finer and finer tessellations would come to."""
    return _clamped(fine + (fine - coarse) / _REFINED)


def iou_brep(one: Part, two: Part) -> float | None:
    """Return the IoU of the B-reps, or None where the kernel's boolean fails."""
    volumes = one.mass.volume, two.mass.volume
    for left, right in ((one, two), (two, one)):
        shared = _common(left, right)
        if shared is not None and -1e-9 * min(volumes) <= shared <= min(volumes) * (1 + 1e-6):
            return _clamped(shared / (sum(volumes) - shared))
    return None


def iou_mesh(one: Part, two: Part, level: int, pose: Floats | None = None) -> float | None:
    """Return the IoU of the tessellations, the first one moved, or None where they do not close."""
    left, right = one.mesh(level).closed, two.mesh(level).closed
    if left is None or right is None:
        return None
    if pose is not None:
        left = left.transform(pose)
    shared = manifold3d.Manifold.batch_boolean([left, right], manifold3d.OpType.Intersect).volume()
    joint = left.volume() + right.volume() - shared
    return _clamped(shared / joint) if joint > 0 else None


def is_same(one: Part, two: Part) -> bool:
    """Say whether two parts have the same boundary: all their faces, edges and corners."""
    if one.key and one.key == two.key:
        return True
    counts = [(len(part.faces), len(part.edges), len(part.vertices)) for part in (one, two)]
    if counts[0] != counts[1] or abs(one.mass.volume - two.mass.volume) > 1e-7 * two.mass.volume:
        return False
    return all(_agree(signed(one), signed(two)) for signed in (_faces, _corners, _edges))


def _agree(one: Floats, two: Floats) -> bool:
    """Say whether two lists of rows are the same but for their order."""
    one, two = (rows[np.lexsort(np.round(rows, 4).T)] for rows in (one, two))
    return bool(np.allclose(one, two, rtol=1e-7, atol=SAME))


def _faces(part: Part) -> Floats:
    """Return a row of each face: its type, area, centre and moments."""
    return np.array(
        [[FACE_TYPES.index(face.type), face.area, *face.centre, *face.inertia.ravel()] for face in part.faces]
    )


def _edges(part: Part) -> Floats:
    """Return a row of each edge: the type of its curve, length, centre and moments."""
    rows = []
    for edge in part.edges:
        sums = GProp_GProps()
        BRepGProp.LinearProperties_s(edge, sums)
        kind = int(BRepAdaptor_Curve(edge).GetType())
        rows.append([kind, sums.Mass(), *point(sums.CentreOfMass()), *matrix(sums.MatrixOfInertia()).ravel()])
    return np.array(rows)


def _corners(part: Part) -> Floats:
    return part.corners


def _common(one: Part, two: Part) -> float | None:
    """Return the volume that two B-reps share, or None where the kernel fails."""
    sides = [TopTools_ListOfShape(), TopTools_ListOfShape()]
    for side, part in zip(sides, (one, two), strict=True):
        side.Append(part.shape)
    common = BRepAlgoAPI_Common()
    common.SetArguments(sides[0])
    common.SetTools(sides[1])
    common.SetRunParallel(False)
    common.SetToFillHistory(False)
    common.SetNonDestructive(True)
    try:
        common.Build()
        volume = mass_of(common.Shape()).volume if common.IsDone() else None
    except Exception:  # the kernel throws many kinds; the meshes take over
        return None
    return volume if volume is not None and np.isfinite(volume) else None


def _are_apart(one: Part, two: Part) -> bool:
    return bool(np.any(one.box[1] <= two.box[0]) or np.any(two.box[1] <= one.box[0]))


def _clamped(value: float) -> float:
    return float(min(1.0, max(0.0, value)))
