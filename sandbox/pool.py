"""Warm sandboxes for many borrowers: from threads, from asyncio, or from both at once.

with SandboxPool(size=2) as pool, pool.borrow() as sandbox:
    print(sandbox.exec(Python("print(6 * 7)")).stdout)
"""

import asyncio
import contextlib
import functools
import os
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Self

import palestra.sandbox
from palestra.sandbox.aio import AsyncSandbox
from palestra.sandbox.base import Backend, Sandbox, Spec
from palestra.sandbox.borrowed import Borrowed
from palestra.sandbox.limits import check_limits
from palestra.sandbox.metrics import PoolMetrics
from palestra.sandbox.seat import Seat
from palestra.sandbox.seating import PoolBusyError, PoolClosedError, Seating

__all__ = ["Acquisition", "PoolBusyError", "PoolClosedError", "SandboxPool"]


class SandboxPool:
    """So many sandboxes of one kind, started ahead and lent to one borrower after another. Thread-safe.

    Who came first is served first. Everybody gets an empty sandbox that was seen to work a moment ago.
    What comes back is made blank, or replaced, in the background, so that nobody waits for another's mess.
    A sandbox is replaced after `max_uses` programs, after a suspicious end (a time-out, a shortage of
    memory, a kill) and when it died. When none can be started, borrowers are told why at once, and it is
    tried again for those who come later. After a fork the child's pool has sandboxes of its own.
    """

    def __init__(
        self,
        spec: Spec | None = None,
        *,
        backend: str | Backend = "native",
        unsafe: bool = False,
        size: int | None = None,
        max_uses: int = 1000,
        max_waiting: int = 1000,
    ) -> None:
        """Begin to start sandboxes, and return.

        Args:
            spec: what is wanted of each; the default is `Spec()`.
            backend: a name in `palestra.sandbox.BACKENDS`, or a backend.
            unsafe: accept a backend that isolates nothing.
            size: how many there are; the default is one for each processor.
            max_uses: how many programs one runs before it is replaced.
            max_waiting: how many borrowers may wait at once; more are turned away.

        Raises:
            ValueError: a number or a limit makes no sense.
        """
        size = (os.cpu_count() or 1) if size is None else size
        for name, value, least in (("size", size, 1), ("max_uses", max_uses, 1), ("max_waiting", max_waiting, 0)):
            if type(value) is not int or value < least:
                raise ValueError(f"{name} must be a whole number from {least}, not {value!r}")
        spec = spec or Spec()
        check_limits(spec.limits)
        self._furnish: Callable[[], Seating] = functools.partial(
            Seating, _maker(spec, backend, unsafe), size=size, max_uses=max_uses, max_waiting=max_waiting
        )
        self._seating = self._furnish()
        self._seating.mend()
        _pools.add(self)

    @contextlib.contextmanager
    def borrow(self, *, timeout_s: float | None = None) -> Iterator[Borrowed]:
        """Lend a sandbox for a `with` block, waiting for one if need be.

        Args:
            timeout_s: how long to wait; None: as long as it takes.

        Raises:
            PoolBusyError: too many wait already, or the time ran out.
            PoolClosedError: the pool is closed.
            InfraError: no sandbox can be started.
        """
        start, seating, is_first = time.monotonic(), self._seating, False
        while True:
            turn = seating.ask(is_first=is_first)
            try:
                seat = turn.result(None if timeout_s is None else max(0.0, start + timeout_s - time.monotonic()))
            except TimeoutError:
                seating.withdraw(turn)
                raise seating.too_late(timeout_s) from None
            except BaseException:
                seating.withdraw(turn)
                raise
            with _given_back_on_error(seating, seat):
                if seat.works():
                    borrowed = seating.lend(seat, start)
                    break
            seating.give_back(seat)
            is_first = True
        with contextlib.closing(borrowed):
            yield borrowed

    def acquire(self, *, timeout_s: float | None = None) -> "Acquisition":
        """Lend a sandbox for an `async with` block, as `borrow` does; no event loop is held up."""
        return Acquisition(self._seating, timeout_s)

    def metrics(self) -> PoolMetrics:
        """Return what the pool has and what it did."""
        return self._seating.metrics()

    def close(self, *, grace_s: float = 10.0) -> None:
        """Turn away who waits, wait for what is lent, and end every sandbox. A second call does nothing.

        Args:
            grace_s: how long borrowers have; what they use still is then ended under them.
        """
        self._seating.close(grace_s)

    async def aclose(self, *, grace_s: float = 10.0) -> None:
        """Do as `close`, without holding up the event loop."""
        await asyncio.to_thread(self.close, grace_s=grace_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def leave_to_parent(self) -> None:
        """After a fork, in the child: take other places. What the parent has is not even let go of here."""
        _parents.append(self._seating)
        self._seating = self._furnish()


class Acquisition:
    """What `async with pool.acquire()` waits for. Giving back never waits, so it works in a cancelled task too."""

    def __init__(self, seating: Seating, timeout_s: float | None) -> None:
        self._seating, self._timeout_s = seating, timeout_s
        self._borrowed: Borrowed | None = None

    async def __aenter__(self) -> AsyncSandbox:
        start, seating, is_first = time.monotonic(), self._seating, False
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    seat = await self._turn(is_first)
                    with _given_back_on_error(seating, seat):
                        if await seat.lane.call(seat.works):
                            self._borrowed = seating.lend(seat, start)
                            return AsyncSandbox(self._borrowed, seat.lane, owns_lane=False)
                    seating.give_back(seat)
                    is_first = True
        except TimeoutError:
            raise seating.too_late(self._timeout_s) from None

    async def __aexit__(self, *exc_info: object) -> None:
        if self._borrowed is not None:
            self._borrowed.close()

    async def _turn(self, is_first: bool) -> Seat:
        turn = self._seating.ask(is_first=is_first)
        try:
            return await asyncio.wrap_future(turn)
        except BaseException:
            self._seating.withdraw(turn)
            raise


@contextlib.contextmanager
def _given_back_on_error(seating: Seating, seat: Seat) -> Iterator[None]:
    try:
        yield
    except BaseException:
        seating.give_back(seat)
        raise


def _maker(spec: Spec, backend: str | Backend, unsafe: bool) -> Callable[[], Sandbox]:
    if isinstance(backend, str):
        return lambda: palestra.sandbox.create(spec, backend=backend, unsafe=unsafe)
    return lambda: backend.create(spec)


def _leave_to_parent() -> None:
    for pool in _pools:
        pool.leave_to_parent()


_pools: weakref.WeakSet[SandboxPool] = weakref.WeakSet()
_parents: list[Seating] = []
os.register_at_fork(after_in_child=_leave_to_parent)
