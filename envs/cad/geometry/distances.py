"""How far two boundaries lie apart, from points drawn on both: equal seeds, equal figures.

Points are drawn by area, and each is measured against the nearest triangles of the other boundary rather than against
its points, so two tessellations of one surface are no further apart than their deflection, however few points there
are.
"""

# pyright: reportAttributeAccessIssue=false
# scipy.spatial has no stubs: its names are known when it runs.

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from palestra.envs.cad.geometry.mesh import Mesh, cross
from palestra.envs.cad.geometry.part import Floats

NEAREST: Final = 3  # triangles that each point is measured against
FARTHEST: Final = 32  # points at a time that are measured against all triangles, until the largest distance stands
ROUNDS: Final = 20
SETTLED: Final = 0.01  # share by which the largest distance may be short


@dataclass(frozen=True, slots=True)
class Distances:
    """Of two boundaries, in mm; see records.Comparison."""

    chamfer: float
    hausdorff: float
    normals: float


def distances(one: Mesh, two: Mesh, points: int, seed: int) -> Distances:
    """Return the symmetric distances of two boundaries.

    The chamfer distance is the mean of both directions' means, and no squares are taken. The Hausdorff distance is the
    largest of any point or corner of a triangle, within SETTLED.
    """
    drawn = [sampled(mesh, points, seed) for mesh in (one, two)]
    ways = [_towards(one, *drawn[0], two, *drawn[1]), _towards(two, *drawn[1], one, *drawn[0])]
    mean, most, cosine = (float(np.mean(values)) for values in zip(*ways, strict=True))
    return Distances(mean, max(ways[0][1], ways[1][1]) if most else 0.0, min(1.0, max(-1.0, cosine)))


def sampled(mesh: Mesh, points: int, seed: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return points spread evenly by area, and the triangles they lie on."""
    rng = np.random.default_rng(seed)
    shares = np.cumsum(mesh.areas)
    triangles = np.minimum(np.searchsorted(shares, rng.random(points) * shares[-1]), len(shares) - 1)
    u, v = rng.random((2, points, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    a, b, c = mesh.corners[triangles].transpose(1, 0, 2)
    return a + u * (b - a) + v * (c - a), triangles.astype(np.int64)


def _towards(
    mesh: Mesh, points: Floats, own: NDArray[np.int64], other: Mesh, marks: Floats, theirs: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Return the mean distance, the largest, and the mean cosine of normals, of points to another boundary."""
    tree = cKDTree(np.concatenate((marks, other.corners.mean(axis=1))), balanced_tree=False, compact_nodes=False)
    numbers = np.concatenate((theirs, np.arange(len(other.triangles))))
    asked = np.concatenate((points, np.unique(mesh.points, axis=0)))
    near = numbers[tree.query(asked, NEAREST)[1]]  # (A, NEAREST)
    apart = np.stack([_apart(asked, other, near[:, rank]) for rank in range(NEAREST)], axis=1)
    best = apart.argmin(axis=1)
    least = apart[np.arange(len(asked)), best]
    nearest = near[np.arange(len(asked)), best][: len(points)]
    cosines = np.einsum("ij,ij->i", mesh.normals[own], other.normals[nearest])
    mean = float(least[: len(points)].mean())
    return mean, _largest(asked, other, least), float(cosines.mean())


def _largest(points: Floats, mesh: Mesh, bounds: Floats) -> float:
    """Return the largest distance of points, within SETTLED, given bounds that no distance exceeds."""
    order, largest = np.argsort(-bounds, kind="stable"), 0.0
    middles = mesh.corners.mean(axis=1)
    reach = np.linalg.norm(mesh.corners - middles[:, None], axis=2).max(axis=1)
    for first in range(0, min(FARTHEST * ROUNDS, len(order)), FARTHEST):
        some = order[first : first + FARTHEST]
        if bounds[some[0]] <= largest * (1 + SETTLED):
            return largest
        away = np.linalg.norm(points[some][:, None] - middles[None], axis=2) - reach
        rows, near = np.nonzero(away <= bounds[some][:, None])
        least = bounds[some]
        np.minimum.at(least, rows, _apart(points[some][rows], mesh, near))
        largest = max(largest, float(least.max()))
    return max(largest, float(bounds[order[FARTHEST * ROUNDS]])) if len(order) > FARTHEST * ROUNDS else largest


def _apart(points: Floats, mesh: Mesh, triangles: NDArray[np.int64]) -> Floats:
    """Return the distance of each point to its triangle."""
    a, b, c = mesh.corners[triangles].transpose(1, 0, 2)
    normal = mesh.normals[triangles]
    above = np.einsum("ij,ij->i", points - a, normal)
    foot = points - above[:, None] * normal
    beside = np.zeros(len(points), bool)
    for p, q in ((a, b), (b, c), (c, a)):
        beside |= np.einsum("ij,ij->i", cross(q - p, foot - p), normal) < 0
    found = np.abs(above)
    if beside.any():
        a, b, c, some = a[beside], b[beside], c[beside], points[beside]
        found[beside] = np.sqrt(np.minimum.reduce([_squared(some, p, q) for p, q in ((a, b), (b, c), (c, a))]))
    return np.asarray(found, float)


def _squared(points: Floats, start: Floats, end: Floats) -> Floats:
    """Return squared distances to stretches of lines."""
    along, off = end - start, points - start
    share = np.einsum("ij,ij->i", off, along) / np.maximum(np.einsum("ij,ij->i", along, along), 1e-300)
    rest = off - np.clip(share, 0.0, 1.0)[:, None] * along
    return np.asarray(np.einsum("ij,ij->i", rest, rest), float)
