"""What SQL tasks cost, and how well their databases tell right queries from nearly right ones.

    python benchmarks/sql.py [--quick] [--json]

Tasks a second, each with its proof: both references agree on every database looked at, and at least 0.9 of the near
misses fail. Submissions a second: right queries, each run on every hidden database in a sandbox. Near misses: how many
of those that every task's hidden databases were chosen to fail do fail in the sandbox, by kind. On one core.
"""

import time
from collections import Counter
from contextlib import closing
from typing import Any

import machine

from palestra.envs.base import SPLITS, Task
from palestra.envs.sql.env import SqlEnv
from palestra.envs.sql.generate import SqlTasks


def make_tasks(count: int) -> tuple[list[Task], dict[str, Any]]:
    """Return tasks of both splits, and what making them cost."""
    seconds: list[float] = []
    tasks: list[Task] = []
    worked = time.process_time()
    for seed in range(count):
        source = SqlTasks(SPLITS[seed % 2])
        started = time.perf_counter()
        tasks.append(source.sample(10_000 + seed, {"parts": 1 + seed % 4}))
        seconds.append(time.perf_counter() - started)
    worked = time.process_time() - worked
    misses, killed = (sum(task.provenance[name] for task in tasks) for name in ("near_misses", "killed"))
    return tasks, {
        "tasks": count,
        "tasks a second": count / sum(seconds),
        "tasks a second of processor time": count / worked,
        "ms a task": machine.spread([1e3 * one for one in seconds]),
        "hidden databases a task": sum(len(task.hidden["tests"]) for task in tasks) / count,
        "near misses": misses,
        "near misses killed": killed / misses,
    }


def judged(env: SqlEnv, tasks: list[Task]) -> dict[str, Any]:
    """Return how fast right queries are judged, and how many near misses fail in the sandbox."""
    env.judge(tasks[0], tasks[0].hidden["solution"])  # which starts the sandbox
    seconds: list[float] = []
    wrong = 0
    for task in tasks:
        started = time.perf_counter()
        wrong += not env.judge(task, task.hidden["solution"]).passed
        seconds.append(time.perf_counter() - started)
    seen, passed = Counter[str](), Counter[str]()
    for task in tasks:
        for kind, sql in task.hidden["near_misses"][:3]:
            seen[kind] += 1
            passed[kind] += env.judge(task, sql).passed
    runs = sum(len(task.hidden["tests"]) for task in tasks)
    return {
        "submissions": len(tasks),
        "submissions a second": len(tasks) / sum(seconds),
        "ms a database": 1e3 * sum(seconds) / runs,
        "ms a submission": machine.spread([1e3 * one for one in seconds]),
        "right queries failed": wrong,
        "near misses": dict(sorted(seen.items())),
        "near misses passed": sum(passed.values()),
    }


def measure(quick: bool) -> dict[str, Any]:
    """Return every figure."""
    tasks, made = make_tasks(40 if quick else 400)
    with closing(SqlEnv()) as env:
        return {"machine": machine.describe(), "made": made, "judged": judged(env, tasks)}


def show(result: dict[str, Any]) -> None:
    """Print the figures for people."""
    made, told = result["made"], result["judged"]
    print(machine.line(result["machine"]))
    print(
        f"tasks: {made['tasks a second']:.1f} a second with proof, {made['tasks a second of processor time']:.1f} a "
        f"second of processor time; {made['hidden databases a task']:.1f} hidden databases each"
    )
    print(f"near misses: {made['near misses killed']:.1%} of {made['near misses']} fail")
    print(
        f"submissions: {told['submissions a second']:.1f} a second, {told['ms a database']:.1f} ms a database; "
        f"{told['right queries failed']} of {told['submissions']} right ones failed"
    )
    print(f"in the sandbox: {told['near misses passed']} of {sum(told['near misses'].values())} near misses passed")


def main() -> None:
    """Measure, and print."""
    options = machine.arguments(__doc__, quick="a tenth of the tasks, in less than a minute").parse_args()
    machine.tell(measure(options.quick), show, as_json=options.json)


if __name__ == "__main__":
    main()
