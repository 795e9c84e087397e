"""How a task is chosen on the command line: by seed and knobs, or from a file."""

import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palestra.envs.base import Json, Split, Task, TaskError
from palestra.envs.registry import find, make
from palestra.envs.taskfile import MAX_TASK_BYTES, StaleTasksWarning, TaskFile, check_tools

if TYPE_CHECKING:
    from palestra.envs.env import AgentEnv


def parse_knobs(settings: Sequence[str] | None) -> dict[str, Json]:
    """Return difficulty knobs from texts like ``hops=2``; a value that is no JSON is text.

    Raises:
        TaskError: a setting has no name or no ``=``.
    """
    knobs: dict[str, Json] = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not (name and equals):
            raise TaskError(f"a difficulty knob is set as KNOB=VALUE, such as -d hops=2, not {setting!r}")
        try:
            knobs[name] = json.loads(value)
        except (ValueError, RecursionError):
            knobs[name] = value
    return knobs


def read_task(path: Path) -> Task:
    """Return the task in a JSON file, as `Task.to_dict` writes it.

    Raises:
        TaskError: the file cannot be read or holds no task; the message names it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TASK_BYTES + 1)
    except OSError as error:
        raise TaskError(f"cannot read the task file {str(path)!r}: {error.strerror or error}") from error
    if len(data) > MAX_TASK_BYTES:
        raise TaskError(f"the task file {str(path)!r} is larger than {MAX_TASK_BYTES // 2**20} MiB")
    try:
        task = Task.from_dict(json.loads(data))
        check_tools(task)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"the task file {str(path)!r} holds no task: {error}") from error
    return task


def read_tasks(path: Path, env_id: str, *, strict: bool, knobs: Sequence[str] | None = None) -> TaskFile:
    """Return a file of certified tasks of an environment; what is to be known of it is told on standard error.

    Raises:
        TaskError: the file cannot be read, is malformed, or is another environment's; or a knob is given.
    """
    if knobs:
        raise TaskError("the tasks of a file have their difficulty: give either --tasks or -d")
    with told_warnings():
        return TaskFile(path, env_id, strict=strict)


@contextmanager
def told_warnings() -> Iterator[None]:
    """Tell of certificates that were made by other code in one line on standard error."""
    plain = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, StaleTasksWarning):
            print(f"warning: {message}", file=sys.stderr)
        else:
            plain(message, category, *where, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", StaleTasksWarning)
        warnings.showwarning = show
        yield


def begin(
    env_id: str, *, split: Split, seed: int, knobs: Sequence[str] | None, task_file: Path | None
) -> tuple["AgentEnv", str, dict[str, Any]]:
    """Return an environment at the start of the chosen task, its first observation and info.

    Raises:
        UnknownEnvError, TaskError: there is no such environment, task or knob.
        InfraError: the environment cannot be had on this machine.
    """
    entry = find(env_id)
    options: dict[str, Any] = {}
    if task_file is not None:
        if knobs:
            raise TaskError("a task file fixes its own difficulty: give either --task or -d")
        options["task"] = task = read_task(task_file)
        if task.family != entry.family:
            raise TaskError(
                f"the task in {str(task_file)!r} is of the family {task.family!r}; {entry.id} takes {entry.family!r}"
            )
    env = make(entry.id, split=split, difficulty=parse_knobs(knobs), render_mode="ansi")
    try:
        observation, info = env.reset(seed=seed, options=options)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        env.close()
        if task_file is None:
            raise
        why = str(error) if isinstance(error, TaskError) else repr(error)
        raise TaskError(f"the task in {str(task_file)!r} does not fit {entry.id}: {why}") from error
    except BaseException:
        env.close()
        raise
    return env, observation, info
