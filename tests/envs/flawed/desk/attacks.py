"""How one would cheat at the desk, and its tasks under other ids."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.base import Json, Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.env import AgentEnv


def cancel_all(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Cancel every order that there is, then name the price that was asked for."""
    for order in env.task.hidden["orders"]:
        yield call_text("cancel", {"order": order})
    yield call_text("finish", {"refund": env.task.hidden["price"]})


def only_say(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Name the right price and cancel nothing."""
    yield call_text("finish", {"refund": env.task.hidden["price"]})


def two_cancelled(task: Task) -> Iterator[Mutant]:
    """Cancel another order as well."""
    hidden = task.hidden
    other = next(order for order in hidden["orders"] if order != hidden["order"])
    finish = call_text("finish", {"refund": hidden["price"]})
    yield Mutant("two", (*(call_text("cancel", {"order": order}) for order in (hidden["order"], other)), finish))


def other_ids(task: Task, rng: np.random.Generator) -> Task:
    """Give every customer and every order another id."""
    number = int(rng.integers(10, 99))
    ids = [*task.hidden["customers"], *task.hidden["orders"]]
    text = json.dumps(dict(task.hidden))
    for old in ids:
        text = text.replace(f'"{old}"', f'"{old}x{number}"')
    hidden: dict[str, Json] = json.loads(text)
    return replace(task, hidden=hidden)


ATTACKS = {"cancel all": cancel_all, "only say": only_say}
MUTANTS = two_cancelled
VARIANTS = {"other ids": other_ids}
