"""The protocol of samplers, their arms, and the two that learn nothing.

An arm is a setting of a generator's knobs: every task that is drawn with it is new, and what is learnt is learnt of the
arm. A sampler is told the returns of sibling attempts at each task and says which arms come next. Its state is plain
JSON data, so that a run that is resumed goes on with what it knew.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

Arm = Mapping[str, Any]


class Sampler(Protocol):
    """Draws the settings of the next tasks and learns from what attempts at them were worth."""

    @property
    def arms(self) -> Sequence[Arm]:
        """The settings, in an order that does not change."""
        ...

    def draw(self, count: int, rng: Random) -> list[int]:
        """Return the arms of the next `count` tasks."""
        ...

    def tell(self, arm: int, returns: Sequence[float]) -> None:
        """Take the returns of sibling attempts at one task of an arm, each from 0 for a failure to 1."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what was learnt, as plain JSON data."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned.

        Raises:
            ValueError: it is of other arms.
        """
        ...


def arms_of(grid: Mapping[str, Sequence[Any]]) -> list[Arm]:
    """Return every combination of knobs' values, the first knob changing slowest.

    Raises:
        ValueError: a knob has no value.
    """
    for knob, values in grid.items():
        if not values:
            raise ValueError(f"the knob {knob!r} has no value to choose from")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def check_arms(arms: Sequence[Arm]) -> None:
    """Refuse an empty list of arms."""
    if not arms:
        raise ValueError("a sampler needs at least one arm, such as {'operators': 1}")


def check_size(told: Sequence[Any], arms: Sequence[Arm]) -> None:
    """Refuse a state of another number of arms."""
    if len(told) != len(arms):
        raise ValueError(
            f"the state is of {len(told)} arms, and there are {len(arms)}; resume with the same curriculum"
        )


def spread(returns: Sequence[float]) -> float:
    """Return the mean distance of returns to their mean: what a centred advantage has to teach."""
    if not returns:
        return 0.0
    mean = sum(returns) / len(returns)
    return sum(abs(value - mean) for value in returns) / len(returns)


@dataclass(slots=True)
class Uniform:
    """Every arm as often as any other."""

    arms: Sequence[Arm]

    def __post_init__(self) -> None:
        check_arms(self.arms)

    def draw(self, count: int, rng: Random) -> list[int]:
        """Return arms by even chances."""
        return [rng.randrange(len(self.arms)) for _ in range(count)]

    def tell(self, arm: int, returns: Sequence[float]) -> None:
        """Learn nothing."""

    def state(self) -> dict[str, Any]:
        """Return that there is nothing to know."""
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on with nothing."""


@dataclass(slots=True)
class Staged:
    """The arms in their order, from one to the next when enough of the latest tasks are solved.

    Attributes:
        threshold: mean return over the latest `window` tasks of a stage that ends it.
        window: tasks.
        review: share of tasks that come from earlier stages, so that these are not forgotten.
    """

    arms: Sequence[Arm]
    threshold: float = 0.7
    window: int = 32
    review: float = 0.2
    stage: int = 0
    _latest: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_arms(self.arms)

    def draw(self, count: int, rng: Random) -> list[int]:
        """Return the stage's arm, and now and then an earlier one."""
        return [
            rng.randrange(self.stage) if self.stage and rng.random() < self.review else self.stage for _ in range(count)
        ]

    def tell(self, arm: int, returns: Sequence[float]) -> None:
        """Count a task of the stage, and begin the next stage if this one is learnt."""
        if arm != self.stage or not returns:
            return
        self._latest = [*self._latest, sum(returns) / len(returns)][-self.window :]
        is_learnt = len(self._latest) == self.window and sum(self._latest) >= self.threshold * self.window
        if is_learnt and self.stage + 1 < len(self.arms):
            self.stage += 1
            self._latest = []

    def state(self) -> dict[str, Any]:
        """Return the stage and its latest returns."""
        return {"arms": [dict(arm) for arm in self.arms], "stage": self.stage, "latest": list(self._latest)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on in a stage."""
        check_size(state["arms"], self.arms)
        self.stage, self._latest = int(state["stage"]), [float(value) for value in state["latest"]]
