"""How rollouts drive an environment: the workers of `palestra.envs.workers`, awaited."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from palestra.envs.base import Task
from palestra.envs.env import AgentEnv
from palestra.envs.workers import WORKERS, EnvMaker, Job, WorkerKind

__all__ = ["RUNNERS", "EnvMaker", "EnvRunner", "RunnerKind"]

RunnerKind = WorkerKind
CutKind = Literal["tokens", "deadline"]
Stepped = tuple[str, float, dict[str, Any]]
_CLOSE_S = 5.0


class EnvRunner:
    """One environment, driven by one episode at a time.

    Args:
        make: builds the environment, at the first reset.
        kind: "inline" (in the event loop itself: a step holds up every other episode), "thread" (one
            that hangs keeps its thread) or "process" (killed when it hangs or is closed).
    """

    def __init__(self, make: Callable[[], AgentEnv], kind: RunnerKind = "inline") -> None:
        self._worker = WORKERS[kind](make)

    @property
    def env(self) -> AgentEnv:
        """The environment itself, for scripted policies.

        Raises:
            TypeError: it lives in another process, or there was no reset yet.
        """
        env: AgentEnv = self._worker.env
        return env

    async def reset(self, task: Task) -> dict[str, Any]:
        """Begin the task's episode and return its info."""
        info: dict[str, Any] = await self._do(partial(_reset, task=task))
        return info

    async def step(self, action: Any) -> Stepped:
        """Do one turn: observation, reward, info; ``info["outcome"]`` is set at the end."""
        stepped: Stepped = await self._do(partial(_step, action=action))
        return stepped

    async def cut(self, kind: CutKind) -> tuple[float, dict[str, Any]]:
        """End the episode from outside: the last reward's adjustment, and info."""
        result: tuple[float, dict[str, Any]] = await self._do(partial(_cut, kind=kind))
        return result

    async def close(self) -> None:
        """Close the environment, without waiting for one that hangs."""
        self._worker.retire()
        if not self._worker.join(0.0):
            await asyncio.to_thread(self._worker.join, _CLOSE_S)

    async def _do(self, job: Job) -> Any:
        future = self._worker.submit(job)
        return future.result() if future.done() else await asyncio.wrap_future(future)


def _reset(env: AgentEnv, task: Task) -> dict[str, Any]:
    return env.reset(seed=task.seed, options={"task": task})[1]


def _step(env: AgentEnv, action: Any) -> Stepped:
    observation, reward, _, _, info = env.step(action)
    return observation, reward, info


def _cut(env: AgentEnv, kind: CutKind) -> tuple[float, dict[str, Any]]:
    return env.cut(kind)


RUNNERS: dict[RunnerKind, Callable[[Callable[[], AgentEnv]], EnvRunner]] = {
    "inline": EnvRunner,
    "thread": partial(EnvRunner, kind="thread"),
    "process": partial(EnvRunner, kind="process"),
}
