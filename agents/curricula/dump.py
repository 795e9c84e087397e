"""DUMP: the settings that teach most, and those that were not tried for long."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from palestra.agents.curricula.base import Arm, check_arms, check_size, spread


@dataclass(slots=True)
class Dump:
    """Draws arms by a softmax over the upper confidence bound of what they teach.

    ``UCB_j = L_j + sqrt(2 ln(T + 1) / (n_j + 1))``, where L_j is the mean absolute advantage of the latest attempts at
    tasks of arm j, n_j how many tasks of it were told and T how many in all; the chance of arm j is proportional to
    ``exp(UCB_j / temperature)``.

    Source: DUMP, arXiv:2504.09710.
    """

    arms: Sequence[Arm]
    temperature: float = 0.1
    window: int = 50  # tasks of an arm that are remembered
    _told: list[int] = field(default_factory=list)
    _latest: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_arms(self.arms)
        self._told = self._told or [0] * len(self.arms)
        self._latest = self._latest or [[] for _ in self.arms]

    def bounds(self) -> list[float]:
        """Return the upper confidence bound of each arm."""
        total = sum(self._told)
        return [
            (sum(latest) / len(latest) if latest else 0.0) + math.sqrt(2.0 * math.log(total + 1) / (count + 1))
            for count, latest in zip(self._told, self._latest, strict=True)
        ]

    def draw(self, count: int, rng: Random) -> list[int]:
        """Return arms by the softmax of their bounds."""
        bounds = self.bounds()
        best = max(bounds)
        weights = [math.exp((bound - best) / self.temperature) for bound in bounds]
        return rng.choices(range(len(self.arms)), weights, k=count)

    def tell(self, arm: int, returns: Sequence[float]) -> None:
        """Remember what a task of an arm taught."""
        self._told[arm] += 1
        self._latest[arm] = [*self._latest[arm], spread(returns)][-self.window :]

    def state(self) -> dict[str, Any]:
        """Return the counts and what the latest tasks taught."""
        return {"told": list(self._told), "latest": [list(one) for one in self._latest]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        check_size(state["told"], self.arms)
        self._told = [int(count) for count in state["told"]]
        self._latest = [[float(value) for value in one] for one in state["latest"]]
