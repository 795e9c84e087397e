"""How many tokens an episode may take, from step to step."""

import itertools
from collections.abc import Sequence


def token_budget(step: int, schedule: Sequence[tuple[int, int]]) -> int:
    """Return the tokens of an episode at a step, between the points of a schedule on straight lines.

    Args:
        step: of training, from 0.
        schedule: points (step, tokens) with ascending steps; before the first and after the last it is level.

    Raises:
        ValueError: the schedule is empty, its steps do not ascend or its tokens are below 1.
    """
    steps = [point for point, _ in schedule]
    if not schedule or steps != sorted(set(steps)) or min(tokens for _, tokens in schedule) < 1:
        raise ValueError(f"a schedule is points (step, tokens) with ascending steps, not {list(schedule)}")
    if step <= steps[0]:
        return schedule[0][1]
    for (start, low), (end, high) in itertools.pairwise(schedule):
        if step <= end:
            return low + (high - low) * (step - start) // (end - start)
    return schedule[-1][1]
