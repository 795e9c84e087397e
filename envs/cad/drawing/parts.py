"""From a shape of the kernel to a scene. It needs the extra `cad`."""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

from collections import defaultdict
from typing import Any, Final

import numpy as np
from OCP.BRep import BRep_Tool
from OCP.BRepMesh import BRepMesh_IncrementalMesh
from OCP.TopAbs import TopAbs_EDGE, TopAbs_FACE, TopAbs_REVERSED
from OCP.TopExp import TopExp, TopExp_Explorer
from OCP.TopLoc import TopLoc_Location
from OCP.TopoDS import TopoDS
from OCP.TopTools import TopTools_IndexedMapOfShape

from palestra.envs.cad.drawing.picture import pictured
from palestra.envs.cad.drawing.raster import Pixels
from palestra.envs.cad.drawing.scene import Floats, Scene
from palestra.envs.cad.geometry.loading import loaded
from palestra.envs.cad.geometry.part import box_of
from palestra.envs.cad.records import Picture, ShapeError, ShapeLimits

_COARSE: Final = 0.002  # of the bounding box's diagonal, by which triangles may miss the surface
_ANGLE: Final = 0.25  # between neighbours, in radians
_SMOOTH: Final = 0.99  # cosine of the angle by which faces may differ at an edge that is hardly one
_LEAST_AREA: Final = 1e-12  # mm^2, twice: the triangles at a pole of a sphere have none
_MOST_TRIANGLES: Final = 400_000


def drawn(brep: bytes, picture: Picture, limits: ShapeLimits | None = None) -> Pixels:
    """Return a picture of the shape that a BREP text describes; raises ShapeError for one that is no solid."""
    return pictured(scene_of(loaded(brep, limits or ShapeLimits()).shape), picture)


def scene_of(shape: Any) -> Scene:
    """Return the triangles and edges of a shape; raises ShapeError where it cannot be meshed."""
    low, high = (np.array(corner, dtype=np.float64) for corner in box_of(shape))
    coarse = _COARSE * float(np.linalg.norm(high - low))
    BRepMesh_IncrementalMesh(shape, coarse, False, _ANGLE, False)
    numbers = TopTools_IndexedMapOfShape()
    TopExp.MapShapes_s(shape, TopAbs_EDGE, numbers)
    meshes = [_Mesh(TopoDS.Face_s(face), numbers) for face in _explored(shape, TopAbs_FACE)]
    meshes = [mesh for mesh in meshes if len(mesh.triangles)]
    if not meshes or sum(len(mesh.triangles) for mesh in meshes) > _MOST_TRIANGLES:
        raise ShapeError("the shape cannot be drawn: it has no surface, or too much detail")
    begins = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    triangles = [mesh.triangles + begin for mesh, begin in zip(meshes, begins, strict=False)]
    lines, is_smooth = _edges(meshes)
    return Scene(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate(triangles),
        lines,
        is_smooth,
        low,
        high,
    )


class _Mesh:
    """The triangles of a face, and where its edges run along them."""

    def __init__(self, face: Any, numbers: Any) -> None:
        place = TopLoc_Location()
        mesh = BRep_Tool.Triangulation_s(face, place)
        self.points = np.zeros((0, 3))
        self.triangles = np.zeros((0, 3), dtype=np.int64)
        self.edges: list[tuple[int, Floats, Floats]] = []  # which edge, points, normals
        if mesh is None:
            return
        self.points = np.array([mesh.Node(one).Coord() for one in range(1, mesh.NbNodes() + 1)]).reshape(-1, 3)
        if not place.IsIdentity():
            move = place.Transformation()
            rows = np.array([[move.Value(row, column) for column in range(1, 5)] for row in range(1, 4)])
            self.points = self.points @ rows[:, :3].T + rows[:, 3]
        corners = [mesh.Triangle(one).Get() for one in range(1, mesh.NbTriangles() + 1)]
        self.triangles = np.array(corners, dtype=np.int64).reshape(-1, 3) - 1
        a, b, c = (self.points[self.triangles[:, corner]] for corner in range(3))
        self.triangles = self.triangles[np.linalg.norm(np.cross(b - a, c - a), axis=1) > _LEAST_AREA]
        if face.Orientation() == TopAbs_REVERSED:
            self.triangles = self.triangles[:, ::-1]
        self.normals = self._normals()
        for shape in _explored(face, TopAbs_EDGE):
            edge = TopoDS.Edge_s(shape)
            line = BRep_Tool.PolygonOnTriangulation_s(edge, mesh, place)
            if line is not None and not BRep_Tool.IsClosed_s(edge, face):  # which is where a surface meets itself
                nodes = [line.Node(one) - 1 for one in range(1, line.NbNodes() + 1)]
                self.edges.append((numbers.FindIndex(edge), self.points[nodes], self.normals[nodes]))

    def _normals(self) -> Floats:
        """Return at each point the mean of the triangles around it."""
        a, b, c = (self.points[self.triangles[:, corner]] for corner in range(3))
        sums = np.zeros_like(self.points)
        for corner in range(3):
            np.add.at(sums, self.triangles[:, corner], np.cross(b - a, c - a))
        normals: Floats = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-300)
        return normals


def _edges(meshes: list[_Mesh]) -> tuple[Floats, Any]:
    """Return the pieces of all edges, each edge once, and whether the faces beside each are smooth there."""
    sides: dict[int, list[tuple[Floats, Floats]]] = defaultdict(list)
    for mesh in meshes:
        for key, points, normals in mesh.edges:
            sides[key].append((points, normals))
    lines, smooth = [np.zeros((0, 2, 3))], [np.zeros(0, dtype=bool)]
    for found in sides.values():
        points, normals = found[0]
        pieces = np.stack([points[:-1], points[1:]], axis=1)
        pieces = pieces[(pieces[:, 0] != pieces[:, 1]).any(axis=1)]
        is_smooth = len(found) == 2 and len(found[1][1]) == len(normals) and _same_way(found)
        lines.append(pieces)
        smooth.append(np.full(len(pieces), is_smooth))
    return np.concatenate(lines), np.concatenate(smooth)


def _same_way(sides: list[tuple[Floats, Floats]]) -> bool:
    (points, first), (others, second) = sides
    if np.linalg.norm(points[0] - others[0]) > np.linalg.norm(points[0] - others[-1]):
        second = second[::-1]
    return bool(np.median((first * second).sum(axis=1)) > _SMOOTH)


def _explored(shape: Any, kind: Any) -> list[Any]:
    found, explorer = [], TopExp_Explorer(shape, kind)
    while explorer.More():
        found.append(explorer.Current())
        explorer.Next()
    return found
