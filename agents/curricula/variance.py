"""Variance-aware sampling: settings whose attempts differ, mixed with chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from palestra.agents.curricula.base import Arm, check_arms, check_size


@dataclass(slots=True)
class VarianceAware:
    """Draws a share of tasks by the variance of their arm's returns, and the rest by even chances.

    The variance is ``p (1 - p)`` with p the slow mean of an arm's returns; it is largest where half of the attempts
    succeed, and it bounds the size of the policy gradient. An arm that was never told counts as half solved.

    Source: VAS of MMR1, arXiv:2509.21268, by outcomes only: its diversity of trajectories is not used.
    """

    arms: Sequence[Arm]
    share: float = 0.5  # of tasks drawn by variance
    memory: float = 0.9  # weight of the past in an arm's mean return
    _means: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_arms(self.arms)
        if not (0.0 <= self.share <= 1.0 and 0.0 <= self.memory < 1.0):
            raise ValueError(f"share is from 0 to 1 and memory below 1, not {self.share!r} and {self.memory!r}")
        self._means = self._means or [0.5] * len(self.arms)

    def draw(self, count: int, rng: Random) -> list[int]:
        """Return arms by variance or by chance."""
        weights = [max(mean * (1.0 - mean), 1e-6) for mean in self._means]
        every = range(len(self.arms))
        return [
            rng.choices(every, weights)[0] if rng.random() < self.share else rng.randrange(len(self.arms))
            for _ in range(count)
        ]

    def tell(self, arm: int, returns: Sequence[float]) -> None:
        """Move an arm's mean."""
        if returns:
            mean = min(1.0, max(0.0, sum(returns) / len(returns)))
            self._means[arm] = self.memory * self._means[arm] + (1.0 - self.memory) * mean

    def state(self) -> dict[str, Any]:
        """Return the means."""
        return {"means": list(self._means)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on with means."""
        check_size(state["means"], self.arms)
        self._means = [float(mean) for mean in state["means"]]
