"""``palestra terminal``: shell tasks that a language model writes."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from palestra.cli.app import AsJson, SplitOption, app, command
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import TaskError
from palestra.envs.endpoint import Backend
from palestra.envs.rows import parquet_library
from palestra.envs.taskfile import is_task_file
from palestra.envs.terminal.pipeline.journal import Count
from palestra.envs.terminal.pipeline.run import Order
from palestra.envs.writing import Written, journal_path, write
from palestra.sandbox.base import InfraError

_KEY = "PALESTRA_API_KEY"
_RETRIES = 5
_REASON_CHARS = 300
_group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Let a language model write shell tasks.")
app.add_typer(_group, name="terminal")


@_group.callback()
def terminal_options() -> None:
    """Let a language model write shell tasks, which are proved and certified like any other."""


@command("write", _group)
def write_command(
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.jsonl or NAME.parquet.")],
    base_url: Annotated[
        str, typer.Option(metavar="URL", help="An OpenAI-compatible server, such as http://localhost:8000/v1.")
    ],
    model: Annotated[str | None, typer.Option(help="The model's name there; the first that is listed.")] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"The variable that holds the server's key ({_KEY}, if it is set)."),
    ] = None,
    player_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server of the model that attempts; the same.")
    ] = None,
    player_model: Annotated[str | None, typer.Option(help="The model that attempts, by its name there.")] = None,
    player_key_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="The variable that holds that server's key.")
    ] = None,
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="Stop when so many tasks are kept.")] = 10,
    most: Annotated[
        int | None, typer.Option(min=1, help="Stop when so many ideas were tried; ten for each task that is wanted.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first idea; the others follow by one.")] = 0,
    split: SplitOption = "train",
    attempts: Annotated[int, typer.Option(min=2, help="Episodes that are played of each task.")] = 8,
    k: Annotated[int, typer.Option("-k", min=1, help="Keep tasks where pass@k is above 0 and below 1.")] = 1,
    repairs: Annotated[int, typer.Option(min=0, help="How often an answer may be mended.")] = 2,
    level: Annotated[Literal["quick", "full"], typer.Option(help="What each task is put through.")] = "quick",
    concurrency: Annotated[int, typer.Option(min=1, help="Ideas in work at one time.")] = 8,
    temperature: Annotated[float, typer.Option(min=0.0, help="Of all sampling.")] = 1.0,
    max_tokens: Annotated[int, typer.Option(min=0, help="Of one answer; 0 leaves it to the server.")] = 8192,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Of one request.")] = 300.0,
    retries: Annotated[int, typer.Option(min=0, help="Of a request that the server could not take.")] = _RETRIES,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped, or bring more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a language model write shell tasks; keep those that can be proved, solved and not always solved.

    An idea is described, its machine is built, checks and a solution are written, and a model attempts it. Each stage
    is tried on machines, and what is kept has a certificate like any other task of palestra/Terminal-v0. What fails
    stands with its reason and text in NAME.rejected.jsonl, and all that was done in FILE.journal, from which --resume
    goes on. Exit code 1 says that no task was kept.
    """
    if not is_task_file(out.name):
        raise TaskError(f"a task file's name ends in .jsonl or .parquet, unlike {str(out)!r}")
    if out.suffix == ".parquet":
        parquet_library()  # what is missing is told before the work
    order = Order(split=split, seed=seed, attempts=attempts, k=k, repairs=repairs, level=level)
    settings = {"temperature": temperature, "timeout_s": timeout, "max_tokens": max_tokens or None, "retries": retries}
    shown = _Shown(n)
    with ExitStack() as stack:
        backend = stack.enter_context(_open(base_url, model, api_key_env, **settings))
        player = backend
        if player_url or player_model:
            key_env = player_key_env or (None if player_url else api_key_env)
            player = stack.enter_context(_open(player_url or base_url, player_model, key_env, **settings))
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            written = write(
                order,
                out,
                backend=backend,
                player=player,
                n=n,
                most=most or 10 * n,
                concurrency=concurrency,
                resume=resume,
                seen=shown.update,
            )
        except OSError as error:
            raise TaskError(f"cannot write {str(out)!r}: {error.strerror or error}") from error
        except (InfraError, KeyboardInterrupt):
            if journal_path(out).exists():
                shown.tell("go on with --resume")
            raise
    shown.clear()
    if as_json:
        print_json(written.to_json())
    else:
        _conclude(written, n)
    if not written.kept:
        raise typer.Exit(FAILED)


