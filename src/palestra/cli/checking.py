"""``palestra check``: whether an environment is fair, solvable and the same everywhere."""

from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from palestra.cli.app import AsJson, EnvId, command
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.envs.certify.environment import CheckReport, check
from palestra.envs.certify.findings import CheckResult

_STYLES = {"passed": "green", "failed": "bold red", "fault": "bold yellow", "absent": "dim"}
_TRACE_LINES = 4  # where it was raised; --json has all of a traceback


@command("check")
def check_command(
    env_id: EnvId,
    n: Annotated[int, typer.Option("-n", min=1, help="How many tasks of each split are played.")] = 20,
    split: Annotated[Literal["train", "heldout", "both"], typer.Option(help="Which tasks.")] = "both",
    seed: Annotated[int, typer.Option(min=0, help="Of the first task; the others follow by one.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Put an environment to the test; exit with 1 if it fails.

    The oracle must earn 1 on every task, doing nothing and every known attack 0, and acting at random
    less than the oracle. The same seed must give the same bytes in another process, and an episode
    restored in its middle must end the same. Gymnasium's own checker must agree.
    """
    out = console(stderr=as_json)
    report = check(env_id, n=n, split=split, seed=seed, seen=lambda result: _show(out, result))
    if as_json:
        print_json(report.to_dict())
    _conclude(out, report)
    if not report.ok:
        raise typer.Exit(FAILED)


def _show(out: Console, result: CheckResult) -> None:
    out.print(Text(f"{result.status:<7}", _STYLES[result.status]), f"{result.name}: {printable(result.detail)}")
    if result.status == "passed":
        return
    transcript, trace = result.evidence.get("transcript", ""), result.evidence.get("traceback", "")
    shown = printable(transcript).splitlines() + printable(trace).rstrip().splitlines()[-_TRACE_LINES:]
    out.print("".join(f"        {line}\n" for line in shown), style="dim", end="")


def _conclude(out: Console, report: CheckReport) -> None:
    count = {status: sum(result.status == status for result in report.results) for status in _STYLES}
    told = ", ".join(f"{number} {status}" for status, number in count.items() if number)
    out.print(f"{report.env_id}: {told}, {report.n} tasks of {' and '.join(report.splits)} from seed {report.seed}")
