"""An honest environment without tools: put the letters of a word in order, in one reply."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from tests.envs.flawed.corpus import Tasks

from palestra.envs.actions import Action
from palestra.envs.base import Json, Split, Task
from palestra.envs.env import AgentEnv, StepResult

LETTERS: dict[Split, str] = {"train": "abdegilnrtABDEG", "heldout": "cfhkmopsuvwCFHKM"}


class RiddleTasks(Tasks):
    """Seven letters out of the split's own alphabet, large and small, never in order."""

    family = "riddle"

    def make(self, seed: int, draw: Random) -> Task:
        word = "".join(draw.sample(LETTERS[self.split], 7))
        while word == (answer := "".join(sorted(word))):
            word = "".join(draw.sample(word, 7))
        return Task(
            id=f"riddle/{self.split}/{seed}",
            family="riddle",
            seed=seed,
            instruction=self.words(word, answer),
            hidden={"answer": answer},
        )

    def words(self, word: str, answer: str) -> str:
        return f"Put the letters of {word} in order, capitals first, and say nothing else."


class Riddle(AgentEnv):
    """The honest one."""

    env_id: ClassVar[str] = "flawed/Riddle-v0"
    source: ClassVar[type[Tasks]] = RiddleTasks
    replied = False

    def _source(self, split: Split) -> Tasks:
        return self.source(split)

    def _begin(self, task: Task) -> None:
        self.replied = False

    def _act(self, action: Action) -> StepResult:
        self.replied = True
        won = self.wins(action.content, self.task.hidden["answer"])
        told = "right" if won else "wrong"
        return StepResult(replies=(told,), parts={"outcome": float(won)}, done=True, is_success=won)

    def wins(self, reply: str, answer: str) -> bool:
        return reply.strip() == answer

    def _dump(self) -> Json:
        return {"replied": self.replied}

    def _load(self, state: Json) -> None:
        self.replied = state["replied"]

    def oracle(self) -> Iterator[str]:
        yield self.task.hidden["answer"]
