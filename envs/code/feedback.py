"""What an agent is told of a program that was run on the examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import WRONG, Attempt, Case
from palestra.envs.code.judge.exam import Exam

SHOWN_CHARS: Final = 400  # of a program's output, and of the end of its errors
OWN_CHARS: Final = 2_000  # of what it printed on an input that the agent chose
_COMPILER_CHARS: Final = 1_200  # of the beginning of what a compiler says


@dataclass(frozen=True, slots=True)
class Feedback:
    """How many examples a program passed, and the text that tells of it."""

    passed: int
    text: str


def feedback(bench: Bench, program: Program | Attempt, exam: Exam) -> Feedback:
    """Try a program on examples, up to one that it has no time for.

    Raises:
        InfraError: the sandbox failed.
    """
    if isinstance(program, Attempt):
        said = _text(program.stderr) or _text(program.stdout)
        errors = ["errors:", said[:_COMPILER_CHARS]] if said else []
        return Feedback(0, "\n".join([f"passed 0 of {len(exam.cases)} examples", program.problem, *errors]))
    made: list[Attempt] = []
    for case in exam.cases:
        if made and made[-1].is_timeout:
            break
        made.append(bench.attempt(program, case, exam.limits, exam.checker))
    return Feedback(sum(attempt.passed for attempt in made), _report(exam.cases, made))


def told_of(attempt: Attempt) -> str:
    """Return what an agent is told of a program that was run on an input of its own, whatever it was to print."""
    printed, errors = _text(attempt.stdout), _text(attempt.stderr)
    ended = [attempt.problem] if attempt.problem not in ("", WRONG) else []
    said = ["errors:", errors[-SHOWN_CHARS:]] if errors else []
    return "\n".join([*ended, "printed:", printed[:OWN_CHARS] or "nothing", *said])


def _report(examples: Sequence[Case], attempts: Sequence[Attempt]) -> str:
    """Return how many examples passed, and how the first of the others went."""
    lines = [f"passed {sum(attempt.passed for attempt in attempts)} of {len(examples)} examples"]
    failed = [number for number, attempt in enumerate(attempts) if not attempt.passed]
    for number in failed:
        lines.append(f"example {number + 1}: {attempts[number].problem}")
        lines += _details(examples[number], attempts[number]) if number == failed[0] else []
    if len(attempts) < len(examples):
        lines.append("the other examples were not tried")
    return "\n".join(lines)


def _details(case: Case, attempt: Attempt) -> list[str]:
    wanted, printed, errors = map(_text, (case.stdout, attempt.stdout, attempt.stderr))
    details = ["expected:", wanted[:SHOWN_CHARS]] if attempt.problem == WRONG else []
    details += ["printed:", printed[:SHOWN_CHARS]] if printed or attempt.problem == WRONG else []
    return details + (["errors:", errors[-SHOWN_CHARS:]] if errors else [])


def _text(output: bytes) -> str:
    return output.decode(errors="replace").strip()
