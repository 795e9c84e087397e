"""Credit by comparison of what was done in the same state."""

import math
from collections.abc import Sequence

from palestra.rewards.base import Trajectory
from palestra.rewards.credit.returns import Estimator, per_group, reward_to_go, rewards_of


def gigpo_with(*, weight: float = 1.0, gamma: float = 1.0, has_scale: bool = False) -> Estimator:
    """Return GiGPO's estimator with other parameters.

    Args:
        weight: of what is told by the same state, beside what is told by the episode.
        gamma: discount of later rewards within the comparison of states.
        has_scale: divide both parts by their groups' standard deviation.
    """

    @per_group
    def compared(group: Sequence[Trajectory]) -> list[list[float]]:
        episode = _centred([one.reward for one in group], has_scale=has_scale)
        going = [reward_to_go(rewards_of(one), gamma=gamma) for one in group]
        rows = [[value] * len(row) for value, row in zip(episode, going, strict=True)]
        for places in _same_states(group).values():
            if len(places) > 1:
                step = _centred([going[i][k] for i, k in places], has_scale=has_scale)
                for (i, k), value in zip(places, step, strict=True):
                    rows[i][k] += weight * value
        return rows

    return compared


def gigpo(trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """Return ``(R - mean of siblings) + (G_k - mean of G of all turns of siblings in the same state)``.

    States are the same if their `Turn.state_key` is; a turn whose state nobody else was in, or that has no key, gets
    the first part only. Unlike a mean per turn index this compares like with like.

    Source: Feng et al. 2025 (GiGPO), arXiv:2505.10978; unlike in its code, a group of one gets 0 and not its return.
    """
    return _GIGPO(trajectories)


_GIGPO = gigpo_with()


def _same_states(group: Sequence[Trajectory]) -> dict[str, list[tuple[int, int]]]:
    """Return the turns (trajectory, index) that began in each state that has a key."""
    places: dict[str, list[tuple[int, int]]] = {}
    for i, one in enumerate(group):
        for k, turn in enumerate(one.turns):
            if turn.state_key:
                places.setdefault(turn.state_key, []).append((i, k))
    return places


def _centred(values: Sequence[float], *, has_scale: bool) -> list[float]:
    mean = math.fsum(values) / len(values)
    scale = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)) if has_scale else 1.0
    return [(value - mean) / scale if scale > 1e-8 else 0.0 for value in values]
