"""Potential-based shaping: pay for progress without moving any optimum."""


def shaping_reward(before: float, after: float, *, gamma: float = 1.0) -> float:
    """Return the shaping reward of one step, ``gamma * after - before``.

    With the potential 0 at the start and at the end of every episode, the shaping rewards of an
    episode sum to 0 (gamma 1), so every policy's return, and with it the optimum, stays what it was.

    Source: Ng, Harada, Russell 1999, "Policy invariance under reward transformations".
    """
    return gamma * after - before
