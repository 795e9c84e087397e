"""How one would cheat at picking: some ways fail, and who guesses wins one time in four."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from tests.envs.flawed.pick.env import CHOICES

from palestra.envs.actions import call_text
from palestra.envs.env import AgentEnv


def say(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Say all four, and call nothing."""
    yield ", ".join(CHOICES)


def first(choice: str, env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Pick the same letter always."""
    yield call_text("pick", {"choice": choice})


ATTACKS = {"say": say}
GUESSES = {choice: (partial(first, choice), 0.25) for choice in CHOICES}
FLOORS = {
    name: 0.25
    for name in ("random", "copy_prompt", "spam", "front_load", "claim_done", "act_after_done", "huge", "constant")
}
