"""What counts as mended: a program that passes every hidden test and, where few lines may change, changed few."""

from typing import Any

from palestra.envs.base import Task
from palestra.envs.code.hunks import lines_changed
from palestra.envs.code.rooms import Rooms
from palestra.envs.code.verify import check_language, examples, hidden_tests
from palestra.rewards.base import Check, Verdict, VerifierError


def check_task(task: Task) -> None:
    """Refuse a task without a program, tests or a language.

    Raises:
        VerifierError: one is missing or malformed.
    """
    check_language(task)
    examples(task)
    hidden_tests(task)
    if not isinstance(task.public.get("program"), str) or not task.public["program"].strip():
        raise VerifierError(f"a repair task needs the text of its program, not {task.public.get('program')!r:.80}")
    most = task.public.get("most_changed", 1)
    if type(most) is not int or most < 1:
        raise VerifierError(f"most_changed is a number of lines from 1 on, not {most!r:.80}")


def judge(rooms: Rooms, task: Task, text: str) -> Verdict:
    """Return the verdict on a mended program.

    Raises:
        VerifierError: the task's tests are broken.
        InfraError: the sandbox failed.
    """
    most: Any = task.public.get("most_changed")
    before = task.public["program"].splitlines()
    if most is not None and lines_changed(before, text.splitlines(), most) > most:
        evidence = f"more than {most} lines were changed"
        return Verdict.of([Check(name="lines changed", passed=False, evidence=evidence)])
    return rooms.judge(task, text)
