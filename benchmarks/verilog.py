"""What hardware tasks cost, and how often their judge is wrong.

    python benchmarks/verilog.py [--quick] [--json]

Judgements are those of an episode's end: compiled, simulated and read by Yosys in a sandbox, the golden module
simulated before. False negatives are counted on what does the same: golden modules in the generator's other styles,
and modules rewritten by hand (`verilog_rewrites.py`). Mutants are near misses, whose models are known to differ, and
golden modules with one word changed, some of which do the same and so cannot be killed.
"""

import time
from contextlib import closing
from typing import Any

import machine
from verilog_rewrites import REWRITTEN

from palestra.envs.base import SPLITS, Task
from palestra.envs.certify.environment import wilson_interval
from palestra.envs.code.judge.bench import Bench
from palestra.envs.verilog.design import STYLES
from palestra.envs.verilog.generate import CYCLES, PUBLIC_CYCLES, VerilogTasks
from palestra.envs.verilog.mutants import design_of, mutants, near_misses
from palestra.envs.verilog.verify import Examiner

_MUTANTS_EACH = 4  # of a task, of each kind


def main() -> None:
    """Measure, and print."""
    chosen = machine.arguments(__doc__, "four tasks of each split instead of twenty").parse_args()
    tasks = 4 if chosen.quick else 20
    with closing(Bench.open()) as bench:
        examiner = Examiner(bench)
        report = {
            "machine": machine.describe(),
            "tasks_per_s": making(10 * tasks),
            "judging_ms": judging(examiner, tasks),
            "false negatives": {
                "generated styles": styles(examiner, tasks),
                "rewritten by hand": by_hand(examiner),
            },
            "mutants killed": killed(examiner, tasks),
        }
    machine.tell(report, show, as_json=chosen.json)


def making(tasks: int) -> dict[str, float]:
    """Return how many tasks a second are made, by split."""
    made = {}
    for split in SPLITS:
        source = VerilogTasks(split)
        started = time.perf_counter()
        for seed in range(tasks):
            source.sample(seed)
        made[split] = tasks / (time.perf_counter() - started)
    return made


def judging(examiner: Examiner, tasks: int) -> dict[str, Any]:
    """Return how long it takes to simulate a golden module, and to judge a right and a wrong module after that."""
    times: dict[str, list[float]] = {"golden": [], "right": [], "wrong": []}
    for seed in range(tasks):
        task = VerilogTasks().sample(seed)
        golden = task.hidden["golden"]
        wrong = next((source for _, source in near_misses(task)), None)
        started = time.perf_counter()
        examiner.trial(task, is_hidden=True)
        times["golden"].append((time.perf_counter() - started) * 1e3)
        for name, source in (("right", golden), ("wrong", wrong)):
            if source is not None:
                started = time.perf_counter()
                examiner.judge(task, source)
                times[name].append((time.perf_counter() - started) * 1e3)
    return {name: machine.spread(seen) for name, seen in times.items()}


def styles(examiner: Examiner, tasks: int) -> dict[str, Any]:
    """Return how many golden modules in other styles fail."""
    failed = []
    for split in SPLITS:
        for seed in range(tasks):
            task = VerilogTasks(split).sample(seed)
            for style in STYLES:
                if not examiner.judge(task, design_of(task).source(task.public["module"], style)).passed:
                    failed.append(f"{task.id} {style}")
    return {**rate(len(failed), 2 * tasks * len(STYLES)), "failed": failed}


def by_hand(examiner: Examiner) -> dict[str, Any]:
    """Return how many rewritten modules fail."""
    failed, count = [], 0
    for one in REWRITTEN:
        task = Task(
            id=f"verilog/rewritten/{one.name}",
            family="verilog",
            seed=0,
            instruction=one.name,
            public={"module": one.name, "interface": one.interface, "cycles": PUBLIC_CYCLES},
            hidden={"golden": one.golden, "cycles": CYCLES},
        )
        for style, source in {"golden": one.golden, **one.others}.items():
            count += 1
            verdict = examiner.judge(task, source)
            if not verdict.passed:
                failed.append(f"{one.name}, {style}: {verdict.checks[-1].name}: {verdict.checks[-1].evidence}")
    return {**rate(len(failed), count), "failed": failed}


def killed(examiner: Examiner, tasks: int) -> dict[str, Any]:
    """Return how many mutants fail, by kind."""
    found: dict[str, list[bool]] = {"near misses": [], "one word": []}
    survivors = []
    for split in SPLITS:
        for seed in range(tasks):
            task = VerilogTasks(split).sample(seed)
            kinds = {"near misses": list(near_misses(task)), "one word": list(mutants(task.hidden["golden"]))}
            for kind, sources in kinds.items():
                for name, source in sources[:: max(1, -(-len(sources) // _MUTANTS_EACH))]:
                    is_killed = not examiner.judge(task, source).passed
                    found[kind].append(is_killed)
                    survivors += [] if is_killed else [f"{task.id}: {kind}: {name}"]
    return {**{kind: rate(sum(fates), len(fates)) for kind, fates in found.items()}, "survivors": survivors}


def rate(count: int, of: int) -> dict[str, Any]:
    """Return a share with its 95 % Wilson interval."""
    return {"count": count, "of": of, "wilson_95": list(wilson_interval(count, of))}


def show(report: dict[str, Any]) -> None:
    """Print the report for people."""
    print(machine.line(report["machine"]))
    for split, made in report["tasks_per_s"].items():
        print(f"tasks of {split} made: {made:.0f}/s")
    for name, spread in report["judging_ms"].items():
        told = "golden simulated" if name == "golden" else f"{name} module judged"
        print(f"{told}: {spread['median']:.0f} [{spread['min']:.0f}, {spread['max']:.0f}] ms")
    for name, told in report["false negatives"].items():
        print(f"false negatives, {name}: {_line(told)}")
        print(*(f"  {one}" for one in told["failed"]), sep="\n", end="\n" * bool(told["failed"]))
    for kind in ("near misses", "one word"):
        print(f"mutants killed, {kind}: {_line(report['mutants killed'][kind])}")
    for survivor in report["mutants killed"]["survivors"]:
        print(f"  survivor: {survivor}")


def _line(told: dict[str, Any]) -> str:
    low, high = told["wilson_95"]
    return f"{told['count']} of {told['of']} (95 %: {low:.2%} to {high:.2%})"


if __name__ == "__main__":
    main()
