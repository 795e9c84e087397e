"""How fast fuzzing tasks are made and run, and what finds their targets: chance, or a climb along the distance.

    python benchmarks/fuzz.py [--quick] [--json]

Runs are those of an episode: an input goes into a fresh process in namespaces of its own, and its trace comes back.
The first run of a C program, which compiles it, is told apart. The two searches read nothing of the program and try
as many inputs; both run in this process, where an input costs microseconds. What a search came to is told as the share
of targets that it reached, and as the mean closeness of its best input: 1 at the target, 0 at the task's start.
"""

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import machine

from palestra.envs.base import SPLITS, Split
from palestra.envs.fuzz import python
from palestra.envs.fuzz.encoding import decode
from palestra.envs.fuzz.fuzzers import climb, draws_of, random_search
from palestra.envs.fuzz.generate import LANGUAGES, FuzzTasks
from palestra.envs.fuzz.verify import Ground, Puzzle


def making(tasks: int) -> dict[str, float]:
    """Return how many tasks a second are made, with all that proves them, by split."""
    made = {}
    for split in SPLITS:
        source = FuzzTasks(split)
        started = time.perf_counter()
        for seed in range(tasks):
            source.sample(seed)
        made[split] = tasks / (time.perf_counter() - started)
    return made


def running(language: str, tasks: int, runs: int) -> dict[str, Any]:
    """Return how long the first run of a task takes, and how many follow a second."""
    first, rates = [], []
    with closing(Ground()) as ground:
        for seed in range(tasks):
            task = FuzzTasks().sample(seed, {"language": language})
            puzzle, text = Puzzle.of(task), str(task.public["start"])
            started = time.perf_counter()
            ground.run(puzzle, text)
            first.append((time.perf_counter() - started) * 1e3)
            started = time.perf_counter()
            for _ in range(runs):
                ground.run(puzzle, text)
            rates.append(runs / (time.perf_counter() - started))
    return {"first_ms": machine.spread(first[1:]), "runs_per_s": machine.spread(rates)}


def searching(split: Split, depth: int, tasks: int, tries: int) -> dict[str, Any]:
    """Return what chance and the climber came to, with as many tries."""
    found: dict[str, list[int | None]] = {"chance": [], "climb": []}
    near: dict[str, list[float]] = {"chance": [], "climb": []}
    for seed in range(tasks):
        task = FuzzTasks(split).sample(seed, {"depth": depth})
        puzzle, start = Puzzle.of(task), decode(task.public["start"], task.public["input_bytes"])
        for name in found:
            distance, best = _watched(puzzle)
            most = puzzle.target.most
            if name == "chance":
                number = random_search(_is_zero(distance), start, draws_of(seed), tries, most)
            else:
                number = climb(distance, start, draws_of(seed), tries, most)
            found[name].append(number)
            near[name].append(puzzle.closeness(best()))
    return {
        name: {"reached": sum(one is not None for one in found[name]) / tasks, "closeness": statistics.mean(near[name])}
        for name in found
    }


def _is_zero(distance: Callable[[bytes], float]) -> Callable[[bytes], bool]:
    return lambda data: distance(data) == 0.0


def _watched(puzzle: Puzzle) -> tuple[Callable[[bytes], float], Callable[[], float]]:
    """Return the distance of inputs, and what tells the least that was measured."""
    trace, least = python.probed_in_process(puzzle.target), [puzzle.start_distance]

    def distance(data: bytes) -> float:
        far = trace(data).distance(puzzle.target)
        least[0] = min(least[0], far)
        return far

    return distance, lambda: least[0]


def measure(*, quick: bool) -> dict[str, Any]:
    """Return all figures."""
    tasks, tries = (6, 8_000) if quick else (30, 20_000)
    return {
        "machine": machine.describe(),
        "tasks": tasks,
        "tries": tries,
        "tasks_per_s": making(tasks),
        "running": {language: running(language, 4 if quick else 12, 20 if quick else 100) for language in LANGUAGES},
        "searching": {
            f"{split}, {depth} stages": searching(split, depth, tasks, tries)
            for split in SPLITS
            for depth in ((2,) if quick else (2, 3))
        },
    }


def show(report: dict[str, Any]) -> None:
    """Print the report."""
    print(machine.line(report["machine"]))
    made = ", ".join(f"{rate:.0f}/s {split}" for split, rate in report["tasks_per_s"].items())
    print(f"tasks made, with their proofs: {made}")
    for language, figures in report["running"].items():
        first, rate = figures["first_ms"], figures["runs_per_s"]
        print(
            f"{language:7} first run {first['median']:.1f} ms [{first['min']:.1f}, {first['max']:.1f}], "
            f"then {rate['median']:.0f} runs/s [{rate['min']:.0f}, {rate['max']:.0f}]"
        )
    print(f"of {report['tasks']} targets, with {report['tries']} inputs each:")
    for name, found in report["searching"].items():
        told = "; ".join(
            f"{who} reaches {one['reached']:.0%}, closeness {one['closeness']:.2f}" for who, one in found.items()
        )
        print(f"  {name}: {told}")


def main() -> None:
    """Measure and print."""
    asked = machine.arguments(__doc__, "few tasks and few tries: some seconds").parse_args()
    machine.tell(measure(quick=asked.quick), show, as_json=asked.json)


if __name__ == "__main__":
    main()
