"""Credit by comparison with siblings."""

import math
from collections.abc import Sequence

from palestra.rewards.base import Trajectory
from palestra.rewards.credit.returns import Estimator, per_group, reward_to_go, rewards_of, spread_over_turns


@per_group
def turn_loo(group: Sequence[Trajectory]) -> list[list[float]]:
    """Return each turn's reward-to-go less the mean of its siblings' that also reached that turn.

    ``A[i][k] = G[i][k] - mean over j != i with more than k turns of G[j][k]``; the baseline is 0 where
    no sibling is alive. Using the whole reward-to-go of the others, and not a normalised reward per
    turn index, keeps the policy gradient unbiased although the policy decides when it stops; leaving
    oneself out keeps it so in small groups.
    """
    going = [reward_to_go(rewards_of(one)) for one in group]
    sums, alive = [0.0] * max(map(len, going)), [0] * max(map(len, going))
    for row in going:
        for k, value in enumerate(row):
            sums[k] += value
            alive[k] += 1
    return [
        [value - ((sums[k] - value) / (alive[k] - 1) if alive[k] > 1 else 0.0) for k, value in enumerate(row)]
        for row in going
    ]


@per_group
def rloo(group: Sequence[Trajectory]) -> list[list[float]]:
    """Return the episode's return less the mean of the siblings', the same for all of its turns.

    Source: Ahmadian et al. 2024, arXiv:2402.14740.
    """
    returns = [one.reward for one in group]
    total, others = math.fsum(returns), len(group) - 1
    return spread_over_turns([mine - (total - mine) / others for mine in returns], group)


def grpo_with(eps: float) -> Estimator:
    """Return GRPO's estimator with another `eps` beside the standard deviation."""

    @per_group
    def scaled(group: Sequence[Trajectory]) -> list[list[float]]:
        returns = [one.reward for one in group]
        mean = math.fsum(returns) / len(group)
        std = math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / (len(group) - 1))
        return spread_over_turns([(mine - mean) / (std + eps) if std + eps > 0 else 0.0 for mine in returns], group)

    return scaled


def grpo(trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """Return ``(R - mean) / (std + 1e-6)`` of the episode's return, the same for all of its turns.

    The standard deviation is the unbiased one. Dividing by it gives groups that are nearly always or
    nearly never solved more weight.

    Source: Shao et al. 2024 (DeepSeekMath), arXiv:2402.03300.
    """
    return _GRPO(trajectories)


_GRPO = grpo_with(1e-6)


@per_group
def dr_grpo(group: Sequence[Trajectory]) -> list[list[float]]:
    """Return ``R - mean`` of the episode's return, the same for all of its turns: GRPO without its scale.

    Source: Liu et al. 2025, arXiv:2503.20783.
    """
    returns = [one.reward for one in group]
    mean = math.fsum(returns) / len(group)
    return spread_over_turns([mine - mean for mine in returns], group)


@per_group
def maxrl(group: Sequence[Trajectory]) -> list[list[float]]:
    """Return ``(R - mean) / mean``, and 0 where the mean is not positive: seldom solved tasks weigh more.

    For returns that are not negative, such as 0 and 1, this follows the logarithm of the success rate.

    Source: MaxRL, arXiv:2602.02710.
    """
    returns = [one.reward for one in group]
    mean = math.fsum(returns) / len(group)
    return spread_over_turns([(mine - mean) / mean if mean > 0.0 else 0.0 for mine in returns], group)
