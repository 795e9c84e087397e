"""An exam: tests, limits and a checker; and the verdict on a program that takes it."""

from dataclasses import dataclass
from typing import Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Attempt, Case, Checker
from palestra.envs.code.judge.checkers import LINES
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import Limits
from palestra.sandbox.limits import check_limits

REPEATED: Final = "other behaviour on an input that was passed before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """What programs are tried on."""

    cases: tuple[Case, ...]
    limits: Limits
    checker: Checker = LINES
    repeats: int = 0  # so many tests, drawn anew, are run once more when all were passed

    def __post_init__(self) -> None:
        if not self.cases:
            raise VerifierError("an exam needs at least one test: without any, every program would pass")
        if not 0 <= self.repeats <= len(self.cases):
            raise VerifierError(f"repeats is from 0 to the number of tests, {len(self.cases)}, not {self.repeats!r}")
        for limits in (self.limits, *(case.limits for case in self.cases if case.limits)):
            try:
                check_limits(limits)
            except ValueError as error:
                raise VerifierError(f"an exam's limits make no sense: {error}") from error


def examine(bench: Bench, program: Program | Attempt, exam: Exam, *, nonce: str) -> Verdict:
    """Return the verdict on a program: passed only if it passes every test.

    Tests run in an order that the nonce and the program decide, and end at the first failure. The checks
    name problems, never inputs or outputs.

    Args:
        bench: where it runs.
        program: as `Bench.prepare` returned it; what did not compile fails.
        exam: the tests.
        nonce: a text that the program's author does not know, such as the digest of a task with its hidden part.

    Raises:
        VerifierError: the checker is broken.
        InfraError: the sandbox failed.
        ValueError: the checker runs on the same bench.
    """
    if getattr(exam.checker, "bench", None) is bench:
        raise ValueError("a checker program needs a bench of its own, where no candidate ever runs")
    if isinstance(program, Attempt):
        return Verdict.of([Check(name="program", passed=False, evidence=program.problem)])
    draws = Draws(nonce, int.from_bytes(program.digest[:8], "big"), "order")
    order = draws.shuffled(range(len(exam.cases)))
    again = draws.shuffled(order)[: exam.repeats]
    checks: list[Check] = []
    for turn, number in enumerate([*order, *again]):
        attempt = bench.attempt(program, exam.cases[number], exam.limits, exam.checker)
        is_new = turn < len(order)
        checks.append(
            Check(
                name=f"hidden test {number}" if is_new else f"hidden test {number}, once more",
                passed=attempt.passed,
                evidence=attempt.problem if is_new or attempt.passed else f"{REPEATED}: {attempt.problem}",
            )
        )
        if not attempt.passed:
            break
    return Verdict.of(checks)
