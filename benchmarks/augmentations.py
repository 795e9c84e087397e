"""How many random stacks of augmentations keep the oracle of tool-use tasks, and how many broken ones are rejected.

    python benchmarks/augmentations.py [--quick] [--json]

Stacks of one to five operators are drawn for tasks of all domains and both splits until so many fit. A stack keeps
the oracle if the oracle earns 1 twice alike, and saying "I am done." earns 0; how often random calls win is told
beside it. The broken operators are those of tests/envs/tooluse/operators/negatives.py; what they make of a task is
rejected if their check says why. It ends with status 1 if a stack loses the oracle or a broken one passes.
"""

import random
import re
import sys
import time
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import machine

from palestra.envs.base import SPLITS, Task, TaskError, derive_seed
from palestra.envs.certify.environment import wilson_interval
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.operators.compose import Stack, drawn
from palestra.envs.tooluse.operators.operator import AUGMENTATIONS, Refused

ROOT = Path(__file__).resolve().parents[1]
STACKS, QUICK_STACKS = 1000, 200
NEGATIVE_TASKS, QUICK_NEGATIVE_TASKS = 80, 24
MOST = 5  # operators in a stack
SHOWN_PAIRS, SHOWN_REASONS = 12, 15
_ANY = re.compile(r"\b\w+_\d+\b|\d+|'[^']*'")  # ids, numbers and values in a reason


class Stacks:
    """Draws stacks for tasks, plays them, and counts."""

    def __init__(self) -> None:
        self.sources = [ToolUseSource(split) for split in SPLITS]
        self.env = ToolUseEnv(tasks=self.sources[0], shaping="none")
        self.kept: Counter[str] = Counter()
        self.tried: Counter[str] = Counter()
        self.pairs: Counter[str] = Counter()
        self.sizes: Counter[int] = Counter()
        self.domains: Counter[str] = Counter()
        self.endings: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.lost: list[dict[str, Any]] = []
        self.lucky: Counter[str] = Counter()  # by ending, stacks on which random calls win

    def one(self, number: int) -> None:
        """Draw stacks for a task until one fits, and play it."""
        rng = random.Random(derive_seed("benchmark", "augmentations", number, "stack"))
        task, size = self.sources[number % 4 == 3].sample(number), rng.randint(1, MOST)
        unfit: set[str] = set()  # of this task, as far as was seen
        while True:
            stack, names = Stack(task), drawn(rng, size, unfit)
            refused = self.tried_on(stack, names, rng)
            if not refused:
                break
            unfit.add(refused)
        self.count(number, stack.task, names)

    def tried_on(self, stack: Stack, names: list[str], rng: random.Random) -> str:
        """Add the operators, and return the one that does not fit, if one does not."""
        for name in names:
            try:
                stack.add(name, rng)
            except Refused as refused:
                self.refused[name] += 1
                self.reasons[f"{name}: {_ANY.sub('#', str(refused))}"] += 1
                return name
        return ""

    def count(self, number: int, stack: Task, names: list[str]) -> None:
        """Play a stack and note what became of it."""
        runs = {name: play(self.env, SCRIPTS[name], number, stack) for name in ("oracle", "nop", "random")}
        again = play(self.env, SCRIPTS["oracle"], number, stack)
        is_solved = runs["oracle"].is_success and runs["oracle"].reward == 1.0 and runs["oracle"].stream == again.stream
        self.lucky[stack.hidden["goal"]["ending"]] += runs["random"].reward > 0
        self.tried.update(names)
        self.sizes[len(names)] += 1
        self.domains[stack.public["domain"]] += 1
        self.endings[stack.hidden["goal"]["ending"]] += 1
        if is_solved and runs["nop"].reward <= 0:
            self.kept.update(names)
            self.pairs.update("+".join(pair) for pair in combinations(names, 2))
        else:
            earned = {name: run.reward for name, run in runs.items()}
            self.lost.append({"task": stack.id, "earned": earned, "done": stack.provenance[AUGMENTATIONS]})


