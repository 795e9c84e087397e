"""``palestra generate``: write a file of certified tasks."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from palestra.cli.app import AsJson, EnvId, Knobs, SplitOption, command
from palestra.cli.output import console, print_json, printable
from palestra.cli.tasks import parse_knobs
from palestra.envs.base import TaskError
from palestra.envs.certify.factory import Order, Tally, generate
from palestra.envs.certify.parallel import cores
from palestra.envs.rows import parquet_library
from palestra.envs.taskfile import is_task_file
from palestra.sandbox.base import InfraError


@command("generate")
def generate_command(
    env_id: EnvId,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.jsonl or NAME.parquet.")],
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="How many tasks.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the first task that is tried; the others follow by one.")] = 0,
    difficulty: Knobs = None,
    split: SplitOption = "train",
    level: Annotated[Literal["quick", "full"], typer.Option(help="What each task is put through.")] = "full",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; when not given, one a core.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write certified tasks to a file; no task twice.

    A task whose certificate fails is not written; it stands with the reason in NAME.rejected.jsonl. The bytes are the
    same for any number of workers, and whether or not the run was stopped and resumed in between.
    """
    if not is_task_file(out.name):
        raise TaskError(f"a task file's name ends in .jsonl or .parquet, unlike {str(out)!r}")
    if out.suffix == ".parquet":
        parquet_library()  # what is missing is told before the work
    order = Order(env_id=env_id, split=split, seed=seed, difficulty=parse_knobs(difficulty), level=level)
    shown = _Shown(console(stderr=True), n)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        tally = generate(order, n, out, workers=workers or cores(), resume=resume, seen=shown.update)
    except OSError as error:
        shown.stop()
        raise TaskError(f"cannot write {str(out)!r}: {error.strerror or error}") from error
    except (InfraError, KeyboardInterrupt):
        shown.stop(f"{shown.tally.kept} tasks are kept; go on with --resume")
        raise
    except BaseException:
        shown.stop()
        raise
    shown.stop()
    _conclude(tally, out, n, as_json)


def _conclude(tally: Tally, out: Path, n: int, as_json: bool) -> None:
    told = console(stderr=as_json)
    rejects = out.with_suffix(".rejected.jsonl")
    has_rejects = rejects.exists()
    if as_json:
        counts = {"kept": n, "rejected": tally.rejected, "resumed": tally.resumed, "faults": tally.faults}
        print_json({"out": str(out), **counts, "rejects": str(rejects) if has_rejects else None})
        return
    told.print(f"{out}: {n} certified tasks" + f" ({tally.resumed} of them by an earlier run)" * bool(tally.resumed))
    if has_rejects:
        told.print(f"{rejects}: {tally.rejected} rejected, with the reasons")
    if tally.faults:
        told.print(f"the machine failed {tally.faults} times, and tasks were tried again; last: {tally.last_fault}")


class _Shown:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, out: Console, n: int) -> None:
        self.out, self.tally = out, Tally()
        columns = (TextColumn("certify"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, TextColumn("{task.fields[note]}"), console=out, transient=True)
        self._task = self._bars.add_task("", total=n, note="")
        self._started = 0.0

    def update(self, tally: Tally) -> None:
        self.tally = tally
        if not self.out.is_terminal:
            return
        if not self._started:
            self._started = time.monotonic()
            self._bars.start()
        rate = (tally.kept - tally.resumed) / max(1e-9, time.monotonic() - self._started)
        note = f"{rate:.1f} tasks/s, {tally.rejected} rejected" + f", {tally.faults} faults" * bool(tally.faults)
        self._bars.update(self._task, completed=tally.kept, note=printable(note))

    def stop(self, note: str = "") -> None:
        if self._started:
            self._bars.stop()
        if note:
            self.out.print(note)
