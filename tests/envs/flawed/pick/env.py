"""An honest environment in which luck wins one time in four: pick the largest of four sums."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from tests.envs.flawed.corpus import Tasks

from palestra.envs.actions import Action, call_text, function_tool
from palestra.envs.base import Json, Split, Task
from palestra.envs.env import AgentEnv, StepResult

CHOICES = ("A", "B", "C", "D")
TOOLS = (function_tool("pick", "Choose; the episode ends.", {"choice": {"type": "string", "enum": list(CHOICES)}}),)
TENS: dict[Split, range] = {"train": range(100, 400), "heldout": range(500, 800)}


class PickTasks(Tasks):
    """Four different sums; the largest stands anywhere."""

    family = "pick"

    def make(self, seed: int, draw: Random) -> Task:
        pairs = [draw.sample(TENS[self.split], 2) for _ in CHOICES]
        while len(set(map(sum, pairs))) < len(CHOICES):
            pairs = [draw.sample(TENS[self.split], 2) for _ in CHOICES]
        pairs = self.arranged(pairs)
        best = CHOICES[max(range(len(CHOICES)), key=lambda place: sum(pairs[place]))]
        sums = "; ".join(f"{name}: {one} + {two}" for name, (one, two) in zip(CHOICES, pairs, strict=True))
        return Task(
            id=f"pick/{self.split}/{seed}",
            family="pick",
            seed=seed,
            instruction=f"Which is largest? {sums}.",
            tools=TOOLS,
            hidden={"best": best},
        )

    def arranged(self, pairs: list[list[int]]) -> list[list[int]]:
        return pairs


class Pick(AgentEnv):
    """The honest one."""

    env_id: ClassVar[str] = "flawed/Pick-v0"
    source: ClassVar[type[Tasks]] = PickTasks
    picked = ""

    def _source(self, split: Split) -> Tasks:
        return self.source(split)

    def _begin(self, task: Task) -> None:
        self.picked = ""

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=("call pick",))
        self.picked = action.calls[0].arguments["choice"]
        won = self.picked == self.task.hidden["best"]
        replies = ("right" if won else "wrong", *[""] * (len(action.calls) - 1))
        return StepResult(replies=replies, parts={"outcome": float(won)}, done=self.ends(won), is_success=won)

    def ends(self, won: bool) -> bool:
        return True

    def _dump(self) -> Json:
        return {"picked": self.picked}

    def _load(self, state: Json) -> None:
        self.picked = state["picked"]

    def oracle(self) -> Iterator[str]:
        yield call_text("pick", {"choice": self.task.hidden["best"]})
