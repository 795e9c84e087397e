"""Credit for mirror descent: the log-partition of a group's rewards as the baseline."""

import math
from collections.abc import Sequence

from palestra.rewards.base import Trajectory
from palestra.rewards.credit.returns import per_group, spread_over_turns


def log_partition(trajectories: Sequence[Trajectory], *, tau: float = 0.01) -> list[list[float]]:
    """Return the episode's return less ``tau log mean exp(R / tau)`` of the siblings', the same for all turns.

    The baseline lies between the siblings' mean (large tau) and their best (small tau): it is what mirror
    descent divides by, estimated from the others.

    Source: Xu et al. 2026 (PMD-partition), arXiv:2602.05933.

    Raises:
        ValueError: tau is not positive.
    """
    if not tau > 0:
        raise ValueError(f"tau must be positive, not {tau!r}")

    @per_group
    def credit(group: Sequence[Trajectory]) -> list[list[float]]:
        returns = [one.reward for one in group]
        advantages = []
        for i, mine in enumerate(returns):
            others = returns[:i] + returns[i + 1 :]
            best = max(others)
            mean = math.fsum(math.exp((value - best) / tau) for value in others) / len(others)
            advantages.append(mine - best - tau * math.log(mean))
        return spread_over_turns(advantages, group)

    return credit(trajectories)
