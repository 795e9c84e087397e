"""The poses in which a part may lie beside its reference: moved and turned, never scaled and never mirrored."""

from itertools import permutations, product
from typing import Final

import numpy as np

from palestra.envs.cad.geometry.overlap import Overlap, iou_mesh, is_same, overlap
from palestra.envs.cad.geometry.part import Floats, Part
from palestra.envs.cad.records import Alignment

SURE: Final = 1 - 1e-9  # IoU of meshes after which no other pose is tried


def _turns() -> list[Floats]:
    """Return the 24 rotations that map a cube onto itself, the one that turns nothing first."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            turn = np.zeros((3, 3))
            turn[range(3), order] = signs
            if np.linalg.det(turn) > 0:
                found.append(turn)
    return found


TURNS: Final = _turns()


def aligned(part: Part, reference: Part, alignment: Alignment) -> tuple[Part, Overlap]:
    """Return the part in the pose, of those that the alignment allows, in which it shares most with the reference.

    Poses beside the datum's put the centres of mass together. They are compared by their tessellations; the IoU of the
    best is that of the B-reps.
    """
    if alignment == "datum" or is_same(part, reference):
        return part, overlap(part, reference)
    ranked: list[tuple[float, Floats | None]] = []
    for pose in (None, *poses(part, reference, alignment)):
        iou = iou_mesh(part, reference, 1, pose)
        ranked.append((-1.0 if iou is None else iou, pose))
        if iou is not None and iou >= SURE:
            break
    if all(iou < 0 for iou, _ in ranked):  # no mesh: the poses that need no search
        moved = [part, *(part.moved(pose) for pose in poses(part, reference, "translation"))]
        return max(((one, overlap(one, reference)) for one in moved), key=lambda found: found[1].iou)
    best = max(ranked, key=lambda found: found[0])[1]
    posed = part if best is None else part.moved(best)
    return posed, overlap(posed, reference)


def poses(part: Part, reference: Part, alignment: Alignment) -> list[Floats]:
    """Return (3, 4) matrices that put the part's centre of mass on the reference's."""
    turns = TURNS if alignment == "rotations" else TURNS[:1] if alignment == "translation" else []
    centre, target = part.mass.centre, reference.mass.centre
    return [np.column_stack((turn, target - turn @ centre)) for turn in turns]
