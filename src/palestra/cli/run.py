"""``palestra run``: play an agent on tasks and say how it did."""

import asyncio
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from palestra.agents.base import Policy
from palestra.agents.evaluate import Evaluation, summarise
from palestra.agents.metrics import episode_record
from palestra.agents.opening import Agent, open_agent
from palestra.agents.progress import Progress
from palestra.agents.rollout import Episode, Fault, RolloutConfig, RolloutResult, Rollouts, episodes_for
from palestra.agents.runners import RUNNERS, EnvMaker
from palestra.cli.app import AsJson, Docker, Knobs, SplitOption, Strict, TasksFile, command
from palestra.cli.boundary import FAILED
from palestra.cli.cases import cases_of, cases_table, suite_of
from palestra.cli.given import Given, handing_in, is_path, read_given
from palestra.cli.output import console, print_json
from palestra.cli.tasks import parse_knobs, read_tasks
from palestra.envs.base import Split, Task, TaskError
from palestra.envs.junit import write_junit
from palestra.envs.registry import EnvEntry, find, make
from palestra.envs.scripts import SCRIPTS
from palestra.envs.taskfile import TaskFile

TASKS = 20  # played when not told how many
_ANY_CONTEXT = 1 << 30  # for scripts, which read none of it
_STEP_S = 60.0  # the least deadline of one step


EnvOrPath = Annotated[
    str,
    typer.Argument(
        metavar="ID|PATH", help="An environment, a file of tasks, or a folder of Harbor's or Terminal-Bench's."
    ),
]
AgentOption = Annotated[
    str, typer.Option("-a", "--agent", help="oracle, nop, random, replay:FILE, a server's address, or a model.")
]
HowMany = Annotated[int | None, typer.Option("-n", min=1, help="How many tasks (20); of a file, all.")]
Attempts = Annotated[int, typer.Option("-k", min=1, help="How many attempts at each.")]
FirstSeed = Annotated[int, typer.Option(min=0, help="Of the first task; the others follow by one.")]
Temperature = Annotated[float, typer.Option(min=0.0, help="0 is greedy.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="Of one turn.")]
Concurrency = Annotated[int, typer.Option(min=1, help="Episodes played at one time.")]
Tokenizer = Annotated[str | None, typer.Option(help="For a server that takes token ids (vLLM): the model it serves.")]
ServedModel = Annotated[str | None, typer.Option(help="The name under which a server knows its model.")]
ApiKey = Annotated[str | None, typer.Option(envvar="PALESTRA_API_KEY", help="For a server.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda, for a model.")]
Sandboxed = Annotated[bool, typer.Option("--sandboxed", help="Carry out tools in a sandbox.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", help="Write the episodes here, one JSON a line.")]
Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="Write what came of each task as JUnit XML.")]


@command("run")
def run_command(
    named: EnvOrPath,
    agent: AgentOption = "oracle",
    n: HowMany = None,
    k: Attempts = 1,
    seed: FirstSeed = 0,
    split: SplitOption = "heldout",
    difficulty: Knobs = None,
    tasks: TasksFile = None,
    strict: Strict = False,
    temperature: Temperature = 1.0,
    max_tokens: MaxTokens = 256,
    concurrency: Concurrency = 32,
    tokenizer: Tokenizer = None,
    served_model: ServedModel = None,
    api_key: ApiKey = None,
    device: Device = "auto",
    sandboxed: Sandboxed = False,
    docker: Docker = False,
    out: Out = None,
    junit: Junit = None,
    as_json: AsJson = False,
) -> None:
    """Play an agent on tasks; show how many it solved.

    Episodes lost to a fault of ours are counted apart and belong to no rate; exit code 1 says there were some. With a
    PATH each task is shown, and exit code 1 also says that the oracle has not solved a task, or doing nothing has.
    """
    given = read_given(Path(named), split, in_docker=docker) if is_path(named) else None
    if docker and given is None:
        raise TaskError(f"--docker is for folders of tasks with Dockerfiles, which {named!r} is not; leave it out")
    entry = given.entry if given else find(named)
    kwargs = _sandboxed(entry.id) if sandboxed else {}
    chosen = _chosen(named, entry, given, n=n, seed=seed, split=split, knobs=difficulty, tasks=tasks, strict=strict)
    _writable(out, "the episodes")
    _writable(junit, "the report")
    served = {"tokenizer": tokenizer, "served_model": served_model, "api_key": api_key}
    opened = open_agent(agent, seed=seed, concurrency=concurrency, device=device, **served)
    if given is not None and agent == "nop":
        opened = handing_in()  # so that what is there already is judged
    episodes = episodes_for(chosen, attempts=k, seed=seed)
    config = RolloutConfig(max_tokens=max_tokens, temperature=temperature, concurrency=concurrency)
    config = _suited(config, chosen, agent)
    result = asyncio.run(_play(entry.id, kwargs, sandboxed or bool(entry.needs), opened, episodes, config))
    if out is not None:
        _write(out, result)
    cases = cases_of(entry.id, agent, result, episodes, given.left_out if given else {})
    if junit is not None:
        write_junit(suite_of(agent, entry.id, cases), junit)
    evaluation = summarise(result, episodes)
    if as_json:
        left_out = {"left_out": given.left_out} if given else {}
        print_json({**_data(entry.id, agent, evaluation, result.faults), **left_out})
    else:
        if given:
            console().print(cases_table(cases))
        console().print(_table(entry.id, agent, len(chosen), k, evaluation))
    _tell(result.faults)
    if result.faults or (given and agent in ("oracle", "nop") and any(case.status == "failed" for case in cases)):
        raise typer.Exit(FAILED)


