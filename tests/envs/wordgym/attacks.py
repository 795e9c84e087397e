"""How one would cheat at words: by handing in the word as it is."""

from collections.abc import Iterator

import numpy as np

from palestra.envs.actions import call_text
from palestra.envs.env import AgentEnv


def forwards(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Hand in the word as it is told."""
    yield call_text("submit", {"text": env.task.hidden["word"]})


ATTACKS = {"forwards": forwards}
