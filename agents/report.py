"""A run's result: one table, two pictures, one JSON file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from palestra.agents.config import TrainConfig
from palestra.agents.evaluate import Evaluation
from palestra.agents.metrics import read_metrics
from palestra.agents.statistics import paired_gain

TITLES = {"base": "base model", "cold": "after the cold start", "final": "after RL"}


def summary(
    config: TrainConfig, evaluations: Mapping[str, Evaluation], metrics: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a run's result as plain JSON data; gains are paired over the same held-out tasks."""
    gains = {}
    for before, after in (("base", "cold"), ("cold", "final"), ("base", "final")):
        if before in evaluations and after in evaluations:
            gain, interval = paired_gain(evaluations[before].successes, evaluations[after].successes)
            gains[f"{after} over {before}"] = {"gain": gain, "interval": interval}
    seconds = {
        "evaluate": sum(m["seconds"] for m in metrics if m["phase"] in TITLES),
        "cold start": sum(m["seconds"] for m in metrics if m["phase"] == "sft"),
        "RL sampling": sum(m["sample_seconds"] for m in metrics if m["phase"] == "rl"),
        "RL training": sum(m["train_seconds"] for m in metrics if m["phase"] == "rl"),
    }
    return {
        "env_id": config.env,
        "model": config.model,
        "seed": config.seed,
        "evaluations": {phase: evaluation.to_dict() for phase, evaluation in evaluations.items()},
        "gains": gains,
        "seconds": seconds,
    }


def result_table(config: TrainConfig, evaluations: Mapping[str, Evaluation], gains: Mapping[str, Any]) -> Table:
    """Return the table shown at the end of a run."""
    table = Table(title=f"{config.env}, held-out templates, {config.model}, seed {config.seed}")
    for name in ("policy", "tasks", "solved", "95 % interval", "mean reward", "turns"):
        table.add_column(name, justify="left" if name == "policy" else "right")
    for phase, e in evaluations.items():
        low, high = e.interval
        table.add_row(
            TITLES[phase],
            str(e.n),
            f"{e.success_rate:.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{e.mean_reward:.3f}",
            f"{e.mean_turns:.1f}",
        )
    if gain := gains.get("final over cold"):
        low, high = gain["interval"]
        table.caption = f"gain of RL over the cold start, paired: {gain['gain']:+.1%} [{low:+.1%}, {high:+.1%}]"
    return table


def write_report(folder: Path, config: TrainConfig, evaluations: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Write ``summary.json`` and ``result.png`` into a run's folder and return the summary."""
    metrics = read_metrics(folder)
    result = summary(config, evaluations, metrics)
    (folder / "summary.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    _plot(folder / "result.png", config, evaluations, metrics)
    return result


def _plot(
    path: Path, config: TrainConfig, evaluations: Mapping[str, Evaluation], metrics: Sequence[Mapping[str, Any]]
) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    bars, curve = figure.subplots(1, 2, width_ratios=[1, 1.6])
    _plot_evaluations(bars, evaluations)
    _plot_training(curve, config, [m for m in metrics if m["phase"] == "rl"])
    figure.savefig(path, dpi=110)


def _plot_evaluations(axes: Any, evaluations: Mapping[str, Evaluation]) -> None:
    rates = [e.success_rate for e in evaluations.values()]
    # Rounding may put the end of an interval a hair inside the rate.
    errors = [
        [max(0.0, e.success_rate - e.interval[0]) for e in evaluations.values()],
        [max(0.0, e.interval[1] - e.success_rate) for e in evaluations.values()],
    ]
    names = [TITLES[phase] for phase in evaluations]
    axes.bar(names, rates, yerr=errors, capsize=5, color=["#9aa5b1", "#5b8db8", "#2a6f97"][: len(names)], width=0.6)
    for position, rate in enumerate(rates):
        axes.annotate(f"{rate:.0%}", (position, rate), textcoords="offset points", xytext=(16, 2), fontsize=9)
    axes.set_ylim(0, 1)
    axes.set_title("held-out tasks solved, 95 % intervals", fontsize=10)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _plot_training(axes: Any, config: TrainConfig, steps: Sequence[Mapping[str, Any]]) -> None:
    xs = [m["step"] + 1 for m in steps]
    axes.plot(xs, [m["success"] for m in steps], marker="o", markersize=3, color="#2a6f97", label="solved (sampled)")
    axes.plot(xs, [m["flat_groups"] for m in steps], color="#9aa5b1", linestyle="--", label="groups that teach nothing")
    axes.set_ylim(0, 1)
    axes.set_xlabel(f"RL step ({config.tasks} tasks x {config.attempts} attempts)", fontsize=9)
    axes.set_title("training tasks", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    if steps:
        axes.legend(fontsize=8, frameon=False)
