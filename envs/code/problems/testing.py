"""Tests of a problem: few to show, many to hide, each hidden one there because it fails some wrong program.

Wrong programs are mutants of the reference, references of the problem with one choice or constant another,
and programs that are too simple: echoes, constants, a word of the input, its size. A hidden test is kept when
it fails a wrong program that all tests before it let pass, or when it stands for a class of borderline inputs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json
from palestra.envs.code.draws import Draws
from palestra.envs.code.ir.interpret import TooLong, Undefined, ready
from palestra.envs.code.ir.mutate import some_mutants
from palestra.envs.code.ir.nodes import IrError, Program
from palestra.envs.code.ir.parse import parse
from palestra.envs.code.problems.problem import Input, Plan, Problem, rebuilt

EXAMPLES: Final = 3
EXAMPLE_SIZE: Final = 5
EXAMPLE_POOL: Final = 16
COMMON: Final = 0.6  # of the inputs may have the same output
FEWEST: Final = 5  # hidden tests
CORNERS: Final = 10  # at most so many borderline inputs are kept for themselves, if all are wanted
MUTANTS: Final = 40  # looked at when tests are chosen
VARIANTS: Final = 12
RANDOM: Final = 20
ADVERSARIAL: Final = 6
FRESH: Final = 32  # more random inputs, for wrong programs that all others let pass
MOST_STEPS: Final = 100_000
MOST_STEPS_WRONG: Final = 10_000  # of a wrong program: one that takes more is as wrong
LONGEST: Final = 8_000  # characters of an output
LARGEST: Final = 10**15  # no number that is printed is further from 0

Lines = list[list[str]]
Wrong = Callable[["Case"], "Lines | None"]  # what a program prints on a test, None if it ends badly


class DisagreementError(AssertionError):
    """The two references of a problem do not agree: the generator is wrong."""


@dataclass(frozen=True, slots=True)
class Case:
    """An input with the output that the law gives."""

    stdin: str
    stdout: str
    label: str  # "random", "adversarial", or the class of borderline inputs
    lines: Lines  # the words of each line of the output

    def to_json(self) -> dict[str, Json]:
        """Return the test as tasks hold it."""
        return {"input": self.stdin, "output": self.stdout}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The tests of a task."""

    examples: list[Case]
    hidden: list[Case]
    reasons: list[str]  # why each hidden test is kept
    killed: int  # wrong programs that fail
    alive: int  # wrong programs that nothing told apart from the reference: most do the same in other words


