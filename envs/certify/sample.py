"""The tasks that a question about an environment is asked of, and episodes told turn by turn."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, NamedTuple

from palestra.envs.base import Split, Task
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, make
from palestra.envs.scripts import DONE, overdue


class Case(NamedTuple):
    """One task, and a live environment of its split to play it in."""

    env: AgentEnv
    task: Task
    split: Split
    seed: int

    def __str__(self) -> str:
        return f"{self.task.id!r} (split {self.split}, seed {self.seed})"


class Told(NamedTuple):
    """What came of one step."""

    observation: str
    reward: float
    over: bool
    info: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """An environment and the seeds of the tasks that it is asked about."""

    entry: EnvEntry
    splits: tuple[Split, ...]
    seeds: range

    def cases(self, most: int, **kwargs: Any) -> Iterator[Case]:
        """Yield the first tasks of each split, those of one split in one environment."""
        most = min(most, 2) if self.entry.needs else most  # programs take their time
        for split in self.splits:
            with closing(make(self.entry.id, split=split, **kwargs)) as env:
                for seed in self.seeds[:most]:
                    yield Case(env, env.tasks.sample(seed), split, seed)


def walk(case: Case, actions: Iterable[Any], env: AgentEnv | None = None) -> Iterator[Told]:
    """Play a task with these actions, claiming to be done when there are no more, and yield every turn.

    Raises:
        RuntimeError: the episode goes on after its budget of turns.
    """
    env = case.env if env is None else env
    env.reset(seed=case.seed, options={"task": case.task})
    for turn, action in enumerate(chain(actions, repeat(DONE))):
        overdue(case.task, turn)
        observation, reward, terminated, truncated, info = env.step(action)
        yield Told(observation, reward, terminated or truncated, info)
        if terminated or truncated:
            return
