"""What ``palestra web judge`` does: it holds a judge of steps against preferences whose labels are exact."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from palestra.agents.judging.measure import Judged, Pair, Rate, Report, judge_pairs
from palestra.agents.judging.preferences import exact_judge, plain_action, read_preferences
from palestra.agents.judging.resistance import Resistance, resistance
from palestra.agents.judging.speakers import CountingSpeaker, ServerSpeaker, local_speaker
from palestra.cli.app import AsJson
from palestra.cli.boundary import FAILED
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import Json, TaskError
from palestra.envs.endpoint import Backend
from palestra.envs.rows import json_line
from palestra.envs.web.labels import Preference
from palestra.rewards.judging.base import StepJudge
from palestra.rewards.judging.generative import ActionsOnly, GenerativeJudge
from palestra.rewards.judging.probe import Probed
from palestra.rewards.judging.rules import BASELINES
from palestra.sandbox.base import InfraError

_KEY = "PALESTRA_API_KEY"
Baseline = Literal["random", "first", "longest", "exact"]


def judge_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Preferences that `palestra web label` wrote.")],
    endpoint: Annotated[str | None, typer.Option(metavar="URL", help="Ask a model behind this server.")] = None,
    model: Annotated[str | None, typer.Option(help="The model's name there; the first that is listed.")] = None,
    local: Annotated[str | None, typer.Option(metavar="MODEL", help="Ask a model here: a folder, or its name.")] = None,
    baseline: Annotated[Baseline | None, typer.Option(help="Ask nobody; exact knows the file's labels.")] = None,
    n: Annotated[int | None, typer.Option("-n", "--n", min=1, help="Take so many states, evenly spread; all.")] = None,
    votes: Annotated[int, typer.Option(min=1, help="Of each pair, each way; their mean decides.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of what the judge draws.")] = 0,
    temperature: Annotated[float, typer.Option(min=0.0, help="Of the sampling; several votes need some.")] = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of one verdict.")] = 1024,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Pairs in work at one time.")] = 8,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Of one request.")] = 300.0,
    retries: Annotated[int, typer.Option(min=0, help="Of a request that the server could not take.")] = 5,
    api_key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"The variable that holds the server's key ({_KEY}, if it is set)."),
    ] = None,
    nonce_key: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Draw names and fences from this, so that a run can be repeated."),
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="See first whether the texts order the model about; abstain if they do.")
    ] = False,
    hostile: Annotated[
        bool, typer.Option("--hostile", help="Count instead how often texts talk it over to a wrong action.")
    ] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write all verdicts here, one pair a line.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a judge of steps against preferences: how often does it prefer the action that is right?

    Each pair of a right and a wrong action is shown both ways, and is right only if it is right both ways. What is not
    exactly a verdict is an abstention, and not right. Intervals are of 95 %, over tasks.
    """
    preferences = _spread(read_preferences(file), n)
    if sum(value is not None for value in (endpoint, local, baseline)) != 1:
        raise TaskError("name one judge: --endpoint URL, --local MODEL or --baseline NAME")
    if hostile and out is not None:
        raise TaskError(
            "--out writes the verdicts on a file's own pairs, which --hostile does not ask for; leave one out"
        )
    if probe and baseline:
        raise TaskError("--probe is for models; a baseline reads nothing")
    if out is not None:
        _write(out, [])  # what cannot be written is told before anybody is asked
    speaker: CountingSpeaker | None = None
    if endpoint:
        settings = {"temperature": temperature, "max_tokens": max_tokens, "timeout_s": timeout, "retries": retries}
        speaker = ServerSpeaker(backend_at(endpoint, model, api_key_env, **settings), concurrency=concurrency)
    elif local:
        speaker = local_speaker(local, max_tokens=max_tokens, temperature=temperature, batch=concurrency)
    asked = Asked(
        judge=_judge(speaker, baseline, preferences, nonce_key, probe=probe),
        speaker=speaker,
        preferences=preferences,
        votes=votes,
        seed=seed,
        concurrency=concurrency,
    )
    told: dict[str, Json] = {"judge": endpoint or local or baseline, "votes": votes}
    if hostile:
        found = asyncio.run(asked.hostile())
        told["attacks"] = {name: one.to_json() for name, one in found.items()}
        table, faults = _hostile_table(found), sum(one.faults for one in found.values())
    else:
        judged = asyncio.run(asked.judged())
        if out is not None:
            _write(out, judged.pairs)
        report = Report.of(judged.pairs)
        told |= report.to_json()
        table, faults = _table(report), judged.faults
    told |= {"faults": faults, "usage": speaker.usage.to_json() if speaker else None}
    if as_json:
        print_json(told)
    else:
        _show(told, table, len(preferences))
    if faults:
        console(stderr=True).print(f"{faults} pairs were lost to faults of the server")
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A judge with what it is asked."""

    judge: StepJudge
    speaker: CountingSpeaker | None
    preferences: list[Preference]
    votes: int
    seed: int
    concurrency: int

    async def judged(self) -> Judged:
        """Return the verdicts on all pairs."""
        async with self._closing():
            of = sum(len(one.negatives) for one in self.preferences)
            judged = await judge_pairs(
                self.judge,
                self.preferences,
                votes=self.votes,
                seed=self.seed,
                concurrency=self.concurrency,
                seen=_progress(of),
            )
        if not judged.pairs:
            raise InfraError(f"no pair could be judged: {judged.last_fault}")
        return judged

    async def hostile(self) -> dict[str, Resistance]:
        """Return what hostile texts did."""
        async with self._closing():
            return await resistance(
                self.judge,
                self.preferences,
                votes=self.votes,
                seed=self.seed,
                concurrency=self.concurrency,
                seen=_progress(len(self.preferences)),
            )

    @asynccontextmanager
    async def _closing(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if self.speaker is not None:
                await self.speaker.close()


def _progress(of: int) -> Callable[[int], None]:
    shown = console(stderr=True)

    def seen(done: int) -> None:
        if shown.is_terminal:
            shown.print(f"\r{done} of {of} pairs", end="" if done < of else "\r")

    return seen


def _judge(
    speaker: CountingSpeaker | None,
    baseline: str | None,
    preferences: list[Preference],
    nonce_key: str | None,
    *,
    probe: bool,
) -> StepJudge:
    if speaker is not None:
        key = None if nonce_key is None else nonce_key.encode("utf-8", "surrogateescape")
        judge = GenerativeJudge(speaker, key=key)
        return ActionsOnly(Probed(judge, speaker, key=key) if probe else judge, plain_action)
    known = BASELINES.get(baseline or "")
    return known() if known else exact_judge(preferences)


def backend_at(url: str, model: str | None, key_env: str | None, **settings: float) -> Backend:
    """Return a server's model, with the key that a variable holds.

    Raises:
        TaskError: the variable is not set, or the address is none.
    """
    key = os.environ.get(key_env or _KEY)
    if key_env and not key:
        raise TaskError(f"the variable {key_env!r} that is to hold the server's key is not set")
    try:
        return Backend(url, model=model, api_key=key, **settings)  # type: ignore[arg-type]
    except ValueError as error:
        raise TaskError(str(error)) from error


def _spread(preferences: list[Preference], n: int | None) -> list[Preference]:
    """Return so many preferences from all over the file."""
    if n is None or n >= len(preferences):
        return preferences
    return [preferences[place * len(preferences) // n] for place in range(n)]


def _write(out: Path, pairs: Sequence[Pair]) -> None:
    try:
        out.write_text("".join(json_line(pair.to_json()) for pair in pairs), encoding="utf-8")
    except OSError as error:
        raise TaskError(f"cannot write {str(out)!r}: {error.strerror or error}") from error


def _table(report: Report) -> Table:
    table = rates_table("what", "rate", "95 % interval", "of", "chance")
    rows: list[tuple[str, Rate | None, str]] = [
        ("pairwise, right both ways", report.pairwise, "25.0%"),
        ("best of N, right both ways", report.best_of_n, "0.4%"),
        ("pairwise, each way by itself", report.one_way, "50.0%"),
        *((f"  site {name}", rate, "25.0%") for name, rate in report.by_site.items()),
        *((f"  wrong: {name}", rate, "25.0%") for name, rate in report.by_kind.items()),
        ("prefers what is shown first", report.first, "50.0%"),
        ("decides otherwise when turned", report.turned, "50.0%"),
        ("prefers the longer one", report.longer, "50.0%"),
        ("  where it is the right one", report.longer_is_right, ""),
        ("abstains", report.abstained, ""),
    ]
    for name, rate, chance in rows:
        table.add_row(name, *rate_cells(rate), chance)
    return table


def _hostile_table(found: Mapping[str, Resistance]) -> Table:
    table = rates_table("hostile text", "in the", "prefers the wrong one", "95 % interval", "of", "abstains")
    for name, one in found.items():
        table.add_row(name, one.where, *rate_cells(one.fooled), f"{one.abstained.rate:.1%}" if one.abstained else "-")
    return table


def rates_table(first: str, *others: str) -> Table:
    """Return a table without rows: names, and figures at the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def rate_cells(rate: Rate | None) -> tuple[str, str, str]:
    """Return a rate, its interval and what it is of, as a table shows them."""
    if rate is None:
        return "-", "-", "0"
    interval = "-" if rate.interval is None else "{:.1%} to {:.1%}".format(*rate.interval)
    return f"{rate.rate:.1%}", interval, str(rate.n)


def _show(told: Mapping[str, Json], table: Table, states: int) -> None:
    shown = console()
    shown.print(f"{printable(str(told['judge']))}: {states} states, {told['votes']} vote(s) each way")
    shown.print(table)
    for reason, count in told.get("reasons", {}).items():
        shown.print(f"abstained {count} times: {printable(reason)}")
    if usage := told["usage"]:
        shown.print(
            f"{usage['requests']} requests, {usage['retries']} of them again; {usage['prompt_tokens']} tokens in, "
            f"{usage['completion_tokens']} out"
        )
