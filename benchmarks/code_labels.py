"""What labels of lines cost, what they say, and whether a scorer learnt from them tells right programs from wrong.

    python benchmarks/code_labels.py [--quick] [--json]

Labels a second: lines and prefixes that got a label, each program judged on its hidden tests in the sandbox, on one
core. By kind of change: how many of the changed lines are right. The scorer is fit to lines of training problems: those
of the references, and the changed ones. It is tried on held-out problems, of templates that training never shows: its
accuracy at even odds on right and wrong changed lines and its AUC; the same for lines of references against wrong ones;
and how often the reference has the best score among itself and mutants that fail, beside chance. Intervals are 95 %
bootstrap intervals over tasks, of which each is one draw with all of its lines.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import machine
import numpy as np

from palestra.envs.base import Split, Task
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.labels.dataset import Counts, Wanted, labelled
from palestra.envs.code.labels.labelling import GOOD, Labelled
from palestra.rewards.lines import Example, LearntLines, distinct_lines, examples_of, program_score

DRAWS = 2_000  # of the bootstrap
UNSEEN = 1_000  # the first seed of what the scorer is tried on: nothing was chosen by looking at these
CANDIDATES = 8  # wrong programs beside a reference
Rows = list[Labelled]
Pairs = tuple[list[float], list[float]]  # scores of what is right, and of what is wrong


def made(split: Split, count: int, languages: Sequence[str], seed: int = 0) -> list[Task]:
    """Return tasks of a split, in these languages in turn, the first of them of this seed."""
    source = CodeTasks(split)
    return [source.sample(seed + number, {"language": languages[number % len(languages)]}) for number in range(count)]


def rows_of(env: CodeEnv, tasks: list[Task], wanted: Wanted, counts: Counts) -> tuple[list[Rows], float]:
    """Return each task's rows, and the seconds that all of them took."""
    by_task: dict[str, Rows] = {}
    started = time.perf_counter()
    for row in labelled(tasks, env.judge, wanted, counts):
        by_task.setdefault(row.task, []).append(row)
    return list(by_task.values()), time.perf_counter() - started


def examples(rows: Rows) -> tuple[list[Example], list[Example]]:
    """Return a task's lines of the reference, and those that were changed, each change by itself."""
    whole, changed = [], list[Example]()
    for row in rows:
        lines, labels = [line.text for line in row.lines], [line.label == GOOD for line in row.lines]
        every = list(examples_of(lines, labels))
        kept = [line.is_changed for line in row.lines if line.text.strip()]
        if not row.kinds:
            whole = every
        elif len(row.kinds) == 1:
            changed += [one for one, is_kept in zip(every, kept, strict=True) if is_kept]
    return whole, changed


def scored(scorer: LearntLines, some: Sequence[Example]) -> list[float]:
    """Return the scores of lines in their places."""
    return [scorer.score([one.before, one.text, one.after])[1] for one in some]


def auc(pairs: Sequence[Pairs]) -> float:
    """Return how often what is right has a higher score than what is wrong, each task's own compared; ties are half."""
    wins, count = 0.0, 0
    for right, wrong in pairs:
        for one in right:
            wins += sum((one > other) + 0.5 * (one == other) for other in wrong)
            count += len(wrong)
    return wins / count if count else math.nan


def accuracy(pairs: Sequence[Pairs]) -> float:
    """Return the mean of the shares of right and of wrong lines that are told as such."""
    right, wrong = [score for pair in pairs for score in pair[0]], [score for pair in pairs for score in pair[1]]
    if not right or not wrong:
        return math.nan
    return (sum(score > 0.5 for score in right) / len(right) + sum(score <= 0.5 for score in wrong) / len(wrong)) / 2


def best(pairs: Sequence[Pairs]) -> float:
    """Return how often the right program has the best score; of several that share it each has its share."""
    picked = [
        float(right[0] == max(all_)) / all_.count(right[0]) for right, wrong in pairs for all_ in [[*right, *wrong]]
    ]
    return math.fsum(picked) / len(picked)


def chance(pairs: Sequence[Pairs]) -> float:
    """Return how often one would pick the right program blindly."""
    return math.fsum(1 / (1 + len(wrong)) for _, wrong in pairs) / len(pairs)


