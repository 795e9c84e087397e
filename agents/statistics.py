"""Success rates with intervals, and the difference of two policies on the same tasks."""

import math
from collections.abc import Sequence

import numpy as np

Interval = tuple[float, float]


def wilson(successes: int, n: int, *, z: float = 1.959964) -> Interval:
    """Return the Wilson score interval of a proportion, 95 % by default.

    Raises:
        ValueError: n is below 1, or the successes are not among them.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} give no proportion")
    p, denominator = successes / n, 1 + z * z / n
    middle = (p + z * z / (2 * n)) / denominator
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / denominator
    return (0.0 if successes == 0 else middle - half), (1.0 if successes == n else middle + half)


def mean_interval(values: Sequence[float], *, z: float = 1.959964) -> Interval:
    """Return the normal interval of a mean; a single value gives itself."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, mean
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = z * math.sqrt(variance / len(values))
    return mean - half, mean + half


def paired_gain(
    before: Sequence[float], after: Sequence[float], *, draws: int = 10_000, seed: int = 0
) -> tuple[float, Interval]:
    """Return the mean gain on the same tasks and its 95 % bootstrap interval over tasks.

    Raises:
        ValueError: the two do not cover the same number of tasks.
    """
    if len(before) != len(after) or not before:
        raise ValueError(f"{len(before)} results before and {len(after)} after cannot be paired")
    gains = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    rng = np.random.default_rng(seed)
    means = rng.choice(gains, size=(draws, len(gains))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(gains.mean()), (float(low), float(high))
