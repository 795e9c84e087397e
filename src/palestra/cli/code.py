"""``palestra code``: what programs can be written in on this machine, and which of their lines are right."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from palestra.cli.app import AsJson, app, command
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import TaskError
from palestra.envs.code.doctor import Finding, examine_languages
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.labels.dataset import Counts, Wanted, labelled, write
from palestra.envs.code.languages.language import LanguageError
from palestra.envs.code.languages.shelf import UnknownLanguageError
from palestra.envs.rows import parquet_library
from palestra.envs.taskfile import is_task_file
from palestra.envs.verification.tasks import read_task_set

_ALWAYS = "python"  # what must work where nothing else was asked for
_ENV = "palestra/Code-v0"
_TOLD = 10  # tasks that are left out
_group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="See which languages can be judged here; label lines of programs."
)
app.add_typer(_group, name="code")


@_group.callback()
def code_options() -> None:
    """See which languages can be judged here, and label lines of programs."""


@command("doctor", _group)
def doctor_command(
    languages: Annotated[
        list[str] | None, typer.Argument(metavar="LANGUAGE...", help="Only these; all must work. The default is all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compile and run a hello world of every language in the sandbox; say which are usable, and what would help.

    Exits with 1 when a language that was named is not usable, or Python where none was.
    """
    try:
        findings = list(examine_languages(languages or ()))
    except (LanguageError, UnknownLanguageError) as error:
        raise typer.BadParameter(printable(str(error))) from error
    needed = languages or [_ALWAYS]
    works = all(finding.works for finding in findings if finding.name in needed)
    if as_json:
        told = [{**asdict(finding), "works": finding.works} for finding in findings]
        print_json({"works": works, "languages": told})
    else:
        _print_table(findings)
    if not works:
        raise typer.Exit(FAILED)


@command("label", _group)
def label_command(
    tasks: Annotated[Path, typer.Argument(metavar="TASKS", help="NAME.jsonl, NAME.parquet or NAME.json of tasks.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.jsonl or NAME.parquet.")],
    single: Annotated[int, typer.Option(min=0, help="Programs of each task with one change.")] = 24,
    several: Annotated[int, typer.Option(min=0, help="Programs of each task with two or three.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of changes.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Label the lines of programs: right or wrong, by what hidden tests say of changed references.

    Each statement of a task's reference is given faults or written otherwise, compiled and run. Exit code 1 says that
    no task had a reference that could be changed.
    """
    if not is_task_file(out.name):
        raise TaskError(f"a data set's name ends in .jsonl or .parquet, unlike {str(out)!r}")
    if out.suffix == ".parquet":
        parquet_library()  # what is missing is told before the work
    counts, chosen = Counts(), read_task_set(tasks, _ENV)
    try:
        with closing(CodeEnv()) as env:
            wanted = Wanted(single=single, several=several, seed=seed)
            write(out, labelled(chosen.tasks, env.judge, wanted, counts))
    except OSError as error:
        raise TaskError(f"cannot write {str(out)!r}: {error.strerror or error}") from error
    if as_json:
        print_json({"file": str(out), **counts.to_json()})
    else:
        _print_counts(counts, out)
    if not counts.tasks:
        raise typer.Exit(FAILED)


def _print_counts(counts: Counts, out: Path) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("change")
    for name in ("right lines", "wrong lines"):
        table.add_column(name, justify="right")
    for kind, (good, bad) in counts.by_kind().items():
        table.add_row(kind, str(good), str(bad))
    told = console()
    told.print(table)
    told.print(f"\n{out}: {counts.programs} programs of {counts.tasks} tasks, {counts.passed} of them right")
    for task, reason in list(counts.left_out.items())[:_TOLD]:
        told.print(f"{printable(task)} is left out: {printable(reason)}")
    if (more := len(counts.left_out) - _TOLD) > 0:
        told.print(f"and {more} more are left out")


def _print_table(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("language", "usable", "version, or why not"):
        table.add_column(name, no_wrap=name != "version, or why not", overflow="fold")
    for finding in findings:
        told = finding.version if finding.works else finding.trouble
        told += f"\n{finding.remedy}" if finding.remedy else ""
        table.add_row(finding.name, "yes" if finding.works else "no", printable(told))
    console().print(table)
    if not all(finding.is_locked for finding in findings if finding.works):
        console().print("\nThis kernel has no Landlock: programs may run those of other languages that they find.")
