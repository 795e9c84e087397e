"""What a tool-use episode, its snapshots and its certified tasks cost on one core.

    python benchmarks/tool_use.py [--quick] [--json]

Everything is measured in seconds of this process's own processor time, at the default size and difficulty, so
that a busy machine counts little. The figures take turns, and each is the median over the rounds with the
least and the greatest. A reset is to a task that is there: made long ago or read from a file.
"""

import operator
import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import machine

from palestra.envs.base import Task
from palestra.envs.certify.task import Certifier
from palestra.envs.env import AgentEnv
from palestra.envs.registry import find, make

ENV_ID, BESIDE = "palestra/ToolUse-v0", "palestra/ToolUseMini-v0"
BARS = (  # what is promised of the median
    ("steps/s, oracle policy", ">=", 5_000.0),
    ("reset, ms", "<=", 2.0),
    ("snapshot, us", "<=", 50.0),
    ("tasks/s with full certificate", ">=", 20.0),
)


def cost(work: Callable[[], Any]) -> float:
    """Return the seconds of processor time that something takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def episodes(env: AgentEnv, tasks: list[Task]) -> Iterator[tuple[int, float]]:
    """Yield how many steps the oracle takes on each task, and what they cost; what it will do is known before."""
    for task in tasks:
        env.reset(seed=task.seed, options={"task": task})
        actions = list(env.oracle())

        def play(actions: list[str] = actions) -> None:
            for action in actions:
                env.step(action)

        yield len(actions), cost(play)


def moments(env: AgentEnv, tasks: list[Task], times: int) -> dict[str, list[float]]:
    """Return what a moment in mid-episode costs to take, to restore and to fork, in microseconds."""
    seconds: dict[str, list[float]] = {"snapshot, us": [], "restore, us": [], "fork, us": []}
    for task in tasks:
        env.reset(seed=task.seed, options={"task": task})
        env.step(next(iter(env.oracle())))
        snapshot = env.snapshot()
        for name, work in (
            ("snapshot, us", env.snapshot),
            ("restore, us", lambda snapshot=snapshot: env.restore(snapshot)),
            ("fork, us", env.fork),
        ):
            seconds[name].append(cost(lambda work=work: [work() for _ in range(times)]) / times * 1e6)
    return seconds


def resets(env: AgentEnv, tasks: list[Task]) -> Iterator[float]:
    """Yield what it costs to begin each task for the first time, in milliseconds."""
    for task in tasks:
        yield cost(lambda task=task: env.reset(seed=task.seed, options={"task": task})) * 1e3


def one_round(env_id: str, number: int, tasks_each: int) -> dict[str, float]:
    """Measure everything once, on tasks of its own."""
    env, entry = make(env_id), find(env_id)
    seeds = range(number * tasks_each, (number + 1) * tasks_each)
    certifier = Certifier(entry, make(env_id, render_mode="ansi"), "full")
    tasks: list[Task] = []
    certified: list[bool] = []
    generation = cost(lambda: tasks.extend(env.tasks.sample(seed) for seed in seeds))
    first = list(resets(env, [Task.from_dict(task.to_dict()) for task in tasks]))
    played = list(episodes(env, tasks))
    certification = cost(lambda: certified.extend(certifier.certify(task).ok for task in tasks))
    return {
        "steps/s, oracle policy": sum(steps for steps, _ in played) / sum(seconds for _, seconds in played),
        "reset, ms": statistics.median(first),
        **{name: statistics.median(values) for name, values in moments(env, tasks[:10], 50).items()},
        "tasks/s, generated": len(tasks) / generation,
        "tasks/s with full certificate": len(tasks) / (generation + certification),
        "certified share": sum(certified) / len(certified),
    }


def measure(quick: bool) -> dict[str, Any]:
    """Measure in rounds and hold the medians against what is promised."""
    rounds: dict[str, list[dict[str, float]]] = {ENV_ID: [], BESIDE: []}
    for env_id in rounds:
        one_round(env_id, 0, 3)  # what is imported and compiled at first use
    for number in range(3 if quick else 12):
        for env_id, found in rounds.items():
            found.append(one_round(env_id, number + 1, 16))
    figures = {
        env_id: {name: machine.spread([one[name] for one in found]) for name in found[0]}
        for env_id, found in rounds.items()
    }
    holds = {">=": operator.ge, "<=": operator.le}
    medians = {name: figure["median"] for name, figure in figures[ENV_ID].items()}
    return {
        "benchmark": "tool_use",
        "quick": quick,
        "machine": machine.describe(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "figures": figures,
        "bars": [
            {"what": name, "relation": sign, "bound": bound, "holds": holds[sign](medians[name], bound)}
            for name, sign, bound in BARS
        ],
    }


def show(report: dict[str, Any]) -> None:
    """Print the figures as a table, with what is promised of them."""
    print(f"{machine.line(report['machine'])}; load {report['load']}")
    bars = {bar["what"]: bar for bar in report["bars"]}
    print(f"{'processor time of one core':34}{'ToolUse-v0':>12}{'min':>12}{'max':>12}{'ToolUseMini':>14}")
    for name, figure in report["figures"][ENV_ID].items():
        beside = report["figures"][BESIDE][name]["median"]
        row = f"{name:34}{figure['median']:12.2f}{figure['min']:12.2f}{figure['max']:12.2f}{beside:14.2f}"
        bar = bars.get(name)
        verdict = f"  {bar['relation']} {bar['bound']:g}: {'PASS' if bar['holds'] else 'FAIL'}" if bar else ""
        print(row + verdict)


def main() -> None:
    """Measure, and print a table or JSON."""
    options = machine.arguments(__doc__, quick="fewer rounds: under 50 seconds").parse_args()
    report = measure(options.quick)
    machine.tell(report, show, as_json=options.json)


if __name__ == "__main__":
    main()
