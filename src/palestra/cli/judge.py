"""``palestra judge``: what judges of responses are fooled by, and rubrics that a model derives for them."""

import asyncio
from typing import Annotated, Literal

import typer

from palestra.agents.judging.key_rates import KeyReport, key_rates
from palestra.agents.judging.speakers import CountingSpeaker, ServerSpeaker, local_speaker
from palestra.cli.app import AsJson, app, command
from palestra.cli.boundary import FAILED
from palestra.cli.judging import backend_at, rate_cells, rates_table
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import Json, TaskError
from palestra.rewards.judging.base import Panel, StepJudge
from palestra.rewards.judging.generative import GenerativeJudge
from palestra.rewards.judging.keys import KEYS, made_questions
from palestra.rewards.judging.plain import GRADERS, PlainGrader
from palestra.rewards.judging.responses import GRADED, Substantive

_group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Judges of responses, and rubrics for them.")
app.add_typer(_group, name="judge")

Endpoint = Annotated[str | None, typer.Option(metavar="URL", help="Ask a model behind this server.")]
Model = Annotated[str | None, typer.Option(help="The model's name there; the first that is listed.")]
Temperature = Annotated[float, typer.Option(min=0.0, help="Of the sampling; several votes need some.")]
Concurrency = Annotated[int, typer.Option(min=1, max=256, help="Requests at one time.")]
Timeout = Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Of one request.")]
Retries = Annotated[int, typer.Option(min=0, help="Of a request that the server could not take.")]
ApiKeyEnv = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The variable with the server's key (PALESTRA_API_KEY, if it is set)."),
]


@_group.callback()
def judge_options() -> None:
    """Judges of responses, and rubrics for them."""


@command("keys", _group)
def keys_command(
    endpoint: Endpoint = None,
    model: Model = None,
    local: Annotated[str | None, typer.Option(metavar="MODEL", help="Ask a model here: a folder, or its name.")] = None,
    baseline: Annotated[
        Literal["yes", "coin", "contains"] | None, typer.Option(help="Ask nobody: a grader that reads nothing.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Ask for YES or NO without any defence, as judges usually do.")
    ] = False,
    reference: Annotated[bool, typer.Option(help="Show the judge the right answer.")] = True,
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="Questions.")] = 20,
    votes: Annotated[int, typer.Option(min=1, help="Of each response; their mean decides.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the questions, and of what the judge draws.")] = 0,
    temperature: Temperature = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of one verdict.")] = 1024,
    concurrency: Concurrency = 8,
    timeout: Timeout = 300.0,
    retries: Retries = 5,
    api_key_env: ApiKeyEnv = None,
    as_json: AsJson = False,
) -> None:
    """Count how often a judge says yes to responses that answer nothing: ":", "Solution", the task again.

    They are given to questions with known answers, beside a right and a wrong response to each. Intervals are of 95 %,
    over questions.
    """
    if sum(value is not None for value in (endpoint, local, baseline)) != 1:
        raise TaskError("name one judge: --endpoint URL, --local MODEL or --baseline NAME")
    speaker: CountingSpeaker | None = None
    if endpoint:
        settings = {"temperature": temperature, "max_tokens": max_tokens, "timeout_s": timeout, "retries": retries}
        speaker = ServerSpeaker(backend_at(endpoint, model, api_key_env, **settings), concurrency=concurrency)
    elif local:
        speaker = local_speaker(local, max_tokens=max_tokens, temperature=temperature, batch=concurrency)
    judge = Panel(_grader(speaker, baseline, is_plain=plain), votes)
    report = asyncio.run(
        _rated(judge, speaker, n=n, has_reference=reference, seed=seed, concurrency=concurrency),
    )
    name = f"{endpoint or local or baseline}{', plain' if plain and speaker else ''}"
    if as_json:
        told: dict[str, Json] = {"judge": name, "questions": n, "votes": votes, **report.to_json()}
        print_json({**told, "usage": speaker.usage.to_json() if speaker else None})
    else:
        _show(name, n, report)
    if report.faults:
        console(stderr=True).print(f"{report.faults} verdicts were lost to faults of the server")
        raise typer.Exit(FAILED)


def _grader(speaker: CountingSpeaker | None, baseline: str | None, *, is_plain: bool) -> StepJudge:
    if speaker is None:
        return GRADERS[baseline or ""]()
    return PlainGrader(speaker) if is_plain else Substantive(GenerativeJudge(speaker, wording=GRADED))


async def _rated(
    judge: StepJudge,
    speaker: CountingSpeaker | None,
    *,
    n: int,
    has_reference: bool,
    seed: int,
    concurrency: int,
) -> KeyReport:
    shown, of = console(stderr=True), n * (len(KEYS) + 2)

    def seen(done: int) -> None:
        if shown.is_terminal:
            shown.print(f"\r{done} of {of} verdicts", end="" if done < of else "\r")

    try:
        return await key_rates(
            judge,
            made_questions(n, seed),
            has_reference=has_reference,
            seed=seed,
            concurrency=concurrency,
            seen=seen,
        )
    finally:
        if speaker is not None:
            await speaker.close()


def _show(name: str, questions: int, report: KeyReport) -> None:
    table = rates_table("says yes to", "rate", "95 % interval", "of")
    table.add_row("all keys (false positives)", *rate_cells(report.keys))
    for kind, rate in report.by_kind.items():
        table.add_row(f"  {kind}", *rate_cells(rate))
    worst = sorted(report.by_key.items(), key=lambda one: -(one[1].rate if one[1] else 0.0))
    for key, rate in worst[:10]:
        if rate and rate.rate:
            table.add_row(f"    {key}", *rate_cells(rate))
    table.add_row("wrong responses", *rate_cells(report.wrong))
    table.add_row("right responses", *rate_cells(report.right))
    table.add_row("abstains", *rate_cells(report.abstained))
    shown = console()
    shown.print(f"{printable(name)}: {questions} questions, {len(report.by_key)} keys")
    shown.print(table)
    for reason, count in report.reasons.items():
        shown.print(f"abstained {count} times: {printable(reason)}")
