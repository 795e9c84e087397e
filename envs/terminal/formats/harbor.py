"""Folders of Harbor: ``instruction.md``, ``task.toml``, ``environment/``, ``tests/test.sh``, ``solution/solve.sh``."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from palestra.envs.base import Split, Task, TaskError
from palestra.envs.terminal.formats.folders import read_folder, read_text, write_folder
from palestra.envs.terminal.formats.package import Package
from palestra.envs.terminal.formats.settings import read_settings, write_settings
from palestra.envs.terminal.formats.tasks import task_of
from palestra.envs.terminal.tree import File, Folder, Node, Tree

SETTINGS: Final = "task.toml"
_INSTRUCTION, _FOLDERS = "instruction.md", ("environment", "tests", "solution")
_MOST_CHARS: Final = 256 * 1024  # of texts that a person wrote
_MOST_DEEP: Final = 3  # folders between the one that is named and a task
_MOST_TASKS: Final = 20_000


LeftOut = Callable[[Path, TaskError], None]  # is told of a task's folder that is left out, and why


def read_harbor(
    path: Path, split: Split = "train", left_out: LeftOut | None = None, *, in_docker: bool = False
) -> Iterator[Task]:
    """Yield the tasks of a folder that is a task of Harbor or has some below it, by their paths.

    Args:
        path: the folder.
        split: the tasks'.
        left_out: is told of each task that makes no sense or cannot be played here, instead of raising.
        in_docker: have Docker build every Dockerfile, also those that could do without.

    Raises:
        TaskError: there is none, or one makes no sense; the message names file and field.
    """
    yield from read_folders(path, SETTINGS, read_package, "harbor", split, left_out, in_docker)


def read_folders(
    path: Path,
    mark: str,
    read: Callable[[Path], Package],
    source: str,
    split: Split,
    left_out: LeftOut | None,
    in_docker: bool,
) -> Iterator[Task]:
    """Yield the tasks of the folders at and below a path that hold a file of a name; raises TaskError."""
    for number, folder in enumerate(task_folders(path, mark)):
        try:
            where = str(folder)
            task = task_of(read(folder), number=number, split=split, source=source, where=where, in_docker=in_docker)
        except TaskError as error:
            if left_out is None:
                raise
            left_out(folder, error)
        else:
            yield task


def task_folders(path: Path, mark: str) -> list[Path]:
    """Return the folders, at a path and some way below it, that hold a file of this name, sorted.

    Raises:
        TaskError: there is none.
    """
    if not path.is_dir():
        raise TaskError(f"{path}: is no folder; a task is one, with {mark} in it")
    found = list(_marked(path, mark, 0))
    if not found:
        raise TaskError(f"{path}: has no task, which is a folder with {mark} in it")
    if len(found) > _MOST_TASKS:
        raise TaskError(f"{path}: has more than {_MOST_TASKS:,} tasks; name a folder that is deeper")
    return found


def _marked(folder: Path, mark: str, depth: int) -> Iterator[Path]:
    if (folder / mark).is_file():
        yield folder
        return
    if depth < _MOST_DEEP:
        try:
            below = sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())
        except OSError as error:
            raise TaskError(f"{folder}: cannot be read: {error.strerror or error}") from error
        for one in below:
            if not one.name.startswith("."):
                yield from _marked(one, mark, depth + 1)


def read_package(folder: Path) -> Package:
    """Return the task in a folder.

    Raises:
        TaskError: a file is missing, or makes no sense; the message names it.
    """
    settings = read_settings(read_text(folder / SETTINGS, most_bytes=_MOST_CHARS), str(folder / SETTINGS))
    if settings.get("steps"):
        raise TaskError(
            f"{folder / SETTINGS}: steps: tasks of several steps, each with its own instruction, cannot be played here"
        )
    package = Package(
        name=folder.resolve().name,
        instruction=read_text(folder / _INSTRUCTION, most_bytes=_MOST_CHARS),
        settings=settings,
        beside=read_folder(folder, without=frozenset({SETTINGS, _INSTRUCTION, *_FOLDERS})),
        **_trees(folder),
    )
    if not package.instruction.strip():
        raise TaskError(f"{folder / _INSTRUCTION}: is empty")
    if not isinstance(package.tests.get("/test.sh"), File):
        raise TaskError(f"{folder / 'tests' / 'test.sh'}: is missing; it is what judges")
    if package.solution and not isinstance(package.solution.get("/solve.sh"), File):
        raise TaskError(f"{folder / 'solution' / 'solve.sh'}: is missing, though there is a folder for it")
    return package


def _trees(folder: Path) -> dict[str, Any]:
    return {name: read_folder(folder / name) for name in _FOLDERS}


def write_package(package: Package, folder: Path) -> None:
    """Write a task into a folder that is not there yet.

    Raises:
        TaskError: there is something already, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TaskError(f"{folder}: is there already; remove it or write to another folder")
    nodes: dict[str, Node] = dict(package.beside)
    for name in _FOLDERS:
        tree: Tree = getattr(package, name)
        if tree or name != "solution":
            nodes |= {f"/{name}": Folder(), **{f"/{name}{path}": node for path, node in tree.items()}}
    nodes[f"/{SETTINGS}"] = File(write_settings(package.settings).encode())
    nodes[f"/{_INSTRUCTION}"] = File(package.instruction.encode())
    try:
        write_folder(Tree(nodes), folder)  # at once, so that nothing of it leads another part astray
    except OSError as error:
        raise TaskError(f"{folder}: cannot be written: {error.strerror or error}") from error
