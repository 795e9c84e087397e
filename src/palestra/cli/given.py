"""Tasks that a person names by a path, in whatever form: files of tasks, or folders of others' tasks."""

from dataclasses import dataclass, field
from pathlib import Path

from palestra.cli.importing import FORMATS, Format
from palestra.envs.base import Split, Task, TaskError
from palestra.envs.registry import EnvEntry, find
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


def read_given(path: Path, split: Split) -> Given:
    """Return the tasks at a path: a file of tasks, certified or not, or a folder of Harbor's or Terminal-Bench's.

    Raises:
        TaskError: there is none.
    """
    if not path.is_dir():
        found = read_task_set(path)
        return Given(found.entry, list(found.tasks))
    form = _form_of(path)
    given = Given(find(form.env_id), [])
    given.tasks += form.read(path, split, lambda folder, error: given.left_out.update({str(folder): str(error)}))
    if not given.tasks:
        raise TaskError(f"{path}: has no task that can be played: {next(iter(given.left_out.values()))}")
    return given


def _form_of(path: Path) -> Format:
    forms = [form for form in FORMATS.values() if form.mark]
    for depth in range(_MOST_DEEP + 1):
        for form in forms:
            if next(path.glob("*/" * depth + form.mark), None) is not None:
                return form
    raise TaskError(f"{path}: has no task, which is a folder with {' or '.join(form.mark for form in forms)} in it")
