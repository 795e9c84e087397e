"""Holes of a part: inner cylindrical faces that go round.

Faces of one cylinder that meet along its axis are joined; what does not go all the way round, such as a fillet or the
end of a slot, is none. The depth is that of the cylindrical part: a chamfer at the mouth or a drill's tip is not
counted. An end is open where there is no matter behind the rim of the wall, so a step inwards, a cone or a floor
closes it.
"""

# pyright: reportAttributeAccessIssue=false
# OCP is one extension module without stubs: its names are known when it runs.

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from OCP.gp import gp_Ax3, gp_Dir, gp_Pnt, gp_Trsf
from OCP.TopAbs import TopAbs_REVERSED
from OCP.TopLoc import TopLoc_Location

from palestra.envs.cad.geometry.part import Face, Floats, Part, box_of, point
from palestra.envs.cad.records import Hole

SAME: Final = 1e-4  # mm, and radians, within which axes and diameters are one
ROUND: Final = 2 * np.pi - 1e-3  # radians that a wall goes round, at least
BEHIND: Final = 0.05  # mm past an end at which is looked for matter
WIDER: Final = 2e-4  # of the radius, outside of the wall


@dataclass(frozen=True, slots=True)
class Wall:
    """One cylindrical face, seen from its axis."""

    axis: Floats
    foot: Floats  # point of the axis nearest to the datum
    radius: float
    low: float  # its ends, measured along the axis from the foot
    high: float
    start: float  # angles, from a direction that depends on the axis alone
    sweep: float


@lru_cache(maxsize=4)
def holes(part: Part) -> tuple[Hole, ...]:
    """Return the holes, ordered by diameter, axis and place."""
    walls = [_wall(face) for face in part.faces if face.type == "cylinder" and is_inner(face)]
    found: list[Hole] = []
    for group in _groups(walls):
        if _covered(group) >= ROUND:
            found.append(_hole(part, group))
    return tuple(sorted(found, key=lambda hole: tuple(np.round([hole.diameter, *hole.axis, *hole.at, hole.depth], 6))))


def is_inner(face: Face) -> bool:
    """Say whether a cylindrical face has its matter outside of the cylinder."""
    is_direct = face.surface.Cylinder().Position().Direct()
    return bool((face.shape.Orientation() == TopAbs_REVERSED) == is_direct)


def canonical(axis: Floats) -> Floats:
    """Return a direction with its first component that is not zero positive, and no noise about zero."""
    clean = np.where(np.abs(axis) < 1e-9, 0.0, axis)
    clean = clean / np.linalg.norm(clean)
    return np.asarray(clean if clean[np.flatnonzero(clean)[0]] > 0 else 0.0 - clean, float)


def _wall(face: Face) -> Wall:
    cylinder, surface = face.surface.Cylinder(), face.surface
    position = cylinder.Position()
    place, along = point(position.Location()), point(position.Direction())
    axis = canonical(along)
    foot = place - axis * (place @ axis)
    across = point(position.XDirection()), point(position.YDirection())
    low, high = _ends(face, axis)
    first, sweep = surface.FirstUParameter(), surface.LastUParameter() - surface.FirstUParameter()
    if along @ axis * (1 if position.Direct() else -1) < 0:  # its angles run the other way
        first += sweep
    out = np.cos(first) * across[0] + np.sin(first) * across[1]
    zero, quarter = _frame(axis)
    start = float(np.arctan2(out @ quarter, out @ zero) % (2 * np.pi))
    return Wall(axis, foot, float(cylinder.Radius()), low, high, start, float(sweep))


def _ends(face: Face, axis: Floats) -> tuple[float, float]:
    """Return how far a face reaches along an axis; its own parameters are wider where a curve cuts it off."""
    upright = gp_Trsf()
    upright.SetTransformation(gp_Ax3(gp_Pnt(0, 0, 0), gp_Dir(*(float(value) for value in axis))))
    low, high = box_of(face.shape.Moved(TopLoc_Location(upright)))
    return float(low[2]), float(high[2])


def _frame(axis: Floats) -> tuple[Floats, Floats]:
    """Return two directions across an axis, at right angles."""
    zero = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    zero = np.asarray(zero / np.linalg.norm(zero), float)
    return zero, np.asarray(np.cross(axis, zero), float)


def _groups(walls: Sequence[Wall]) -> list[list[Wall]]:
    """Return the walls of one cylinder that meet along its axis, together."""
    groups: list[list[Wall]] = []
    for wall in sorted(walls, key=lambda wall: wall.low):
        for group in groups:
            if _is_same(group[0], wall) and wall.low <= max(one.high for one in group) + SAME:
                group.append(wall)
                break
        else:
            groups.append([wall])
    return groups


def _is_same(one: Wall, two: Wall) -> bool:
    """Say whether two walls are of one cylinder."""
    return bool(
        abs(one.radius - two.radius) <= SAME
        and np.linalg.norm(np.cross(one.axis, two.axis)) <= SAME
        and np.linalg.norm(one.foot - two.foot) <= SAME
    )


def _covered(group: Sequence[Wall]) -> float:
    """Return the angle that walls cover together, in radians."""
    spans = sorted((wall.start, wall.start + wall.sweep) for wall in group)
    spans += [(first + 2 * np.pi, last + 2 * np.pi) for first, last in spans]
    best, (low, high) = 0.0, spans[0]
    for first, last in spans:
        if first > high + 1e-6:
            low, high = first, last
        high = max(high, last)
        best = max(best, high - low)
    return float(best)


def _hole(part: Part, group: Sequence[Wall]) -> Hole:
    wall = group[0]
    low, high = min(one.low for one in group), max(one.high for one in group)
    middle = wall.foot + wall.axis * (low + high) / 2
    past = min(BEHIND, (high - low) / 4)
    is_through = all(_is_open(part, wall, height) for height in (low - past, high + past))
    x, y, z = (float(value) + 0.0 for value in wall.axis)
    a, b, c = (float(value) + 0.0 for value in middle)
    return Hole(2 * wall.radius, (x, y, z), (a, b, c), high - low, is_through)


def _is_open(part: Part, wall: Wall, height: float) -> bool:
    """Say whether most of what lies behind the rim of a wall is empty."""
    zero, quarter = _frame(wall.axis)
    radius = wall.radius * (1 + WIDER)
    matter = 0
    for angle in (0.3, 1.9, 3.4, 4.9):
        at = wall.foot + wall.axis * height + radius * (np.cos(angle) * zero + np.sin(angle) * quarter)
        matter += part.state(at) == "in"
    return matter < 2