def _suited(config: RolloutConfig, chosen: list[Task], agent: str) -> RolloutConfig:
    """Return the configuration with deadlines that the tasks allow, and with all the context that a script takes."""
    config = replace(config, step_s=max([_STEP_S, *(task.budget.seconds for task in chosen)]))
    return replace(config, max_context=_ANY_CONTEXT) if agent in SCRIPTS else config


def _tell(faults: list[Fault]) -> None:
    if faults:
        worst = faults[0]
        console(stderr=True).print(f"{len(faults)} episodes were lost; the first ({worst.kind}): {worst.message}")


def _chosen(
    named: str,
    entry: EnvEntry,
    given: Given | None,
    *,
    n: int | None,
    seed: int,
    split: Split,
    knobs: list[str] | None,
    tasks: Path | None,
    strict: bool,
) -> list[Task]:
    """Return the tasks to play: those at a path, those of a file, or those of the environment's own seeds."""
    if given is not None:
        if tasks or knobs:
            raise TaskError(f"the tasks in {named!r} are as they are: leave --tasks and -d out")
        return given.tasks[:n]
    if tasks is not None:
        return _from_file(read_tasks(tasks, entry.id, strict=strict, knobs=knobs), n, seed)
    with closing(make(entry.id, split=split, difficulty=parse_knobs(knobs))) as env:
        return [env.tasks.sample(seed + i, env.difficulty) for i in range(n or TASKS)]


def _from_file(source: TaskFile, n: int | None, seed: int) -> list[Task]:
    """Return tasks of a file, each at most once."""
    if n is not None and n > len(source):
        raise TaskError(f"{str(source.path)!r} holds {len(source)} tasks, fewer than -n {n}")
    return [source.sample(seed + i) for i in range(n or len(source))]


def _sandboxed(env_id: str) -> dict[str, Any]:
    """Return the arguments of an environment that make it carry out its tools in a sandbox."""
    kwargs = {"sandboxed": True}
    try:
        make(env_id, **kwargs).close()
    except TypeError as error:
        raise TaskError(
            f"{env_id} has no tools that could be carried out in a sandbox; leave --sandboxed out"
        ) from error
    return kwargs


async def _play(
    env_id: str, kwargs: dict[str, Any], is_slow: bool, agent: Agent, episodes: list[Episode], config: RolloutConfig
) -> RolloutResult:
    runner = RUNNERS["thread" if is_slow else "inline"]
    rollouts = Rollouts(env_id, lambda: runner(EnvMaker(find(env_id), kwargs)), agent.policy, agent.chat)
    progress = Progress(Console(stderr=True))
    progress.begin("run", 0, 1, len(episodes))
    try:
        return await rollouts.play(episodes, config, progress.episode)
    finally:
        progress.finish()
        await rollouts.close()
        if not callable(agent.policy):
            policy: Policy = agent.policy
            await policy.close()


def _data(env_id: str, agent: str, evaluation: Evaluation, faults: list[Fault]) -> dict[str, object]:
    lost = [{"task_id": fault.episode.task.id, "kind": fault.kind, "message": fault.message} for fault in faults]
    return {"env_id": env_id, "agent": agent, **evaluation.to_dict(), "faults": lost}


def _table(env_id: str, agent: str, n: int, k: int, e: Evaluation) -> Table:
    table = Table(title=f"{agent} on {env_id}: {n} tasks x {k}")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_row("solved", f"{e.success_rate:.1%}", f"{e.interval[0]:.1%} to {e.interval[1]:.1%}")
    table.add_row("mean reward", f"{e.mean_reward:.3f}", f"{e.reward_interval[0]:.3f} to {e.reward_interval[1]:.3f}")
    for count, estimate in e.pass_at.items():
        if count != "1":
            table.add_row(f"pass@{count}", f"{estimate:.1%}", "")
    table.add_row("turns", f"{e.mean_turns:.1f}", "")
    table.add_row("seconds", f"{e.seconds:.1f}", "")
    if e.faults:
        table.add_row("lost to faults", str(e.faults), "")
    return table


def _writable(path: Path | None, what: str) -> None:
    """Say before playing what would be lost after it."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()
    except OSError as error:
        raise TaskError(f"cannot write {what} to {str(path)!r}: {error.strerror}") from error


def _write(path: Path, result: RolloutResult) -> None:
    with path.open("w", encoding="utf-8") as file:
        for one in result.trajectories:
            file.write(json.dumps(episode_record(one, tokens=True)) + "\n")
