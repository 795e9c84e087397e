"""How one would cheat at counting: one attempt that must fail, and one that works on a careless copy."""

from collections.abc import Iterator

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.env import AgentEnv


def claim(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Finish at once with the number that was asked for."""
    yield call_text("finish", {"value": env.task.hidden["target"]})


ATTACKS = {"claim": claim}
