"""Tests for a program: few to show, many to hide, chosen so that near misses fail.

A program gets no tests, and so no task, unless they tell it from the program without one of its
steps, from those with another operation in a step's place or a constant one off, from any constant
and from an echo. So every step does what only it would do.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.base import Json
from palestra.envs.code.catalogue import OPERATIONS
from palestra.envs.code.draws import Draws
from palestra.envs.code.inputs import corners, drawn
from palestra.envs.code.program import OutOfRange, Program, Step, Value, written

EXAMPLES: Final = 3
HIDDEN: Final = 12  # more when a near miss needs a test of its own
EXAMPLE_SIZE: Final = 5
_POOL: Final = 48
_SHAPES: Final = 8  # hidden tests kept for being unlike the others on the way


@dataclass(frozen=True, slots=True)
class TestSet:
    """Examples and hidden tests, each ``{"input": ..., "output": ...}``; no input occurs twice."""

    __test__ = False  # not a test class, whatever its name

    examples: list[dict[str, Json]]
    hidden: list[dict[str, Json]]


@dataclass(frozen=True, slots=True)
class _Case:
    value: Value
    stdin: str
    stdout: str
    shape: tuple[int, ...]

    def to_json(self) -> dict[str, Json]:
        return {"input": self.stdin, "output": self.stdout}


def make_tests(program: Program, draws: Draws, size: int) -> TestSet | None:
    """Return tests that tell the program from its near misses, or None if there are none."""
    constants = [step.k for step in program.steps]
    shown = _cases(program, [drawn(program.reads, draws, min(size, EXAMPLE_SIZE), constants) for _ in range(_POOL)])
    examples = _examples(shown)
    random = [drawn(program.reads, draws, size, constants) for _ in range(_POOL)]
    taken = {case.stdin for case in examples}
    pool = [
        case for case in _cases(program, [*corners(program.reads, size, constants), *random]) if case.stdin not in taken
    ]
    hidden = _chosen(pool)
    for miss in near_misses(program):
        if not any(_differs(miss, case) for case in hidden):
            found = next((case for case in pool if _differs(miss, case)), None)
            if found is None:
                return None
            hidden.append(found)
    if len(examples) < EXAMPLES or not _is_telling(hidden):
        return None
    return TestSet([case.to_json() for case in examples], [case.to_json() for case in draws.shuffled(hidden)])


def near_misses(program: Program) -> Iterator[Program]:
    """Yield the program with one step left out, one operation for another, or one constant one off."""
    for place, step in enumerate(program.steps):
        before, after = program.steps[:place], program.steps[place + 1 :]
        is_same_kind = step.operation.takes == step.operation.gives
        if len(program.steps) > 1 and (is_same_kind or not after):
            yield replace(program, steps=(*before, *after))
        for other in (*_one_off(step), *_replacements(step)):
            yield replace(program, steps=(*before, other, *after))


def _replacements(step: Step) -> Iterator[Step]:
    """Yield the other operations from and to the same kinds."""
    for name in sorted(OPERATIONS):
        other = OPERATIONS[name]
        if name != step.name and (other.takes, other.gives) == (step.operation.takes, step.operation.gives):
            yield Step(name, other.pool.train[0] if other.pool else None)


def _one_off(step: Step) -> Iterator[Step]:
    if isinstance(step.k, int):
        yield from (Step(step.name, k) for k in (step.k + 1, step.k - 1) if k > 0)
    elif isinstance(step.k, str):
        yield Step(step.name, chr(ord(step.k) + 1))


def _cases(program: Program, values: Sequence[Value]) -> list[_Case]:
    """Return one case for each different input that the program is asked for."""
    made: dict[str, _Case] = {}
    for value in values:
        stdin = written(program.reads, value, is_input=True)
        if stdin in made:
            continue
        try:
            trace = program.trace(value)
        except OutOfRange:
            continue
        made[stdin] = _Case(value, stdin, written(program.gives, trace[-1]), tuple(map(_size_class, trace)))
    return list(made.values())


def _size_class(value: Value) -> int:
    """Return 0, 1 or 2 for none, one or several items; for numbers -1, 0 or 1 for the sign."""
    return (value > 0) - (value < 0) if isinstance(value, int) else min(len(value), 2)


def _examples(cases: Sequence[_Case]) -> list[_Case]:
    """Return the first cases that print something, each something else."""
    by_output: dict[str, _Case] = {}
    for case in cases:
        if case.stdout.strip():
            by_output.setdefault(case.stdout, case)
    return list(by_output.values())[:EXAMPLES]


def _chosen(pool: Sequence[_Case]) -> list[_Case]:
    """Return one case of each shape, then the cases with the rarest outputs so far."""
    by_shape: dict[tuple[int, ...], _Case] = {}
    for case in pool:
        by_shape.setdefault(case.shape, case)
    made = list(by_shape.values())[:_SHAPES]
    seen = Counter(case.stdout for case in made)
    left = [case for case in reversed(pool) if case not in made]
    while left and len(made) < HIDDEN:
        rarest = min(left, key=lambda case: seen[case.stdout])
        left.remove(rarest)
        made.append(rarest)
        seen[rarest.stdout] += 1
    return made


def _differs(program: Program, case: _Case) -> bool:
    try:
        return written(program.gives, program.trace(case.value)[-1]).split() != case.stdout.split()
    except OutOfRange:
        return True


def _is_telling(hidden: Sequence[_Case]) -> bool:
    """Return whether constants and echoes fail: many outputs, none too common, not the inputs."""
    common = Counter(case.stdout for case in hidden).most_common(1)
    is_varied = bool(common) and len(hidden) >= HIDDEN and common[0][1] * 2 <= len(hidden)
    return is_varied and any(case.stdin.split() != case.stdout.split() for case in hidden)
