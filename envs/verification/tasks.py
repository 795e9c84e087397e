"""The tasks that solutions are held against: certified files, or plain JSON of tasks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from palestra.envs.base import Json, Task, TaskError
from palestra.envs.registry import EnvEntry, find, list_envs
from palestra.envs.taskfile import MAX_TASK_BYTES, check_tools, json_lines, read_records

MAX_FILE_BYTES = 64 * MAX_TASK_BYTES  # of plain JSON, which is read as a whole


@dataclass(frozen=True, slots=True)
class TaskSet:
    """Tasks of one environment; no two have the same id."""

    entry: EnvEntry
    tasks: tuple[Task, ...]


def read_task_set(path: Path, env_id: str | None = None) -> TaskSet:
    """Return the tasks of a file: one that `palestra generate` wrote, or JSON or JSONL of tasks.

    A certificate must be of its task; by which code it was made is of no account here.

    Args:
        path: NAME.jsonl, NAME.parquet or NAME.json; the last holds a task or a list of tasks.
        env_id: the environment of the tasks; None for the one that the certificates name or, of plain tasks, the only
            one of their family.

    Raises:
        TaskError: the file cannot be read or is malformed, or the tasks are not all of one environment.
        UnknownEnvError: there is no such environment.
    """
    try:
        found = list(_certified(path) if _is_certified(path) else _plain(path))
    except OSError as error:
        raise TaskError(f"cannot read the task file {str(path)!r}: {error.strerror or error}") from error
    if not found:
        raise TaskError(f"the task file {str(path)!r} is empty")
    entry = find(env_id or found[0][2] or _only_of(found[0][1].family, path))
    known: dict[str, str] = {}
    for where, task, named in found:
        if task.family != entry.family or (named and find(named) != entry):
            raise TaskError(f"{where} is of {named or task.family}, not of {entry.id}")
        if task.id in known:
            raise TaskError(f"{where} has the id {task.id!r}, and so has {known[task.id]}")
        known[task.id] = where
    return TaskSet(entry, tuple(task for _, task, _ in found))


Found = tuple[str, Task, str]  # where it stands, the task, and the environment that its certificate names


def _is_certified(path: Path) -> bool:
    if path.suffix == ".parquet":
        return True
    if path.suffix == ".jsonl":
        first = next(json_lines(path), ("", None))[1]
        return isinstance(first, dict) and "certificate" in first
    if path.suffix == ".json":
        return False
    raise TaskError(f"a task file's name ends in .jsonl, .json or .parquet, unlike {str(path)!r}")


def _certified(path: Path) -> Iterator[Found]:
    for record in read_records(path):
        if problem := record.certificate.problem(record.task, record.certificate.code):
            raise TaskError(f"{record.where}: {problem}")
        yield record.where, record.task, record.certificate.env_id


def _plain(path: Path) -> Iterator[Found]:
    for where, data in json_lines(path) if path.suffix == ".jsonl" else _listed(path):
        try:
            task = Task.from_dict(data)
            check_tools(task)
        except (TaskError, AttributeError, TypeError, ValueError, RecursionError) as error:
            raise TaskError(f"{where} holds no task: {error}") from error
        yield where, task, ""


def _listed(path: Path) -> Iterator[tuple[str, Json]]:
    with path.open("rb") as file:
        text = file.read(MAX_FILE_BYTES + 1)
    if len(text) > MAX_FILE_BYTES:
        raise TaskError(f"the task file {str(path)!r} is larger than {MAX_FILE_BYTES // 2**20} MiB")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{str(path)!r} is no JSON: {error}") from error
    if not isinstance(data, list):
        yield repr(str(path)), data
        return
    for number, one in enumerate(data, 1):
        yield f"task {number} of {str(path)!r}", one


def _only_of(family: str, path: Path) -> str:
    ids = [entry.id for entry in list_envs() if entry.family == family]
    if len(ids) != 1:
        known = f"these are: {', '.join(ids)}" if ids else "there is none"
        raise TaskError(f"the tasks in {str(path)!r} are of the family {family!r}; say of which environment: {known}")
    return ids[0]
