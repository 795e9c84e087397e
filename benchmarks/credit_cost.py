"""What rewards, credit and advantages cost, beside one optimiser step of the 135M model on the same machine.

    python benchmarks/credit_cost.py [--quick] [--json] [--learnt N]

Credit is timed in full: 512 trajectories of 10 turns and 4,000 tokens each. A step on all of them takes a CPU most of
an hour, so the real step is on the first N of them, and nothing is extrapolated: what is little beside a step on few is
less beside a step on all. Time is the processor's, of this process and all its threads. With `--quick` everything is
done once, and the step is on one trajectory of 500 tokens.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import machine
import torch
from bars import AT_MOST, TITLES, Bar, bar_line, judge

from palestra.agents.base import Row
from palestra.agents.embedded import DEFAULT_MODEL
from palestra.agents.losses.objective import IMITATION
from palestra.agents.model import Learner, LoraSpec, load_causal_lm
from palestra.agents.rows import rows_from_turns
from palestra.agents.trees import TrainRow
from palestra.agents.update import UpdateSettings, train_rows, update
from palestra.rewards.base import Scored, Trajectory, Turn, Verdict
from palestra.rewards.combine import clipped, with_steps
from palestra.rewards.credit import CREDITS
from palestra.rewards.credit.group import turn_loo
from palestra.rewards.rubrics import Criterion, Rubric

TRAJECTORIES: Final = 512
SIBLINGS: Final = 8
TURNS: Final = 10
TOKENS: Final = 4_000
SHORT: Final = 500
BOUND: Final = 0.05

RUBRIC: Final = Rubric(
    (
        Criterion(name="solved", score=lambda played, verdict: verdict is not None and verdict.passed, gate=1.0),
        Criterion(name="brief", score=lambda played, verdict: 1.0 / len(played.turns), weight=0.1),
    )
)


def trajectory(number: int, turns: int = TURNS, tokens: int = TOKENS) -> Trajectory:
    """Return a record in which every second token was sampled, and every third attempt succeeds."""
    half = tokens // turns // 2
    ids = [100 + (7 * i + number) % 30_000 for i in range(tokens)]
    is_success = number % 3 == 0
    played = []
    for k in range(turns):
        start = 2 * half * k + half
        reward = float(is_success) if k == turns - 1 else 0.0
        said = tuple(ids[start : start + half])
        played.append(Turn(prompt_ids=tuple(ids[:start]), output_ids=said, logprobs=(-1.0,) * half, reward=reward))
    return Trajectory(
        env_id="palestra/ToolUseMini-v0",
        task_id=str(number // SIBLINGS),
        group=str(number // SIBLINGS),
        turns=tuple(played),
        outcome=Scored(float(is_success), is_success),
    )


def timed(seconds: dict[str, list[float]], name: str, work: Callable[[], Any]) -> Any:
    """Do some work, and add the processor's seconds to those of its name."""
    started = time.process_time()
    done = work()
    seconds.setdefault(name, []).append(time.process_time() - started)
    return done


def credit(played: Sequence[Trajectory], built: Sequence[Sequence[Row]], seconds: dict[str, list[float]]) -> None:
    """Do all that is between played episodes and an advantage for each token, once."""
    verdicts = [Verdict(score=one.reward, passed=one.reward > 0.5) for one in played]
    timed(seconds, "rubric", lambda: RUBRIC.grade_all(list(zip(played, verdicts, strict=True))))
    raw = [[0.1 * (k % 7) for k in range(len(one.turns))] for one in played]
    scores = timed(seconds, "step rewards", lambda: [clipped(row, threshold=0.5) for row in raw])
    rows = timed(seconds, "advantages", lambda: with_steps(played, scores, turn_loo))
    timed(seconds, "to tokens", lambda: [train_rows(r, a) for r, a in zip(built, rows, strict=True)])


def optimiser_step(played: Sequence[Trajectory], rounds: int) -> list[float]:
    """Return the processor's seconds of optimiser steps on some trajectories, after one that is not counted.

    Args:
        rounds: that are counted; 0 counts the first.
    """
    rows: list[TrainRow] = []
    for one, values in zip(played, [[1.0] * len(one.turns) for one in played], strict=True):
        rows += train_rows(rows_from_turns(one.turns)[0], values)
    learner = Learner(load_causal_lm(DEFAULT_MODEL, torch.float32, "cpu"), lora=LoraSpec(), autocast=True)
    optimizer = torch.optim.AdamW(list(learner.trainable().values()), lr=0.0)
    settings = UpdateSettings(lr=0.0, token_budget=TOKENS)
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds + 1):
        timed(seconds, "step", lambda: update(learner, optimizer, rows, IMITATION, settings))
    return seconds["step"][1:] or seconds["step"]


def main() -> None:
    parser = machine.arguments(__doc__, "everything once, and a step on one short trajectory")
    parser.add_argument("--learnt", type=int, default=1, metavar="N", help="trajectories of the real step (1)")
    chosen = parser.parse_args()
    rounds = 1 if chosen.quick else 5
    played = [trajectory(number) for number in range(TRAJECTORIES)]
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        built = timed(seconds, "rows of tokens, which are needed without credit too", lambda: _rows(played))
        credit(played, built, seconds)
    parts = ("rubric", "step rewards", "advantages", "to tokens")
    total = [sum(seconds[name][k] for name in parts) for k in range(rounds)]
    each = {name: timed_one(CREDITS[name], played) for name in CREDITS}
    learnt = [trajectory(0, tokens=SHORT)] if chosen.quick else played[: chosen.learnt]
    step = optimiser_step(learnt, 0 if chosen.quick else 2)
    share = [one / min(step) for one in total]
    tokens = sum(len(one.turns[-1].prompt_ids + one.turns[-1].output_ids) for one in learnt)
    remark = f"credit of {TRAJECTORIES * TOKENS:,} tokens beside a step on {tokens:,}"
    bars = [judge("rewards, credit and advantages / one step", AT_MOST, BOUND, "", share, remark)]
    report = {
        "benchmark": "credit_cost",
        "quick": chosen.quick,
        "machine": machine.describe(),
        "trajectories": TRAJECTORIES,
        "seconds": {name: machine.spread(values) for name, values in seconds.items()},
        "seconds of all but rows": machine.spread(total),
        "seconds of each estimator": each,
        "seconds of one optimiser step": machine.spread(step),
        "trajectories of the step": len(learnt),
        "tokens of the step": tokens,
        "bars": [vars(bar) for bar in bars],
    }
    machine.tell(report, show, as_json=chosen.json)


def timed_one(estimator: Callable[[Sequence[Trajectory]], Any], played: Sequence[Trajectory]) -> float:
    """Return the processor's seconds of one estimator."""
    seconds: dict[str, list[float]] = {}
    timed(seconds, "", lambda: estimator(played))
    return seconds[""][0]


def show(report: Mapping[str, Any]) -> None:
    """Print each figure."""
    print(machine.line(report["machine"]))
    for name, value in report["seconds"].items():
        print(f"{name}: {value['median']:.3f} s ({value['min']:.3f} to {value['max']:.3f})")
    for name, seconds in report["seconds of each estimator"].items():
        print(f"  {name}: {seconds:.4f} s")
    step = report["seconds of one optimiser step"]
    print(f"one optimiser step on {report['tokens of the step']:,} tokens: {step['median']:.2f} s of the processor")
    print(TITLES)
    for bar in report["bars"]:
        print(bar_line(Bar(**bar)))


def _rows(played: Sequence[Trajectory]) -> list[list[Row]]:
    return [rows_from_turns(one.turns)[0] for one in played]


if __name__ == "__main__":
    main()
