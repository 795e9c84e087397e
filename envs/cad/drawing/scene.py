"""What is drawn: triangles and lines in space, and how a view puts them on paper."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from palestra.envs.cad.records import View

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_DIAGONAL: Final = 0.5**0.5
# By view: to the right and up on paper, in space. What comes towards the reader is their cross product.
_AXES: Final[dict[View, tuple[tuple[float, float, float], tuple[float, float, float]]]] = {
    "front": ((1, 0, 0), (0, 0, 1)),
    "back": ((-1, 0, 0), (0, 0, 1)),
    "left": ((0, -1, 0), (0, 0, 1)),
    "right": ((0, 1, 0), (0, 0, 1)),
    "top": ((1, 0, 0), (0, 1, 0)),
    "bottom": ((1, 0, 0), (0, -1, 0)),
    "isometric": ((_DIAGONAL, _DIAGONAL, 0), (-(6**-0.5), 6**-0.5, 2 * 6**-0.5)),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A part made of triangles. Vertices belong to one face each, so that its normals are smooth up to its edges."""

    vertices: Floats  # (V, 3)
    normals: Floats  # (V, 3), outwards
    triangles: Integers  # (T, 3), counter-clockwise as seen from outside
    lines: Floats  # (L, 2, 3): pieces of edges
    is_smooth: NDArray[np.bool_]  # (L,): the faces on both sides go over into each other there
    low: Floats  # corners of the bounding box
    high: Floats


def axes_of(view: View) -> Floats:
    """Return the rows that turn a point in space into one on paper: right, up, towards the reader."""
    right, up = (np.array(axis, dtype=np.float64) for axis in _AXES[view])
    return np.stack([right, up, np.cross(right, up)])


def corners_of(scene: Scene) -> Floats:
    """Return the eight corners of the bounding box."""
    choice = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, -1).T
    return np.where(choice == 1, scene.high, scene.low)


def outlines(scene: Scene, axes: Floats) -> Floats:
    """Return the pieces (S, 2, 3) of curved faces where they turn away from the reader, which are no edges."""
    corners = scene.vertices[scene.triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) @ axes[2] > 0
    pairs = scene.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    owners = np.repeat(facing, 3)
    keys = np.sort(pairs, axis=1) @ np.array([len(scene.vertices), 1])
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    turns = same & (owners[order][1:] != owners[order][:-1])
    found: Floats = scene.vertices[pairs[order[1:][turns]]]
    return found
