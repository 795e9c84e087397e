"""Stacks of operators: which there are, which may follow which, and how a task gets several."""

import random
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from palestra.envs.augment.operators import OPERATORS as LAYERS
from palestra.envs.base import Json, Task
from palestra.envs.tooluse.operators.ambiguous import Ambiguous
from palestra.envs.tooluse.operators.indirect import Indirect
from palestra.envs.tooluse.operators.irrelevant import Bereft, Irrelevant
from palestra.envs.tooluse.operators.missing import Missing, Withheld
from palestra.envs.tooluse.operators.near import Near
from palestra.envs.tooluse.operators.operator import Operator, Refused, Subject, params_of
from palestra.envs.tooluse.operators.over import Over, Units
from palestra.envs.tooluse.operators.wrong import Wrong

_OWN: tuple[Operator, ...] = (
    Indirect(),
    Ambiguous(),
    Withheld(),
    Wrong(),
    Missing(),
    Bereft(),
    Irrelevant(),
    Near(),
    Units(),
)
OPERATORS: Mapping[str, Operator] = {
    **{operator.name: operator for operator in _OWN},
    **{name: Over(name) for name in LAYERS},
}
TRIES = 40  # random stacks of a task
_REFUSALS = 0.4  # of the random stacks, in which operators may be that leave nothing to be done
_OFTEN = {"missing": 8, "withheld": 6, "wrong": 4, "ambiguous": 3, "indirect": 2}  # what fits few tasks is tried more
_REQUEST, _ENDING, _TOOLS, _LOWEST, _LAYER = range(5)
_RANKS: Mapping[str, int] = {
    "indirect": _REQUEST,
    "ambiguous": _REQUEST,
    "withheld": _REQUEST,
    "wrong": _ENDING,
    "missing": _ENDING,
    "bereft": _ENDING,
    "irrelevant": _ENDING,
    "near": _TOOLS,
    "locale": _LOWEST,
}
_ENDINGS = frozenset({"missing", "bereft", "irrelevant"})  # they leave nothing to be done
_APART = (  # pairs that a stack does not have both of, and why
    *(
        (one, other, "the request has one ending")
        for one in sorted(_ENDINGS)
        for other in sorted({*_ENDINGS, "wrong"} - {one})
    ),
    *(
        (one, other, "what the user tells is needed by nothing")
        for one in sorted(_ENDINGS)
        for other in ("ambiguous", "withheld")
    ),
    ("irrelevant", "indirect", "the request is another one"),
    ("wrong", "rename", "a report could name the field by either name"),
)


def rank(name: str) -> int:
    """Return the place of an operator in a stack: none may come after one of a higher rank."""
    return _RANKS.get(name, _LAYER)


def forbidden(names: Sequence[str]) -> str:
    """Return why operators make no stack in this order, "" if they do."""
    if unknown := [name for name in names if name not in OPERATORS]:
        return f"unknown operator {unknown[0]!r}; known: {', '.join(OPERATORS)}"
    if twice := [name for name in names if names.count(name) > 1]:
        return f"{twice[0]} is there twice"
    for one, other in pairwise(names):
        if rank(one) > rank(other):
            return f"{other} must come before {one}"
    for one, other, reason in _APART:
        if one in names and other in names:
            return f"{one} and {other} exclude each other: {reason}"
    return ""


class Stack:
    """A task that gets one operator after another."""

    def __init__(self, task: Task) -> None:
        """Begin with a task."""
        self.task = task
        self._endings: list[tuple[Operator, Task, Mapping[str, Json]]] = []

    def add(self, name: str, rng: random.Random) -> None:
        """Apply an operator.

        Raises:
            Refused: it does not fit the task, or what must hold of an earlier one does not any more.
        """
        operator, before = OPERATORS[name], self.task
        after = operator.apply(before, rng)
        if rank(name) == _TOOLS:  # there are more tools: what was left to nobody must still be
            for ending, was, params in self._endings:
                if reasons := ending.problems(Subject(was), Subject(after), params):
                    raise Refused(f"{ending.name} no longer holds: {reasons[0]}")
        if name in _ENDINGS:
            self._endings.append((operator, before, params_of(after)))
        self.task = after


def compose(task: Task, names: Sequence[str], rng: random.Random) -> Task:
    """Return a task with some operators applied, in this order.

    Raises:
        Refused: one of them does not fit the task, or they do not fit each other.
    """
    if reason := forbidden(names):
        raise Refused(reason)
    stack = Stack(task)
    for name in names:
        stack.add(name, rng)
    return stack.task


def drawn(rng: random.Random, count: int, unfit: Collection[str] = ()) -> list[str]:
    """Return the names of operators that make a stack, so many of them, in an order in which they may come.

    Few leave nothing to be done, so that always refusing, or always asking, is right seldom.

    Args:
        rng: draws them.
        count: how many, at most as many as there are layers.
        unfit: operators that are not wanted.
    """
    left_out = {*unfit, *(() if rng.random() < _REFUSALS else _ENDINGS)}
    names = sorted(OPERATORS.keys() - left_out)
    weights = [_OFTEN.get(name, 1) for name in names]
    while True:
        chosen = dict.fromkeys(rng.choices(names, weights, k=4 * count))
        stack = sorted([*chosen][:count], key=rank)
        if len(stack) == count and not forbidden(stack):
            return stack


def augmented(task: Task, count: int, rng: random.Random) -> Task:
    """Return a task with so many operators, drawn until they fit it.

    Raises:
        Refused: none of the drawn stacks does.
    """
    unfit: dict[str, str] = {}
    for _ in range(TRIES):
        stack = Stack(task)
        for name in drawn(rng, count, unfit):
            try:
                stack.add(name, rng)
            except Refused as refused:
                unfit[name] = str(refused)
                break
        else:
            return stack.task
    told = "; ".join(f"{name}: {reason}" for name, reason in unfit.items())
    raise Refused(f"none of {TRIES} stacks of {count} operators fits {task.id}: {told}")
