"""The least thickness of a part's walls.

A wall is matter between two stretches of the boundary that face opposite ways within TILT, seen along a ray from one
of them inwards; so the corner of a block or a chamfer is none. Rays start on every face, and on every triangle of a
round one. Between parallel planes the figure is exact; where a wall is curved it is the kernel's distance of the two
faces, to 1e-6 mm, or the distance of the tessellations, within their deflection, where the kernel finds none. A wall
that no ray meets is not seen.
"""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

from functools import lru_cache
from typing import Final

import numpy as np
from OCP.BRepExtrema import BRepExtrema_DistShapeShape
from OCP.TopAbs import TopAbs_VERTEX

from palestra.envs.cad.geometry.mesh import Mesh, cross
from palestra.envs.cad.geometry.part import Floats, Part, point, unique

TILT: Final = np.radians(15.0)
RAYS: Final = 256
PER_FACE: Final = 3
PER_TRIANGLE: Final = 2  # of a cylinder, so that the nearest place to another face is not missed
MOST_ROUND: Final = 1000  # rays from triangles of cylinders
PAIRS: Final = 4  # of faces, whose distance is asked for from the kernel
CHUNK: Final = 50_000  # pairs of rays and triangles at once


@lru_cache(maxsize=4)
def thickness(part: Part) -> float:
    """Return the least thickness in mm; that of the box around it where no two faces face each other."""
    low, high = part.box
    mesh = part.mesh(0)
    if not len(mesh.triangles):
        return float((high - low).min())
    round_faces = [number for number, face in enumerate(part.faces) if face.type == "cylinder"]
    starts, own = _starts(mesh, round_faces)
    lengths, hits = _shot(mesh, starts, -mesh.normals[own])
    seen = np.isfinite(lengths)
    seen[seen] = np.einsum("ij,ij->i", -mesh.normals[own[seen]], mesh.normals[hits[seen]]) >= np.cos(TILT)
    least: dict[tuple[int, int], float] = {}
    for one, two, length in zip(mesh.faces[own[seen]], mesh.faces[hits[seen]], lengths[seen], strict=True):
        pair = (int(min(one, two)), int(max(one, two)))
        least[pair] = min(least.get(pair, np.inf), float(length))
    if not least:
        return float((high - low).min())
    pairs = sorted(least, key=lambda pair: least[pair])
    return min(_exact(part, pair, least[pair]) for pair in pairs[:PAIRS])


def _starts(mesh: Mesh, round_faces: list[int]) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return points on the boundary and their triangles: some on every face, the rest by area."""
    rng = np.random.default_rng(0)
    shares = np.cumsum(mesh.areas) / mesh.areas.sum()
    own = [np.minimum(np.searchsorted(shares, rng.random(RAYS)), len(shares) - 1)]
    for face in range(int(mesh.faces.max()) + 1):
        of_it = np.flatnonzero(mesh.faces == face)
        if len(of_it):
            largest = of_it[np.argsort(-mesh.areas[of_it], kind="stable")]
            own.append(np.resize(largest[:PER_FACE], PER_FACE))
    strips = np.flatnonzero(np.isin(mesh.faces, round_faces))
    own.append(np.repeat(strips[:: max(1, len(strips) * PER_TRIANGLE // MOST_ROUND)], PER_TRIANGLE))
    triangles = np.concatenate(own)
    weights = rng.dirichlet((2.0, 2.0, 2.0), len(triangles))
    return np.einsum("ij,ijk->ik", weights, mesh.corners[triangles]), triangles


def _shot(mesh: Mesh, starts: Floats, ways: Floats) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return how far each ray goes until it leaves the part, and the triangle where it does; inf where it does not."""
    a, b, c = mesh.corners.transpose(1, 0, 2)
    moments = cross(starts, ways)
    lengths, hits = np.full(len(starts), np.inf), np.zeros(len(starts), np.int64)
    step = max(1, CHUNK // max(len(a), 1))
    for first in range(0, len(starts), step):
        some = slice(first, first + step)
        way, moment = ways[some], moments[some]
        sides = [way @ cross(p, q).T + moment @ (q - p).T for p, q in ((a, b), (b, c), (c, a))]
        facing = way @ mesh.normals.T
        inside = (facing > 1e-9) & (np.minimum(np.minimum(sides[0], sides[1]), sides[2]) >= -1e-12)
        with np.errstate(divide="ignore", invalid="ignore"):
            far = (np.einsum("ij,ij->i", mesh.normals, a)[None] - starts[some] @ mesh.normals.T) / facing
        far = np.where(inside & (far > 1e-6), far, np.inf)
        hits[some] = far.argmin(axis=1)
        lengths[some] = far.min(axis=1)
    return lengths, hits


def _exact(part: Part, pair: tuple[int, int], length: float) -> float:
    """Return the distance of two faces through the matter, by the kernel where it can."""
    one, two = (part.faces[number] for number in pair)
    if one.type == two.type == "plane":
        return length
    if pair[0] == pair[1]:
        if one.type == "cylinder":
            return 2 * float(one.surface.Cylinder().Radius())
        return 2 * float(one.surface.Sphere().Radius()) if one.type == "sphere" else length
    corners = [unique(face.shape, TopAbs_VERTEX) for face in (one, two)]
    if any(left.IsSame(right) for left in corners[0] for right in corners[1]):
        return length  # they meet somewhere, where their distance is nothing
    between = BRepExtrema_DistShapeShape(one.shape, two.shape)
    if not between.IsDone() or not between.NbSolution():
        return length
    left, right = point(between.PointOnShape1(1)), point(between.PointOnShape2(1))
    return length if part.state((left + right) / 2) == "out" else float(between.Value())
