"""(a) Episode rewards, step rewards and Monte-Carlo forks at equal steps of the environment, in real environments.

All learn by the policy gradient from the same start and by the same rate; what differs is credit. Steps that plays
from forks take are counted like any other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import numpy as np
from credit_play import Episode, Play, PlayBranch, SoftPolicy, episode, success
from credit_tasks import plays
from seeds import Estimate, over

from palestra.rewards.combine import with_steps
from palestra.rewards.credit.group import rloo
from palestra.rewards.credit.states import gigpo
from palestra.rewards.forking import Forks, step_advantages

SIBLINGS: Final = 8
POINTS: Final = 10  # of a learning curve
SAMPLES: Final = 4  # plays for a value
RATES: Final = (0.3, 1.0)  # the better one counts, for each kind of credit by itself

Sampled = tuple[list[Episode], list[list[float]], int]  # episodes, advantages, and steps taken
Way = Callable[[Play, SoftPolicy, Random], Sampled]


@dataclass(frozen=True, slots=True)
class Setting:
    """Tasks of one environment, and for how many steps one learns on them."""

    env_id: str
    tasks: int
    actions: int
    steps: int
    knobs: Mapping[str, Any]


SETTINGS: Final = (
    Setting("palestra/ToolUseMini-v0", 6, 8, 10_000, {}),
    Setting("palestra/Web-v0", 3, 8, 6_000, {}),
    Setting("palestra/Terminal-v0", 2, 5, 3_000, {"operators": 2, "size": 4}),
)
QUICK: Final = (
    Setting("palestra/ToolUseMini-v0", 2, 5, 600, {"hops": 1}),
    Setting("palestra/Web-v0", 1, 6, 300, {}),
)


def by_episode(play: Play, policy: SoftPolicy, rng: Random) -> Sampled:
    """Leave-one-out on the outcome of sibling episodes."""
    played, records = _siblings(play, policy, rng)
    return played, rloo(records), _steps(played)


def by_steps(play: Play, policy: SoftPolicy, rng: Random) -> Sampled:
    """The same, and the environment's progress, to go, beside the siblings' at the same turn."""
    played, records = _siblings(play, policy, rng)
    return played, with_steps(records, [one.progress for one in played], rloo), _steps(played)


def by_states(play: Play, policy: SoftPolicy, rng: Random) -> Sampled:
    """The outcome beside that of siblings, and of whoever was in the same state."""
    played, records = _siblings(play, policy, rng)
    return played, gigpo(records), _steps(played)


def by_forks(play: Play, policy: SoftPolicy, rng: Random) -> Sampled:
    """Monte-Carlo values at every step of two episodes, of outcomes alone."""
    forks = Forks(samples=SAMPLES)
    played = [episode(play, policy, rng) for _ in range(2)]
    advantages = [
        step_advantages(one.outcomes, [PlayBranch(play, at, policy) for at in one.moments], forks, rng)
        for one in played
    ]
    return played, advantages, _steps(played) + forks.steps


WAYS: Final[Mapping[str, Way]] = {
    "episode reward (RLOO)": by_episode,
    "episode + step reward": by_steps,
    "same states (GiGPO)": by_states,
    "Monte-Carlo forks": by_forks,
}


def learn(tasks: Sequence[Play], way: Way, rate: float, budget: int, seed: int) -> list[float]:
    """Return success at the start and after each part of a budget of steps."""
    rng, judge = Random(f"forks/{seed}"), Random(f"judged/{seed}")
    policy = SoftPolicy(np.zeros(tasks[0].width))
    curve, steps = [success(tasks, policy, judge, 40)], 0
    while len(curve) <= POINTS:
        sampled, credit = list[Episode](), list[list[float]]()
        for play in rng.sample(tasks, min(2, len(tasks))):
            played, advantages, taken = way(play, policy, rng)
            sampled += played
            credit += advantages
            steps += taken
        policy.climb(sampled, credit, rate)
        while len(curve) <= POINTS and steps >= budget * len(curve) / POINTS:
            curve.append(success(tasks, policy, judge, 40))
    return curve


def run(seeds: int, settings: Sequence[Setting]) -> dict[str, Any]:
    """Return, by environment and credit, success at the end and on average over the budget, and the curves."""
    rows: dict[str, dict[str, Estimate | float | str | None]] = {}
    curves: dict[str, list[tuple[float, Estimate]]] = {}
    for one in settings:
        tasks = plays(one.env_id, one.tasks, one.actions, one.knobs)
        for name, way in WAYS.items():
            tried = {rate: [learn(tasks, way, rate, one.steps, seed) for seed in range(seeds)] for rate in RATES}
            rate, found = max(tried.items(), key=lambda pair: sum(map(sum, pair[1])))
            title = f"{one.env_id.removeprefix('palestra/')}: {name}"
            rows[title] = {
                "at first": over([curve[0] for curve in found]),
                "after half the steps": over([curve[POINTS // 2] for curve in found]),
                "at the end": over([curve[-1] for curve in found]),
                "mean of the curve": over([sum(curve) / len(curve) for curve in found]),
                "rate": rate,
            }
            points = zip(*found, strict=True)
            curves[title] = [(one.steps * k / POINTS, over(values)) for k, values in enumerate(points)]
        tasks[0].env.close()
    return {"table": rows, "curves": curves, "steps": {one.env_id: one.steps for one in settings}}


def _siblings(play: Play, policy: SoftPolicy, rng: Random) -> tuple[list[Episode], list[Any]]:
    played = [episode(play, policy, rng) for _ in range(SIBLINGS)]
    return played, [one.trajectory(play.task.id, play.task.id) for one in played]


def _steps(played: Sequence[Episode]) -> int:
    return sum(len(one.actions) for one in played)
