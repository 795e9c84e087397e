"""How a task is chosen on the command line: by seed and knobs, or from a file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from palestra.envs.base import Json, Split, Task, TaskError
from palestra.envs.registry import find, make

if TYPE_CHECKING:
    from palestra.envs.env import AgentEnv

MAX_TASK_BYTES = 16 * 1024 * 1024


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
        for tool in task.tools:
            _check_schema(tool["function"])
    except (ValueError, RecursionError) as error:
        raise TaskError(f"the task file {str(path)!r} holds no task: {error}") from error
    return task


def _check_schema(function: Mapping[str, Json]) -> None:
    try:
        Draft202012Validator.check_schema(function["parameters"])
    except SchemaError as error:
        raise TaskError(f"the tool {function['name']!r}: {error.message}") from error


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
