"""``palestra check``: whether an environment is fair, solvable and the same everywhere, or a file of tasks is."""

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from palestra.cli.app import AsJson, command
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import Task, TaskError
from palestra.envs.certify.certificate import Level
from palestra.envs.certify.environment import CheckReport, check
from palestra.envs.certify.findings import CheckResult
from palestra.envs.certify.flakes import flakes
from palestra.envs.certify.junit import junit_suite
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.certify.parallel import cores
from palestra.envs.certify.recheck import recheck
from palestra.envs.certify.stamp import Stamp, check_name
from palestra.envs.junit import write_junit
from palestra.envs.registry import certificates_not_due, find, make
from palestra.envs.taskfile import is_task_file

_STYLES = {"passed": "green", "failed": "bold red", "fault": "bold yellow", "absent": "dim"}
_TRACE_LINES = 4  # where it was raised; --json has all of a traceback
_TASKS = 20  # of each split, when not told

Splits = Literal["train", "heldout", "both"]


@command("check")
def check_command(
    target: Annotated[str, typer.Argument(metavar="ID|TASKS", help="An environment, or a file of certified tasks.")],
    n: Annotated[int | None, typer.Option("-n", "--n", min=1, help="Tasks of each split (20); of a file, all.")] = None,
    split: Annotated[Splits, typer.Option(help="Which tasks.")] = "both",
    level: Annotated[Literal["quick", "full"], typer.Option(help="How much each task is put through.")] = "quick",
    seed: Annotated[int, typer.Option(min=0, help="Of the first task; the others follow by one.")] = 0,
    tasks: Annotated[Path | None, typer.Option("--tasks", metavar="FILE", help="Check this file of its tasks.")] = None,
    repeat: Annotated[
        int, typer.Option(min=0, help="Play the oracle so often on each task; show how many differ.")
    ] = 0,
    load: Annotated[int, typer.Option(min=1, help="How many of these plays are made at once.")] = 8,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the certificate here if all passed.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as JUnit XML.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put an environment or a task file to the test.

    Of an environment every task gets a certificate: the oracle earns 1, twice alike, and needs its steps; spoilt
    oracles, doing nothing and every attack fail. The same seed must give the same bytes elsewhere, and an episode
    restored in its middle must end the same. Of a file the certificates must be of its tasks and of the present code;
    at level full they are made anew. Exit code 1 says that something failed.
    """
    shown = _Shown(console(stderr=as_json))
    file = tasks or (Path(target) if is_task_file(target) else None)
    if out is not None:
        _check_out(out, level, file)
    with certificates_not_due():
        if file is None:
            report = check(target, n=n or _TASKS, split=split, seed=seed, level=level, seen=shown.take)
            played = _sampled(report) if repeat else []
        else:
            env_id = target if tasks else None
            found = recheck(file, env_id=env_id, level=level, n=n, workers=cores(), seen=shown.take)
            report, played = found.report, list(found.tasks)
        if repeat:
            result = flakes(find(report.env_id), played, repeat=repeat, load=load)
            shown.take(result)
            report = replace(report, results=(*report.results, result))
        shown.conclude(report, file)
        if junit is not None:
            write_junit(junit_suite(report), junit)
        if out is not None and report.ok:
            Stamp.of(find(report.env_id), report).write(out)
            shown.out.print(f"certificate: {out}")
    if as_json:
        print_json(report.to_dict())
    if not report.ok:
        raise typer.Exit(FAILED)


def _check_out(out: Path, level: Level, file: Path | None) -> None:
    """Say before the work what would be refused after it."""
    check_name(out)
    if file is not None or level != "full":
        raise TaskError("--out writes an environment's certificate, which takes an ID and --level full")


def _sampled(report: CheckReport) -> list[Task]:
    tasks = []
    for split in report.splits:
        with closing(make(report.env_id, split=split)) as env:
            tasks += [env.tasks.sample(seed) for seed in range(report.seed, report.seed + report.n)]
    return tasks


class _Shown:
    """Shows results as they come, but what passed and is one of many at the end, in a line for all of them."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self._groups: dict[str, list[CheckResult]] = {}

    def take(self, result: CheckResult) -> None:
        if group := _group(result):
            self._groups.setdefault(group, []).append(result)
        else:
            self._line(result.status, f"{result.name}: {printable(result.detail)}")
            self._evidence(result)

    def conclude(self, report: CheckReport, file: Path | None) -> None:
        for group, results in self._groups.items():
            self._line("passed", f"{len(results)} {group}{_on_tasks(results)}")
        count = {status: sum(result.status == status for result in report.results) for status in _STYLES}
        told = ", ".join(f"{number} {status}" for status, number in count.items() if number)
        tasks = f"{report.n} tasks of {' and '.join(report.splits)}"
        self.out.print(
            f"{report.env_id}: {told}, {tasks} from seed {report.seed}" if file is None else f"{file}: {told}, {tasks}"
        )

    def _line(self, status: str, text: str) -> None:
        self.out.print(Text(f"{status:<7}", _STYLES[status]), text)

    def _evidence(self, result: CheckResult) -> None:
        if result.status == "passed":
            return
        transcript, trace = str(result.evidence.get("transcript", "")), str(result.evidence.get("traceback", ""))
        shown = printable(transcript).splitlines() + printable(trace).rstrip().splitlines()[-_TRACE_LINES:]
        self.out.print("".join(f"        {line}\n" for line in shown), style="dim", end="")


def _group(result: CheckResult) -> str:
    """Return what a result is shown as one of; "" if it gets a line of its own."""
    if result.status != "passed":
        return ""
    if result.name in NEGATIVES or result.name.startswith("attack:"):
        return "attacks"
    return "declared chances" if result.name.startswith(("floor:", "guess:")) else ""


def _on_tasks(results: Sequence[CheckResult]) -> str:
    counts = [int(found[1]) for result in results if (found := re.match(r"on all (\d+) tasks", result.detail))]
    return f" on {max(counts)} tasks" if counts else ""
