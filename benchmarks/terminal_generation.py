"""What shell tasks are made of, and what making them costs, with a proof and a certificate each.

    python benchmarks/terminal_generation.py [--quick] [--json] [--prove N] [--workers N]

Templates: of 1,000 tasks of either split, how many different structures there are, from which operators and areas, how
many steps go on with what an earlier one made, and how long instructions are. Proofs: of other tasks, seconds for the
proof on machines (both references agree, nothing less passes; see `palestra.envs.terminal.proofs`) and for a
certificate of level quick through the step API, which of them were rejected and why, and the minutes that 1,000 take.
"""

import argparse
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from typing import Any

import machine

from palestra.envs.base import SPLITS, Split, Task, TaskError
from palestra.envs.certify.task import Certifier
from palestra.envs.registry import find, make
from palestra.envs.terminal.catalogue import OPERATORS
from palestra.envs.terminal.generate import TerminalTasks
from palestra.envs.terminal.proofs import Prover

ENV_ID = "palestra/Terminal-v0"
TASKS = 1000


def difficulty(seed: int) -> dict[str, Any]:
    """Return knobs that differ from seed to seed: one to four steps, strict or not, with values looked up or not."""
    return {"operators": 1 + seed % 4, "decoys": seed % 3, "strict": seed % 3 == 1, "indirect": seed % 5 == 2}


def distribution(split: Split, count: int) -> dict[str, Any]:
    """Return what tasks of a split are made of."""
    source, started = TerminalTasks(split), time.perf_counter()
    tasks, refused = list[Task](), Counter[str]()
    for seed in range(count):
        try:
            tasks.append(source.sample(seed, difficulty(seed)))
        except TaskError as error:
            refused[str(error)[:60]] += 1
    seconds = time.perf_counter() - started
    names = [name for task in tasks for name in task.provenance["operators"]]
    lengths = sorted(len(task.instruction) for task in tasks)
    return {
        "tasks": len(tasks),
        "refused": dict(refused),
        "tasks a second": len(tasks) / seconds,
        "templates": len({task.provenance["template"] for task in tasks}),
        "steps": len(names),
        "steps by choices": len({str(one[:2]) for task in tasks for one in task.provenance["structure"]}),
        "areas": dict(sorted(Counter(OPERATORS[name].area for name in names).items())),
        "operators": dict(Counter(names).most_common()),
        "going on with an earlier step": sum(step["source"] >= 0 for task in tasks for step in task.hidden["steps"]),
        "tasks with a chain": sum(any(step["source"] >= 0 for step in task.hidden["steps"]) for task in tasks),
        "checks a task": machine.spread([len(task.hidden["checks"]) + len(task.hidden["keeps"]) for task in tasks]),
        "characters": machine.spread(lengths),
    }


def prove(seed: int) -> dict[str, Any]:
    """Return what proof and certificate of one task cost and say."""
    split = SPLITS[seed % 2]
    source, knobs = TerminalTasks(split), difficulty(seed)
    started = time.perf_counter()
    try:
        task = source.sample(seed, knobs)
    except TaskError as error:
        return {"rejected": [f"none drawn: {error!s:.60}"], "proof": 0.0, "certificate": 0.0, "trials": 0}
    proof = Prover().prove_seed(source, seed, knobs)
    proved = time.perf_counter() - started
    started = time.perf_counter()
    entry = find(ENV_ID)
    with closing(make(ENV_ID, split=split)) as env:
        certificate = Certifier(entry, env, "quick").certify(task)
    return {
        "rejected": [f"seed {seed}: {reason}" for reason in (*proof.failures, *certificate.failures)],
        "proof": proved,
        "certificate": time.perf_counter() - started,
        "trials": proof.trials,
    }


def proved(count: int, workers: int) -> dict[str, Any]:
    """Return what proving costs, in several processes."""
    started, before = time.perf_counter(), os.times()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(prove, range(50_000, 50_000 + count)))
    seconds, after = time.perf_counter() - started, os.times()
    core_s = (sum(after[:4]) - sum(before[:4])) / count  # the machines' processes are among the children
    rejected = [one["rejected"] for one in found if one["rejected"]]
    return {
        "tasks": count,
        "workers": workers,
        "seconds": seconds,
        "tasks a second": count / seconds,
        "minutes for 1,000": 1000 * seconds / count / 60,
        "core-seconds a task": core_s,
        "minutes for 1,000 on two busy cores": 1000 * core_s / 2 / 60,
        "load": os.getloadavg()[0],  # of the machine, ours included
        "rejected": len(rejected),
        "reasons": [reason for reasons in rejected for reason in reasons][:20],
        "trials": sum(one["trials"] for one in found),
        "seconds a proof": machine.spread([one["proof"] for one in found]),
        "seconds a certificate": machine.spread([one["certificate"] for one in found]),
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return every figure."""
    count = 200 if options.quick else TASKS
    report: dict[str, Any] = {"machine": machine.describe(), **{split: distribution(split, count) for split in SPLITS}}
    if number := 8 if options.quick and options.prove is None else options.prove or 200:
        report["proved"] = proved(number, options.workers)
    return report


def show(result: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(machine.line(result["machine"]))
    for split in SPLITS:
        told = result[split]
        print(
            f"{split}: {told['templates']} templates in {told['tasks']} tasks, {told['tasks a second']:.0f} a second; "
            f"{told['steps by choices']} different steps of {len(told['operators'])} operators, "
            f"{told['tasks with a chain']} tasks with a step that goes on with another's"
        )
        print("  areas: " + ", ".join(f"{name} {count}" for name, count in told["areas"].items()))
        print("  operators: " + ", ".join(f"{name} {count}" for name, count in told["operators"].items()))
        print("  characters: {min:.0f} to {max:.0f}, median {median:.0f}".format(**told["characters"]))
    told = result["proved"]
    print(
        f"proved: {told['tasks']} tasks by {told['workers']} processes, {told['trials']} trials, "
        f"{told['tasks a second']:.2f} tasks a second ({told['minutes for 1,000']:.0f} minutes for 1,000), "
        f"{told['core-seconds a task']:.1f} core-seconds a task "
        f"({told['minutes for 1,000 on two busy cores']:.0f} minutes for 1,000 on two cores that never wait); "
        f"{told['rejected']} rejected; the load of the machine was {told['load']:.0f}"
    )
    for reason in told["reasons"]:
        print(f"  {reason}")
    for what in ("proof", "certificate"):
        print("seconds a {0}: {min:.2f} to {max:.2f}, median {median:.2f}".format(what, **told[f"seconds a {what}"]))


def main() -> None:
    """Measure, and print."""
    parser = machine.arguments(__doc__, quick="200 tasks, 8 of others proved, in less than a minute")
    parser.add_argument("--prove", type=int, help="tasks to prove, 200 if not told")
    parser.add_argument("--workers", type=int, default=4, help="processes that prove; now and then one waits")
    options = parser.parse_args()
    machine.tell(measure(options), show, as_json=options.json)


if __name__ == "__main__":
    main()
