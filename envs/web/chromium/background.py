"""A thread in which asyncio runs for those who do not."""

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from palestra.sandbox.base import InfraError

_Got = TypeVar("_Got")
_LOG = logging.getLogger(__name__)


class Background:
    """An event loop in a daemon thread of its own. `call` is for every other thread, running a loop or not."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_note)
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name=f"chromium-{name}", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, _Got], limit_s: float) -> _Got:
        """Have a coroutine done there, wait for it and return what came of it.

        Raises:
            InfraError: it took longer than the limit and was cancelled, or the loop has been stopped.
            RuntimeError: this is the loop's own thread, which cannot wait for itself.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("called from the browser's own thread, which cannot wait for itself; await it there")
        future = self.begin(asyncio.wait_for(work, limit_s), work)
        try:
            return future.result()
        except TimeoutError as error:
            raise InfraError(f"the browser did not answer within {limit_s:g} s; reset and try again") from error
        except BaseException:
            future.cancel()  # the caller was interrupted
            raise

    def begin(self, work: Coroutine[Any, Any, _Got], *inner: Coroutine[Any, Any, object]) -> "Future[_Got]":
        """Have a coroutine done there; raise InfraError, the coroutine and those in it closed, if it cannot be."""
        try:
            if not self.is_alive:
                raise RuntimeError
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            for one in (work, *inner):
                one.close()
            raise InfraError("the browser's thread has ended, or was another process's; open another visit") from None

    @property
    def is_alive(self) -> bool:
        """Whether it can do anything here."""
        return self._thread.is_alive() and not self._loop.is_closed() and self._pid == os.getpid()

    def stop(self) -> None:
        """End the thread when what it is at is done; what waits is cancelled."""
        if self.is_alive:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()


def _note(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keep what nobody waited for from standard error: when a browser dies, whoever waited is told by an exception."""
    _LOG.debug("%s", context.get("message"), exc_info=context.get("exception"))
