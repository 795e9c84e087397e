"""``palestra verify``: hold solutions against their tasks, as CI does with what somebody hands in."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from palestra.cli.app import AsJson, command
from palestra.cli.boundary import FAILED, USAGE, boundary
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import TaskError
from palestra.envs.certify.parallel import cores
from palestra.envs.junit import write_junit
from palestra.envs.verification.markdown import markdown
from palestra.envs.verification.report import MOST_STRANGERS, Report, Row, junit_suite
from palestra.envs.verification.solutions import open_solutions
from palestra.envs.verification.tasks import read_task_set
from palestra.envs.verification.verify import verify
from palestra.rewards.attempts import pass_at_k

_STYLES = {"passed": "green", "failed": "bold red", "missing": "red", "fault": "bold yellow"}
_ROWS = 200  # of the table; where there are more, those that passed are left out
_TOLD = 20  # rows of which the first failing input is printed
_JOB = 8  # solutions that are worth another process


@command("verify")
def verify_command(
    tasks: Annotated[Path, typer.Argument(metavar="TASKS", help="NAME.jsonl, NAME.parquet or NAME.json of tasks.")],
    solutions: Annotated[
        Path, typer.Option(metavar="DIR|FILE", help="A folder with a solution for each task, or NAME.jsonl.")
    ],
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as JUnit XML.")] = None,
    summary: Annotated[Path | None, typer.Option(metavar="FILE", help="Append the report as Markdown.")] = None,
    require: Annotated[
        Literal["all", "any"], typer.Option(help="Whether each task needs a solution, or it is enough that one has.")
    ] = "all",
    explain: Annotated[
        bool, typer.Option("--explain/--no-explain", help="Tell the first failing input, hidden as it may be.")
    ] = True,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, help="Processes; as many as are useful when not given.")
    ] = None,
    env_id: Annotated[str | None, typer.Option("--env", metavar="ID", help="The environment of plain tasks.")] = None,
    sandbox: Annotated[str | None, typer.Option(metavar="BACKEND", help="What isolates programs.")] = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Accept a sandbox that does not isolate programs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Judge solutions of tasks.

    Any environment will do whose tasks are solved by one text that is handed in. A task's solution is
    DIR/STEM.SUFFIX, or in the folder DIR/STEM, where STEM is the task's id with "/" as "__"; or it is a line
    {"task_id": ..., "solution": ...} of NAME.jsonl. Exit code 0: all passed. 1: a solution is wrong or missing. 2: the
    request made no sense, a task is broken, or the machine failed.
    """
    out = console(stderr=as_json)
    options: dict[str, Any] = {"sandbox": sandbox} if sandbox else {}
    options |= {"unsafe": True} if unsafe else {}
    with boundary(went_wrong=USAGE):
        chosen = read_task_set(tasks, env_id)
        processes = min(jobs or cores(), 1 + len(chosen.tasks) // _JOB if jobs is None else jobs)
        report = verify(chosen, open_solutions(solutions), jobs=processes, options=options, is_explained=explain)
        counts = report.counts
        if require == "any" and counts["missing"] == len(report.rows):
            raise TaskError(f"{str(solutions)!r} has no solution of any task in {str(tasks)!r}")
        if junit is not None:
            write_junit(junit_suite(report, is_missing_wrong=require == "all"), junit)
        if summary is not None:
            _append(summary, markdown(report))
    shares = _pass_at(report)
    _show(out, report, shares, is_missing_wrong=require == "all")
    if as_json:
        print_json({**report.to_dict(), "pass_at": {str(k): share for k, share in shares.items()}})
    if counts["fault"]:
        raise typer.Exit(USAGE)
    if counts["failed"] or (require == "all" and counts["missing"]):
        raise typer.Exit(FAILED)


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise TaskError(f"cannot write the summary to {str(path)!r}: {error.strerror or error}") from error


def _pass_at(report: Report) -> dict[int, float]:
    """Return pass@k for each power of two up to the fewest solutions that a task has; none where all have just one."""
    samples = report.samples
    least = min((tried for tried, _ in samples), default=0)
    if all(tried == 1 for tried, _ in samples) or report.counts["fault"]:
        return {}
    ks = [k for k in (1, 2, 4, 8, 16, 32, 64, 128, 256) if k <= least]
    return {k: sum(pass_at_k(tried, passed, k) for tried, passed in samples) / len(samples) for k in ks}


def _show(out: Console, report: Report, shares: dict[int, float], *, is_missing_wrong: bool) -> None:
    wrong = [row for row in report.rows if row.status != "passed" and (is_missing_wrong or row.result is not None)]
    shown = report.rows if len(report.rows) <= _ROWS else wrong
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("status", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("task", overflow="fold")
    for row in shown[:_ROWS]:
        seconds = f"{row.result.duration_s:.2f}" if row.result else ""
        table.add_row(Text(row.status, _STYLES[row.status]), seconds, Text(_one_line(row.task_id)))
    if shown:
        out.print(table)
    for row in wrong[:_TOLD]:
        _tell(out, row)
    if len(wrong) > _TOLD:
        out.print(f"\n{len(wrong) - _TOLD} more are not told of here; --json and --junit have them all")
    if report.strangers:
        named = ", ".join(report.strangers[:MOST_STRANGERS])
        out.print(f"\n{len(report.strangers)} of the solutions are of none of these tasks: {printable(named)}")
    told = ", ".join(f"{number} {status}" for status, number in report.counts.items() if number)
    out.print(f"\n{report.env_id}: {told}")
    if shares:
        out.print(", ".join(f"pass@{k} {share:.3f}" for k, share in shares.items()))


def _tell(out: Console, row: Row) -> None:
    out.print(Text(f"\n{row.status} ", _STYLES[row.status]) + Text(_one_line(row.task_id)))
    for text in (row.detail, "" if row.status == "missing" else row.where):
        if text:
            out.print(f"  {_one_line(text)}")
    for line in printable(row.explanation).splitlines():
        out.print(f"    | {line}", style="dim")  # a line of its own would be a command to some CI systems


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
