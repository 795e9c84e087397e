"""Credit: from the rewards of sibling trajectories to one advantage a turn.

Each estimator is a pure function of one group, siblings that attempted the same task from the same
start. A group of one has nothing to compare with: its advantages are 0, never its raw reward.
"""

import math
from collections.abc import Sequence

from palestra.rewards.base import Credit, Trajectory


def reward_to_go(rewards: Sequence[float], *, gamma: float = 1.0) -> list[float]:
    """Return, for each turn, the discounted sum of its own and all later rewards."""
    going, total = [0.0] * len(rewards), 0.0
    for k in range(len(rewards) - 1, -1, -1):
        total = rewards[k] + gamma * total
        going[k] = total
    return going


def turn_loo(group: Sequence[Trajectory]) -> list[list[float]]:
    """Return each turn's reward-to-go less the mean of its siblings' that also reached that turn.

    ``A[i][k] = G[i][k] - mean over j != i with more than k turns of G[j][k]``; the baseline is 0 where
    no sibling is alive. Using the whole reward-to-go of the others, and not a normalised reward per
    turn index, keeps the policy gradient unbiased although the policy decides when it stops; leaving
    oneself out keeps it so in small groups.
    """
    going = [reward_to_go([turn.reward for turn in one.turns]) for one in group]
    advantages = []
    for i, mine in enumerate(going):
        row = []
        for k, value in enumerate(mine):
            others = [theirs[k] for j, theirs in enumerate(going) if j != i and len(theirs) > k]
            if len(group) < 2:
                row.append(0.0)
            else:
                row.append(value - (math.fsum(others) / len(others) if others else 0.0))
        advantages.append(row)
    return advantages


def rloo(group: Sequence[Trajectory]) -> list[list[float]]:
    """Return the episode's return less the mean of the siblings', the same for all of its turns.

    Source: Ahmadian et al. 2024, arXiv:2402.14740.
    """
    returns = [one.reward for one in group]
    if len(group) < 2:
        return [[0.0] * len(one.turns) for one in group]
    total, others = math.fsum(returns), len(group) - 1
    return [[mine - (total - mine) / others] * len(one.turns) for mine, one in zip(returns, group, strict=True)]


def grpo(group: Sequence[Trajectory], *, eps: float = 1e-6) -> list[list[float]]:
    """Return ``(R - mean) / (std + eps)`` of the episode's return, the same for all of its turns.

    The standard deviation is the unbiased one. Dividing by it gives groups that are nearly always or
    nearly never solved more weight.

    Source: Shao et al. 2024 (DeepSeekMath), arXiv:2402.03300.
    """
    returns = [one.reward for one in group]
    if len(group) < 2:
        return [[0.0] * len(one.turns) for one in group]
    mean = math.fsum(returns) / len(group)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / (len(group) - 1))
    return [[(mine - mean) / (std + eps)] * len(one.turns) for mine, one in zip(returns, group, strict=True)]


CREDITS: dict[str, Credit] = {"turn_loo": turn_loo, "rloo": rloo, "grpo": grpo}


def advantages_by_group(trajectories: Sequence[Trajectory], credit: Credit) -> list[list[float]]:
    """Return one advantage a turn in the trajectories' order, each group credited by itself."""
    members: dict[str, list[int]] = {}
    for index, one in enumerate(trajectories):
        members.setdefault(one.group, []).append(index)
    result: list[list[float]] = [[] for _ in trajectories]
    for indices in members.values():
        for index, row in zip(indices, credit([trajectories[i] for i in indices]), strict=True):
            result[index] = row
    return result
