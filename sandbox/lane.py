"""A thread that does one thing after another, for callers that must not be held up."""

import asyncio
import queue
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from palestra.sandbox.base import InfraError

_Got = TypeVar("_Got")
_Calls = queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


class Lane:
    """Calls in the order they came. The thread starts with the first and ends with the lane.

    Unlike an executor's, `submit` may be called from wherever a garbage collection calls a finaliser: a
    borrower that was forgotten gives its sandbox back there.
    """

    def __init__(self, name: str) -> None:
        self._name = f"palestra-{name}"
        self._calls: _Calls = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._end = weakref.finalize(self, self._calls.put, None)
        self._end.atexit = False

    def submit(self, action: Callable[[], _Got]) -> "Future[_Got]":
        """Have something done after what was asked for before; return what will come of it.

        Raises:
            InfraError: there is no thread to be had, or the lane is closed.
        """
        if not self._end.alive:
            raise InfraError("the sandbox or its pool is closed; make another")
        if self._thread is None:
            thread = threading.Thread(target=_work, args=(self._calls,), name=self._name, daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError) as error:
                raise InfraError(f"no thread for a sandbox: {error}; end some threads or sandboxes, retry") from error
            self._thread = thread
        future: Future[_Got] = Future()
        self._calls.put((future, action))
        return future

    async def call(self, action: Callable[[], _Got]) -> _Got:
        """Have something done and return what came of it; cancelled, what was begun goes on unseen."""
        return await asyncio.wrap_future(self.submit(action))

    def close(self, *, wait: bool = False) -> None:
        """Take no more calls; those that were taken are done."""
        self._end()
        if wait and self._thread is not None:
            self._thread.join()


def _work(calls: _Calls) -> None:
    while call := calls.get():
        future, action = call
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(action())
            except BaseException as error:  # it belongs to whoever waits
                future.set_exception(error)
        del call, future, action  # or they live until the next one comes
