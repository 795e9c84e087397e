"""Step rewards beside outcomes: bounds, so that steps cannot pay more than results, and their sum with a watch on it.

Sources: Clip and Delta, Gao et al. 2024, arXiv:2410.15115; step and episode advantages as in GiGPO, arXiv:2505.10978.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from palestra.rewards.base import RecordError, Trajectory
from palestra.rewards.credit.group import turn_loo
from palestra.rewards.credit.returns import Estimator


def clipped(scores: Sequence[float], *, threshold: float) -> list[float]:
    """Return ``min(score - threshold, 0)`` for each step: a step can only lose, so more steps never pay more.

    Source: Clip of arXiv:2410.15115.
    """
    return [min(score - threshold, 0.0) for score in scores]


def delta(scores: Sequence[float]) -> list[float]:
    """Return each step's score less the next one's, and the last score for the last: sums to go are the scores.

    A repeated good step pays nothing, and what all steps of an episode are paid is the first score, however many they
    are.

    Source: Delta of arXiv:2410.15115.
    """
    return [score - later for score, later in zip(scores, [*scores, 0.0][1:], strict=True)]


def renormalised(scores: Sequence[float], outcome: float) -> list[float]:
    """Return scores moved by the same amount so that they sum to the outcome: steps share it out and add nothing.

    A process score that is high on the way to a failure becomes a comparison between its steps. This is the purpose of
    ReNorm (PPR, arXiv:2509.25598); the formula is ours.
    """
    if not scores:
        return []
    moved = (outcome - math.fsum(scores)) / len(scores)
    return [score + moved for score in scores]


def mixed(
    episode: Sequence[Sequence[float]], step: Sequence[Sequence[float]], *, weight: float = 1.0
) -> list[list[float]]:
    """Return ``episode + weight * step`` advantages, turn by turn.

    Raises:
        RecordError: the two have different shapes.
    """
    if [len(row) for row in episode] != [len(row) for row in step]:
        raise RecordError(
            f"episode advantages of {[len(row) for row in episode]} turns but step advantages of "
            f"{[len(row) for row in step]}; both have one for each turn"
        )
    pairs = zip(episode, step, strict=True)
    return [[a + weight * b for a, b in zip(mine, theirs, strict=True)] for mine, theirs in pairs]


def with_steps(
    trajectories: Sequence[Trajectory],
    scores: Sequence[Sequence[float]],
    estimator: Estimator,
    *,
    weight: float = 1.0,
) -> list[list[float]]:
    """Return the estimator's advantages plus `weight` times those of the step scores.

    A step's advantage is its score's sum to go less the mean over the siblings that reached the same turn, as in
    `turn_loo`; both parts are 0 for a group of one.

    Raises:
        RecordError: there is not one score a turn.
    """
    if [len(row) for row in scores] != [len(one.turns) for one in trajectories]:
        raise RecordError(
            f"step scores of {[len(row) for row in scores]} turns, but the trajectories have "
            f"{[len(one.turns) for one in trajectories]}"
        )
    scored = [
        replace(
            one,
            turns=tuple(replace(turn, reward=s, parts={}) for turn, s in zip(one.turns, row, strict=True)),
        )
        for one, row in zip(trajectories, scores, strict=True)
    ]
    return mixed(estimator(trajectories), turn_loo(scored), weight=weight)


def correlation(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Return Pearson's correlation; None where either does not vary or there are fewer than three."""
    if len(xs) != len(ys):
        raise RecordError(f"{len(xs)} values and {len(ys)} values have no correlation; give one of each an episode")
    if len(xs) < 3:
        return None
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    var_x = math.fsum((x - mean_x) ** 2 for x in xs)
    var_y = math.fsum((y - mean_y) ** 2 for y in ys)
    if var_x <= 1e-18 or var_y <= 1e-18:
        return None
    return math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / math.sqrt(var_x * var_y)


@dataclass(slots=True)
class HackingWatch:
    """Watches, from batch to batch, whether what steps are paid still goes with what episodes are worth.

    It raises the alarm after `patience` batches in a row in which step rewards and outcomes are correlated less than
    `least`, or in which step rewards rise above their slow mean while outcomes fall below theirs.

    Attributes:
        least: correlation below which a batch is suspicious.
        patience: suspicious batches in a row until the alarm.
        memory: weight of the past in the slow means, below 1.
    """

    least: float = 0.0
    patience: int = 3
    memory: float = 0.9
    _suspicious: int = 0
    _means: tuple[float, float] | None = None

    def see(self, steps: Sequence[float], outcomes: Sequence[float]) -> dict[str, float]:
        """Take what each episode of a batch was paid for its steps and what it was worth; return metrics.

        ``hacking_alarm`` is 1.0 while the alarm is raised; ``step_outcome_correlation`` is left out where it is not
        defined, as in a batch in which everything succeeds.
        """
        if not steps:
            return {"hacking_alarm": float(self._suspicious >= self.patience)}
        found = correlation(steps, outcomes)
        step, outcome = math.fsum(steps) / len(steps), math.fsum(outcomes) / len(outcomes)
        before = self._means or (step, outcome)
        has_parted = step > before[0] and outcome < before[1]
        is_suspicious = has_parted or (found is not None and found < self.least)
        self._suspicious = self._suspicious + 1 if is_suspicious else 0
        kept = self.memory
        self._means = (kept * before[0] + (1 - kept) * step, kept * before[1] + (1 - kept) * outcome)
        told = {"hacking_alarm": float(self._suspicious >= self.patience)}
        return told if found is None else {**told, "step_outcome_correlation": found}

    def state(self) -> dict[str, Any]:
        """Return what was seen, as plain JSON data."""
        return {"suspicious": self._suspicious, "means": list(self._means) if self._means else None}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        means = state["means"]
        self._suspicious = int(state["suspicious"])
        self._means = (float(means[0]), float(means[1])) if means else None
