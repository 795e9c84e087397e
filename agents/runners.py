"""How a synchronous environment is run beside others: in the loop, in a thread, or in a process.

In the loop is fastest for environments that answer in microseconds and keeps runs reproducible. A
thread lets slow ones overlap. A process also lets them be killed when they hang.
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal, Protocol

from palestra.envs.base import Task
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, make, register
from palestra.sandbox.base import InfraError

RunnerKind = Literal["inline", "thread", "process"]
CutKind = Literal["tokens", "deadline"]
Stepped = tuple[str, float, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class EnvMaker:
    """Builds an environment of the registry, here or in a process that knows only our own entries."""

    entry: EnvEntry
    kwargs: Mapping[str, Any]

    def __call__(self) -> AgentEnv:
        """Return a new environment."""
        register(self.entry)
        return make(self.entry.id, **self.kwargs)


class EnvRunner(Protocol):
    """One environment, driven by one episode at a time."""

    @property
    def env(self) -> AgentEnv:
        """The environment itself, for scripted policies.

        Raises:
            TypeError: it lives in another process.
        """
        ...

    async def reset(self, task: Task) -> dict[str, Any]:
        """Begin the task's episode and return its info."""
        ...

    async def step(self, action: Any) -> Stepped:
        """Do one turn: observation, reward, info; ``info["outcome"]`` is set at the end."""
        ...

    async def cut(self, kind: CutKind) -> tuple[float, dict[str, Any]]:
        """End the episode from outside: the last reward's adjustment, and info."""
        ...

    async def close(self) -> None:
        """Close the environment, without waiting for one that hangs."""
        ...


class InlineRunner:
    """Runs the environment in the event loop itself; a step holds up every other episode."""

    def __init__(self, make: Callable[[], AgentEnv]) -> None:
        self.env = make()

    async def reset(self, task: Task) -> dict[str, Any]:
        """See `EnvRunner`."""
        return self.env.reset(seed=task.seed, options={"task": task})[1]

    async def step(self, action: Any) -> Stepped:
        """See `EnvRunner`."""
        observation, reward, _, _, info = self.env.step(action)
        return observation, reward, info

    async def cut(self, kind: CutKind) -> tuple[float, dict[str, Any]]:
        """See `EnvRunner`."""
        return self.env.cut(kind)

    async def close(self) -> None:
        """See `EnvRunner`."""
        self.env.close()


class ThreadRunner:
    """Runs each call in a thread of asyncio's pool; one that hangs keeps its thread."""

    def __init__(self, make: Callable[[], AgentEnv]) -> None:
        self.env = make()

    async def reset(self, task: Task) -> dict[str, Any]:
        """See `EnvRunner`."""
        return (await asyncio.to_thread(self.env.reset, seed=task.seed, options={"task": task}))[1]

    async def step(self, action: Any) -> Stepped:
        """See `EnvRunner`."""
        observation, reward, _, _, info = await asyncio.to_thread(self.env.step, action)
        return observation, reward, info

    async def cut(self, kind: CutKind) -> tuple[float, dict[str, Any]]:
        """See `EnvRunner`."""
        return await asyncio.to_thread(self.env.cut, kind)

    async def close(self) -> None:
        """See `EnvRunner`."""
        try:
            async with asyncio.timeout(5):
                await asyncio.to_thread(self.env.close)
        except TimeoutError:
            return  # it hangs; its sandbox ends with this process


class ProcessRunner:
    """Runs the environment in a spawned process, which is killed when it hangs or is closed."""

    def __init__(self, make: Callable[[], AgentEnv]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def env(self) -> AgentEnv:
        """Always raises: the environment lives elsewhere."""
        raise TypeError("the environment lives in another process; scripted policies need 'inline' or 'thread'")

    async def reset(self, task: Task) -> dict[str, Any]:
        """See `EnvRunner`."""
        info: dict[str, Any] = await self._call("reset", task)
        return info

    async def step(self, action: Any) -> Stepped:
        """See `EnvRunner`."""
        stepped: Stepped = await self._call("step", action)
        return stepped

    async def cut(self, kind: CutKind) -> tuple[float, dict[str, Any]]:
        """See `EnvRunner`."""
        result: tuple[float, dict[str, Any]] = await self._call("cut", kind)
        return result

    async def close(self) -> None:
        """Kill the process; what it held in sandboxes ends with it."""
        self._process.kill()
        await asyncio.to_thread(self._process.join, 5)
        self._pipe.close()

    async def _call(self, name: str, argument: Any) -> Any:
        try:
            self._pipe.send((name, argument))
            while not self._pipe.poll():
                await asyncio.sleep(0.002)
            fine, value = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise InfraError(f"the environment's process died during {name}: {error!r}") from error
        if not fine:
            raise value
        return value


def _serve(pipe: Connection, make: Callable[[], AgentEnv]) -> None:
    runner: InlineRunner | None = None
    while True:
        try:
            name, argument = pipe.recv()
        except EOFError:
            return
        try:
            runner = runner or InlineRunner(make)
            pipe.send((True, asyncio.run(getattr(runner, name)(argument))))
        except Exception as error:  # carried to the caller, who knows what to do with it
            pipe.send((False, error))


RUNNERS: dict[RunnerKind, Callable[[Callable[[], AgentEnv]], EnvRunner]] = {
    "inline": InlineRunner,
    "thread": ThreadRunner,
    "process": ProcessRunner,
}
