"""What several attempts at one task say of it."""

import math


def pass_at_k(n: int, successes: int, k: int) -> float:
    """Return the unbiased estimate that at least one of k attempts succeeds, from n attempts.

    Raises:
        ValueError: k is not in 1..n.

    Source: Chen et al. 2021, arXiv:2107.03374.
    """
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} cannot be estimated from {n} attempts")
    if n - successes < k:
        return 1.0
    return 1.0 - math.prod((n - successes - i) / (n - i) for i in range(k))
