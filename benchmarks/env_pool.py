"""What the slowest of four environments costs the other three: `EnvPool` against Gymnasium's vector environments.

    python benchmarks/env_pool.py [--quick] [--json]

Three environments take 10 ms a step and one takes 500 ms. Steps are counted over all four. The ways that
are compared take turns, so that all see the same load, and each ratio is the median over the rounds, with
the least and the greatest. The last figures are of environments that answer at once: what the hand-over
itself costs.
"""

import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import machine
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv

import palestra
from palestra.envs.spaces import UnicodeText
from palestra.envs.workers import WorkerKind

FAST_S, SLOW_S = 0.010, 0.500
MEMBERS = [SLOW_S, FAST_S, FAST_S, FAST_S]
IDEAL = sum(1 / step_s for step_s in MEMBERS)
AT_ONCE = "palestra/ToolUseMini-v0"


class SleepingEnv(gymnasium.Env[str, str]):
    """Takes its time for each step; its episodes have no end."""

    def __init__(self, step_s: float = FAST_S) -> None:
        self.observation_space = self.action_space = UnicodeText(100)
        self.step_s = step_s

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.step_s = (options or {}).get("step_s", self.step_s)
        return "", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        time.sleep(self.step_s)
        return "", 0.0, False, False, {}


def pool_rate(kind: WorkerKind, members: list[float], seconds: float) -> float:
    """Return steps a second of a pool that goes on with whoever is ready."""
    with palestra.EnvPool(SleepingEnv, len(members), workers=kind, batch_size=1) as pool:
        pool.async_reset(options=[{"step_s": step_s} for step_s in members])
        for _ in members:
            pool.recv()
        steps, start = 0, time.perf_counter()
        pool.send([""] * len(members))
        while (left := time.perf_counter() - start) < seconds:
            batch = pool.recv()
            steps += 1
            pool.send([""], batch.env_ids.tolist())
        return steps / left


def lockstep_rate(vectorize: Callable[..., VectorEnv[Any, Any, Any]], members: list[float], seconds: float) -> float:
    """Return steps a second of one of Gymnasium's vector environments."""
    vector = vectorize([partial(SleepingEnv, step_s) for step_s in members])
    try:
        vector.reset()
        actions = ("",) * len(members)
        steps, start = 0, time.perf_counter()
        while (left := time.perf_counter() - start) < seconds:
            vector.step(actions)
            steps += len(members)
        return steps / left
    finally:
        vector.close()


def at_once_rate(kind: WorkerKind | None, seconds: float) -> float:
    """Return steps a second of four environments that answer at once; without a kind, in `AsyncVectorEnv`."""
    actions, steps = ("hello",) * 4, 0
    advance: Callable[[], Any]
    close: Callable[[], None]
    if kind is None:
        vector = palestra.make_vec(AT_ONCE, 4)
        advance, close = partial(vector.step, actions), vector.close
        vector.reset(seed=0)
    else:
        pool = palestra.EnvPool(AT_ONCE, 4, workers=kind)
        advance, close = partial(pool.step, actions), pool.close
        pool.reset(seed=0)
    start = time.perf_counter()
    while (left := time.perf_counter() - start) < seconds:
        advance()
        steps += 4
    close()
    return steps / left


WAYS: dict[str, Callable[[float], float]] = {
    "EnvPool, threads": partial(pool_rate, "thread", MEMBERS),
    "EnvPool, processes": partial(pool_rate, "process", MEMBERS),
    "AsyncVectorEnv": partial(lockstep_rate, AsyncVectorEnv, MEMBERS),
    "SyncVectorEnv": partial(lockstep_rate, SyncVectorEnv, MEMBERS),
    "EnvPool, threads, without the slow one": partial(pool_rate, "thread", MEMBERS[1:]),
}
AT_ONCE_WAYS: dict[str, Callable[[float], float]] = {
    "EnvPool, inline": partial(at_once_rate, "inline"),
    "EnvPool, threads": partial(at_once_rate, "thread"),
    "EnvPool, processes": partial(at_once_rate, "process"),
    "AsyncVectorEnv, pipes": partial(at_once_rate, None),
}


def take_turns(ways: dict[str, Callable[[float], float]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Measure every way once a round."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(way(seconds))
    return rates


def ratio(rates: dict[str, list[float]], ours: str, theirs: str, bound: float) -> dict[str, Any]:
    """Hold the median ratio of two ways against a bound."""
    values = [one / other for one, other in zip(rates[ours], rates[theirs], strict=True)]
    holds = bool(statistics.median(values) >= bound)
    return {"what": f"{ours} / {theirs}", "bound": bound, "measured": machine.spread(values), "holds": holds}


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything."""
    rates = take_turns(WAYS, *((2, 1.1) if quick else (7, 4.0)))
    at_once = take_turns(AT_ONCE_WAYS, *((1, 0.5) if quick else (5, 2.0)))
    bars = [
        ratio(rates, "EnvPool, threads", "AsyncVectorEnv", 20.0),
        ratio(rates, "EnvPool, processes", "AsyncVectorEnv", 20.0),
        ratio(rates, "EnvPool, threads", "SyncVectorEnv", 20.0),
        ratio(rates, "EnvPool, threads", "EnvPool, threads, without the slow one", 0.9),
    ]
    return {
        "benchmark": "env_pool",
        "machine": machine.describe(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "ideal_per_second": IDEAL,
        "bars": bars,
        "per_second": {name: machine.spread(values) for name, values in rates.items()},
        "at_once_per_second": {name: machine.spread(values) for name, values in at_once.items()},
    }


def show(report: dict[str, Any]) -> None:
    """Print the figures as tables."""
    print(f"{machine.line(report['machine'])}; load {report['load']}")
    titles = {
        "per_second": f"steps/s, three at 10 ms and one at 500 ms (at most {report['ideal_per_second']:.0f})",
        "at_once_per_second": f"steps/s, four of {AT_ONCE}",
    }
    for key, title in titles.items():
        print(f"\n{title:62}{'median':>10}{'min':>10}{'max':>10}")
        for name, figure in report[key].items():
            print(f"{name:62}{figure['median']:10.1f}{figure['min']:10.1f}{figure['max']:10.1f}")
    print(f"\n{'promise':62}{'bound':>10}{'median':>10}{'min':>10}{'max':>10}")
    for bar in report["bars"]:
        found, bound = bar["measured"], f">= {bar['bound']:g} x"
        figures = f"{found['median']:10.2f}{found['min']:10.2f}{found['max']:10.2f}"
        print(f"{bar['what']:62}{bound:>10}{figures}  {'PASS' if bar['holds'] else 'FAIL'}")


def main() -> None:
    """Measure, and print a table or JSON."""
    options = machine.arguments(__doc__, quick="fewer rounds: under 50 seconds").parse_args()
    report = measure(options.quick)
    machine.tell(report, show, as_json=options.json)


if __name__ == "__main__":
    main()
