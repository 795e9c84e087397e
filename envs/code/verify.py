"""What counts as solved: a program that prints the right output for every hidden input.

The judge runs it, one test after another, each in an empty workspace with its input on stdin. Outputs are
compared out of its reach: unless a task names another checker, they are equal when their lines hold the same words.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from palestra.envs.base import Json, Task
from palestra.envs.code.judge.bench import Bench, Program
from palestra.envs.code.judge.case import Attempt, Case, Checker
from palestra.envs.code.judge.checkers import LINES, read_checker
from palestra.envs.code.judge.exam import Exam, examine
from palestra.envs.code.languages.language import Language, LanguageError
from palestra.envs.code.languages.shelf import UnknownLanguageError, find_language
from palestra.rewards.base import Check, Verdict, VerifierError
from palestra.sandbox.base import MIB, Limits
from palestra.sandbox.limits import check_limits

PYTHON: Final = "python"  # the language of tasks that name none; its programs run in the sandbox's own interpreter
PROGRAM: Final = "program"  # the kind of a checker that is a program
LIMIT_NAMES: Final = ("cpu_s", "wall_s", "memory_mb", "output_kb")
_PROCESSES: Final = 16
_FILE_BYTES: Final = 1 * MIB

MakeChecker = Callable[[Language, str], Checker]


def language_name(task: Task) -> str:
    """Return the name of the language that a task's programs are to be in.

    Raises:
        VerifierError: it is no text.
    """
    name = task.public.get("language", PYTHON)
    if not isinstance(name, str):
        raise VerifierError(f"a code task's language is a name, not {name!r:.80}")
    return name


def language_of(task: Task) -> Language:
    """Return the language that a task's programs are to be in.

    Raises:
        VerifierError: there is none of that name, or its file cannot be used.
    """
    return _find(language_name(task))


def check_language(task: Task) -> None:
    """Refuse a task whose language is not on the shelf; whether it works here is not asked.

    Raises:
        VerifierError: it is not, or its file cannot be used.
    """
    if language_name(task) != PYTHON:
        language_of(task)


def examples(task: Task) -> Exam:
    """Return what a task's programs may be tried on, compared as `hidden_tests` says.

    Raises:
        VerifierError: examples, limits or checker are missing, empty or malformed.
    """
    return _exam(task, task.public.get("examples"), "examples")


def hidden_tests(task: Task) -> Exam:
    """Return what a task's programs are judged on; where the checker is a program, it has yet to take its place.

    Raises:
        VerifierError: hidden tests, limits or checker are missing, empty or malformed.
    """
    return _exam(task, task.hidden.get("tests"), "hidden tests")


def checked_by(task: Task, exam: Exam, make_checker: MakeChecker) -> Exam:
    """Return an exam with the task's checker program, which `make_checker` compiles, if it has one.

    Raises:
        VerifierError: the checker program is broken.
        InfraError: the sandbox failed.
    """
    told = _checker_program(task)
    return exam if told is None else replace(exam, checker=make_checker(*told))


def program_of(bench: Bench, task: Task, code: str) -> Program | Attempt:
    """Return a candidate ready to run, or what the compiler said of it.

    Raises:
        VerifierError: the task's language makes no sense.
        PermanentInfraError: the language does not work here.
        InfraError: the sandbox failed.
    """
    return Program.python(code) if language_name(task) == PYTHON else bench.prepare(language_of(task), code)


def judge(bench: Bench, task: Task, code: str, make_checker: MakeChecker | None = None) -> Verdict:
    """Return the verdict on a program: passed only if it passes every hidden test.

    Args:
        bench: where it runs.
        task: what it should solve.
        code: its source.
        make_checker: compiles a checker program on another bench; needed by tasks that have one.

    Raises:
        VerifierError: the task's tests are missing, empty or malformed.
        InfraError: the sandbox failed.
    """
    exam = hidden_tests(task)
    if make_checker is not None:
        exam = checked_by(task, exam, make_checker)
    elif _checker_program(task) is not None:
        raise VerifierError(f"the checker of {task.id!r} is a program, which needs a bench of its own")
    return examine(bench, program_of(bench, task, code), exam, nonce=task.digest)


def explain(task: Task, check: Check) -> str:
    """Return the input of the hidden test that a check is about and the output it wants; "" if it is about none."""
    if not (found := re.match(r"hidden test (\d+)", check.name)):
        return ""
    case = hidden_tests(task).cases[int(found[1])]
    return f"input:\n{case.stdin.decode()}\nwanted:\n{case.stdout.decode()}"


def limits_of(raw: Json) -> Limits:
    """Return the limits that a task tells.

    Raises:
        VerifierError: one is missing, unknown or makes no sense.
    """
    wanted = f"limits are positive numbers named {', '.join(LIMIT_NAMES[:-1])} and {LIMIT_NAMES[-1]}"
    try:
        if set(raw) != set(LIMIT_NAMES):
            raise ValueError("others are named")
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
        raise VerifierError(f"a code task's {wanted}, not {raw!r:.80}: {error!r}") from error
    return limits


def _exam(task: Task, raw: Json, what: str) -> Exam:
    listed, limits = _listed(raw, what), task.public.get("limits", {})
    exam_limits = limits_of(limits)
    cases = tuple(_case(case, limits, what) for case in listed)
    told = task.hidden.get("checker", "lines")
    checker = LINES if _checker_program(task) is not None else read_checker(told)
    return Exam(cases=cases, limits=exam_limits, checker=checker)


def _listed(raw: Json, what: str) -> list[Json] | tuple[Json, ...]:
    if not isinstance(raw, list | tuple) or not raw:
        raise VerifierError(f"a code task needs at least one of its {what}, not {raw!r:.80}")
    return raw


def _case(case: Json, limits: Mapping[str, Json], what: str) -> Case:
    texts: list[Json] = [case.get("input"), case.get("output")] if isinstance(case, Mapping) else [None]
    if not all(isinstance(text, str) for text in texts):
        raise VerifierError(f"each of the {what} is an object with the texts 'input' and 'output', not {case!r:.80}")
    own = case.get("limits", {})
    if not isinstance(own, Mapping):
        raise VerifierError(f"the limits of one of the {what} are an object, not {own!r:.80}")
    stdin, stdout = (text.encode("utf-8", "surrogatepass") for text in texts)
    return Case(stdin, stdout, limits_of({**limits, **own}) if own else None)


def _checker_program(task: Task) -> tuple[Language, str] | None:
    """Return the language and the source of the task's checker program; None if its checker is a comparison."""
    told: Any = task.hidden.get("checker")
    if not isinstance(told, Mapping) or told.get("kind") != PROGRAM:
        return None
    if set(told) != {"kind", "language", "source"} or not all(isinstance(text, str) for text in told.values()):
        raise VerifierError(
            f"a checker program is told of by the texts 'kind', 'language' and 'source', not {told!r:.80}"
        )
    return _find(told["language"]), told["source"]


def _find(name: str) -> Language:
    try:
        return find_language(name)
    except (UnknownLanguageError, LanguageError) as error:
        raise VerifierError(f"a code task's language cannot be had: {error}") from error