def negatives(tasks: int) -> list[dict[str, Any]]:
    """Return of each broken operator how many tasks it changed, and how many of them were rejected."""
    from tests.envs.tooluse.operators.negatives import NEGATIVES

    source = ToolUseSource("train")
    sample = [source.sample(seed, {"kinds": "write", "width": 1} if seed % 2 else {}) for seed in range(tasks)]
    told = []
    for name, operator in NEGATIVES.items():
        made, rejected = 0, 0
        for seed, task in enumerate(sample):
            try:
                after = operator.made(task, seed)
            except Refused:
                continue
            made += 1
            rejected += bool(operator.check(task, after))
        told.append({"name": name, "made": made, "rejected": rejected})
    return told


def measure(quick: bool) -> dict[str, Any]:
    """Return the counts."""
    begun, stacks = time.perf_counter(), Stacks()
    wanted = QUICK_STACKS if quick else STACKS
    number, without = 0, 0
    while sum(stacks.sizes.values()) < wanted:
        try:
            stacks.one(number)
        except TaskError:  # no task of this seed
            without += 1
        number += 1
    kept = wanted - len(stacks.lost)
    broken = negatives(QUICK_NEGATIVE_TASKS if quick else NEGATIVE_TASKS)
    return {
        "benchmark": "augmentations",
        "quick": quick,
        "machine": machine.describe(),
        "seconds": round(time.perf_counter() - begun, 1),
        "stacks": wanted,
        "kept": kept,
        "kept_95": wilson_interval(kept, wanted),
        "random_calls_win": {ending: wins for ending, wins in stacks.lucky.items() if wins},
        "seeds_without_a_task": without,
        "by_operator": {
            name: {"stacks": stacks.tried[name], "kept": stacks.kept[name], "refused": stacks.refused[name]}
            for name in sorted(stacks.tried)
        },
        "by_pair": dict(stacks.pairs.most_common()),
        "by_size": dict(sorted(stacks.sizes.items())),
        "by_domain": dict(stacks.domains.most_common()),
        "by_ending": dict(stacks.endings.most_common()),
        "refusals": dict(stacks.reasons.most_common()),
        "lost": stacks.lost,
        "negatives": {
            "made": sum(one["made"] for one in broken),
            "rejected": sum(one["rejected"] for one in broken),
            "operators": broken,
        },
    }


def show(report: dict[str, Any]) -> None:
    """Print the counts."""
    print(f"{machine.line(report['machine'])}; {report['seconds']} s")
    low, high = report["kept_95"]
    print(f"kept the oracle: {report['kept']} of {report['stacks']} random stacks (95 %: {low:.1%} to {high:.1%})")
    print(f"random calls win {report['random_calls_win']} of them; stacks by size {report['by_size']}")
    print(f"by domain {report['by_domain']}; by ending {report['by_ending']}")
    print(f"{'operator':14}{'stacks':>8}{'kept':>8}{'refused':>9}")
    for name, one in report["by_operator"].items():
        print(f"{name:14}{one['stacks']:8}{one['kept']:8}{one['refused']:9}")
    pairs = list(report["by_pair"].items())
    shown = ", ".join(f"{pair} {count}" for pair, count in pairs[:SHOWN_PAIRS])
    print(f"pairs in stacks that kept it: {len(pairs)} different, most often {shown}")
    print(f"refusals: {sum(report['refusals'].values())}, most often")
    for reason, count in list(report["refusals"].items())[:SHOWN_REASONS]:
        print(f"{count:8} {reason}")
    for lost in report["lost"]:
        print(f"LOST {lost['task']}: {lost['earned']}")
    broken = report["negatives"]
    print(f"broken ones rejected: {broken['rejected']} of {broken['made']}, of {len(broken['operators'])} kinds")
    for one in broken["operators"]:
        print(f"{one['rejected']:8} of {one['made']:4} {one['name']}")


def main() -> int:
    """Measure, and print a list or JSON."""
    options = machine.arguments(__doc__, quick=f"{QUICK_STACKS} stacks: under 50 seconds").parse_args()
    sys.path.insert(0, str(ROOT))  # the broken operators stand among the tests
    report = measure(options.quick)
    machine.tell(report, show, as_json=options.json)
    broken = report["negatives"]
    return int(bool(report["lost"]) or broken["rejected"] < broken["made"])


if __name__ == "__main__":
    sys.exit(main())