def _open(url: str, model: str | None, key_env: str | None, **settings: float | int | None) -> Backend:
    key = os.environ.get(key_env or _KEY)
    if key_env and not key:
        raise TaskError(f"the variable {key_env!r} that is to hold the server's key is not set")
    try:
        return Backend(url, model=model, api_key=key, **settings)  # type: ignore[arg-type]
    except ValueError as error:
        raise TaskError(str(error)) from error


class _Shown:
    """Tells a terminal how far the work is, on one line."""

    def __init__(self, n: int) -> None:
        self._out, self._n, self._last = console(stderr=True), n, "nothing is decided yet"

    def update(self, written: Written) -> None:
        """Show what is decided."""
        requests = sum(count.usage.requests for count in written.counts.values())
        told = f"{written.kept} of {self._n} kept, {written.rejected} rejected, {written.undecided} in work"
        self._last = f"{told}, {requests} requests"
        if self._out.is_terminal:
            self._out.print(f"\r{self._last:<78}", end="")  # whatever comes next begins over it

    def clear(self) -> None:
        """Leave an empty line."""
        if self._out.is_terminal:
            self._out.print("\r" + " " * 78, end="\r")

    def tell(self, more: str) -> None:
        """Say where the work was left."""
        self.clear()
        self._out.print(f"{self._last}; {more}")


def _conclude(written: Written, n: int) -> None:
    told = console()
    told.print(_table(written))
    attempted = written.counts["filter"]
    if attempted.attempts:
        told.print(f"{attempted.solved} of {attempted.attempts} attempts passed")
    if retries := sum(count.usage.retries for count in written.counts.values()):
        told.print(f"{retries} requests were sent again, since the server had not taken them")
    for stage, reason in written.reasons.items():
        told.print(f"{stage} rejected last: {printable(reason)[:_REASON_CHARS]}")
    if written.last_fault:
        told.print(f"the last fault: {printable(written.last_fault)[:_REASON_CHARS]}")
    if written.kept:
        told.print(f"{written.files['tasks']}: {written.kept} certified tasks")
    else:
        told.print("no task was kept")
    if written.kept < n:
        told.print(f"all ideas are decided, and {n} wanted: for more, go on with --resume and a larger --most")
    for name in ("rejected", "journal"):
        if name in written.files:
            told.print(f"{written.files[name]}: {_OF[name]}")


_OF = {"rejected": "what was rejected, with stage, reason and text", "journal": "all that was done and what it cost"}


def _table(written: Written) -> Table:
    """Return what every stage has let through, and what it has cost."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage")
    for name in ("ideas", "passed", "yield", "requests", "faults", "tokens in", "out", "model s", "all s"):
        table.add_column(name, justify="right", overflow="fold")
    whole = Count(passed=written.kept, rejected=written.rejected)
    for stage, count in written.counts.items():
        table.add_row(stage, *_cells(count))
        whole.usage.add(count.usage)
        whole.seconds, whole.faults = whole.seconds + count.seconds, whole.faults + count.faults
    table.add_row("all", *_cells(whole), style="bold")
    return table


def _cells(count: Count) -> list[str]:
    usage = count.usage
    share = f"{count.passed / count.entered:.0%}" if count.entered else "-"
    numbers = (usage.requests, count.faults, usage.prompt_tokens, usage.completion_tokens, usage.seconds, count.seconds)
    return [str(count.entered), str(count.passed), share, *(f"{number:,.0f}" for number in numbers)]
