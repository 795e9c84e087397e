"""Composed tasks, and what operators make of them."""

import random
from collections.abc import Iterable, Iterator
from functools import lru_cache

from palestra.envs.base import Task
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.operators.compose import OPERATORS
from palestra.envs.tooluse.operators.operator import Refused

MOST_SEEDS = 80


@lru_cache(maxsize=512)
def composed(seed: int) -> Task:
    """Return a task without augmentations; every second one asks for a single change."""
    knobs = {"kinds": "write", "width": 1} if seed % 2 else {}
    return ToolUseSource("train").sample(seed, knobs)


def fitting(name: str, count: int) -> Iterator[tuple[Task, Task]]:
    """Yield so many tasks that an operator fits, each with what it makes of it."""
    found = 0
    for seed in range(MOST_SEEDS):
        if found == count:
            return
        try:
            after = OPERATORS[name].apply(composed(seed), random.Random(seed))
        except Refused:
            continue
        found += 1
        yield composed(seed), after
    assert found, f"{name} fits none of {MOST_SEEDS} tasks"


def earned(task: Task, actions: Iterable[str]) -> float:
    """Return what the actions earn; then nothing is done until the end."""
    env = ToolUseEnv(tasks=ToolUseSource("train"), shaping="none")
    env.reset(seed=0, options={"task": task})
    total, over, moves = 0.0, False, iter(actions)
    while not over:
        _, reward, terminated, truncated, _ = env.step(next(moves, "nothing"))
        total += reward
        over = terminated or truncated
    return round(total, 9)


def solution(task: Task) -> list[str]:
    """Return what the oracle does."""
    env = ToolUseEnv(tasks=ToolUseSource("train"), shaping="none")
    env.reset(seed=0, options={"task": task})
    return list(env.oracle())
