"""Programming tasks from seeds: a program is drawn, and kept only if its tests can tell it from others.

Training programs are made of training operations, pairs and constants. Held-out programs have an
operation or a pair of neighbouring operations that no training program has, and other constants.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from palestra.envs.base import SPLITS, Budget, Json, Split, Task, TaskError, merge_knobs
from palestra.envs.code.catalogue import OPERATIONS, Kind, Operation
from palestra.envs.code.draws import Draws
from palestra.envs.code.program import READS, Program, Step
from palestra.envs.code.testing import TestSet, make_tests
from palestra.envs.code.writing import LIMITS, shown, tools_for

GENERATOR_VERSION: Final = 1
KNOBS: Final[dict[str, Json]] = {"kind": "any", "steps": 2, "size": 6}
MOST_STEPS: Final = 5
SIZES: Final = range(4, 41)
_HELDOUT_PAIRS: Final = 4  # one pair in so many is never trained on
_ATTEMPTS: Final = 2_000
TOOLS: Final = tools_for("Python")


class CodeTasks:
    """The family's `TaskSource`.

    Knobs: ``kind`` of input (ints, number, text, words, grid, moves, or any), ``steps`` that the
    program applies (1 to 5), ``size`` of its inputs in items (4 to 40).

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        _check_knobs(knobs)
        kinds = sorted(READS)
        kind: Kind = knobs["kind"] if knobs["kind"] != "any" else Draws(self.split, seed, "kind").pick(kinds)
        draws = Draws(f"{self.split}/{kind}/{knobs['steps']}", seed, "program")
        for attempt in range(_ATTEMPTS):
            program = _draw_program(draws, self.split, kind, knobs["steps"])
            if program is None:
                continue
            tests = make_tests(program, Draws(program.template, seed, f"tests/{attempt}"), knobs["size"])
            if tests is not None:
                return _task(program, tests, self.split, seed, knobs)
        raise TaskError(f"no fair {kind} task of {knobs['steps']} steps for seed {seed} in {_ATTEMPTS} draws")


def is_heldout_pair(first: str, second: str) -> bool:
    """Return whether no training program applies these two operations one after the other."""
    return hashlib.sha256(f"{first}|{second}".encode()).digest()[0] % _HELDOUT_PAIRS == 0


def is_heldout(program: Program) -> bool:
    """Return whether the program has an operation or a neighbouring pair that training never shows."""
    names = [step.name for step in program.steps]
    return any(OPERATIONS[name].is_heldout for name in names) or any(
        is_heldout_pair(a, b) for a, b in itertools.pairwise(names)
    )


def _check_knobs(knobs: Mapping[str, Json]) -> None:
    if knobs["kind"] != "any" and knobs["kind"] not in READS:
        raise TaskError(f"knob 'kind' must be any, {', '.join(sorted(READS))}, not {knobs['kind']!r}")
    if not 1 <= knobs["steps"] <= MOST_STEPS:
        raise TaskError(f"knob 'steps' must be 1 to {MOST_STEPS}, not {knobs['steps']}")
    if knobs["size"] not in SIZES:
        raise TaskError(f"knob 'size' must be {SIZES[0]} to {SIZES[-1]}, not {knobs['size']}")


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


def _task(program: Program, tests: TestSet, split: Split, seed: int, knobs: Mapping[str, Any]) -> Task:
    return Task(
        id=f"code/{split}/{program.reads}-{knobs['steps']}-{knobs['size']}/{seed}",
        family="code",
        seed=seed,
        instruction=f"Write a Python program.\n{program.statement()}\n\n{shown(tests.examples)}",
        difficulty=dict(knobs),
        tools=TOOLS,
        budget=Budget(turns=5, seconds=120.0),
        public={"examples": tests.examples, "limits": dict(LIMITS)},
        hidden={"program": program.to_json(), "solution": program.source(), "tests": tests.hidden},
        provenance={"template": program.template, "split": split, "generator": GENERATOR_VERSION},
    )
