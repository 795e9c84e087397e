"""What a shape is paid, by us and by others: pure functions of how it compares with its reference.

Wherever a shape may be missing or invalid, it is None, and earns what the source pays for that, never an exception.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.cad.records import Comparison

IOU: Final = 0.99  # of a shape that is the part that was asked for
_NOISE: Final = 1e-6  # of IoUs: no smaller gain is one
_CERTAIN, _HOPELESS = 1e-5, 0.5  # CAD-Coder's Chamfer distances that are paid 1 and 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the three parts of a shape's score count; they add up to 1, exactly so where they are eighths."""

    gain: float = 0.625
    features: float = 0.25
    topology: float = 0.125

    def __post_init__(self) -> None:
        parts = (self.gain, self.features, self.topology)
        if min(parts) < 0.0 or not math.isclose(sum(parts), 1.0):
            raise ValueError(f"weights must be at least 0 and add up to 1, not {parts}")


WEIGHTS: Final = Weights()


def is_pass(found: Comparison) -> bool:
    """Return whether a valid shape of the planned number of solids is the part: IoU of 0.99, and every test holds."""
    return found.iou >= IOU and all(one.passed for one in found.tests)


def gain_over(iou: float, free: float) -> float:
    """Return which share of the way from an IoU that is had for free to 1 was gone, in [0, 1].

    With the IoU of the part that was given to be edited, this is BenchCAD's edit score,
    ``clip((IoU(made, wanted) - IoU(given, wanted)) / (1 - IoU(given, wanted)), 0, 1)``. Where the given part is the
    wanted one already, what is lost of it is not paid.
    """
    if free >= 1.0 - 1e-9:
        return min(max(iou, 0.0), 1.0)
    return min(max((iou - free) / (1.0 - free), 0.0), 1.0)


def score(found: Comparison, free_iou: float, weights: Weights = WEIGHTS) -> dict[str, float]:
    """Return the parts of a valid shape's score, which add up to at most 1."""
    return {
        "gain": weights.gain * gain_over(found.iou, free_iou),
        "features": weights.features * found.features,
        "topology": weights.topology * found.topology,
    }


def graded(found: Comparison | None, free: Comparison | None, weights: Weights = WEIGHTS) -> dict[str, float]:
    """Return the parts of a shape's reward: ``valid * (w1 gain + w2 features + w3 topology)``, beyond what is free.

    All of it is paid to a shape that passes, and nothing to one that overlaps no more with the reference than what is
    had without any work: its bounding box, filled, or the part that was given.

    Args:
        found: the shape that was made; None if it is missing or invalid.
        free: what is had without any work; None if that is nothing, and only the box counts.
        weights: of the parts.
    """
    nothing = {"gain": 0.0, "features": 0.0, "topology": 0.0}
    if found is None:
        return nothing
    if is_pass(found):
        return {"gain": weights.gain, "features": weights.features, "topology": weights.topology}
    free_iou = found.iou_box if free is None else free.iou
    if gain_over(found.iou, free_iou) < _NOISE:
        return nothing
    made = score(found, free_iou, weights)
    given = 0.0 if free is None else sum(score(free, free_iou, weights).values())
    total = sum(made.values())
    paid = gain_over(total, given)
    return {name: value * paid / total for name, value in made.items()}


def cad_rl(
    found: Comparison | None,
    evaluation: Callable[[Comparison], float] | None = None,
    *,
    geometry_weight: float = 0.5,
    evaluation_weight: float = 0.5,
) -> float:
    """Return CAD-RL's reward, ``executes * (w_geometry * IoU + w_evaluation * evaluation)``.

    Args:
        found: None if the program does not run or leaves no valid shape, which earns 0.
        evaluation: what somebody else says of the shape, such as a model that looks at it, in [0, 1]; without one, the
            IoU has all of the weight.
        geometry_weight: of the IoU.
        evaluation_weight: of the evaluation.

    Raises:
        ValueError: the evaluation is not in [0, 1].

    Source: CAD-RL, arXiv:2508.10118. What the two weights are is not told there.
    """
    if found is None:
        return 0.0
    if evaluation is None:
        return found.iou
    said = float(evaluation(found))
    if not 0.0 <= said <= 1.0:  # which no NaN is either
        raise ValueError(f"an evaluation must be in [0, 1], not {said!r}")
    return geometry_weight * found.iou + evaluation_weight * said


def cadrille(found: Comparison | None) -> float:
    """Return ten times the IoU, and -10 for what is invalid. Source: cadrille, arXiv:2505.22914."""
    return -10.0 if found is None else 10.0 * found.iou


def cad_coder(found: Comparison | None, extent: float) -> float:
    """Return 1 for a Chamfer distance below 1e-5, 0 for one above 0.5, and what lies on the line between for others.

    Args:
        found: None for what is invalid, which earns 0.
        extent: the longest edge of the reference's bounding box, in mm, which is the unit of the distance: the shape is
            not scaled by a measure of its own, so that a wrong size stays wrong.

    Raises:
        ValueError: the extent is not positive.

    Source: CAD-Coder, arXiv:2505.19713. Its authors saw thin and hollow parts exploit sparse points; ours are dense.
    """
    if not 0.0 < extent < math.inf:
        raise ValueError(f"an extent must be a positive length, not {extent!r}")
    if found is None or math.isnan(found.chamfer):
        return 0.0
    distance = found.chamfer / extent
    return min(max((_HOPELESS - distance) / (_HOPELESS - _CERTAIN), 0.0), 1.0)


def bench_cad(found: Comparison | None, given: Comparison) -> float:
    """Return BenchCAD's score of an edit: the share of what the given part lacked; see `gain_over`."""
    return 0.0 if found is None else gain_over(found.iou, given.iou)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What many shapes came to. Means are over all of them: one that is missing or invalid counts as 0."""

    count: int
    invalid: float  # the share of missing and invalid ones
    passed: float  # the share that is what was asked for
    iou: float
    iou_valid: float  # the mean over valid ones alone, as others report it; 0 if there is none
    chamfer: float | None  # mm, the mean over valid ones alone, because there is none of others; None if there is none


def summary(found: Sequence[Comparison | None]) -> Summary:
    """Return what many shapes came to, with the share of invalid ones beside the means.

    Raises:
        ValueError: there is none.
    """
    if not found:
        raise ValueError("a summary needs at least one verdict")
    valid = [one for one in found if one is not None]
    count, overlap = len(found), math.fsum(one.iou for one in valid)
    return Summary(
        count=count,
        invalid=1.0 - len(valid) / count,
        passed=sum(map(is_pass, valid)) / count,
        iou=overlap / count,
        iou_valid=overlap / len(valid) if valid else 0.0,
        chamfer=math.fsum(one.chamfer for one in valid) / len(valid) if valid else None,
    )
