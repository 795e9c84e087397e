"""``palestra train`` and ``palestra eval``: teach a model, and measure what it learned."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from palestra.agents.config import load_config
from palestra.cli.app import AsJson, Strict, TasksFile, command
from palestra.cli.output import console, print_json
from palestra.cli.tasks import told_warnings

Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Settings, such as seed=1 or difficulty.hops=2.")
]


@command("train")
def train_command(
    settings: Overrides = None,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="A TOML file with settings.")] = None,
    model: Annotated[str | None, typer.Option("-m", "--model", help="A model folder or hub id.")] = None,
    env: Annotated[str | None, typer.Option("-e", "--env", help="An environment.")] = None,
    tasks: TasksFile = None,
    strict: Strict = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint of this run.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model: a cold start, then reinforcement learning.

    Without settings it trains the embedded default model on tool use. The run's folder (out=runs/train)
    gets config.toml, metrics.jsonl, episodes.jsonl, TensorBoard files, checkpoints, summary.json,
    result.png and the trained model. Ctrl-C stops cleanly; --resume goes on.
    """
    words = [*(settings or ())]
    words += [f"model={model}"] if model else []
    words += [f"env={env}"] if env else []
    words += [f"tasks_file={json.dumps(str(tasks))}"] if tasks else []
    words += ["strict_tasks=true"] if strict else []
    loaded = load_config(config, words)
    if resume and config is None:
        saved = Path(loaded.out) / "config.toml"
        loaded = load_config(saved if saved.exists() else None, words)

    from palestra.agents.progress import Progress
    from palestra.agents.report import result_table, write_report
    from palestra.agents.trainer import Trainer

    shown = Console(stderr=True)
    with told_warnings():
        trainer = Trainer(loaded, progress=Progress(shown), resume=resume)
    evaluations = trainer.run()
    folder = Path(loaded.out)
    if loaded.export:
        trainer.export(folder / "model")
    result = write_report(folder, loaded, evaluations)
    if as_json:
        print_json(result)
        return
    out = console()
    out.print(result_table(loaded, evaluations, result["gains"]))
    out.print(f"picture: {folder / 'result.png'}\nmetrics: {folder / 'metrics.jsonl'}")
    if loaded.export:
        out.print(f"model:   {folder / 'model'} (palestra run {loaded.env} --agent {folder / 'model'})")


@command("eval")
def eval_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, such as runs/train.")],
    settings: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Measure a run's newest checkpoint on held-out tasks, greedily.

    Settings such as eval_tasks=500 or eval_seed=7 override the run's own.
    """
    loaded = load_config(run / "config.toml", [*(settings or ()), f"out={run}"])

    from palestra.agents.progress import Progress
    from palestra.agents.trainer import Trainer

    trainer = Trainer(loaded, progress=Progress(Console(stderr=True)), resume=True, is_readonly=True)
    evaluation = trainer.evaluate()
    if as_json:
        print_json({"env_id": loaded.env, "agent": str(run), **evaluation.to_dict()})
        return
    low, high = evaluation.interval
    console().print(
        f"{run}: {evaluation.success_rate:.1%} [{low:.1%}, {high:.1%}] of {evaluation.n} held-out tasks solved, "
        f"mean reward {evaluation.mean_reward:.3f}"
    )
