"""A thread that does one thing after another, for callers that must not be held up."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from palestra.sandbox.base import InfraError

_Got = TypeVar("_Got")


class Lane:
    """Calls in the order they came. The thread starts with the first."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"palestra-{name}")

    def submit(self, action: Callable[[], _Got]) -> "Future[_Got]":
        """Have something done after what was asked for before; return what will come of it.

        Raises:
            InfraError: there is no thread to be had, or the lane is closed.
        """
        try:
            return self._executor.submit(action)
        except (RuntimeError, MemoryError) as error:
            raise InfraError(f"no thread for a sandbox: {error}; end some threads or sandboxes, then retry") from error

    async def call(self, action: Callable[[], _Got]) -> _Got:
        """Have something done and return what came of it; cancelled, what was begun goes on unseen."""
        return await asyncio.wrap_future(self.submit(action))

    def close(self, *, wait: bool = False) -> None:
        """Take no more calls; those that were taken are done."""
        self._executor.shutdown(wait=wait)
