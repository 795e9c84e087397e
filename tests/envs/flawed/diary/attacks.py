"""How one would cheat at keeping a diary."""

from collections.abc import Iterator

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.env import AgentEnv


def all_at_once(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do all that will be asked for before it is asked, then say ready three times."""
    calls = [call for _, calls in env.task.hidden["requests"] for call in calls]
    yield "".join(call_text(name, arguments) for name, arguments in calls)
    yield call_text("ready", {}) * len(env.task.hidden["requests"])


def litter(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Do what is asked for, and note something else at the end as well."""
    *actions, ready = env.oracle()
    free = next(day for day, notes in env.task.hidden["wanted"][-1].items() if not notes)
    yield from (*actions, call_text("note", {"day": free, "text": "more"}), ready)


def ready(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Say ready again and again."""
    while True:
        yield call_text("ready", {})


ATTACKS = {"all at once": all_at_once, "litter": litter, "ready": ready}
