"""Tasks that a person names by a path, in whatever form: files of tasks, or folders of others' tasks."""

import itertools
from dataclasses import dataclass, field
from pathlib import Path

from palestra.agents.base import Policy
from palestra.agents.chat import ByteChat
from palestra.agents.opening import Agent
from palestra.agents.rollout import Episode
from palestra.agents.runners import EnvRunner
from palestra.agents.scripted import ScriptedPolicy
from palestra.cli.importing import FORMATS, Format
from palestra.envs.actions import call_text
from palestra.envs.base import Split, Task, TaskError
from palestra.envs.registry import EnvEntry, find
from palestra.envs.scripts import DONE
from palestra.envs.verification.tasks import read_task_set

_ENDINGS = (".jsonl", ".json", ".parquet")
_MOST_DEEP = 3


@dataclass(slots=True)
class Given:
    """Tasks of one environment, and why others that were there are left out, by their folders."""

    entry: EnvEntry
    tasks: list[Task]
    left_out: dict[str, str] = field(default_factory=dict)


def is_path(text: str) -> bool:
    """Tell whether a text names tasks by their path, and no environment."""
    return Path(text).is_dir() or (text.endswith(_ENDINGS) and Path(text).exists())


def read_given(path: Path, split: Split, *, in_docker: bool = False) -> Given:
    """Return the tasks at a path: a file of tasks, certified or not, or a folder of Harbor's or Terminal-Bench's.

    Raises:
        TaskError: there is none.
    """
    if not path.is_dir():
        if in_docker:
            raise TaskError(
                f"--docker is for folders of tasks with Dockerfiles, which {str(path)!r} is not; leave it out"
            )
        found = read_task_set(path)
        return Given(found.entry, list(found.tasks))
    form = _form_of(path)
    given = Given(find(form.env_id), [])
    left_out = given.left_out
    given.tasks += form.read(
        path, split, lambda folder, error: left_out.update({str(folder): str(error)}), in_docker=in_docker
    )
    if not given.tasks:
        raise TaskError(f"{path}: has no task that can be played: {next(iter(given.left_out.values()))}")
    return given


def handing_in() -> Agent:
    """Return the agent that does nothing and hands in, by a tool if there is one for it."""

    def follow(runner: EnvRunner, episode: Episode) -> Policy:
        names = [tool["function"]["name"] for tool in episode.task.tools]
        return ScriptedPolicy(itertools.repeat(call_text("done", {}) if "done" in names else DONE))

    return Agent(follow, ByteChat())


def _form_of(path: Path) -> Format:
    forms = [form for form in FORMATS.values() if form.mark]
    for depth in range(_MOST_DEEP + 1):
        for form in forms:
            if next(path.glob("*/" * depth + form.mark), None) is not None:
                return form
    raise TaskError(f"{path}: has no task, which is a folder with {' or '.join(form.mark for form in forms)} in it")
