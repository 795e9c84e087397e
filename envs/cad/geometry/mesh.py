"""Tessellations of parts as arrays, and as closed meshes for booleans."""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import manifold3d
import numpy as np
from numpy.typing import NDArray
from OCP.BRep import BRep_Tool
from OCP.BRepMesh import BRepMesh_IncrementalMesh
from OCP.TopAbs import TopAbs_REVERSED
from OCP.TopLoc import TopLoc_Location
from OCP.TopoDS import TopoDS_Face, TopoDS_Shape

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ANGLES: Final = (0.45, 0.225)  # radians between neighbours on a curve, by level
SHARES: Final = (1 / 300, 1 / 1200)  # deflection of a chord, of the diagonal


@dataclass(frozen=True)
class Mesh:
    """Triangles that lie on a boundary, seen from outside counterclockwise."""

    points: Floats  # (P, 3), those of edges once for each face
    triangles: Integers  # (T, 3)
    faces: Integers  # (T,), number of the face it lies on

    @cached_property
    def corners(self) -> Floats:
        """Corners of the triangles: (T, 3, 3)."""
        return self.points[self.triangles]

    @cached_property
    def crosses(self) -> Floats:
        """Outward normals, as long as twice the area: (T, 3)."""
        a, b, c = self.corners.transpose(1, 0, 2)
        return cross(b - a, c - a)

    @cached_property
    def areas(self) -> Floats:
        """Of the triangles: (T,)."""
        return np.asarray(np.linalg.norm(self.crosses, axis=1) / 2, float)

    @cached_property
    def normals(self) -> Floats:
        """Unit normals outwards: (T, 3)."""
        return self.crosses / np.maximum(2 * self.areas, 1e-300)[:, None]

    def moved(self, pose: Floats) -> "Mesh":
        """Return it in another place; the pose is a (3, 4) of a proper rotation and a shift."""
        return Mesh(self.points @ pose[:, :3].T + pose[:, 3], self.triangles, self.faces)

    @cached_property
    def closed(self) -> manifold3d.Manifold | None:
        """The same as a closed mesh without doubled points, or None if it does not close."""
        order = np.lexsort(self.points.T)
        steps = np.any(np.diff(self.points[order], axis=0) != 0, axis=1)
        where = np.empty(len(order), np.int64)
        where[order] = np.concatenate(([0], np.cumsum(steps)))
        points, triangles = self.points[order[np.concatenate(([True], steps))]], where[self.triangles]
        a, b, c = triangles.T
        triangles = triangles[(a != b) & (b != c) & (c != a)]
        mesh = manifold3d.Mesh64(points, triangles.astype(np.uint64))
        solid = manifold3d.Manifold(mesh)
        if solid.status() != manifold3d.Error.NoError:
            mesh.merge()
            solid = manifold3d.Manifold(mesh)
        return solid if solid.status() == manifold3d.Error.NoError and not solid.is_empty() else None


def cross(one: Floats, two: Floats) -> Floats:
    """Return the cross products of rows, several times as fast as numpy's for short lists."""
    found = np.empty(np.broadcast_shapes(one.shape, two.shape))
    for x, y, z in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        found[..., x] = one[..., y] * two[..., z] - one[..., z] * two[..., y]
    return found


def tessellated(shape: TopoDS_Shape, faces: Sequence[TopoDS_Face], deflection: float, angle: float) -> Mesh:
    """Return the triangles of a shape's faces; the kernel only ever refines what it has of them."""
    BRepMesh_IncrementalMesh(shape, max(deflection, 1e-6), False, angle, False)
    points: list[tuple[float, float, float]] = []
    triangles: list[Integers] = []
    numbers: list[int] = []
    for number, face in enumerate(faces):
        location = TopLoc_Location()
        found = BRep_Tool.Triangulation_s(face, location)
        if found is None:
            continue
        nodes, count = len(points), found.NbTriangles()
        if location.IsIdentity():
            points += [found.Node(index).Coord() for index in range(1, found.NbNodes() + 1)]
        else:
            place = location.Transformation()
            points += [found.Node(index).Transformed(place).Coord() for index in range(1, found.NbNodes() + 1)]
        own = np.array([found.Triangle(index).Get() for index in range(1, count + 1)], np.int64).reshape(-1, 3)
        triangles.append((own[:, ::-1] if face.Orientation() == TopAbs_REVERSED else own) + (nodes - 1))
        numbers += [number] * count
    if not triangles:
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64), np.zeros(0, np.int64))
    return Mesh(np.array(points, float), np.concatenate(triangles), np.array(numbers, np.int64))
