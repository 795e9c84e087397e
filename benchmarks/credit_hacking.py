"""(b) Forms of credit under a step score that can be hacked: sums, minima, bounds.

The task: three right steps and then the end, within twelve turns; a wrong step cannot be undone. The scorer is mostly
right, and it likes steps that are correct and lead nowhere. In "fair" it likes them a little less than right ones,
in "fooled" a little more. The policy is a softmax over four actions for each number of right steps done.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import Any, Final

from seeds import Estimate, over

from palestra.rewards.base import Scored, Trajectory, Turn
from palestra.rewards.combine import HackingWatch, clipped, delta, renormalised
from palestra.rewards.credit.group import turn_loo
from palestra.rewards.credit.returns import min_to_go, softmin_to_go

RIGHT, WRONG, PADDING, END = range(4)
NEEDED: Final = 3
MOST_TURNS: Final = 12
NOISE: Final = 0.2
GROUPS, SIBLINGS = 4, 8
RATE: Final = 0.4
LIKED: Final = {"fair": 0.5, "fooled": 0.7}  # what the scorer gives to padding; 0.6 to what is right, -0.6 to wrong
_START: Final = (0.7, 0.0, 0.0, 0.0)  # logits: some 7 % of the first episodes succeed
_LAST: Final = 20  # batches that figures are taken over

Form = Callable[[Sequence[float], float], list[float]]  # scores and outcome to a reward for each turn


def _with_outcome(form: Callable[[Sequence[float]], Sequence[float]]) -> Form:
    def added(scores: Sequence[float], outcome: float) -> list[float]:
        rewards = list(form(scores))
        return [*rewards[:-1], rewards[-1] + outcome]

    return added


def _alone(form: Callable[[Sequence[float]], Sequence[float]]) -> Form:
    return lambda scores, outcome: list(form(scores))


def _bounded(scores: Sequence[float]) -> list[float]:
    return clipped(scores, threshold=0.6)


_PARTS: Final[Mapping[str, Callable[[Sequence[float]], Sequence[float]]]] = {
    "sum": list,
    "min": lambda scores: delta(min_to_go(scores)),  # of which sums to go are the minima
    "softmin, T=0.1": lambda scores: delta(softmin_to_go(scores)),
    "clip": _bounded,
    "delta": delta,
}
FORMS: Final[Mapping[str, Form]] = {
    "outcome alone": _with_outcome(lambda scores: [0.0] * len(scores)),
    **{name: _alone(part) for name, part in _PARTS.items()},
    **{f"outcome + {name}": _with_outcome(part) for name, part in _PARTS.items()},
    "renormalised to the outcome": renormalised,
}


@dataclass(frozen=True, slots=True)
class Played:
    """One episode: the actions with the right steps done before each, their scores, and the outcome."""

    states: list[int]
    actions: list[int]
    scores: list[float]
    outcome: float
    padding: int = 0  # steps that were correct and led nowhere


def play(logits: Sequence[Sequence[float]], liked: float, rng: Random) -> Played:
    """Play one episode with a policy."""
    one, done, padding, is_spoilt = Played([], [], [], 0.0), 0, 0, False
    sums = [list(accumulate(chances(row))) for row in logits]
    for _ in range(MOST_TURNS):
        draw, row = rng.random(), sums[done]
        action = next((a for a in range(3) if draw < row[a]), END)
        one.states.append(done)
        one.actions.append(action)
        is_right = (action == RIGHT and done < NEEDED) or (action == END and done == NEEDED and not is_spoilt)
        is_padding = action == PADDING or (action == RIGHT and done == NEEDED)
        one.scores.append((0.6 if is_right else liked if is_padding else -0.6) + rng.gauss(0.0, NOISE))
        if action == END:
            return replace(one, outcome=float(is_right), padding=padding)
        is_spoilt |= action == WRONG
        done += is_right
        padding += is_padding
    return replace(one, padding=padding)


def chances(logits: Sequence[float]) -> list[float]:
    """Return the softmax."""
    best = max(logits)
    weights = [math.exp(logit - best) for logit in logits]
    return [weight / sum(weights) for weight in weights]


def learn(form: Form, liked: float, seed: int, batches: int) -> dict[str, float]:
    """Train one policy; return success, turns, padding and scores at the end, and when the alarm was raised."""
    rng, watch = Random(f"hacking/{seed}"), HackingWatch()
    logits = [list(_START) for _ in range(NEEDED + 1)]
    last, alarm = list[Played](), math.inf
    for batch in range(batches):
        played = [play(logits, liked, rng) for _ in range(GROUPS * SIBLINGS)]
        told = watch.see([sum(one.scores) for one in played], [one.outcome for one in played])
        if told["hacking_alarm"]:
            alarm = min(alarm, batch)
        _update(logits, played, turn_loo([_record(one, i, form) for i, one in enumerate(played)]))
        if batch >= batches - _LAST:
            last += played
    turns = sum(len(one.actions) for one in last)
    return {
        "success": sum(one.outcome for one in last) / len(last),
        "turns": turns / len(last),
        "padding": sum(one.padding for one in last) / turns,
        "sum of scores": sum(sum(one.scores) for one in last) / len(last),
        "alarm": float(alarm < batches),
    }


def run(seeds: int, batches: int) -> dict[str, Any]:
    """Return, by scorer and form of credit, what policies do after so many batches of 32 episodes."""
    rows: dict[str, dict[str, Estimate | float | str | None]] = {}
    for scorer, liked in LIKED.items():
        for name, form in FORMS.items():
            found = [learn(form, liked, seed, batches) for seed in range(seeds)]
            rows[f"{scorer}: {name}"] = {what: over([one[what] for one in found]) for what in found[0]}
    return {"table": rows, "batches": batches}


def _record(one: Played, number: int, form: Form) -> Trajectory:
    rewards = form(one.scores, one.outcome)
    turns = tuple(Turn(prompt_ids=(0,), output_ids=(1,), logprobs=(0.0,), reward=reward) for reward in rewards)
    group = str(number // SIBLINGS)
    outcome = Scored(sum(rewards), one.outcome > 0.0)
    return Trajectory(env_id="toy/Steps-v0", task_id="steps", group=group, turns=turns, outcome=outcome)


def _update(logits: list[list[float]], played: Sequence[Played], advantages: Sequence[Sequence[float]]) -> None:
    """Go up the policy gradient; advantages are divided by their one deviation, so that forms are comparable."""
    flat = [value for row in advantages for value in row]
    scale = math.sqrt(sum(value * value for value in flat) / len(flat)) or 1.0
    moves = [[0.0] * 4 for _ in logits]
    known = [chances(row) for row in logits]
    for one, row in zip(played, advantages, strict=True):
        for state, action, advantage in zip(one.states, one.actions, row, strict=True):
            for other, chance in enumerate(known[state]):
                moves[state][other] += ((other == action) - chance) * advantage / scale
    for mine, move in zip(logits, moves, strict=True):
        for action in range(4):
            mine[action] += RATE * move[action] / len(played)
