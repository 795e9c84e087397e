"""What a turn leads to: its own reward and those after it, in one number."""

import math
from collections.abc import Callable, Sequence

from palestra.rewards.base import Credit, Trajectory

Estimator = Callable[[Sequence[Trajectory]], list[list[float]]]  # a batch to one advantage a turn, in its order


def reward_to_go(rewards: Sequence[float], *, gamma: float = 1.0) -> list[float]:
    """Return, for each turn, the discounted sum of its own and all later rewards."""
    going, total = [0.0] * len(rewards), 0.0
    for k in range(len(rewards) - 1, -1, -1):
        total = rewards[k] + gamma * total
        going[k] = total
    return going


def min_to_go(rewards: Sequence[float]) -> list[float]:
    """Return, for each turn, the least of its own and all later rewards.

    A sum grows with every turn that a scorer likes, so a policy can live on padding; a minimum cannot.

    Source: PURE, arXiv:2504.15275.
    """
    going, least = [0.0] * len(rewards), math.inf
    for k in range(len(rewards) - 1, -1, -1):
        least = min(least, rewards[k])
        going[k] = least
    return going


def softmin_to_go(rewards: Sequence[float], *, temperature: float = 0.1) -> list[float]:
    """Return the sums to go of rewards that are weighted by ``softmax(-r / temperature)`` over the trajectory.

    The first turn's is the softened minimum of all; as the temperature goes to 0 all weight is on the worst turns, and
    turns after the last of those get 0.

    Args:
        rewards: of the turns; the released code has them in [-1, 1].
        temperature: above 0.

    Raises:
        ValueError: the temperature is not above 0.

    Source: PURE, arXiv:2504.15275, whose code uses the temperature 0.1.
    """
    if not temperature > 0.0:
        raise ValueError(f"a temperature is above 0, not {temperature!r}; min_to_go is the limit at 0")
    if not rewards:
        return []
    least = min(rewards)
    weights = [math.exp(-(reward - least) / temperature) for reward in rewards]
    total = math.fsum(weights)
    return reward_to_go([weight / total * reward for weight, reward in zip(weights, rewards, strict=True)])


def members_by_group(trajectories: Sequence[Trajectory]) -> dict[str, list[int]]:
    """Return where the members of each group are."""
    members: dict[str, list[int]] = {}
    for index, one in enumerate(trajectories):
        members.setdefault(one.group, []).append(index)
    return members


def rewards_of(trajectory: Trajectory) -> list[float]:
    """Return the rewards of a trajectory's turns."""
    return [turn.reward for turn in trajectory.turns]


def spread_over_turns(values: Sequence[float], trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """Return one value a trajectory as one a turn."""
    return [[value] * len(one.turns) for value, one in zip(values, trajectories, strict=True)]


def per_group(credit: Credit) -> Estimator:
    """Make an estimator of one group of two or more into one of a batch: each group by itself, in the given order."""

    def of_batch(trajectories: Sequence[Trajectory]) -> list[list[float]]:
        result = [[0.0] * len(one.turns) for one in trajectories]
        for indices in members_by_group(trajectories).values():
            if len(indices) > 1:
                for index, row in zip(indices, credit([trajectories[i] for i in indices]), strict=True):
                    result[index] = row
        return result

    of_batch.__doc__ = credit.__doc__
    return of_batch
