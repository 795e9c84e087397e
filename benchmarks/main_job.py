"""The README's main result: base model, cold start and RL on held-out templates, over several seeds.

    python benchmarks/main_job.py                  # 3 seeds, each as `make train` runs it
    python benchmarks/main_job.py --quick          # one tiny run: shows that it works, not what it brings
    python benchmarks/main_job.py --seeds 0 --json

A seed that has a finished run in --out is not run again.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import machine

from palestra.agents.config import load_config
from palestra.agents.progress import Progress
from palestra.agents.report import write_report
from palestra.agents.trainer import Trainer

MAIN_JOB = Path(__file__).resolve().parents[1] / "agents" / "main_job.toml"
QUICK = ["eval_tasks=8", "sft_steps=1", "sft_demos=4", "rl_steps=1", "tasks=1", "attempts=4", "export=false"]


def run_seed(seed: int, out: Path, settings: list[str]) -> dict[str, Any]:
    """Return the summary of one run, from its folder if it is there already."""
    folder = out / f"seed-{seed}"
    if (folder / "summary.json").is_file():
        found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
        return found
    from rich.console import Console

    config = load_config(MAIN_JOB, [*settings, f"seed={seed}", f"out={folder}"])
    evaluations = Trainer(config, progress=Progress(Console(stderr=True))).run()
    return write_report(folder, config, evaluations)


def show(result: dict[str, Any]) -> None:
    """Print a table of the seeds and the spread."""
    print(machine.line(result["machine"]))
    print(f"{'seed':>6}  {'base':>6}  {'cold start':>20}  {'after RL':>20}  {'gain of RL, paired':>26}  {'minutes':>7}")
    for run in result["runs"]:
        cells = []
        for phase in ("base", "cold", "final"):
            e = run["evaluations"][phase]
            cells.append((e["success_rate"], *e["interval"]))
        gain = run["gains"]["final over cold"]
        low, high = gain["interval"]
        minutes = sum(run["seconds"].values()) / 60
        print(
            f"{run['seed']:>6}  {cells[0][0]:>6.1%}"
            + "".join(f"  {rate:>6.1%} [{low:.1%}, {high:.1%}]" for rate, low, high in cells[1:])
            + f"  {gain['gain']:>+7.1%} [{low:+.1%}, {high:+.1%}]  {minutes:>7.1f}"
        )
    for name, values in result["spread"].items():
        print(f"{name}: min {values['min']:.1%}, median {values['median']:.1%}, max {values['max']:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=seeds_of, default=[0, 1, 2], metavar="N[,N...]")
    parser.add_argument("--out", type=Path, default=Path("runs/main_job"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("settings", nargs="*", metavar="NAME=VALUE", help="settings of palestra train")
    chosen = parser.parse_args()
    seeds = chosen.seeds[:1] if chosen.quick else chosen.seeds
    out = chosen.out / "quick" if chosen.quick else chosen.out
    settings = [*(QUICK if chosen.quick else []), *chosen.settings]
    runs = [run_seed(seed, out, settings) for seed in seeds]
    rates = {phase: [run["evaluations"][phase]["success_rate"] for run in runs] for phase in ("base", "cold", "final")}
    gains = [run["gains"]["final over cold"]["gain"] for run in runs]
    spreads = {name: machine.spread(values) for name, values in {**rates, "gain of RL": gains}.items()}
    result = {"benchmark": "main_job", "quick": chosen.quick, "machine": machine.describe(), "spread": spreads}
    result["runs"] = [{**run, "evaluations": {k: _short(v) for k, v in run["evaluations"].items()}} for run in runs]
    if chosen.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    else:
        show(result)


def seeds_of(text: str) -> list[int]:
    """Return the numbers of a list such as 0,1,2."""
    return [int(word) for word in text.split(",")]


def _short(evaluation: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in evaluation.items() if k != "successes"}


if __name__ == "__main__":
    main()
