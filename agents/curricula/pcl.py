"""PCL: a small model of the chance of success picks tasks that are neither sure nor hopeless."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from palestra.agents.curricula.base import Arm, check_arms, check_size


@dataclass(slots=True)
class Pcl:
    """Draws, of `pool` times as many candidates, those whose predicted success is nearest to `target`.

    The paper predicts by a network that reads the prompt. Here tasks of an arm are alike, so the model is a logistic
    regression on the arm's knobs, taught online by every return: it has an opinion of arms that were never drawn.

    Source: PCL, arXiv:2510.01135.
    """

    arms: Sequence[Arm]
    target: float = 0.5
    pool: int = 4
    rate: float = 0.5
    _weights: list[float] = field(default_factory=list)
    _inputs: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_arms(self.arms)
        self._inputs = inputs_of(self.arms)
        self._weights = self._weights or [0.0] * len(self._inputs[0])

    def chance(self, arm: int) -> float:
        """Return the predicted mean return of an arm."""
        score = math.fsum(w * x for w, x in zip(self._weights, self._inputs[arm], strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))

    def draw(self, count: int, rng: Random) -> list[int]:
        """Return the candidates of middle difficulty."""
        candidates = [rng.randrange(len(self.arms)) for _ in range(count * self.pool)]
        return sorted(candidates, key=lambda arm: abs(self.chance(arm) - self.target))[:count]

    def tell(self, arm: int, returns: Sequence[float]) -> None:
        """Move the prediction towards what was seen."""
        if not returns:
            return
        error = sum(returns) / len(returns) - self.chance(arm)
        self._weights = [
            weight + self.rate * error * value for weight, value in zip(self._weights, self._inputs[arm], strict=True)
        ]

    def state(self) -> dict[str, Any]:
        """Return the weights of the model."""
        return {"weights": list(self._weights)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on with weights."""
        check_size(state["weights"], self._inputs[0])  # type: ignore[arg-type]
        self._weights = [float(weight) for weight in state["weights"]]


def inputs_of(arms: Sequence[Arm]) -> list[list[float]]:
    """Return the arms as numbers: a one, each numeric knob from -1 to 1, each value of another knob as 0 or 1."""
    columns: list[list[float]] = [[1.0] * len(arms)]
    for knob in sorted({knob for arm in arms for knob in arm}):
        values = [arm.get(knob) for arm in arms]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            numbers = [float(str(value)) for value in values]
            low, high = min(numbers), max(numbers)
            if high > low:
                columns.append([2.0 * (number - low) / (high - low) - 1.0 for number in numbers])
        elif len(seen := sorted({repr(value) for value in values})) > 1:
            columns += [[float(repr(value) == one) for value in values] for one in seen]
    return [list(row) for row in zip(*columns, strict=True)]
