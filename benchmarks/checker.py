"""How many flaws a check catches, and how many honest environments it accuses.

    python benchmarks/checker.py [--quick] [--json]

The flawed environments are those of tests/envs/flawed. A flaw is caught when a question that its entry names is
failed; the first one is told. Honest are the four environments that the flaws were made of, and ours; one is
accused when any question is failed. --quick asks the honest ones at level "quick" and leaves out those that
start a program for every call.
"""

import sys
import time
from pathlib import Path
from typing import Any

import machine

from palestra.envs.base import Split
from palestra.envs.certify.certificate import Level
from palestra.envs.certify.environment import check, wilson_interval
from palestra.envs.certify.findings import CheckResult
from palestra.envs.registry import EnvEntry, find, list_envs

ROOT = Path(__file__).resolve().parents[1]
TASKS = 3  # of a split, of each flawed environment


class Caught(Exception):
    """A question that a flaw's entry names was failed."""


def first_caught(env_id: str, caught_by: frozenset[str], split: Split = "train") -> str:
    """Return the first of the questions that an environment fails, or "" if it passes them all."""

    def seen(result: CheckResult) -> None:
        if result.name in caught_by and result.status == "failed":
            raise Caught(result.name)

    level: Level = "quick" if caught_by == {"determinism"} else "full"
    try:
        check(env_id, n=TASKS, split=split, level=level, seen=seen)
    except Caught as caught:
        return str(caught)
    return ""


def flawed() -> list[dict[str, Any]]:
    """Return what became of every flaw."""
    from tests.envs.flawed.corpus import flaws, registered

    told = []
    for name, flaw in flaws().items():
        begun = time.perf_counter()
        caught = first_caught(registered(name), flaw.caught_by)
        seconds = round(time.perf_counter() - begun, 2)
        told.append({"name": name, "flaw": flaw.summary, "caught": caught, "seconds": seconds})
    return told


def honest(quick: bool) -> list[dict[str, Any]]:
    """Return what every honest environment was accused of."""
    from tests.envs.flawed.corpus import HONEST, registered

    ours = [entry for entry in list_envs() if entry.id.startswith("palestra/") and not entry.collection]
    ours = [entry for entry in ours if not (quick and entry.needs)]
    told = []
    for entry in [*(find(registered(name)) for name in HONEST), *ours]:
        begun = time.perf_counter()
        told.append(accused(entry, 1 if quick else 2 if entry.needs else 12, "quick" if quick else "full"))
        told[-1]["seconds"] = round(time.perf_counter() - begun, 2)
    return told


def accused(entry: EnvEntry, tasks: int, level: Level) -> dict[str, Any]:
    """Return what an environment fails; one that cannot be made here is told as left out."""
    report = check(entry.id, n=tasks, level=level)
    missing = next((r.detail for r in report.results if "ModuleNotFoundError" in r.detail), "")
    failed = [f"{result.name}: {result.detail}" for result in report.results if not result.ok]
    return {
        "env_id": entry.id,
        "tasks": tasks * len(report.splits),
        "questions": len(report.results),
        "left_out": missing,
        "failed": [] if missing else failed,
    }


def measure(quick: bool) -> dict[str, Any]:
    """Return the catch rate and the false-alarm rate, with the list behind them."""
    flaws, fair = flawed(), honest(quick)
    counted = [one for one in fair if not one["left_out"]]
    caught, alarms = sum(bool(flaw["caught"]) for flaw in flaws), sum(bool(one["failed"]) for one in counted)
    return {
        "machine": machine.describe(),
        "quick": quick,
        "caught": caught,
        "flaws": len(flaws),
        "catch_rate": caught / len(flaws),
        "catch_rate_95": wilson_interval(caught, len(flaws)),
        "accused": alarms,
        "honest": len(counted),
        "false_alarm_rate": alarms / len(counted),
        "list": flaws,
        "honest_list": fair,
    }


def show(report: dict[str, Any]) -> None:
    """Print the rates and the list."""
    print(machine.line(report["machine"]))
    for flaw in report["list"]:
        print(f"{flaw['caught'] or 'MISSED':20} {flaw['name']:28} {flaw['flaw']}")
    for one in report["honest_list"]:
        verdict = "left out" if one["left_out"] else "ACCUSED" if one["failed"] else "passes"
        print(f"{verdict:20} {one['env_id']:28} {one['questions']} questions, {one['tasks']} tasks")
        for failed in one["failed"]:
            print(f"    {failed}")
    low, high = report["catch_rate_95"]
    print(f"caught: {report['caught']} of {report['flaws']} flaws (95 %: {low:.1%} to {high:.1%})")
    print(f"accused: {report['accused']} of {report['honest']} honest environments")


def main() -> None:
    """Measure, and print a list or JSON."""
    options = machine.arguments(__doc__, quick="honest environments at level quick: under 50 seconds").parse_args()
    sys.path.insert(0, str(ROOT))  # the corpus stands among the tests, and other processes import it, too
    report = measure(options.quick)
    machine.tell(report, show, as_json=options.json)


if __name__ == "__main__":
    main()
