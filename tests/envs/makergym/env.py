"""Tool use, quickly certified, whose generator and machine misbehave now and then."""

import dataclasses
import os
from collections.abc import Mapping
from typing import ClassVar

from palestra.envs.base import Budget, Json, Split, Task, TaskSource
from palestra.envs.toolmini.env import ToolUseMiniEnv
from palestra.envs.toolmini.generate import ToolUseMiniSource
from palestra.sandbox.base import InfraError


class MixedSource(ToolUseMiniSource):
    """Of each five seeds one raises, one repeats the task before it, and one has no turns to solve it in."""

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        task = super().sample(seed - (seed % 5 == 2), difficulty)
        if seed % 5 == 3:
            raise ZeroDivisionError("no world fits")
        return dataclasses.replace(task, budget=Budget(turns=1)) if seed % 5 == 4 else task


class MixedEnv(ToolUseMiniEnv):
    env_id: ClassVar[str] = "maker/Mixed-v0"

    def _source(self, split: Split) -> TaskSource:
        return MixedSource(split)


class ShakyEnv(MixedEnv):
    """Its machine fails at every fortieth episode, and always where the environment says so."""

    env_id: ClassVar[str] = "maker/Shaky-v0"
    episodes: ClassVar[int] = 0

    def _begin(self, task: Task) -> None:
        ShakyEnv.episodes += 1
        if ShakyEnv.episodes % 40 == 0 or str(task.seed) == os.environ.get("MAKER_FAULT"):
            raise InfraError("the disk is full")
        super()._begin(task)


class DyingEnv(MixedEnv):
    """Its process is killed at the seed that the environment says."""

    env_id: ClassVar[str] = "maker/Dying-v0"

    def _begin(self, task: Task) -> None:
        mark = os.environ["MAKER_MARK"]
        if task.seed == 5 and not os.path.exists(mark):
            os.close(os.open(mark, os.O_CREAT))
            os.kill(os.getpid(), 9)
        super()._begin(task)


class EmptyEnv(MixedEnv):
    """Has no task that anybody could solve."""

    env_id: ClassVar[str] = "maker/Empty-v0"

    def _source(self, split: Split) -> TaskSource:
        return EmptySource(split)


class EmptySource(ToolUseMiniSource):
    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        return dataclasses.replace(super().sample(0, difficulty), budget=Budget(turns=1))
