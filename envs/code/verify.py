"""What counts as solved: a program that prints the right output for every hidden input.

The judge runs it, one test after another, each in an empty workspace with its input on stdin. Outputs are
compared out of its reach: they are equal when their lines hold the same words.
"""

import re
from collections.abc import Mapping
from typing import Final

from palestra.envs.base import Json, Task
from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Case
from palestra.envs.code.judge.exam import Exam, examine
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import MIB, Limits
from palestra.sandbox.limits import check_limits

_PROCESSES: Final = 16
_FILE_BYTES: Final = 1 * MIB


def examples(task: Task) -> Exam:
    """Return what a task's programs may be tried on.

    Raises:
        VerifierError: examples or limits are missing, empty or malformed.
    """
    return Exam(cases=_cases(task.public.get("examples"), "examples"), limits=_limits(task.public.get("limits")))


def hidden_tests(task: Task) -> Exam:
    """Return what a task's programs are judged on.

    Raises:
        VerifierError: hidden tests or limits are missing, empty or malformed.
    """
    return Exam(cases=_cases(task.hidden.get("tests"), "hidden tests"), limits=_limits(task.public.get("limits")))


def judge(bench: Bench, task: Task, code: str) -> Verdict:
    """Return the verdict on a Python program: passed only if it passes every hidden test.

    Raises:
        VerifierError: the task's tests are missing, empty or malformed.
        InfraError: the sandbox failed.
    """
    return examine(bench, Program.python(code), hidden_tests(task), nonce=task.digest)


def explain(task: Task, check: Check) -> str:
    """Return the input of the hidden test that a check is about and the output it wants; "" if it is about none."""
    if not (found := re.match(r"hidden test (\d+)", check.name)):
        return ""
    case = hidden_tests(task).cases[int(found[1])]
    return f"input:\n{case.stdin.decode()}\nwanted:\n{case.stdout.decode()}"


def _cases(raw: Json, what: str) -> tuple[Case, ...]:
    if not isinstance(raw, list | tuple) or not raw:
        raise VerifierError(f"a code task needs at least one of its {what}, not {raw!r:.80}")
    cases = []
    for case in raw:
        texts: list[Json] = [case.get("input"), case.get("output")] if isinstance(case, Mapping) else [None]
        if not all(isinstance(text, str) for text in texts):
            raise VerifierError(
                f"each of the {what} is an object with the texts 'input' and 'output', not {case!r:.80}"
            )
        cases.append(Case(*(text.encode("utf-8", "surrogatepass") for text in texts)))
    return tuple(cases)


def _limits(raw: Json) -> Limits:
    try:
        limits = Limits(
            cpu_s=raw["cpu_s"],
            wall_s=raw["wall_s"],
            memory_bytes=int(raw["memory_mb"] * MIB),
            output_bytes=int(raw["output_kb"] * 1024),
            processes=_PROCESSES,
            file_bytes=_FILE_BYTES,
            disk_bytes=4 * _FILE_BYTES,
        )
        check_limits(limits)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        wanted = "limits are positive numbers named cpu_s, wall_s, memory_mb and output_kb"
        raise VerifierError(f"a code task's {wanted}, not {raw!r:.80}: {error!r}") from error
    return limits
