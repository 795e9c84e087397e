"""Step rewards that cost nothing: what the environment already told, and potentials that move no optimum.

Sources: Ng, Harada, Russell 1999, "Policy invariance under reward transformations"; milestones after ToolSandbox,
arXiv:2408.04682, read here as a potential.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from palestra.rewards.base import RecordError, Trajectory
from palestra.rewards.shaping import shaping_reward

Potential = Callable[[Trajectory], Sequence[float]]  # of the state in which each turn began


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsReward:
    """A `StepReward` of what the environment paid under some names, weighted; parts without a weight pay nothing."""

    weights: Mapping[str, float]

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return each turn's weighted sum of parts."""
        return [
            [math.fsum(self.weights.get(name, 0.0) * paid for name, paid in turn.parts.items()) for turn in one.turns]
            for one in trajectories
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PotentialReward:
    """A `StepReward` that pays the change of a potential, ``weight * (gamma * after - before)``.

    The end of an episode, however it came about, has the potential 0. So the payments of an episode, discounted by
    `gamma`, sum to minus the potential of its start: whatever the potential says, what is paid besides does not depend
    on what the policy does, and no optimum moves. That holds for the discount that the learner uses and no other.

    Attributes:
        potential: of a trajectory, one finite number for the state in which each turn began.
        gamma: the learner's discount.
        weight: of all.
    """

    potential: Potential
    gamma: float = 1.0
    weight: float = 1.0

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return one reward a turn.

        Raises:
            RecordError: the potential is not one finite number a turn.
        """
        return [self._of(one) for one in trajectories]

    def _of(self, one: Trajectory) -> list[float]:
        values = list(self.potential(one))
        if len(values) != len(one.turns) or not all(map(math.isfinite, values)):
            raise RecordError(f"{len(one.turns)} turns have as many finite potentials, not {values!r}")
        return [
            self.weight * shaping_reward(before, after, gamma=self.gamma)
            for before, after in zip(values, [*values, 0.0][1:], strict=True)
        ]


@dataclass(frozen=True, slots=True)
class KnownStates:
    """A potential by state key: exact distances, say, or values found by forking."""

    values: Mapping[str, float]
    unknown: float = 0.0

    def __call__(self, one: Trajectory) -> list[float]:
        """Return the value of the state in which each turn began."""
        return [self.values.get(turn.state_key, self.unknown) for turn in one.turns]


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestones:
    """A potential: the weighted share of milestones that were reached before each turn.

    What was reached stays reached. Since it is a potential, a milestone only pays sooner what its episode would be
    paid anyway; reaching it and throwing the episode away pays nothing.

    Attributes:
        weights: of each milestone, positive.
        reached: of a trajectory, the milestones that hold in the state in which each turn began.
        after: of a milestone, those that must have been reached before it, or with it, for it to count.
    """

    weights: Mapping[str, float]
    reached: Callable[[Trajectory], Sequence[Collection[str]]]
    after: Mapping[str, Collection[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights.values()) <= 0.0:
            raise RecordError(f"milestones have positive weights, not {dict(self.weights)!r}")
        named = {*self.after, *(name for names in self.after.values() for name in names)}
        if named - set(self.weights):
            raise RecordError(f"milestones without a weight: {sorted(named - set(self.weights))}")

    def __call__(self, one: Trajectory) -> list[float]:
        """Return the share, from 0 to 1, before each turn."""
        total, kept, shares = math.fsum(self.weights.values()), set[str](), list[float]()
        for holding in self.reached(one):
            seen = kept | (set(holding) & set(self.weights))
            while blocked := {name for name in seen - kept if not seen.issuperset(self.after.get(name, ()))}:
                seen -= blocked
            kept = seen
            shares.append(math.fsum(self.weights[name] for name in sorted(kept)) / total)
        return shares
