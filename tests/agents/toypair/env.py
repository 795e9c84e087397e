"""A two-turn task that a random model can learn: say a letter, then one from the half that is asked for.

And environments that hang, break or fail: what rollouts must survive.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from palestra.envs.actions import Action
from palestra.envs.base import Budget, Json, Split, Task, derive_seed, merge_knobs
from palestra.envs.env import AgentEnv, StepResult
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError, PermanentInfraError

HALVES = {"low": "abcdefghijklm", "high": "nopqrstuvwxyz"}


class PairTasks:
    knobs: Mapping[str, Json] = {}

    def __init__(self, split: Split) -> None:
        self.split: Split = split

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        half = ("low", "high")[derive_seed("pair", self.split, seed, "half") % 2]
        return Task(
            id=f"pair/{self.split}/{seed}",
            family="pair",
            seed=seed,
            instruction="?",
            difficulty=merge_knobs(self.knobs, difficulty),
            budget=Budget(turns=2),
            hidden={"half": half},
            provenance={"template": half},
        )

    def __iter__(self) -> Iterator[Task]:
        return (self.sample(seed) for seed in range(2**31))


class PairEnv(AgentEnv):
    """Half of the reward for each turn that was right; both must be, for success."""

    env_id: ClassVar[str] = "toy/Pair-v0"

    def _source(self, split: Split) -> PairTasks:
        return PairTasks(split)

    def _begin(self, task: Task) -> None:
        self.right: list[bool] = []

    def _act(self, action: Action) -> StepResult:
        wanted = "".join(HALVES.values()) if not self.right else HALVES[self.task.hidden["half"]]
        self.right.append(bool(action.content) and action.content[0] in wanted)
        is_over = len(self.right) == 2
        reply = "." if is_over else self.task.hidden["half"]
        return StepResult(
            replies=(reply,),
            parts={"letter": 0.5 * self.right[-1]},
            done=is_over,
            is_success=is_over and all(self.right),
        )

    def _dump(self) -> Json:
        return self.right

    def _load(self, state: Json) -> None:
        self.right = list(state)

    def oracle(self) -> Iterator[str]:
        yield "a"
        yield HALVES[self.task.hidden["half"]][0]


class GradedTasks(PairTasks):
    knobs: Mapping[str, Json] = {"half": "any"}

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        task = super().sample(seed, difficulty)
        half = task.difficulty["half"]
        return task if half == "any" else replace(task, hidden={"half": half})


class GradedEnv(PairEnv):
    """The same with a knob: which half is asked for."""

    env_id: ClassVar[str] = "toy/Graded-v0"

    def _source(self, split: Split) -> GradedTasks:
        return GradedTasks(split)


class HangingEnv(PairEnv):
    """Every other episode's second step takes an hour."""

    def _act(self, action: Action) -> StepResult:
        if self.right and self.task.seed % 2:
            time.sleep(3600)
        return super()._act(action)


class FaultyEnv(PairEnv):
    """Fails by the task's number: 1 and then recovers, 2 for good, 3 in the verifier, 4 by a bug."""

    failed: ClassVar[set[str]] = set()

    def _act(self, action: Action) -> StepResult:
        kind = self.task.seed % 5
        if kind == 1 and self.task.id not in self.failed:
            self.failed.add(self.task.id)
            raise InfraError("the sandbox was lost")
        if kind == 2:
            raise PermanentInfraError("the kernel lacks a feature")
        if kind == 3:
            raise VerifierError("the verifier crashed")
        if kind == 4:
            raise KeyError("a bug")
        return super()._act(action)
