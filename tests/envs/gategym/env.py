"""An environment that judges as a solution tells it to: it waits at a gate, notes a name, or kills its own process."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from palestra.envs.actions import Action
from palestra.envs.base import Json, Split, Task
from palestra.envs.env import AgentEnv, StepResult
from palestra.envs.registry import EnvEntry, register
from palestra.rewards.base import Check, Verdict, VerifierError

ENTRY = EnvEntry(id="toy/Gate-v0", entry_point="gategym.env:GateEnv", family="gate", summary="does as it is told")


def register_gates() -> None:
    """Add this environment to the registry: what the entry point of the tests' servers names."""
    register(ENTRY)


class GateTasks:
    """Secrets."""

    knobs: Mapping[str, Json] = {}

    def __init__(self, split: Split) -> None:
        self.split: Split = split

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        return Task(id=f"gate/{seed}", family="gate", seed=seed, instruction="Guess.", hidden={"secret": f"s{seed}"})

    def __iter__(self) -> Iterator[Task]:
        raise NotImplementedError


class GateEnv(AgentEnv):
    """Solutions are ``gate PLACE``, ``note PLACE NAME``, ``die``, ``exit`` or the secret; nobody acts here.

    ``gate`` adds a line with its process to the file PLACE, and passes once PLACE.open is there.
    """

    env_id: ClassVar[str] = "toy/Gate-v0"

    def artefact(self, task: Task) -> str:
        return "words.txt"

    def judge(self, task: Task, text: str) -> Verdict:
        verb, *more = text.split() or [""]
        if verb == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if verb == "exit":
            raise SystemExit(0)
        if verb in ("gate", "note"):
            with Path(more[0]).open("a") as file:
                file.write(f"{more[1] if verb == 'note' else os.getpid()}\n")
            while verb == "gate" and not Path(f"{more[0]}.open").exists():
                time.sleep(0.01)
            return Verdict.of([Check(name=verb, passed=True)])
        if "secret" not in task.hidden:
            raise VerifierError(f"no secret in {dict(task.hidden)}")
        return Verdict.of([Check(name="guess", passed=text == task.hidden["secret"], evidence="a guess")])

    def explain(self, task: Task, check: Check) -> str:
        return f"the secret is {task.hidden['secret']}"

    def oracle(self) -> Iterator[str]:
        raise NotImplementedError

    def _source(self, split: Split) -> GateTasks:
        return GateTasks(split)

    def _begin(self, task: Task) -> None:
        pass

    def _act(self, action: Action) -> StepResult:
        raise NotImplementedError

    def _dump(self) -> Json:
        return {}

    def _load(self, state: Json) -> None:
        pass
