"""Paying for the way to a result so that it never outweighs the result.

A process score, whoever made it, may be wrong or be flattered. So it only orders episodes that failed among each other,
and tells the turns of an episode apart: what a failed episode can get by it is less than what it lacks.
"""

import math
from collections.abc import Sequence

from palestra.rewards.base import RecordError


def ranked(
    earned: float, scores: Sequence[float | None], *, is_success: bool, weight: float = 0.5, passing: float = 1.0
) -> list[float]:
    """Return what each turn of an episode is paid for the change of the process score.

    The payments sum to the last score times ``weight`` times what the episode lacks of `passing`; one that passed
    has the score 1 at its end, whatever the scorer says, and is paid `weight` times `passing`. So an episode that
    failed with less than `passing` stays below it, and one that passed with at least `passing` does not fall below it.

    Args:
        earned: what the environment paid for the episode.
        scores: of the program after each turn, in [0, 1]; None where there is no other than before.
        is_success: whether the episode passed.
        weight: from 0 to below 1.
        passing: the least that the environment pays for an episode that passes.

    Raises:
        RecordError: a score or the weight is out of range.
    """
    if not 0.0 <= weight < 1.0 or not 0.0 < passing < math.inf:
        raise RecordError(f"weight is from 0 to below 1 and passing positive, not {weight!r} and {passing!r}")
    known = list(scores)
    if is_success and known:
        known[-1] = 1.0
    unit = weight * (passing if is_success else max(0.0, passing - max(0.0, earned)))
    paid, last = list[float](), 0.0
    for score in known:
        now = last if score is None else score
        if not (math.isfinite(now) and 0.0 <= now <= 1.0):
            raise RecordError(f"a process score must be in [0, 1], not {score!r}")
        paid.append(unit * (now - last))
        last = now
    return paid