def words_of(text: str) -> Lines:
    """Return what the judge compares by default: the words of each line, without blank lines at the end."""
    lines = [line.split() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def printer(program: Program, most_steps: int = MOST_STEPS) -> Callable[[str], Lines | None]:
    """Return what says of an input what a program prints on it, None if it ends badly."""
    run = ready(program)

    def printed(stdin: str) -> Lines | None:
        try:
            return words_of(run(stdin, most_steps).stdout)
        except (Undefined, TooLong):
            return None

    return printed


def cases_of(
    problem: Problem,
    labelled: Sequence[tuple[str, Input]],
    reference: Program | None = None,
    *,
    leaves_out: bool = False,
) -> list[Case]:
    """Return a case for each different input whose output is neither too long nor has too large numbers.

    Args:
        problem: what the inputs are for.
        labelled: inputs, each with its label.
        reference: it is held against the law.
        leaves_out: inputs on which the reference does not end well are left out: their numbers become too large.

    Raises:
        DisagreementError: the reference, if it is given, prints something else than the law says.
    """
    printed = None if reference is None else printer(reference)
    made: dict[str, Case] = {}
    for label, given in labelled:
        stdin = problem.written(given)
        if stdin in made:
            continue
        wanted = problem.expected(given)
        case = Case(stdin, wanted, label, words_of(wanted))
        if len(case.stdout) > LONGEST or _has_large(case.lines):
            continue
        lines = case.lines if printed is None else printed(stdin)
        if lines is None and leaves_out:
            continue
        if lines != case.lines:
            raise DisagreementError(f"{problem.template}: the references disagree on {stdin!r}, law: {case.stdout!r}")
        made[stdin] = case
    return list(made.values())


def inputs(problem: Problem, draws: Draws, size: int, count: int) -> list[tuple[str, Input]]:
    """Return random inputs, some of them small."""
    return [("random", problem.draw(draws, size if number % 4 else min(size, 3))) for number in range(count)]


def choose(problem: Problem, plan: Plan, draws: Draws, size: int, shares: tuple[float, float]) -> Chosen | None:
    """Return tests for a problem, or None if no fair ones were found.

    Args:
        problem: what they test.
        plan: with which it was built.
        draws: where inputs come from.
        size: of the inputs, in items.
        shares: of borderline and of adversarial inputs among those that are tried first.

    Raises:
        DisagreementError: the references disagree on an input.
    """
    reference = parse(problem.source)
    small = [("random", problem.draw(draws, min(size, EXAMPLE_SIZE))) for _ in range(EXAMPLE_POOL)]
    examples = _examples(cases_of(problem, small, reference, leaves_out=True))
    shown = {case.stdin for case in examples}
    hard = [("adversarial", problem.adversarial(draws, size)) for _ in range(ADVERSARIAL)]
    labelled = [*problem.corners(size), *inputs(problem, draws, size, RANDOM), *hard]
    pool = [case for case in cases_of(problem, labelled, reference, leaves_out=True) if case.stdin not in shown]
    if len({case.stdout for case in examples}) < EXAMPLES or len(pool) < FEWEST or _most_common(pool) > COMMON:
        return None
    wrong = [(name, _of_program(program)) for name, program in wrong_programs(problem, plan, reference)]
    known = shown | {case.stdin for case in pool}
    last = [case for case in fresh(problem, reference, size) if case.stdin not in known]
    hidden, reasons, alive = _selected([*_mixed(pool, draws, shares), *last], [*_too_simple(examples, pool), *wrong])
    if any(name.startswith("simple") for name in alive):
        return None
    _add_corners(pool, hidden, reasons, round(shares[0] * CORNERS))
    if len(hidden) < FEWEST:
        return None
    return Chosen(examples, hidden, reasons, len(wrong) - len(alive), len(alive))


def fresh(problem: Problem, reference: Program, size: int) -> list[Case]:
    """Return further random inputs: a program that prints something else on one of them is wrong."""
    labelled = inputs(problem, Draws(problem.template, size, "fresh inputs"), size, FRESH)
    return cases_of(problem, labelled, reference, leaves_out=True)


def wrong_programs(
    problem: Problem, plan: Plan, reference: Program, most: int = MUTANTS, variants: int = VARIANTS
) -> Iterator[tuple[str, Program]]:
    """Yield mutants of the reference, evenly chosen, and references of what a careless reader would solve."""
    for number, one in enumerate(some_mutants(reference, most)):
        yield f"mutant {number}: {one.kind} at {'.'.join(map(str, one.address))}", one.program
    found = 0
    for name, given in problem.others:
        if found == variants:
            return
        try:
            other = rebuilt(problem.area, problem.name, given, "train", plan)  # every constant is given
            program = parse(other.source)
        except (ArithmeticError, LookupError, ValueError, IrError):
            continue  # a constant that the archetype is not made for
        if other.source != problem.source:
            found += 1
            yield f"variant: {name}", program


def _of_program(program: Program) -> Wrong:
    printed = printer(program, MOST_STEPS_WRONG)
    return lambda case: printed(case.stdin)


def _too_simple(examples: Sequence[Case], pool: Sequence[Case]) -> list[tuple[str, Wrong]]:
    """Return programs that must not pass, whatever the problem is."""
    common = Counter(case.stdout for case in pool).most_common(1)[0][0]
    constants = dict.fromkeys(["", common, *(case.stdout for case in examples)])
    by_name: dict[str, Callable[[str], str]] = {
        "simple: echo": lambda text: text,
        "simple: first word": lambda text: (text.split() or [""])[0],
        "simple: last word": lambda text: (text.split() or [""])[-1],
        "simple: first line": lambda text: text.split("\n")[0],
        "simple: second line": lambda text: [*text.split("\n"), ""][1],
        "simple: words": lambda text: str(len(text.split())),
        "simple: lines": lambda text: str(text.count("\n")),
        "simple: characters": lambda text: str(len(text)),
    }
    made: list[tuple[str, Wrong]] = [(name, _of_function(make)) for name, make in by_name.items()]
    return made + [(f"simple: prints {text!r:.30}", _of_constant(text)) for text in constants]


def _of_constant(text: str) -> Wrong:
    return lambda case: words_of(text)


def _of_function(make: Callable[[str], str]) -> Wrong:
    return lambda case: words_of(make(case.stdin))


def _mixed(pool: Sequence[Case], draws: Draws, shares: tuple[float, float]) -> list[Case]:
    """Return the cases in a random order in which each kind comes as often as its share says."""
    kinds = {"random": list[Case](), "adversarial": list[Case](), "corner": list[Case]()}
    for case in draws.shuffled(pool):
        kinds[case.label if case.label in kinds else "corner"].append(case)
    mixed: list[Case] = []
    while any(kinds.values()):
        wanted = "corner" if draws.chance(shares[0]) else "adversarial" if draws.chance(shares[1]) else "random"
        left = kinds[wanted] or next(cases for cases in kinds.values() if cases)
        mixed.append(left.pop())
    return mixed


def _selected(pool: Sequence[Case], wrong: Sequence[tuple[str, Wrong]]) -> tuple[list[Case], list[str], list[str]]:
    """Return tests that fail every wrong program that any of the pool fails, why each is there, and who is left."""
    hidden: list[Case] = []
    reasons: list[str] = []
    alive: list[str] = []
    for name, program in wrong:
        if any(program(case) != case.lines for case in hidden):
            continue
        found = next((case for case in pool if case not in hidden and program(case) != case.lines), None)
        if found is None:
            alive.append(name)
        else:
            hidden.append(found)
            reasons.append(name)
    return hidden, reasons, alive


def _add_corners(pool: Sequence[Case], hidden: list[Case], reasons: list[str], most: int) -> None:
    """Add borderline inputs of classes that have none yet."""
    covered = {case.label for case in hidden}
    for case in pool:
        if most <= 0:
            return
        if case.label not in covered | {"random", "adversarial"}:
            covered.add(case.label)
            hidden.append(case)
            reasons.append(f"corner: {case.label}")
            most -= 1


def _examples(cases: Sequence[Case]) -> list[Case]:
    """Return cases with different outputs, the longer ones first drawn from."""
    by_output: dict[str, Case] = {}
    for case in sorted(cases, key=lambda case: -len(case.stdout.split())):
        by_output.setdefault(case.stdout, case)
    return list(by_output.values())[:EXAMPLES]


def _most_common(pool: Sequence[Case]) -> float:
    return Counter(case.stdout for case in pool).most_common(1)[0][1] / len(pool)


def _has_large(lines: Lines) -> bool:
    return any(
        len(word) > 15 and word.lstrip("-").isdigit() and abs(int(word)) > LARGEST for line in lines for word in line
    )