def with_interval(measure: Callable[[Sequence[Any]], float], pairs: Sequence[Any]) -> dict[str, float]:
    """Return a figure over tasks with its interval."""
    rng = np.random.default_rng(0)
    drawn = [measure([pairs[at] for at in rng.integers(len(pairs), size=len(pairs))]) for _ in range(DRAWS)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return {"value": measure(pairs), "low": float(low), "high": float(high), "tasks": len(pairs)}


def tried(scorer: LearntLines, held_out: list[Rows]) -> dict[str, Any]:
    """Return how well a scorer does on tasks that it was not fit to."""
    changed: list[Pairs] = []
    against: list[Pairs] = []
    programs: list[Pairs] = []
    for rows in held_out:
        whole, some = examples(rows)
        wrong = scored(scorer, [one for one in some if not one.is_good])
        changed.append((scored(scorer, [one for one in some if one.is_good]), wrong))
        against.append((scored(scorer, whole), wrong))
        mutants = [row.program for row in rows if len(row.kinds) == 1 and not row.passed][:CANDIDATES]
        if mutants:
            needed = distinct_lines(rows[0].program)
            right = program_score(scorer, rows[0].program, needed)
            programs.append(([right], [program_score(scorer, one, needed) for one in mutants]))
    gain = with_interval(lambda pairs: best(pairs) - chance(pairs), programs)
    return {
        "changed lines": {"accuracy": with_interval(accuracy, changed), "auc": with_interval(auc, changed)},
        "reference against wrong lines": {
            "accuracy": with_interval(accuracy, against),
            "auc": with_interval(auc, against),
        },
        "picks the reference": with_interval(best, programs),
        "chance": chance(programs),
        "gain over chance": gain,
        "reference above a mutant": with_interval(auc, programs),
        "beats chance": gain["low"] > 0,
    }


def measured(quick: bool) -> dict[str, Any]:
    """Return the report."""
    count, wanted = (16, Wanted(single=10, several=1)) if quick else (80, Wanted(single=16, several=2))
    languages = ["python"] if quick else ["python", "javascript"]
    counts = Counts()
    with closing(CodeEnv()) as env:
        training, took = rows_of(env, made("train", count, languages), wanted, counts)
        held_out, more = rows_of(env, made("heldout", max(10, count // 2), languages, UNSEEN), wanted, counts)
    labels = sum(1 + (line.prefix is not None) for rows in (*training, *held_out) for row in rows for line in row.lines)
    changed = sum(good + bad for good, bad in counts.by_kind().values())
    known = [one for rows in training for part in examples(rows) for one in part]
    started = time.perf_counter()
    scorer = LearntLines.fit(known)
    return {
        "machine": machine.describe(),
        "tasks": {"train": len(training), "held out": len(held_out), "left out": len(counts.left_out)},
        "programs": counts.programs,
        "programs right": counts.passed,
        "programs judged a second": counts.runs / (took + more),
        "labels a second": labels / (took + more),
        "changed lines a second": changed / (took + more),
        "prefixes": dict(counts.prefixes),
        "by kind": {
            kind: {"lines": good + bad, "right": good / (good + bad)} for kind, (good, bad) in counts.by_kind().items()
        },
        "scorer": {"lines": len(known), "wrong": sum(not one.is_good for one in known)},
        "fit_s": time.perf_counter() - started,
        "held out": tried(scorer, held_out),
    }


def show(report: dict[str, Any]) -> None:
    """Print the report for people."""
    print(machine.line(report["machine"]))
    print(f"{report['programs']} programs of {report['tasks']} tasks, {report['programs right']} right")
    for name in ("programs judged a second", "labels a second", "changed lines a second"):
        print(f"{name}: {report[name]:.1f}")
    for kind, found in report["by kind"].items():
        print(f"  {kind:34} {found['lines']:5} changed lines, {found['right']:5.0%} right")
    print(f"scorer: fit to {report['scorer']['lines']} lines, {report['scorer']['wrong']} wrong")
    told = report["held out"]
    for name in ("changed lines", "reference against wrong lines"):
        for measure in ("accuracy", "auc"):
            print(f"{name}, {measure}: {_figure(told[name][measure])}")
    print(f"picks the reference: {_figure(told['picks the reference'])}; chance {told['chance']:.2f}")
    print(f"reference above a mutant: {_figure(told['reference above a mutant'])}; chance 0.50")
    print(f"beats chance: {'yes' if told['beats chance'] else 'no'} (gain {_figure(told['gain over chance'])})")


def _figure(found: dict[str, float]) -> str:
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f}, {found['tasks']} tasks)"


if __name__ == "__main__":
    asked = machine.arguments(__doc__, "fewer tasks, in Python alone: a minute").parse_args()
    machine.tell(measured(asked.quick), show, as_json=asked.json)
