"""Credit by statistics of the whole batch."""

import math
from collections.abc import Mapping, Sequence

from palestra.rewards.base import RecordError, Trajectory
from palestra.rewards.credit.returns import members_by_group, reward_to_go, rewards_of, spread_over_turns

_TINY = 1e-8


def reinforce_plus_plus(trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """Return each turn's reward-to-go, less the batch's mean, over the batch's standard deviation.

    Mean and deviation are over sampled tokens, each of which carries its turn's value; equal values give 0.

    Source: Hu et al. 2025 (REINFORCE++), arXiv:2501.03262.
    """
    return _whitened([reward_to_go(rewards_of(one)) for one in trajectories], trajectories)


def reinforce_plus_plus_baseline(trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """Return the return less the group's mean, over the standard deviation of that in the batch; singletons get 0.

    Source: Hu et al. 2025 (REINFORCE++ with baseline), arXiv:2501.03262.
    """
    values = _less_group_mean(trajectories)
    return _whitened(spread_over_turns(values, trajectories), trajectories)


def bnpo(trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """Return ``(R - p) / f(p; 1 + a/3, 1 + b/3)`` for returns of 0 and 1.

    p is the group's mean, f the density of a Beta distribution, and a, b those of the Beta distribution that has the
    mean and variance of p over the batch's groups. f(p; 1, 1) gives REINFORCE with a baseline, f(p; 3/2, 3/2) is
    GRPO up to a factor. Where the groups' means have no or too large a variance for a Beta distribution, f is 1.

    Raises:
        RecordError: a return is neither 0 nor 1.

    Source: Xiao et al. 2025 (BNPO), arXiv:2506.02864.
    """
    for one in trajectories:
        if not (math.isclose(one.reward, 0.0, abs_tol=1e-9) or math.isclose(one.reward, 1.0, abs_tol=1e-9)):
            raise RecordError(f"bnpo takes returns of 0 and 1, not {one.reward!r} of {one.task_id!r}; use grpo")
    groups = [indices for indices in members_by_group(trajectories).values() if len(indices) > 1]
    means = [math.fsum(trajectories[i].reward for i in indices) / len(indices) for indices in groups]
    a, b = _beta_of(means)
    values = [0.0] * len(trajectories)
    for indices, mean in zip(groups, means, strict=True):
        if 0.0 < mean < 1.0:
            density = _beta_density(mean, 1.0 + a / 3.0, 1.0 + b / 3.0)
            for i in indices:
                values[i] = (trajectories[i].reward - mean) / density
    return spread_over_turns(values, trajectories)


def _beta_of(means: Sequence[float]) -> tuple[float, float]:
    """Return the parameters of the Beta distribution with the mean and variance of `means`; (0, 0) if there is none."""
    if len(means) < 2:
        return 0.0, 0.0
    mean = math.fsum(means) / len(means)
    variance = math.fsum((value - mean) ** 2 for value in means) / (len(means) - 1)
    if not 0.0 < variance < mean * (1.0 - mean):
        return 0.0, 0.0
    size = mean * (1.0 - mean) / variance - 1.0
    return mean * size, (1.0 - mean) * size


def _beta_density(p: float, a: float, b: float) -> float:
    log = (a - 1.0) * math.log(p) + (b - 1.0) * math.log1p(-p)
    return math.exp(log - math.lgamma(a) - math.lgamma(b) + math.lgamma(a + b))


def risk(
    trajectories: Sequence[Trajectory], *, low: float = 0.2, high: float = 0.8, weight: float = 1.0, bundle: int = 4
) -> list[list[float]]:
    """Return the advantages of an objective that looks at the worse part of the outcomes instead of at their mean.

    The objective is ``(1 + weight) * low * E[X | X < q_low] + (high - low) * E[X | q_low < X < q_high]``, of which the
    likelihood-ratio gradient has the advantage ``weight * min(X - q_low, 0) + min(X - q_high, 0)``. X is the sum of the
    returns of a bundle: the k-th attempts at `bundle` consecutive groups, because quantiles of single returns of 0 and
    1 say little. Quantiles are those of all bundles of the same groups; attempts that have no counterpart in each of
    the groups get 0.

    Raises:
        ValueError: the levels are not ``0 < low < high <= 1``, the weight is negative or a bundle is empty.

    Source: the mixed Value-at-Risk objective and the bundles of RiskPO, arXiv:2510.00911; the advantage is worked out
    from the objective.
    """
    if not (0.0 < low < high <= 1.0 and weight >= 0.0 and bundle > 0):
        raise ValueError(f"0 < low < high <= 1, weight >= 0 and bundle > 0, not {low}, {high}, {weight} and {bundle}")
    groups = list(members_by_group(trajectories).values())
    values = [0.0] * len(trajectories)
    for start in range(0, len(groups), bundle):
        chosen = groups[start : start + bundle]
        attempts = list(zip(*chosen, strict=False))
        if len(attempts) < 2:
            continue
        sums = [math.fsum(trajectories[i].reward for i in attempt) for attempt in attempts]
        q_low, q_high = _quantile(sums, low), _quantile(sums, high)
        for attempt, total in zip(attempts, sums, strict=True):
            for i in attempt:
                values[i] = weight * min(total - q_low, 0.0) + min(total - q_high, 0.0)
    return spread_over_turns(values, trajectories)


def _quantile(values: Sequence[float], level: float) -> float:
    """Return the least value that at least the share `level` of all does not exceed."""
    return sorted(values)[max(0, math.ceil(level * len(values) - 1e-12) - 1)]


def reinforce_ada(
    trajectories: Sequence[Trajectory], drawn: Mapping[str, Sequence[float]], *, has_scale: bool = False
) -> list[list[float]]:
    """Return the return less the mean of everything that was drawn for the group, also of what was not kept.

    Samples are drawn until a prompt has signal, and only some are kept; a mean of the kept ones would say that every
    task is half solved.

    Args:
        trajectories: those kept.
        drawn: the returns of all attempts, by group.
        has_scale: divide by the standard deviation of `drawn` (and give 0 where that is 0).

    Raises:
        RecordError: nothing is told of a group.

    Source: Xiong et al. 2025 (Reinforce-Ada), arXiv:2510.04996.
    """
    values = []
    for one in trajectories:
        returns = drawn.get(one.group, ())
        if not returns:
            raise RecordError(f"nothing is told of what was drawn for the group {one.group!r}")
        mean = math.fsum(returns) / len(returns)
        scale = 1.0
        if has_scale:
            scale = math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / len(returns))
        values.append((one.reward - mean) / scale if len(returns) > 1 and scale > _TINY else 0.0)
    return spread_over_turns(values, trajectories)


def _less_group_mean(trajectories: Sequence[Trajectory]) -> list[float]:
    values = [0.0] * len(trajectories)
    for indices in members_by_group(trajectories).values():
        mean = math.fsum(trajectories[i].reward for i in indices) / len(indices)
        for i in indices:
            values[i] = trajectories[i].reward - mean
    return values


def _whitened(rows: list[list[float]], trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """Return values less their mean, over their standard deviation, both weighted by the tokens of the turns."""
    tokens = [[len(turn.output_ids) for turn in one.turns] for one in trajectories]
    weighted = [
        (v, n) for values, counts in zip(rows, tokens, strict=True) for v, n in zip(values, counts, strict=True)
    ]
    total = sum(count for _, count in weighted)
    if total == 0 or len(trajectories) < 2:
        return [[0.0] * len(row) for row in rows]
    mean = math.fsum(value * count for value, count in weighted) / total
    std = math.sqrt(math.fsum(count * (value - mean) ** 2 for value, count in weighted) / total)
    return [[(value - mean) / std if std > _TINY else 0.0 for value in row] for row in rows]
