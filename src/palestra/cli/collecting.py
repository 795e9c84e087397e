"""``palestra web collect``: demonstrations from exploring sites."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from palestra.cli.app import AsJson, Knobs, SplitOption
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.cli.tasks import parse_knobs
from palestra.envs.base import TaskError
from palestra.envs.endpoint import Backend
from palestra.envs.web.collect.run import Collected, LabelName, Order, PolicyName, collect, journal_path
from palestra.sandbox.base import InfraError

_KEY = "PALESTRA_API_KEY"


def collect_command(
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.jsonl.")],
    n: Annotated[
        int, typer.Option("-n", "--n", min=1, help="How many episodes, those of earlier runs included.")
    ] = 100,
    policy: Annotated[PolicyName, typer.Option(help="Who explores: by chance, by rule, or a model.")] = "random",
    label: Annotated[LabelName, typer.Option(help="Who words what was done.")] = "template",
    steps: Annotated[int, typer.Option(min=1, help="Actions of an episode, at most.")] = 24,
    every: Annotated[int, typer.Option(min=1, help="Actions after which it is looked whether anything was done.")] = 8,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The model's OpenAI-compatible server, if one is to do something.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model's name there; the first that is listed.")] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"The variable that holds the server's key ({_KEY}, if it is set)."),
    ] = None,
    temperature: Annotated[float, typer.Option(min=0.0, help="Of all sampling.")] = 1.0,
    max_tokens: Annotated[int, typer.Option(min=0, help="Of one answer; 0 leaves it to the server.")] = 512,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Of one request.")] = 120.0,
    retries: Annotated[int, typer.Option(min=0, help="Of a request that the server could not take.")] = 5,
    concurrency: Annotated[int, typer.Option(min=1, help="Episodes at one time; only models gain by it.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode; the others follow by one.")] = 0,
    difficulty: Knobs = None,
    split: SplitOption = "train",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped, or bring more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Explore sites, tell afterwards what was done, and write that as demonstrations.

    Every few actions it is looked what has changed: if nothing more has, the episode is cut. What was done is told by
    the difference of the data, has an exact distance at every step, and is written if doing it again earns the reward.
    All that was done stands in FILE.journal, from which --resume goes on. Exit code 1 says that nothing was kept.
    """
    if out.suffix != ".jsonl":
        raise TaskError(f"the file's name must end in .jsonl, unlike {str(out)!r}")
    order = Order(
        policy=policy, label=label, split=split, seed=seed, steps=steps, every=every, knobs=parse_knobs(difficulty)
    )
    with ExitStack() as stack:
        backend = None
        if base_url is not None and "model" in (policy, label):
            backend = stack.enter_context(
                Backend(
                    _checked(base_url),
                    model=model,
                    api_key=_key(api_key_env),
                    temperature=temperature,
                    timeout_s=timeout,
                    max_tokens=max_tokens or None,
                    retries=retries,
                )
            )
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            collected = collect(order, out, n=n, backend=backend, concurrency=concurrency, resume=resume)
        except OSError as error:
            raise TaskError(f"cannot write {str(out)!r}: {error.strerror or error}") from error
        except (InfraError, KeyboardInterrupt):
            if journal_path(out).exists():
                console(stderr=True).print("what was done until now is kept; go on with --resume")
            raise
    if as_json:
        print_json({"file": str(out), **collected.to_json()})
    else:
        _conclude(collected, out)
    if not collected.kept:
        raise typer.Exit(FAILED)


def _checked(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise TaskError(f"a server's address starts with http:// or https://, not {url!r}")
    return url


def _key(name: str | None) -> str | None:
    key = os.environ.get(name or _KEY)
    if name and not key:
        raise TaskError(f"the variable {name!r} that is to hold the server's key is not set")
    return key


def _conclude(collected: Collected, out: Path) -> None:
    told = console()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_row(str(collected.episodes), f"episodes of {collected.actions} actions, {collected.refused} refused")
    for why, count in collected.cut.most_common():
        table.add_row(str(count), f"cut: {why}")
    table.add_row(str(collected.looks), "starts of episodes in which something was done")
    for why, count in collected.dropped.most_common():
        table.add_row(str(count), f"dropped: {why}")
    table.add_row(str(collected.kept), "demonstrations kept")
    told.print(table)
    if usage := collected.usage.requests:
        tokens = f"{collected.usage.prompt_tokens} tokens in, {collected.usage.completion_tokens} out"
        told.print(f"{usage} requests ({collected.usage.retries} of them again), {tokens}")
    if collected.last_fault:
        told.print(f"{collected.faults} faults; the last: {printable(collected.last_fault)[:300]}")
    told.print(f"{out}: {collected.kept} demonstrations" if collected.kept else "nothing was kept")
