"""``palestra export``: tasks in the forms of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from palestra.cli.app import AsJson, command
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import Task, TaskError
from palestra.envs.terminal.formats.exported import exported, folder_name
from palestra.envs.terminal.formats.harbor import write_package
from palestra.envs.verification.tasks import read_task_set

FORMATS = ("harbor",)
_FAMILY = "terminal"


@command("export")
def export_command(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")],
    tasks: Annotated[Path, typer.Argument(metavar="TASKS", help="NAME.jsonl, NAME.parquet or NAME.json of tasks.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to write; each task is a folder in it.")],
    as_json: AsJson = False,
) -> None:
    """Write tasks of a terminal as folders of Harbor.

    A task that was imported is written as it came. A generated one has the same start, the same predicates, judged by
    one Python file, and the oracle as its solution. A task that needs what Harbor has not is told of and left out; exit
    code 1 says that there was one.
    """
    if form not in FORMATS:
        raise TaskError(f"there is no format {form!r} to write; known: {', '.join(FORMATS)}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TaskError(f"{out}: is there already; remove it or write to another folder")
    chosen = read_task_set(tasks)
    if chosen.entry.family != _FAMILY:
        raise TaskError(f"{tasks}: holds tasks of {chosen.entry.id}; folders of Harbor hold tasks of a terminal")
    written, left_out = [], []
    for task, name in _named(chosen.tasks):
        try:
            write_package(exported(task), out / name)
            written.append(str(out / name))
        except TaskError as error:
            left_out.append(str(error))
    if as_json:
        print_json({"written": written, "left_out": left_out})
    else:
        for reason in left_out:
            console(stderr=True).print(f"left out: {printable(reason)}")
        console().print(f"{out}: {len(written)} tasks")
    if left_out:
        raise typer.Exit(FAILED)


def _named(tasks: tuple[Task, ...]) -> Iterator[tuple[Task, str]]:
    """Yield tasks with names for their folders, no two alike."""
    seen: dict[str, int] = {}
    for task in tasks:
        package = task.hidden.get("package")
        name = str(package["name"]) if isinstance(package, dict) and "name" in package else folder_name(task)
        name = Path(name).name.lstrip(".") or "task"
        seen[name] = seen.get(name, 0) + 1
        yield task, name if seen[name] == 1 else f"{name}-{seen[name]}"
