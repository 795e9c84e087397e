"""Tasks that apply operations one after the other: an area of Code-v0 beside those of problems.

Training programs are made of training operations, pairs and constants. Held-out programs have an
operation or a pair of neighbouring operations that no training program has, and other constants.
"""

import hashlib
import itertools
from collections.abc import Mapping
from typing import Any, Final

from palestra.envs.base import Budget, Split, Task
from palestra.envs.code.catalogue import OPERATIONS, Kind, Operation
from palestra.envs.code.draws import Draws
from palestra.envs.code.program import READS, Program, Step
from palestra.envs.code.testing import TestSet, make_tests
from palestra.envs.code.writing import LIMITS, shown, tools_for

_HELDOUT_PAIRS: Final = 4  # one pair in so many is never trained on
_ATTEMPTS: Final = 2_000
_TOOLS: Final = tools_for("Python")


def chain_task(split: Split, seed: int, knobs: Mapping[str, Any], name: str, version: int) -> Task | None:
    """Return the task of a seed, or None if no fair one was found.

    Args:
        split: training programs or held-out ones.
        seed: of the task.
        knobs: ``kind`` of input, ``steps`` and ``size``.
        name: the task's id.
        version: of the generator.
    """
    kind: Kind = knobs["kind"] if knobs["kind"] != "any" else Draws(split, seed, "kind").pick(sorted(READS))
    draws = Draws(f"{split}/{kind}/{knobs['steps']}", seed, "program")
    for attempt in range(_ATTEMPTS):
        program = _draw_program(draws, split, kind, knobs["steps"])
        if program is None:
            continue
        tests = make_tests(program, Draws(program.template, seed, f"tests/{attempt}"), knobs["size"])
        if tests is not None:
            return _task(program, tests, split, seed, knobs, name, version)
    return None


def is_heldout_pair(first: str, second: str) -> bool:
    """Return whether no training program applies these two operations one after the other."""
    return hashlib.sha256(f"{first}|{second}".encode()).digest()[0] % _HELDOUT_PAIRS == 0


def is_heldout(program: Program) -> bool:
    """Return whether the program has an operation or a neighbouring pair that training never shows."""
    names = [step.name for step in program.steps]
    return any(OPERATIONS[name].is_heldout for name in names) or any(
        is_heldout_pair(a, b) for a, b in itertools.pairwise(names)
    )


def _draw_program(draws: Draws, split: Split, reads: Kind, count: int) -> Program | None:
    """Return a random program of a split, or None when the draw led to none."""
    kind, steps = reads, list[Step]()
    for _ in range(count):
        fitting = [OPERATIONS[name] for name in sorted(OPERATIONS) if OPERATIONS[name].takes == kind]
        if split == "train":
            fitting = [one for one in fitting if not one.is_heldout]
        if steps:
            fitting = [one for one in fitting if one.name != steps[-1].name]
        if not fitting:
            return None
        chosen = draws.pick(fitting)
        steps.append(_with_constant(draws, split, chosen))
        kind = chosen.gives
    program = Program(reads, tuple(steps))
    return program if is_heldout(program) == (split == "heldout") else None


def _with_constant(draws: Draws, split: Split, chosen: Operation) -> Step:
    if chosen.pool is None:
        return Step(chosen.name)
    return Step(chosen.name, draws.pick(chosen.pool.train if split == "train" else chosen.pool.heldout))


def _task(
    program: Program, tests: TestSet, split: Split, seed: int, knobs: Mapping[str, Any], name: str, version: int
) -> Task:
    return Task(
        id=name,
        family="code",
        seed=seed,
        instruction=f"Write a Python program.\n{program.statement()}\n\n{shown(tests.examples)}",
        difficulty=dict(knobs),
        tools=_TOOLS,
        budget=Budget(turns=5, seconds=120.0),
        public={"examples": tests.examples, "limits": dict(LIMITS)},
        hidden={"program": program.to_json(), "solution": program.source(), "tests": tests.hidden},
        provenance={"template": program.template, "split": split, "generator": version},
    )
