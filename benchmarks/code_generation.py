"""What programming problems cost to make, how many there are, and how well their tests tell right from wrong.

    python benchmarks/code_generation.py [--quick] [--json]

By area: tasks a second of processor time, each with its tests. Over all: distinct templates among the problems of
2,000 seeds; inputs on which law and reference agree; and the share of wrong programs that fail, of those mutants and
problems with one choice another that print something else than the reference on some of 60 fresh inputs or on a
hidden test. Wrong programs are run in this process, in the language of references.
"""

import time
from collections import Counter
from typing import Any

import machine

from palestra.envs.base import SPLITS, Task
from palestra.envs.code.draws import Draws
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.problems.catalogue import AREAS
from palestra.envs.code.problems.problem import Plan, drawn
from palestra.envs.code.problems.tasks import problem_of
from palestra.envs.code.problems.testing import (
    DisagreementError,
    cases_of,
    inputs,
    printer,
    words_of,
    wrong_programs,
)

SEEDS = 2_000
FRESH = 60


def templates() -> dict[str, Any]:
    """Return how many templates the problems of many seeds have."""
    plan, found = Plan(steps=2), Counter[str]()
    for seed in range(SEEDS):
        draws = Draws("benchmark", seed, "templates")
        area = draws.pick(sorted(AREAS))
        found[drawn(area, draws.pick(sorted(AREAS[area])), draws, SPLITS[seed % 2], plan).template] += 1
    archetypes = sum(map(len, AREAS.values()))
    return {"seeds": SEEDS, "distinct": len(found), "areas": len(AREAS), "archetypes": archetypes}


def agreement(problems: int) -> dict[str, int]:
    """Return on how many inputs of so many problems of each archetype the two references agree, and disagree."""
    told = Counter(agree=0, disagree=0)
    for area, names in sorted(AREAS.items()):
        for name, number in ((name, number) for name in sorted(names) for number in range(problems)):
            plan = Plan(steps=1 + number % 3)
            problem = drawn(area, name, Draws("benchmark", number, name), SPLITS[number % 2], plan)
            draws = Draws(problem.template, number, "agreement")
            try:
                labelled = [*problem.corners(8), *inputs(problem, draws, 8, 40)]
                told["agree"] += len(cases_of(problem, labelled, parse(problem.source), leaves_out=True))
            except DisagreementError:
                told["disagree"] += 1
    return dict(told)


def killed(task: Task) -> tuple[int, int]:
    """Return how many wrong programs fail a task's hidden tests, and how many are wrong."""
    problem, plan = problem_of(task)
    reference = parse(problem.source)
    fresh = cases_of(problem, inputs(problem, Draws(problem.template, task.seed, "benchmark"), 6, FRESH))
    hidden = [(case["input"], words_of(case["output"])) for case in task.hidden["tests"]]
    fails = wrong = 0
    for _, program in wrong_programs(problem, plan, reference, 120):
        prints = printer(program, 10_000)
        is_killed = any(prints(given) != wanted for given, wanted in hidden)
        fails += is_killed
        wrong += is_killed or any(prints(case.stdin) != case.lines for case in fresh)
    return fails, wrong


def made(area: str, count: int) -> dict[str, Any]:
    """Return what tasks of an area cost and how many wrong programs fail them."""
    spent: list[float] = []
    fails = wrong = tests = 0
    for seed in range(count):
        source = CodeTasks(SPLITS[seed % 2])
        started = time.process_time()
        task = source.sample(20_000 + seed, {"area": area, "steps": 1 + seed % 3})
        spent.append(time.process_time() - started)
        tests += len(task.hidden["tests"])
        counts = killed(task)
        fails, wrong = fails + counts[0], wrong + counts[1]
    return {
        "tasks": count,
        "tasks a second": count / sum(spent),
        "ms a task": machine.spread([1e3 * one for one in spent]),
        "hidden tests a task": tests / count,
        "wrong programs": wrong,
        "share killed": fails / wrong,
    }


def measure(quick: bool) -> dict[str, Any]:
    """Return every figure."""
    by_area = {area: made(area, 3 if quick else 20) for area in sorted(AREAS)}
    wrong = sum(one["wrong programs"] for one in by_area.values())
    return {
        "machine": machine.describe(),
        "templates": templates(),
        "agreement": agreement(1 if quick else 8),
        "areas": by_area,
        "share killed": sum(one["share killed"] * one["wrong programs"] for one in by_area.values()) / wrong,
    }


def show(result: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(machine.line(result["machine"]))
    told, agreed = result["templates"], result["agreement"]
    print(
        f"{told['distinct']} templates in {told['seeds']} seeds, of {told['archetypes']} archetypes in {told['areas']}"
    )
    print(f"references agree on {agreed['agree']} inputs and disagree in {agreed['disagree']} problems")
    for area, one in result["areas"].items():
        print(
            f"{area:15} {one['tasks a second']:6.1f} tasks/s, {one['hidden tests a task']:4.1f} hidden tests, "
            f"{one['share killed']:.1%} of {one['wrong programs']} wrong programs fail"
        )
    print(f"all areas: {result['share killed']:.1%} of wrong programs fail")


def main() -> None:
    """Measure, and print."""
    options = machine.arguments(__doc__, quick="a few tasks of each area, in about a minute").parse_args()
    machine.tell(measure(options.quick), show, as_json=options.json)


if __name__ == "__main__":
    main()
