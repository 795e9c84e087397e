"""What the flawed environments share: where tasks come from, and the list of what is wrong with whom.

Each flaw is a class that breaks one rule of an honest environment and names the questions of a check that
may catch it. Four honest environments carry them: `desk` (tools and a database), `riddle` (text, no tools),
`pick` (one choice of four, so luck is declared) and `diary` (many turns, many writes).
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import ClassVar, TypeVar

from palestra.envs.base import Json, Split, Task, derive_seed, merge_knobs
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, register

HOME = "tests.envs.flawed"
HONEST = {"Desk": "desk.env", "Riddle": "riddle.env", "Pick": "pick.env", "Diary": "diary.env"}
_FLAWED = ("desk.flaws", "desk.machine", "riddle.flaws", "pick.flaws", "unlucky.flaws", "diary.flaws")

E = TypeVar("E", bound=type[AgentEnv])


@dataclass(frozen=True)
class Flaw:
    """A flawed environment: its class, what is wrong with it, and the questions that may catch it."""

    name: str
    module: str
    summary: str
    caught_by: frozenset[str]


_flaws: dict[str, Flaw] = {}


def caught_by(*questions: str) -> Callable[[E], E]:
    """Put a class on the list of flaws; any of these questions of a check may catch it."""

    def listed(cls: E) -> E:
        summary = (cls.__doc__ or "").strip()
        _flaws[cls.__name__] = Flaw(cls.__name__, cls.__module__, summary, frozenset(questions))
        return cls

    return listed


def flaws() -> dict[str, Flaw]:
    """Return every flaw by name."""
    for module in _FLAWED:
        importlib.import_module(f"{HOME}.{module}")
    return dict(_flaws)


def registered(name: str) -> str:
    """Register an honest or a flawed environment, and return its id."""
    module = f"{HOME}.{HONEST[name]}" if name in HONEST else flaws()[name].module
    env_id = f"flawed/{name}-v0"
    register(EnvEntry(id=env_id, entry_point=f"{module}:{name}", family="flawed", summary="of the corpus"))
    return env_id


class Tasks(ABC):
    """A generator whose draws come from the seed, the split and the family, and from nowhere else."""

    family: ClassVar[str]
    knobs: Mapping[str, Json] = {}

    def __init__(self, split: Split) -> None:
        self.split: Split = split

    @abstractmethod
    def make(self, seed: int, draw: Random) -> Task:
        """Return the task of a seed."""

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        merge_knobs(self.knobs, difficulty)
        return self.make(seed, Random(derive_seed(self.family, self.split, seed, "task")))

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1
