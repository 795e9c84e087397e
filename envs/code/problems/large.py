"""Large tests: so large that a solution of the wrong complexity class is far beyond the time limit.

Time is counted in the steps of the language of references. The limit is four times what the reference needs
or more; a naive solution needs ten times the limit or more, told from how its steps grow on smaller inputs.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json
from palestra.envs.code.draws import Draws
from palestra.envs.code.ir.interpret import TooLong, Undefined, run
from palestra.envs.code.ir.nodes import Program
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.problems.problem import Problem

STEPS_PER_S: Final = 10_000_000  # of the references in Python on a machine of today
LEAST_S: Final = 0.5  # of processor time: below this, starting takes most of it
SLACK: Final = 4  # the limit is so many times what the reference takes
BEYOND: Final = 10  # a naive solution takes so many times the limit
SIZES: Final = (300, 450, 600, 900, 1_300, 2_500, 5_000, 10_000, 20_000)
# On which the naive solution's growth is seen, by the class of the reference: more items than there are values.
_SMALL: Final = {"linear": (200, 400), "loglinear": (200, 400), "quadratic": (50, 100)}
_MOST_STEPS: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Large:
    """A large test with its own limit."""

    stdin: str
    stdout: str
    size: int
    steps: int  # of the reference
    naive_steps: int  # as foreseen
    cpu_s: float

    def to_json(self) -> dict[str, Json]:
        """Return the test as tasks hold it."""
        limits = {"cpu_s": self.cpu_s, "wall_s": 4 * self.cpu_s + 2, "output_kb": 64 + len(self.stdout) // 512}
        return {"input": self.stdin, "output": self.stdout, "limits": limits}


def large_test(problem: Problem, draws: Draws) -> Large | None:
    """Return a test that the reference passes and naive solutions do not, or None if there is none."""
    if not problem.slow_source:
        return None
    reference, naive = parse(problem.source), parse(problem.slow_source)
    sizes = _SMALL[problem.parts.cost]
    stdins = [_input(problem, draws, size) for size in sizes]
    try:
        foreseen_of, naive_of = (_growing(program, sizes, stdins) for program in (reference, naive))
        for size in SIZES:
            naive_steps = int(naive_of(size))
            if naive_steps < BEYOND * max(LEAST_S * STEPS_PER_S, SLACK * foreseen_of(size)):
                continue
            stdin = _input(problem, draws, size)
            done = run(reference, stdin, most_steps=_MOST_STEPS)
            cpu_s = max(LEAST_S, round(SLACK * done.steps / STEPS_PER_S + 0.05, 1))
            if naive_steps >= BEYOND * cpu_s * STEPS_PER_S:
                return Large(stdin, done.stdout, size, done.steps, naive_steps, cpu_s)
    except (TooLong, Undefined):
        return None
    return None


def _growing(program: Program, sizes: tuple[int, int], stdins: Sequence[str]) -> Callable[[int], float]:
    """Return how many steps a program foreseeably takes on an input of a size, told from two smaller ones.

    Raises:
        TooLong: it takes too many on these.
        Undefined: numbers become too large.
    """
    small, more = (run(program, stdin, most_steps=_MOST_STEPS).steps for stdin in stdins)
    growth = math.log(more / small) / math.log(sizes[1] / sizes[0])
    return lambda size: more * float(size / sizes[1]) ** growth


def _input(problem: Problem, draws: Draws, size: int) -> str:
    return problem.written(problem.adversarial(draws, size))
