"""How one would cheat at counting: one way must fail, another wins now and then."""

from collections.abc import Iterator

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.env import AgentEnv


def claim(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Finish at once with the number that was asked for."""
    yield call_text("finish", {"value": env.task.hidden["target"]})


def guess(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Add five and finish with that: right when the target happens to be five."""
    yield call_text("add", {"amount": 5})
    yield call_text("finish", {"value": 5})


ATTACKS = {"claim": claim}
GUESSES = {"five": (guess, 0.1)}
