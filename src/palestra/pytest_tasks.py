"""Tasks as pytest collects them: a file of them, a task, and a test for each question about it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from palestra.envs.base import Task, TaskError
from palestra.envs.certify.findings import CheckResult
from palestra.envs.registry import EnvEntry, UnknownEnvError
from palestra.envs.taskfile import is_task_file
from palestra.envs.verification.examiner import Examiner
from palestra.envs.verification.tasks import read_task_set

_REJECTED = ".rejected.jsonl"  # what `palestra generate` writes beside a task file
_TRANSCRIPT_CHARS = 20_000


class Unfair(AssertionError):
    """What a question found about a task, as a text to be shown."""


class TaskFiles:
    """Collects the task files that were named, and those in folders that were.

    Args:
        config: of the run; what was named is collected as if it stood on the command line, unless something within
            it does, such as a single test.
        places: files and folders, relative to where pytest was started.
    """

    def __init__(self, config: pytest.Config, places: Sequence[str]) -> None:
        self.env_id: str | None = config.getoption("palestra_env")
        self._examiners: dict[str, Examiner] = {}
        start = config.invocation_params.dir
        self._places = [(start / place).resolve() for place in places]
        is_asked = config.args_source is pytest.Config.ArgsSource.ARGS
        asked = [(start / arg.split("::")[0]).resolve() for arg in config.args if is_asked]
        for place, path in zip(places, self._places, strict=True):
            if not any(one.is_relative_to(path) for one in asked):
                config.args.append(place)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Take what was named, and what is in a named folder and has a task file's name."""
        path = file_path.resolve()
        is_inside = any(path.is_relative_to(place) for place in self._places)
        if path in self._places or (is_inside and is_task_file(path.name) and not path.name.endswith(_REJECTED)):
            return TaskFileNode.from_parent(parent, path=file_path, owner=self)
        return None

    def pytest_unconfigure(self) -> None:
        """Give back what the environments hold."""
        for examiner in self._examiners.values():
            examiner.close()
        self._examiners.clear()

    def examiner(self, entry: EnvEntry) -> Examiner:
        """Return who asks about an environment's tasks."""
        if entry.id not in self._examiners:
            self._examiners[entry.id] = Examiner(entry)
        return self._examiners[entry.id]


class TaskFileNode(pytest.File):
    """A file of tasks."""

    def __init__(self, *, owner: TaskFiles, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.owner = owner

    def collect(self) -> Iterator[pytest.Collector]:
        """Yield its tasks."""
        try:
            found = read_task_set(self.path, self.owner.env_id)
        except (TaskError, UnknownEnvError) as error:
            raise self.CollectError(_shown(str(error))) from error
        examiner = self.owner.examiner(found.entry)
        for task in found.tasks:
            yield TaskNode.from_parent(self, name=_shown(task.id), task=task, examiner=examiner)


class TaskNode(pytest.Collector):
    """A task."""

    def __init__(self, *, task: Task, examiner: Examiner, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.task, self.examiner = task, examiner

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each question."""
        for question in self.examiner.questions:
            yield QuestionItem.from_parent(self, name=question, task=self.task, examiner=self.examiner)


class QuestionItem(pytest.Item):
    """A test that the oracle solves a task, or that a cheat earns nothing on it."""

    def __init__(self, *, task: Task, examiner: Examiner, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.task, self.examiner = task, examiner

    def runtest(self) -> None:
        """Ask; a fault of the machine is no pass.

        Raises:
            Unfair: the answer is not as it must be.
        """
        result = self.examiner.ask(self.task, self.name)
        if not result.ok:
            raise Unfair(_told(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the answer without a traceback of ours."""
        return str(excinfo.value) if excinfo.errisinstance(Unfair) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where the test stands, and its name in reports."""
        return self.path, None, f"{_shown(self.task.id)}::{self.name}"


def _told(result: CheckResult) -> str:
    texts = [str(result.evidence.get(name, "")) for name in ("transcript", "traceback")]
    lines = [f"{result.status}: {result.detail}", *(text[-_TRANSCRIPT_CHARS:] for text in texts if text)]
    return _shown("\n".join(lines))


def _shown(text: str) -> str:
    """Return a text with what drives a terminal spelled out."""
    return "".join(char if char in "\n\t" or char.isprintable() else ascii(char)[1:-1] for char in text)
