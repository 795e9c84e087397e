"""Solutions held against their tasks: each is judged, in as many processes as are wanted, and all is told in order."""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

from palestra.envs.base import Task
from palestra.envs.certify.parallel import in_order
from palestra.envs.registry import EnvEntry, register
from palestra.envs.verification.judged import Judges, Result
from palestra.envs.verification.report import Report, Row
from palestra.envs.verification.solutions import Solution, Solutions
from palestra.envs.verification.tasks import TaskSet
from palestra.rewards.base import Check
from palestra.sandbox.base import InfraError

Seen = Callable[[Row], None]
Options = Mapping[str, Any]


def verify(
    tasks: TaskSet,
    solutions: Solutions,
    *,
    jobs: int = 1,
    options: Options | None = None,
    is_explained: bool = True,
    seen: Seen = lambda row: None,
) -> Report:
    """Return what each task's solutions are worth.

    Args:
        tasks: of an environment that judges texts.
        solutions: where they are found.
        jobs: how many processes judge; 1 is this one.
        options: that the environment is built with, such as ``sandbox``.
        is_explained: whether the report holds the first failing input of each, which may be hidden from who wrote it.
        seen: called with each row as soon as it is known.

    Raises:
        TaskError: the environment judges no texts, or it is not clear which solution is a task's.
    """
    rows = []
    with Judges(**(options or {})) as judges:
        env = judges.env(tasks.entry.id)
        artefacts = {task.id: env.artefact(task) for task in tasks.tasks}
    plans = [(task, list(solutions.of(task.id, artefacts[task.id]))) for task in tasks.tasks]
    with closing(_results(tasks.entry, plans, jobs, options or {})) as results:
        for task, handed_in in plans:
            for solution in handed_in:
                result = next(results)
                shown = result if is_explained else replace(result, explanation="")
                rows.append(Row(task_id=task.id, where=solution.where, result=shown))
                seen(rows[-1])
            if not handed_in:
                rows.append(Row(task_id=task.id, where=solutions.wanted(task.id, artefacts[task.id]), result=None))
                seen(rows[-1])
    return Report(env_id=tasks.entry.id, rows=tuple(rows), strangers=tuple(solutions.strangers()))


Plans = list[tuple[Task, list[Solution]]]


def _results(entry: EnvEntry, plans: Plans, jobs: int, options: Options) -> Generator[Result, None, None]:
    """Yield a result for each solution; one whose process dies again and again is a fault, and the others go on."""
    pairs = [(task, solution) for task, handed_in in plans for solution in handed_in]
    done = 0
    while done < len(pairs):
        work = (partial(_judge, entry.id, task, solution) for task, solution in pairs[done:])
        with closing(in_order(partial(_judges, entry, options), work, min(jobs, len(pairs) - done))) as results:
            try:
                for result in results:
                    yield result
                    done += 1
            except InfraError as error:
                detail = f"InfraError: {error}"
                yield Result(task_id=pairs[done][0].id, env_id=entry.id, status="fault", detail=detail)
                done += 1


def _judges(entry: EnvEntry, options: Options) -> Judges:
    register(entry)  # of which another process knows nothing
    return Judges(**options)


def _judge(env_id: str, task: Task, solution: Solution, judges: Judges) -> Result:
    """Judge one solution; a job for `in_order`."""
    if not solution.problem:
        return judges.judge(env_id, task, solution.text)
    check = Check(name="file", passed=False, evidence=solution.problem)
    detail = f"file: {solution.problem}"
    return Result(task_id=task.id, env_id=env_id, status="failed", detail=detail, score=0.0, checks=(check,))
