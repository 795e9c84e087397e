"""An environment in which an action says what goes wrong: what a pool and its workers must survive."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from palestra.envs.actions import Action
from palestra.envs.base import Json, Split, Task, TaskError, merge_knobs
from palestra.envs.env import AgentEnv, StepResult
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import InfraError, PermanentInfraError


class OddError(Exception):
    """It can be written and not be read, as errors with arguments of their own."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


class ObeyTasks:
    knobs: Mapping[str, Json] = {}

    def __init__(self, split: Split) -> None:
        self.split: Split = split

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        return Task(
            id=f"obey/{self.split}/{seed}",
            family="obey",
            seed=seed,
            instruction=f"Task {seed}: say what shall happen.",
            difficulty=merge_knobs(self.knobs, difficulty),
        )

    def __iter__(self) -> Iterator[Task]:
        return (self.sample(seed) for seed in range(2**31))


class ObeyEnv(AgentEnv):
    """Pays 1 for "win"; see `_act` for what else may be said."""

    env_id: ClassVar[str] = "toy/Obey-v0"
    closed: ClassVar[list[int]] = []  # the processes, once for each environment that was closed

    def __init__(self, *, refuses_reset: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refuses_reset = refuses_reset  # a file: while it is there, no episode can begin
        self.thread, self.pid = threading.get_ident(), os.getpid()
        self.lock = threading.Lock()  # what cannot travel

    def _source(self, split: Split) -> ObeyTasks:
        return ObeyTasks(split)

    def _begin(self, task: Task) -> None:
        if task.family != "obey":
            raise TaskError(f"{task.id!r} is not for us")
        if self.refuses_reset and Path(self.refuses_reset).exists():
            raise InfraError("no sandbox could be started")
        self.steps = 0

    def _act(self, action: Action) -> StepResult:
        word, _, rest = action.content.partition(" ")
        self.steps += 1
        faults: dict[str, BaseException] = {
            "infra": InfraError("the sandbox went away"),
            "permanent": PermanentInfraError("the kernel lacks a feature"),
            "verifier": VerifierError("no verdict"),
            "bug": KeyError("a bug"),
            "odd": OddError(1, 2),
        }
        if word in faults:
            raise faults[word]
        if word == "exit":
            sys.exit(3)
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "wait":  # until a file is there
            while not Path(rest).exists():
                time.sleep(0.01)
        if word == "nan":
            return StepResult(replies=("paid",), parts={"outcome": float("nan")}, done=True)
        reply = {"pid": str(os.getpid()), "thread": str(threading.get_ident() == self.thread)}.get(word, "done")
        has_won = word == "win"
        return StepResult(
            replies=(reply,), parts={"outcome": float(has_won)}, done=word in ("win", "lose"), is_success=has_won
        )

    def _dump(self) -> Json:
        return self.steps

    def _load(self, state: Json) -> None:
        self.steps = state

    def oracle(self) -> Iterator[str]:
        yield "win"

    def close(self) -> None:
        self.closed.append(os.getpid())
