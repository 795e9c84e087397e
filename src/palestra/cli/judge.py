"""``palestra judge``: what judges of responses are fooled by, and rubrics that a model derives for them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from palestra.agents.judging.key_rates import KeyReport, key_rates
from palestra.agents.judging.rubric_writing import Derivation, Written, read_pairs, write_rubrics
from palestra.agents.judging.speakers import CountingSpeaker, ServerSpeaker, local_speaker
from palestra.cli.app import AsJson, app, command
from palestra.cli.boundary import FAILED
from palestra.cli.judging import backend_at, rate_cells, rates_table
from palestra.cli.output import console, print_json, printable
from palestra.envs.base import Json, TaskError
from palestra.envs.endpoint import Usage
from palestra.rewards.judging.base import Panel, StepJudge
from palestra.rewards.judging.contrast import Contrast
from palestra.rewards.judging.generative import GenerativeJudge
from palestra.rewards.judging.keys import KEYS, made_questions
from palestra.rewards.judging.plain import GRADERS, PlainGrader
from palestra.rewards.judging.responses import COMPARED, GRADED, Substantive

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


@command("rubrics", _group)
def rubrics_command(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="JSONL with prompt, chosen and rejected.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.jsonl.")],
    endpoint: Annotated[str, typer.Option(metavar="URL", help="The server of the model that writes and judges.")],
    model: Model = None,
    judge_model: Annotated[str | None, typer.Option(help="Another model of that server, to judge.")] = None,
    n: Annotated[int | None, typer.Option("-n", "--n", min=1, help="Take so many pairs; all.")] = None,
    tries: Annotated[int, typer.Option(min=1, help="Of a pair, until a rubric gives its label.")] = 3,
    votes: Annotated[int, typer.Option(min=1, help="Of the judge, each way.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of what the models draw.")] = 0,
    temperature: Temperature = 0.7,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of one answer.")] = 2048,
    concurrency: Concurrency = 8,
    timeout: Timeout = 300.0,
    retries: Retries = 5,
    api_key_env: ApiKeyEnv = None,
    as_json: AsJson = False,
) -> None:
    """Derive a rubric from each pair of responses: hard rules, and principles that made the difference.

    A rubric is kept only if judging by it prefers what was preferred, whichever is shown first; the others stand with
    their reasons in NAME.rejected.jsonl.
    """
    if out.suffix != ".jsonl":
        raise TaskError(f"the file's name must end in .jsonl, unlike {str(out)!r}")
    contrasts = read_pairs(pairs)[:n]
    settings = {"temperature": temperature, "max_tokens": max_tokens, "timeout_s": timeout, "retries": retries}
    backend = backend_at(endpoint, model, api_key_env, **settings)
    writer = ServerSpeaker(backend, concurrency=concurrency)
    speakers = [writer]
    if judge_model is not None:
        judging = backend_at(endpoint, judge_model, api_key_env, **settings)
        speakers.append(ServerSpeaker(judging, concurrency=concurrency))
    derivation = Derivation(
        writer=writer,
        judge=GenerativeJudge(speakers[-1], wording=COMPARED),
        name=f"{backend.model} judged by {judge_model or backend.model}, {tries} tries, {votes} votes, seed {seed}",
        tries=tries,
        votes=votes,
        seed=seed,
    )
    written = asyncio.run(_derived(derivation, speakers, contrasts, out, resume=resume, concurrency=concurrency))
    usage = Usage()
    for speaker in speakers:
        usage.add(speaker.usage)
    if as_json:
        print_json({"file": str(out), "pairs": len(contrasts), **written.to_json(), "usage": usage.to_json()})
    else:
        shown = console()
        shown.print(f"{out}: {written.kept} rubrics of {len(contrasts)} pairs, {written.rejected} rejected")
        for reason, count in written.reasons.items():
            shown.print(f"{count} times: {printable(reason)}")
        shown.print(
            f"{usage.requests} requests, {usage.prompt_tokens} tokens in, {usage.completion_tokens} out",
        )
    if written.faults:
        told = f"{written.faults} pairs were lost to faults of the server ({printable(written.last_fault)}); --resume"
        console(stderr=True).print(told)
        raise typer.Exit(FAILED)


async def _derived(
    derivation: Derivation,
    speakers: Sequence[ServerSpeaker],
    contrasts: Sequence[Contrast],
    out: Path,
    *,
    resume: bool,
    concurrency: int,
) -> Written:
    try:
        return await write_rubrics(derivation, contrasts, out, resume=resume, concurrency=concurrency)
    finally:
        for speaker in speakers:
            await speaker.close()


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
