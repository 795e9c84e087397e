"""Folders of exercises with test files, in the layout of well-known exercise tracks.

An exercise is a folder with one test file of pytest or unittest (``*_test.py`` or ``test_*.py``, in the folder itself
or in ``tests/``). Beside it stand the module to be written as a stub, if there is one; the instructions
(``.docs/instructions.md`` with ``.docs/introduction.md`` and ``.docs/instructions.append.md``, or
``instructions.md``, or ``README.md``); and a solution (``.meta/example.py``, ``.meta/exemplar.py``,
``.meta/solution.py``, or one file in ``solution/``), without which nothing can be shown of it.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from palestra.envs.base import Split, Task, TaskError
from palestra.envs.code.importers.reading import parse_python, read_text
from palestra.envs.code.writing import module_task

MOST_FOLDERS: Final = 100_000
_TESTS: Final = ("*_test.py", "test_*.py", "tests/*_test.py", "tests/test_*.py")
_INSTRUCTIONS: Final = (
    (".docs/introduction.md", ".docs/instructions.md", ".docs/instructions.append.md"),
    ("instructions.md",),
    ("README.md",),
)
_SOLUTIONS: Final = (".meta/example.py", ".meta/exemplar.py", ".meta/solution.py", "solution/*.py")
_NOT_THEIRS: Final = frozenset(sys.stdlib_module_names) | {"pytest"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a test file imports of the module that is to be written."""

    module: str
    names: tuple[str, ...]


def read_exercises(path: Path, split: Split = "train") -> Iterator[Task]:
    """Yield the tasks of a folder that is an exercise or has exercises somewhere below it, by their paths.

    Raises:
        TaskError: there is none, or one makes no sense; the message names the file and, where there is one, the line.
    """
    if not path.is_dir():
        raise TaskError(f"{path}: is no folder; exercises are folders with test files")
    number = -1
    for number, folder in enumerate(_exercises(path)):
        name = folder.relative_to(path).as_posix() if folder != path else folder.resolve().name
        yield _task(folder, name, number, split)
    if number < 0:
        raise TaskError(f"{path}: has no exercise, which is a folder with a test file ({', '.join(_TESTS[:2])})")


def _exercises(folder: Path, left: list[int] | None = None) -> Iterator[Path]:
    left = [MOST_FOLDERS] if left is None else left
    left[0] -= 1
    if left[0] < 0:
        raise TaskError(f"{folder}: there are more than {MOST_FOLDERS} folders; name one that is deeper")
    if _found(folder, _TESTS):
        yield folder
        return
    try:
        below = sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())
    except OSError as error:
        raise TaskError(f"{folder}: cannot be read: {error.strerror or error}") from error
    for one in below:
        if not one.name.startswith((".", "__")):
            yield from _exercises(one, left)


def _task(folder: Path, name: str, number: int, split: Split) -> Task:
    test_files = _found(folder, _TESTS)
    if len(test_files) > 1:
        raise TaskError(f"{folder}: has {len(test_files)} test files, {', '.join(map(str, test_files))}; one is wanted")
    test_file = test_files[0]
    tests = read_text(test_file)
    asked = _asked(parse_python(tests, str(test_file)), folder, test_file)
    stub = next(iter(_found(folder, (f"{asked.module}.py",))), None)
    begun = read_text(stub).strip() if stub else ""
    parts = [_instructions(folder), f"Begin with this:\n\n```python\n{begun}\n```" if begun else ""]
    return module_task(
        name=f"exercises/{name}",
        seed=number,
        statement="\n\n".join(filter(None, parts)),
        module=asked.module,
        tests=tests,
        asked=asked.names,
        oracle=_solution(folder, asked),
        provenance={"template": name, "split": split, "source": "exercises"},
    )


def _asked(tree: ast.Module, folder: Path, file: Path) -> _Asked:
    """Return the module that the tests import and that is not there already, and the names that they take of it."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level or node.module is None or node.module.partition(".")[0] in _NOT_THEIRS:
                if node.level:
                    raise TaskError(
                        f"{file}: line {node.lineno}: imports from beside it, which is not there when it runs"
                    )
                continue
            if any(alias.name == "*" for alias in node.names):
                raise TaskError(
                    f"{file}: line {node.lineno}: imports everything of {node.module!r}; name what is tested"
                )
            found.setdefault(node.module, []).extend(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] not in _NOT_THEIRS:
                    found.setdefault(alias.name, [])
    if len(found) != 1:
        told = f"imports {', '.join(sorted(found))}" if found else "imports nothing that is to be written"
        raise TaskError(f"{file}: {told}; one module is wanted, such as {folder.name.replace('-', '_')!r}")
    [(module, names)] = found.items()
    if not module.isidentifier():
        raise TaskError(f"{file}: imports {module!r}, which is in a package; one module is wanted")
    return _Asked(module, tuple(dict.fromkeys(names)))


def _instructions(folder: Path) -> str:
    for names in _INSTRUCTIONS:
        if texts := [text for file in _found(folder, names) if (text := read_text(file).strip())]:
            return "\n\n".join(texts)
    wanted = ", ".join(names[-1] for names in _INSTRUCTIONS[1:])
    raise TaskError(f"{folder}: has no instructions (.docs/instructions.md, {wanted})")


def _solution(folder: Path, asked: _Asked) -> str:
    files = _found(folder, _SOLUTIONS)
    if not files:
        return ""
    own = [file for file in files if file.stem == asked.module]
    if len(files) > 1 and len(own) != 1:
        raise TaskError(f"{folder}: has {len(files)} solutions, {', '.join(map(str, files))}; one is wanted")
    source = read_text(own[0] if own else files[0])
    parse_python(source, str(own[0] if own else files[0]))
    return source


def _found(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Return the plain files that fit, in the patterns' order."""
    fitting = (file for pattern in patterns for file in sorted(folder.glob(pattern)))
    return list(dict.fromkeys(file for file in fitting if file.is_file() and not file.is_symlink()))
