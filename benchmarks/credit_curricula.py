"""(e) Curricula: steps of the environment until a small policy solves enough of all tasks, which differ in difficulty.

Arms are numbers of calls and domains of `palestra/ToolUseMini-v0`, some tasks each. Every way draws two tasks at a time
and learns by the outcomes of eight attempts at each, leave-one-out; AdaptiveAttempts draws up to four rounds of them.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final

import numpy as np
from credit_play import Episode, Play, SoftPolicy, episode, success
from credit_tasks import numbered, plays
from seeds import Estimate, over

from palestra.agents.curricula import AdaptiveAttempts, Arm, Dump, Pcl, Sampler, Uniform, VarianceAware, arms_of
from palestra.rewards.credit.batch import reinforce_ada

ENV_ID: Final = "palestra/ToolUseMini-v0"
ACTIONS: Final = 10
ATTEMPTS: Final = 8
RATE: Final = 1.0
TARGET: Final = 0.8
POINTS: Final = 40  # at which success is looked at

_ONCE: Final = AdaptiveAttempts(attempts=ATTEMPTS, rounds=1, keep=ATTEMPTS)
WAYS: Final[Mapping[str, tuple[Callable[[Sequence[Arm]], Sampler], AdaptiveAttempts]]] = {
    "uniform": (Uniform, _ONCE),
    "DUMP": (Dump, _ONCE),
    "PCL": (Pcl, _ONCE),
    "variance-aware": (VarianceAware, _ONCE),
    "uniform, adaptive attempts": (Uniform, AdaptiveAttempts(attempts=ATTEMPTS, rounds=4, keep=ATTEMPTS)),
    "the same, positive": (Uniform, AdaptiveAttempts(attempts=ATTEMPTS, rounds=4, keep=ATTEMPTS, rule="positive")),
}


def learn(
    tasks: Sequence[Sequence[Play]], sampler: Sampler, attempts: AdaptiveAttempts, budget: int, seed: int
) -> list[float]:
    """Return success over all tasks at the start and after each part of a budget of steps."""
    rng, judge = Random(f"curricula/{seed}"), Random(f"judged/{seed}")
    every = [one for arm in tasks for one in arm]
    policy = SoftPolicy(np.zeros(every[0].width))
    curve, steps = [success(every, policy, judge, 10)], 0
    while len(curve) <= POINTS:
        sampled, credit = list[Episode](), list[list[float]]()
        for arm in sampler.draw(2, rng):
            play = rng.choice(tasks[arm])
            played = list[Episode]()
            while not played or attempts.wants_more([one.outcome for one in played]):
                played += [episode(play, policy, rng) for _ in range(attempts.attempts)]
            returns = [one.outcome for one in played]
            steps += sum(len(one.actions) for one in played)
            sampler.tell(arm, returns)
            kept = [played[i] for i in attempts.kept(returns, rng)]
            records = [one.trajectory(play.task.id, "siblings") for one in kept]
            sampled += kept
            credit += reinforce_ada(records, {"siblings": returns})
        policy.climb(sampled, credit, RATE)
        while len(curve) <= POINTS and steps >= budget * len(curve) / POINTS:
            curve.append(success(every, policy, judge, 10))
    return curve


def run(seeds: int, budget: int, each: int = 3) -> dict[str, Any]:
    """Return, by curriculum, the steps to the target - the budget if it was not reached - and success at the end.

    Args:
        budget: of steps of the environment.
        each: tasks of an arm.
    """
    arms = arms_of({"hops": (1, 2, 3), "domain": ("library", "clinic")})
    tasks = [plays(ENV_ID, each, ACTIONS, arm) for arm in arms]
    numbered(tasks)
    rows: dict[str, dict[str, Estimate | float | str | None]] = {}
    curves: dict[str, list[tuple[float, Estimate]]] = {}
    for name, (sampler, attempts) in WAYS.items():
        found = [learn(tasks, sampler(arms), attempts, budget, seed) for seed in range(seeds)]
        reached = [next((k for k, value in enumerate(curve) if value >= TARGET), POINTS) for curve in found]
        rows[name] = {
            f"steps to {TARGET}, thousands": over([budget / 1000.0 * k / POINTS for k in reached]),
            "reached, share of seeds": over([float(max(curve) >= TARGET) for curve in found]),
            "at the end": over([curve[-1] for curve in found]),
            "mean of the curve": over([sum(curve) / len(curve) for curve in found]),
        }
        points = zip(*found, strict=True)
        curves[name] = [(budget * k / POINTS, over(values)) for k, values in enumerate(points)]
    return {"table": rows, "curves": curves, "steps": budget}
