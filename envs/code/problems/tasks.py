"""Tasks made of problems: in a language, with tests, limits and everything that is needed to check them again."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from palestra.envs.base import Json, Split, Task
from palestra.envs.code.draws import Draws
from palestra.envs.code.ir.nodes import Program
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.ir.printers.catalogue import PRINTERS, NotInThisLanguage, render
from palestra.envs.code.problems.catalogue import AREAS
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.large import Large, large_test
from palestra.envs.code.problems.problem import Plan, Problem, drawn, rebuilt
from palestra.envs.code.problems.testing import Chosen, choose, fresh, printer, wrong_programs
from palestra.envs.code.writing import program_task

COMMON: Final = ("python", "javascript", "java", "cpp", "c")  # what models write every day; other languages are rare
_ATTEMPTS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a task's knobs ask for."""

    area: str = "any"
    size: int = 6
    corners: float = 0.3
    adversarial: float = 0.2
    language: str = "python"
    complexity: str = "any"
    plan: Plan = field(default_factory=Plan)


def languages(wanted: str) -> list[str]:
    """Return the languages that a value of the knob stands for."""
    if wanted == "any":
        return sorted(PRINTERS)
    return sorted(set(PRINTERS) - set(COMMON)) if wanted == "rare" else [wanted]


@functools.cache
def archetypes(complexity: str) -> tuple[tuple[str, str], ...]:
    """Return areas and names of the archetypes that can demand a complexity; "any": of all."""
    made = []
    for area, name in sorted((area, name) for area, names in AREAS.items() for name in names):
        parts = AREAS[area][name](Choices(Draws(f"{area}/{name}", 0, "cost"), "train")).parts()
        if complexity == "any" or (parts.cost == complexity and parts.slow):
            made.append((area, name))
    return tuple(made)


def make_task(
    wanted: Wanted, split: Split, seed: int, name: str, difficulty: Mapping[str, Json], version: int
) -> Task | None:
    """Return the task of a seed, or None if no fair one was found."""
    draws = Draws(f"{split}/{wanted.area}/{wanted.plan}", seed, "problem")
    fitting = [one for one in archetypes(wanted.complexity) if wanted.area in ("any", one[0])]
    for attempt in range(_ATTEMPTS if fitting else 0):
        plan = wanted.plan if wanted.complexity == "any" else replace(wanted.plan, structure="one", before=False)
        area = draws.pick(sorted({area for area, _ in fitting}))
        problem = drawn(area, draws.pick([name for one, name in fitting if one == area]), draws, split, plan)
        stage = Draws(problem.template, seed, f"tests/{attempt}")
        chosen = choose(problem, plan, stage, wanted.size, (wanted.corners, wanted.adversarial))
        if chosen is None:
            continue
        large = None if wanted.complexity == "any" else large_test(problem, stage)
        if large is None and wanted.complexity != "any":
            continue
        spoken = _printed(parse(problem.source), stage.shuffled(languages(wanted.language)))
        if spoken is not None:
            task = _task(problem, plan, chosen, large, spoken, wanted.size, difficulty)
            provenance = {**task.provenance, "split": split, "generator": version}
            return replace(task, id=name, seed=seed, provenance=provenance)
    return None


def problem_of(task: Task) -> tuple[Problem, Plan]:
    """Return the problem that a task was made of.

    Raises:
        KeyError: it was made of none.
    """
    told: Any = task.hidden["problem"]
    plan = Plan(**told["plan"])
    return rebuilt(told["area"], told["archetype"], told["choices"], task.provenance["split"], plan), plan


def wrong_of(task: Task, most: int = 40) -> Iterator[tuple[str, str]]:
    """Yield names and sources, in the task's language, of programs that are almost right.

    Each is a mutant of the reference, or solves the problem with one choice another, and prints something
    else than the reference for some random input, which need not be one of the task's tests.
    """
    problem, plan = problem_of(task)
    reference = parse(problem.source)
    size = int(task.difficulty["size"])
    shown = {case["input"] for case in task.public["examples"]}
    cases = [case for case in fresh(problem, reference, size) if case.stdin not in shown]
    for name, program in wrong_programs(problem, plan, reference, most):
        prints = printer(program)
        if any(prints(case.stdin) != case.lines for case in cases):
            source = _printed(program, [task.public["language"]])
            if source is not None:
                yield name, source[1]


def _printed(program: Program, wanted: list[str]) -> tuple[str, str] | None:
    """Return the first of the languages that the program can be written in, and the program in it."""
    for language in wanted:
        try:
            return language, render(program, language).source
        except NotInThisLanguage:
            continue
    return None


def _task(
    problem: Problem,
    plan: Plan,
    chosen: Chosen,
    large: Large | None,
    spoken: tuple[str, str],
    size: int,
    difficulty: Mapping[str, Json],
) -> Task:
    language, source = spoken
    tests = [case.to_json() for case in chosen.hidden]
    reasons = list(chosen.reasons)
    if large is not None:
        tests.append(large.to_json())
        reasons.append(f"large: a solution that is not {problem.parts.cost} takes too long")
    task = program_task(
        name="",
        seed=0,
        statement=problem.statement(large.size if large else size),
        examples=[case.to_json() for case in chosen.examples],
        tests=tests,
        provenance={"template": problem.template},
        language=language,
        oracle=source,
        difficulty=difficulty,
    )
    told: dict[str, Json] = {
        "area": problem.area,
        "archetype": problem.name,
        "choices": dict(problem.choices),
        "plan": asdict(plan),
    }
    return replace(
        task, hidden={**task.hidden, "solution": source, "ir": problem.source, "problem": told, "reasons": reasons}
    )
