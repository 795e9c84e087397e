"""How one would cheat at a riddle."""

from collections.abc import Iterator

import numpy as np

from palestra.envs.base import Task
from palestra.envs.certify.spoilt import Mutant
from palestra.envs.env import AgentEnv


def as_it_stands(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Give the letters back in the order in which they are shown."""
    yield env.task.instruction.split()[4]


def last_word(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
    """Say the last thing that was said."""
    yield env.task.instruction.split()[-1]


def other_case(task: Task) -> Iterator[Mutant]:
    """Take large letters for small ones."""
    answer = task.hidden["answer"]
    yield from (Mutant(text, (text,)) for text in (answer.lower(), answer.upper(), answer.swapcase()))


ATTACKS = {"as it stands": as_it_stands, "last word": last_word}
MUTANTS = other_case
