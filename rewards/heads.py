"""Ways to pay for an episode of calls, beside its outcome: by parts, and turn by turn."""

from collections.abc import Set
from typing import Literal

Saying = Literal["empty", "broken", "right", "other"]
_EMPTY, _BROKEN, _ALL_SOLVED = -0.5, -0.3, 0.5


def f1(wanted: Set[object], found: Set[object]) -> float:
    """Return the harmonic mean of precision and recall of what was found; 1 where nothing was wanted and found."""
    both = len(wanted) + len(found)
    return 2.0 * len(wanted & found) / both if both else 1.0


def economy(needed: int, made: int) -> float:
    """Return how far calls were spared: 1 up to as many as are needed, then the share that is needed."""
    return min(1.0, needed / max(1, made)) if made > needed else 1.0


def paid_for_calls(calls: int, solved: int) -> float:
    """Return what a turn with calls is paid: ``2q/(p+1)`` for p calls of which q newly solve a sub-goal.

    Source: FTRL, arXiv:2508.08791.
    """
    return 2.0 * solved / (calls + 1) if calls else 0.0


def paid_for_saying(saying: Saying, unsolved: int) -> float:
    """Return what a turn without calls is paid.

    Args:
        saying: "empty" (-0.5), "broken" calls (-0.3), the "right" final answer (1/(1+t)), or any "other" (0.5 if
            everything is solved, else 0).
        unsolved: t, the sub-goals that are left.

    Source: FTRL, arXiv:2508.08791; there an answer is right if it contains the wanted text, here the caller judges.
    """
    if saying == "right":
        return 1.0 / (1 + unsolved)
    if saying == "other":
        return 0.0 if unsolved else _ALL_SOLVED
    return _EMPTY if saying == "empty" else _BROKEN
