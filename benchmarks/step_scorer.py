"""Whether a logistic head on a frozen model tells good steps from bad ones, on tasks that it was not fit to.

    python benchmarks/step_scorer.py [--quick] [--json] [--model NAME]

Code: beginnings of programs, labelled by running them (`palestra.envs.code.labels`). Web: actions on pages, labelled by
exact distances (`palestra.envs.web.labels`). Printed are the balanced accuracy at even odds, the area under the curve
within a task, and for actions how often the right one has the higher score. Intervals are 95 % bootstrap intervals over
tasks. Held-out tasks are of templates that training never shows.
"""

import itertools
import random
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import machine
import torch
from code_labels import accuracy, auc, made, with_interval

from palestra.agents.embedded import DEFAULT_MODEL
from palestra.agents.model import Learner, LoraSpec, load_causal_lm, load_tokenizer, pick_device
from palestra.agents.stepwise.classifier import ClassifierReward
from palestra.envs.base import Split
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.labels.dataset import Counts, Wanted, labelled
from palestra.envs.code.labels.labelling import GOOD
from palestra.envs.web.generate import WebTasks
from palestra.envs.web.labels import pairwise_accuracy, preferences

UNSEEN = 2_000  # the first seed of what is tried


@dataclass(frozen=True, slots=True)
class Step:
    """A step as text, all that came before included, and its label."""

    task: str
    text: str
    is_good: bool
    state: int = 0  # of a web step: whose action it is


def code_steps(split: Split, tasks: int, seed: int) -> list[Step]:
    """Return beginnings of programs with their labels."""
    sources = made(split, tasks, ["python"], seed)
    asked = {task.id: task.instruction for task in sources}
    steps = []
    with closing(CodeEnv()) as env:
        for row in labelled(sources, env.judge, Wanted(single=6, several=0), Counts()):
            for number, line in enumerate(row.lines, 1):
                if line.prefix is not None and line.text.strip():
                    begun = "\n".join(one.text for one in row.lines[:number])
                    steps.append(Step(row.task, f"{asked[row.task]}\n\n{begun}", line.prefix == GOOD))
    return steps


def web_steps(split: Split, tasks: int, seed: int) -> list[Step]:
    """Return actions on pages with their labels."""
    source, steps, states = WebTasks(split), list[Step](), itertools.count(1)
    for number in range(tasks):
        task = source.sample(seed + number)
        for one in preferences(task, seed):
            state, done = next(states), " ; ".join(one.history) or "nothing"
            for action in (one.positive, *one.negatives):
                text = f"{one.observation}\n\nTask: {one.intent}\nDone: {done}\nNext: {action}"
                steps.append(Step(task.id, text, action == one.positive, state))
    return steps


def drawn(steps: Sequence[Step], most: int) -> list[Step]:
    """Return at most so many steps, whole states of each kept together, drawn by a fixed seed."""
    groups: dict[tuple[str, int], list[Step]] = {}
    for place, one in enumerate(steps):
        groups.setdefault((one.task, one.state or -place), []).append(one)
    keys = sorted(groups)
    random.Random(0).shuffle(keys)
    found: list[Step] = []
    for key in keys:
        if len(found) + len(groups[key]) <= most:
            found += groups[key]
    return found


def tried(learner: Learner, tokenizer: Any, train: list[Step], held_out: list[Step], limit: int) -> dict[str, Any]:
    """Return how well a scorer that is fit to some steps does on others."""
    scorer = ClassifierReward(learner=learner, decay=10.0, limit=limit)
    fitted = scorer.fit_steps([tokenizer.encode(one.text) for one in train], [one.is_good for one in train])
    scores = scorer.probabilities([tokenizer.encode(one.text) for one in held_out])
    by_task: dict[str, tuple[list[float], list[float]]] = {}
    by_state: dict[int, list[tuple[bool, float]]] = {}
    for one, score in zip(held_out, scores, strict=True):
        by_task.setdefault(one.task, ([], []))[0 if one.is_good else 1].append(score)
        by_state.setdefault(one.state, []).append((one.is_good, score))
    pairs = list(by_task.values())
    told: dict[str, Any] = {
        "steps": len(train),
        "held out": len(held_out),
        "good": sum(one.is_good for one in held_out) / len(held_out),
        "accuracy on its own steps": fitted["accuracy"],
        "balanced accuracy": with_interval(accuracy, pairs),
        "auc": with_interval(auc, pairs),
    }
    ordered = [[score for _, score in sorted(some, key=lambda one: not one[0])] for some in by_state.values()]
    if len(by_state) > 1:
        told["right above wrong"] = pairwise_accuracy(ordered)
    return told


def measured(quick: bool, model: str) -> dict[str, Any]:
    """Return the report."""
    tasks, most, limit = (8, 48, 96) if quick else (60, 1500, 512)
    device = pick_device()
    learner = Learner(load_causal_lm(model, torch.float32, device), lora=LoraSpec(rank=1))
    tokenizer = load_tokenizer(model)
    report: dict[str, Any] = {"machine": machine.describe(), "model": model}
    for name, source in (("code", code_steps), ("web", web_steps)):
        train, held_out = drawn(source("train", tasks, 0), most), drawn(source("heldout", tasks, UNSEEN), most)
        report[name] = tried(learner, tokenizer, train, held_out, limit)
    return report


def show(report: dict[str, Any]) -> None:
    """Print the report for people."""
    print(machine.line(report["machine"]))
    print(f"a logistic head on {report['model']}, frozen")
    for name in ("code", "web"):
        told = report[name]
        print(f"{name}: fit to {told['steps']} steps, tried on {told['held out']}, {told['good']:.0%} of them good")
        print(f"  accuracy on its own steps: {told['accuracy on its own steps']:.2f}")
        for measure in ("balanced accuracy", "auc"):
            one = told[measure]
            print(f"  {measure}: {one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f}, {one['tasks']} tasks)")
        if "right above wrong" in told:
            print(f"  right above wrong, same state: {told['right above wrong']:.2f}")


if __name__ == "__main__":
    parser = machine.arguments(__doc__, "few tasks and short contexts: minutes")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a folder, a hub id, or the embedded model")
    asked = parser.parse_args()
    machine.tell(measured(asked.quick, asked.model), show, as_json=asked.json)
