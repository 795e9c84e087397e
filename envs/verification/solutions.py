"""Where solutions are found: a folder with a file or a folder for each task, or lines of JSON.

All of it is somebody's work that is to be judged, so nothing of it is trusted: no link leads out of the folder, and
only plain files of a size that an agent could hand in are read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from palestra.envs.base import TaskError
from palestra.envs.taskfile import json_lines
from palestra.envs.verification.judged import MAX_SOLUTION_CHARS

_MAX_BYTES: Final = 4 * MAX_SOLUTION_CHARS  # UTF-8 needs no more; what is longer is too long
_LONGEST: Final = 200  # characters of a file's name, without its suffix
_ODD = re.compile(r"[^\w.-]", re.ASCII)
_DIGITS = re.compile(r"([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Solution:
    """A text that somebody hands in, or the problem that kept it from being read."""

    where: str
    text: str
    problem: str = ""


class Solutions(Protocol):
    """Solutions by task."""

    def of(self, task_id: str, artefact: str) -> Sequence[Solution]:
        """Return a task's solutions, several if it was tried more than once; none if there is none.

        Raises:
            TaskError: it is not clear which they are.
        """
        ...

    def wanted(self, task_id: str, artefact: str) -> str:
        """Return where a solution of the task would be found."""
        ...

    def strangers(self) -> Sequence[str]:
        """Return what is there and was not asked for, by place."""
        ...


def open_solutions(path: Path) -> Solutions:
    """Return the solutions in a folder, or in a file NAME.jsonl.

    Raises:
        TaskError: there is no such folder or file, or the file is malformed.
    """
    if path.is_dir():
        return Folder(path)
    if path.suffix == ".jsonl":
        return Lines(path)
    raise TaskError(f"solutions are a folder, or a file whose name ends in .jsonl; {str(path)!r} is neither")


def file_stem(task_id: str) -> str:
    """Return a task's id as a file's name without its suffix: "/" becomes "__", other odd characters "_"."""
    return _ODD.sub("_", task_id.replace("/", "__"))[:_LONGEST].lstrip(".") or "_"


@dataclass(frozen=True)
class Folder:
    """A folder of solutions.

    A task's is the file STEM.SUFFIX or the folder STEM, where STEM is `file_stem` of the task's id or the id itself as
    a path, and SUFFIX that of the environment's usual file name. In a task's folder it is the file of that usual name;
    without one, each file with its suffix is a solution, in the order of their names.
    """

    path: Path
    _used: set[str] = field(default_factory=set)
    _owners: dict[str, str] = field(default_factory=dict)  # of stems

    def of(self, task_id: str, artefact: str) -> Sequence[Solution]:
        """See `Solutions`."""
        suffix = PurePosixPath(artefact).suffix
        owner = self._owners.setdefault(file_stem(task_id), task_id)
        if owner != task_id:
            raise TaskError(f"the solutions of {owner!r} and {task_id!r} would have one name; give them as NAME.jsonl")
        places = [self.path / f"{stem}{suffix}" for stem in _stems(task_id)]
        folders = [self.path / stem for stem in _stems(task_id)]
        found = [place for place in places if place.is_file()] + [place for place in folders if place.is_dir()]
        if len(found) > 1:
            raise TaskError(f"{task_id!r} has its solution in {str(found[0])!r} and in {str(found[1])!r}; keep one")
        if not found:
            return ()
        self._used.add(found[0].relative_to(self.path).parts[0])
        return tuple(_read(self.path, place) for place in _files(found[0], artefact))

    def wanted(self, task_id: str, artefact: str) -> str:
        """See `Solutions`."""
        return str(self.path / f"{file_stem(task_id)}{PurePosixPath(artefact).suffix}")

    def strangers(self) -> Sequence[str]:
        """See `Solutions`; of what is deeper in the folder only the top is named."""
        names = sorted(place.name for place in self.path.iterdir() if not place.name.startswith("."))
        return [str(self.path / name) for name in names if name not in self._used]


class Lines:
    """A file with a line ``{"task_id": ..., "solution": ...}`` for each solution; other keys are not read.

    Raises:
        TaskError: the file cannot be read, or a line is of another form.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._used: set[str] = set()
        self._known: dict[str, list[Solution]] = {}
        try:
            for where, data in json_lines(path):
                texts = [data.get("task_id"), data.get("solution")] if isinstance(data, Mapping) else []
                match texts:
                    case [str() as task_id, str() as text]:
                        self._known.setdefault(task_id, []).append(Solution(where, text))
                    case _:
                        raise TaskError(f'{where} is not of the form {{"task_id": "...", "solution": "..."}}')
        except OSError as error:
            raise TaskError(f"cannot read the solutions {str(path)!r}: {error.strerror or error}") from error

    def of(self, task_id: str, artefact: str) -> Sequence[Solution]:
        """See `Solutions`."""
        self._used.add(task_id)
        return self._known.get(task_id, ())

    def wanted(self, task_id: str, artefact: str) -> str:
        """See `Solutions`."""
        return f"a line of {str(self.path)!r} with this task_id"

    def strangers(self) -> Sequence[str]:
        """See `Solutions`."""
        return [found[0].where for task_id, found in self._known.items() if task_id not in self._used]


def _stems(task_id: str) -> list[str]:
    parts = task_id.split("/")
    is_path = all(part and part == _ODD.sub("_", part)[:_LONGEST].lstrip(".") for part in parts)
    return list(dict.fromkeys([file_stem(task_id), *([task_id] if is_path else [])]))


def _files(place: Path, artefact: str) -> list[Path]:
    if place.is_file():
        return [place]
    if (place / artefact).is_file():
        return [place / artefact]
    suffix = PurePosixPath(artefact).suffix
    files = [file for file in place.iterdir() if file.suffix == suffix and file.is_file()]
    return sorted(files, key=lambda file: _counted(file.name))


def _counted(name: str) -> list[tuple[int, str]]:
    """Return a name as what sorts 10 after 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(name)]


def _read(root: Path, path: Path) -> Solution:
    where = str(path)
    if not path.resolve().is_relative_to(root.resolve()):
        return Solution(where, "", "it is a link that leads out of the folder of solutions")
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        return Solution(where, "", f"it cannot be read: {error.strerror or error}")
    try:
        return Solution(where, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        if len(data) > _MAX_BYTES:
            return Solution(where, "", f"it has more than {MAX_SOLUTION_CHARS} characters")
        return Solution(where, "", f"it is not UTF-8: {error.reason} at byte {error.start}")
