"""Whether a part runs through itself, so that its volume counts some places twice.

The kernel's own checker knows of no face that crosses itself, and names faces of splines that merely come close. Here
the tessellation is cut by planes: the area that the outlines enclose with their sense is larger than that of what lies
within them where a place is held twice. What is smaller than the planes lie apart may be missed; it changes no overlap
by much.
"""

from typing import Final

import numpy as np

from palestra.envs.cad.geometry.mesh import Floats, Mesh
from palestra.envs.cad.geometry.part import Part
from palestra.envs.cad.geometry.thickness import thickness

CUTS: Final = (0.0737, 0.2241, 0.3671, 0.5317, 0.6763, 0.8219, 0.9429)  # shares of the way through, of no even part
DOUBLED: Final = 2e-3  # of the area of a cut
OF_WALL: Final = 1 / 8  # deflection of the last tessellation, of the least wall
_UPRIGHT: Final = ((0.0, -90.0, 0.0), (90.0, 0.0, 0.0), (0.0, 0.0, 0.0))  # turns that put x, y, z upwards


def crosses_itself(part: Part) -> bool:
    """Say whether cuts through ever finer tessellations all find a place that is held twice.

    Chords of a coarse one cross where walls are thin, so the last is finer than the least wall.
    """
    if not (_doubles(part, part.mesh(0)) and _doubles(part, part.mesh(1))):
        return False
    fine = max(thickness(part) * OF_WALL, part.diagonal / 20_000)
    return _doubles(part, part.meshed(fine, 0.1))


def _doubles(part: Part, mesh: Mesh) -> bool:
    """Say whether a cut through a tessellation encloses more than there is."""
    if mesh.closed is None:
        return False
    low, high = part.box
    for axis, turn in enumerate(_UPRIGHT):
        upright = mesh.closed.rotate(turn)
        for share in CUTS:
            height = float(low[axis] + share * (high[axis] - low[axis]))
            enclosed = _enclosed(mesh.corners, axis, height)
            if enclosed > 1e-9 and enclosed > (1 + DOUBLED) * upright.slice(height).area():
                return True
    return False


def _enclosed(corners: Floats, axis: int, height: float) -> float:
    """Return the area, with its sense, that the outlines enclose in which a plane across an axis cuts triangles."""
    above = corners[:, :, axis] > height
    cut = above.any(axis=1) & ~above.all(axis=1)
    corners, above = corners[cut], above[cut]
    heights, flat = corners[:, :, axis] - height, corners[:, :, [(axis + 1) % 3, (axis + 2) % 3]]
    starts, ends = np.zeros((2, len(corners), 2))
    for one, two in ((0, 1), (1, 2), (2, 0)):
        crossed = np.flatnonzero(above[:, one] != above[:, two])
        share = heights[crossed, one] / (heights[crossed, one] - heights[crossed, two])
        at = flat[crossed, one] + (flat[crossed, two] - flat[crossed, one]) * share[:, None]
        falls = above[crossed, one]
        starts[crossed[falls]], ends[crossed[~falls]] = at[falls], at[~falls]
    return float(np.sum(starts[:, 0] * ends[:, 1] - starts[:, 1] * ends[:, 0]) / 2)
