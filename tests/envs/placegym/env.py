"""An environment that tells where it is played, as far as it is asked to."""

import locale
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from palestra.envs.actions import Action, call_text, function_tool
from palestra.envs.base import Json, Split, Task
from palestra.envs.env import AgentEnv, StepResult

_played: list[str] = []  # the flaw of what remembers
_inside = threading.Semaphore(1)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _crowded() -> bool:
    """Tell whether others act at this very time; who waits gives them time to."""
    if not _inside.acquire(blocking=False):
        return True
    time.sleep(0.02)
    _inside.release()
    return False


TELLS: dict[str, Callable[[], Any]] = {
    "nothing": lambda: "",
    "hash seed": lambda: hash("a text"),
    "time zone": lambda: time.tzname,
    "locale": lambda: locale.setlocale(locale.LC_CTYPE, ""),
    "thread count": lambda: os.environ.get("OMP_NUM_THREADS"),
    "folder": os.getcwd,
    "umask": _umask,
    "development mode": lambda: sys.flags.dev_mode,
    "asserts": lambda: sys.flags.optimize,
    "order": lambda: list(_played),
    "company": _crowded,
    "process": os.getpid,
}


class PlaceTasks:
    """Say yes."""

    knobs: Mapping[str, Json] = {}

    def __init__(self, split: Split, tells: str) -> None:
        self.split: Split = split
        self.tells = tells

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        told = TELLS["process"]() if self.tells == "process in the task" else ""
        tool = function_tool("say", "Say it.", {"word": {"type": "string"}})
        instruction = f"Say yes.{told}"
        return Task(id=f"place/{seed}", family="place", seed=seed, instruction=instruction, tools=(tool,))

    def __iter__(self) -> Iterator[Task]:
        return iter(self.sample(seed) for seed in range(10))


class PlaceEnv(AgentEnv):
    """Its second reply tells what it is asked to tell."""

    env_id: ClassVar[str] = "place/Place-v0"

    def __init__(self, tells: str = "nothing", **kwargs: Any) -> None:
        self.tells = tells
        super().__init__(**kwargs)

    def _source(self, split: Split) -> PlaceTasks:
        return PlaceTasks(split, self.tells)

    def _begin(self, task: Task) -> None:
        self.turn = 0

    def _act(self, action: Action) -> StepResult:
        self.turn += 1
        told = str(TELLS.get(self.tells, TELLS["nothing"])()) if self.turn == 2 else "go on"
        if self.turn == 3:
            _played.append(self.task.id)
        won = self.turn == 3
        return StepResult(replies=(told,) * max(1, len(action.calls)), parts={"outcome": won}, done=won, is_success=won)

    def _dump(self) -> Json:
        return {"turn": self.turn}

    def _load(self, state: Json) -> None:
        self.turn = state["turn"]

    def oracle(self) -> Iterator[str]:
        for _ in range(3):
            yield call_text("say", {"word": "yes"})
