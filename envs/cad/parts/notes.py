"""What a table of dimensions does not say of its kinds."""

from collections.abc import Mapping
from typing import Final

NOTES: Final[Mapping[str, str]] = {
    "box": "a box has its length along x, its width along y and its height along z",
    "cylinder": "a cylinder stands along z",
    "prism": "a prism is a regular polygon about the z axis, extruded along it, a corner on the +x axis; across "
    "is the diameter of the "
    "circle through its corners",
    "profile.L": "an L has its limbs along the low-y and the low-x side, length along x, width along y, height along z",
    "profile.T": "a T has a limb along the high-y side and one in the middle of it towards low y, both equally thick, "
    "length along x, width along y, height along z",
    "profile.U": "a U has its limbs along the low-x, low-y and high-x sides, length along x, width along y, height "
    "along z",
    "revolve": "a revolve is turned about z: a lower disc, on it an upper disc, and a bore through both (0: none)",
    "loft": "a loft runs straight from a rectangle at z = 0, length along x and width along y, to one centred above it",
    "sweep": "a sweep is a round tube whose centre line rises along z from the origin, bends by 90 degrees towards +x "
    "with the radius bend, and runs along x (bore 0: solid)",
    "shell": "a shell is open at the top, its walls and floor are inside the base",
    "counterbore": "depths of counterbores are measured from the face",
    "countersink": "depths of countersinks are measured from the face, angles are included ones",
    "slot": "slots have round ends and their length is over both",
    "pocket": "a pocket has its length along the first coordinate of its place; its radius is that of its upright "
    "corners (0: sharp)",
    "line": "a line starts at the position of its step and runs towards higher coordinates",
    "grid": "a grid starts at the position of its step; columns follow one another along the first coordinate, rows "
    "along the second, both towards higher coordinates",
    "polar": "a polar pattern lies on a circle of that diameter about the position of its step, the first copy at "
    "start degrees from the first coordinate's axis towards the second's",
    "mirror": "a mirror adds one copy beyond the middle plane of the base's bounding box that is square to the "
    "axis across",
}
