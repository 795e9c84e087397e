"""Who sits where in a pool: the queue of borrowers, and the places that are made ready for them."""

import contextlib
import functools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future

from palestra.sandbox.base import ExecResult, InfraError, PermanentInfraError, Sandbox
from palestra.sandbox.borrowed import Borrowed
from palestra.sandbox.faults import advice
from palestra.sandbox.metrics import Histogram, PoolMetrics
from palestra.sandbox.seat import Seat

_RETRY_S = 0.5  # between two tries to start a sandbox where none could be started

Turn = Future[Seat]  # holds a seat when it is its borrower's turn


class PoolBusyError(InfraError):
    """Nobody can be served in time: too many wait already, or a borrower's own time ran out."""


class PoolClosedError(PermanentInfraError):
    """The pool is closed, or was closed while the borrower waited."""


class Seating:
    """The places of one pool in one process. Thread-safe; nothing slow is done by the caller.

    A seat goes round: handed to the first borrower in the queue, given back, made ready in its own lane.
    One where no sandbox can be started stays empty. It is tried again as long as anybody waits, and
    whenever somebody asks; if all are, those who wait are told why.
    """

    def __init__(self, make: Callable[[], Sandbox], *, size: int, max_uses: int, max_waiting: int) -> None:
        self._max_uses, self._max_waiting = max_uses, max_waiting
        self._changed = threading.Condition(threading.RLock())
        self._seats = [Seat(number, make) for number in range(size)]
        self._ready: list[Seat] = []  # never any while somebody waits
        self._waiting: deque[Turn] = deque()
        self._lent: dict[Seat, Borrowed | None] = {}  # None: handed over and not yet lent
        self._counts: Counter[str] = Counter()
        self._times = {name: Histogram() for name in ("wait", "run", "clean", "start")}
        self._is_closed = False

    def mend(self) -> None:
        """Try to start a sandbox wherever there is none, unless that has just failed."""
        with self._changed:
            for seat in self._seats:
                if seat.state == "empty" and time.monotonic() - seat.tried_at > _RETRY_S:
                    seat.state, seat.tried_at = "preparing", time.monotonic()
                    try:
                        seat.lane.submit(functools.partial(self._prepare, seat))
                    except InfraError as error:
                        seat.state, seat.trouble = "empty", error

    def ask(self, *, is_first: bool = False) -> Turn:
        """Return a borrower's turn; every turn ends in `lend`, `give_back` or `withdraw`.

        Args:
            is_first: go before the others, having had a turn that was worth nothing.

        Raises:
            PoolBusyError: too many wait already.
            PoolClosedError: the pool is closed.
            InfraError: no sandbox can be started.
        """
        with self._changed:
            if self._is_closed:
                raise PoolClosedError("the pool is closed; make another")
            self.mend()
            if trouble := self._trouble():
                raise _anew(trouble)
            turn: Turn = Future()
            if self._ready:
                self._hand_over(self._ready.pop(), turn)
            elif is_first:
                self._waiting.appendleft(turn)
            elif len(self._waiting) < self._max_waiting:
                self._waiting.append(turn)
            else:
                self._counts["refused"] += 1
                raise PoolBusyError(
                    f"all {len(self._seats)} sandboxes are in use and {len(self._waiting)} borrowers wait, as many as "
                    "may (max_waiting); try again later, or make the pool larger"
                )
            return turn

    def withdraw(self, turn: Turn) -> None:
        """Leave the queue; a seat that was handed over in the same moment goes to the next."""
        if turn.cancel():
            with self._changed, contextlib.suppress(ValueError):
                self._waiting.remove(turn)
        elif turn.exception() is None:
            self.give_back(turn.result())

    def too_late(self, timeout_s: float | None) -> PoolBusyError:
        """Return what to raise when a borrower's time has run out."""
        with self._changed:
            self._counts["refused"] += 1
            return PoolBusyError(
                f"no sandbox became free within {timeout_s} s; {len(self._lent)} of {len(self._seats)} are lent and "
                f"{len(self._waiting)} other borrowers wait; try again later, or make the pool larger"
            )

    def lend(self, seat: Seat, asked_at: float) -> Borrowed:
        """Return the sandbox of a seat that was handed over and works."""
        with self._changed:
            if seat.sandbox is None:
                raise PoolClosedError("the pool was closed before this borrower was served; make another")
            note, give_back = functools.partial(self._note, seat), functools.partial(self.give_back, seat)
            self._lent[seat] = borrowed = Borrowed(seat.sandbox, note, give_back)
            self._counts["borrowed"] += 1
            self._times["wait"].add(time.monotonic() - asked_at)
            return borrowed

    def give_back(self, seat: Seat) -> None:
        """Have a seat made ready for the next, after whatever its lane does still. Takes no lock and never waits."""
        with contextlib.suppress(InfraError):  # the pool was closed, which has ended the sandbox
            seat.lane.submit(functools.partial(self._prepare, seat))

    def metrics(self) -> PoolMetrics:
        """Return what there is and what was done."""
        with self._changed:
            states = Counter(seat.state for seat in self._seats)
            counts = self._counts
            return PoolMetrics(
                size=len(self._seats),
                ready=states["ready"],
                lent=states["lent"],
                preparing=states["preparing"],
                empty=states["empty"],
                waiting=len(self._waiting),
                borrowed=counts["borrowed"],
                programs=counts["programs"],
                refused=counts["refused"],
                recycled_uses=counts["recycled_uses"],
                recycled_suspicious=counts["recycled_suspicious"],
                recycled_dead=counts["recycled_dead"],
                failures=counts["failures"],
                wait=self._times["wait"].summary(),
                run=self._times["run"].summary(),
                clean=self._times["clean"].summary(),
                start=self._times["start"].summary(),
            )

    def close(self, grace_s: float) -> None:
        """Turn away who waits, wait for what is lent, end every sandbox; a second call does nothing."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            while self._waiting:
                _refuse(self._waiting.popleft(), PoolClosedError("the pool was closed while this borrower waited"))
            self._ready.clear()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._lent, timeout=grace_s)
            late = dict(self._lent)
        for borrowed in late.values():
            if borrowed is not None:
                borrowed.interrupt()
                borrowed.revoke()
        for seat in self._seats:
            with contextlib.suppress(InfraError):  # no thread could be started, so there is no sandbox
                seat.lane.submit(seat.discard)
        for seat in self._seats:
            seat.lane.close(wait=seat not in late)
            seat.state = "empty"

    def _note(self, seat: Seat, seconds: float, result: ExecResult | None) -> None:
        with self._changed:
            self._counts["programs"] += 1
            self._times["run"].add(seconds)
            seat.note(result)

    def _prepare(self, seat: Seat) -> None:
        """In a seat's lane: make it ready, and hand it to who is next."""
        seat.state = "preparing"
        try:
            is_fit = self._renew(seat)
        except Exception as error:  # whatever it is, those who wait must hear of it
            self._fail(seat, error)
            return
        with self._changed:
            self._lent.pop(seat, None)
            seat.state = "ready" if is_fit else "empty"
            while is_fit and self._waiting and seat.state == "ready":
                self._hand_over(seat, self._waiting.popleft())
            if is_fit and seat.state == "ready":
                self._ready.append(seat)
            self._changed.notify_all()

    def _hand_over(self, seat: Seat, turn: Turn) -> None:
        """Give a seat to a borrower, unless that one has left the queue."""
        if turn.set_running_or_notify_cancel():
            seat.state = "lent"
            self._lent[seat] = None
            turn.set_result(seat)

    def _renew(self, seat: Seat) -> bool:
        """Clean a seat's sandbox or replace it; return False when the pool is closed. Raises what starting raises."""
        start = time.monotonic()
        if seat.sandbox is not None:
            if seat.health == "good" and seat.programs < self._max_uses and seat.reset():
                self._took("clean", start)
                return not self._is_closed
            self._count_replacement(seat)
            try:
                seat.discard()
            except (InfraError, OSError):  # what is left of it ends with its backend
                self._count("failures")
        if self._is_closed:
            return False
        start = time.monotonic()
        seat.start()
        self._took("start", start)
        return True

    def _count_replacement(self, seat: Seat) -> None:
        if seat.health != "good":
            self._count(f"recycled_{seat.health}")
        elif seat.programs >= self._max_uses:
            self._count("recycled_uses")

    def _fail(self, seat: Seat, error: Exception) -> None:
        """Leave a seat empty; tell those who wait if no other is left, or try again."""
        self._count("failures")
        with self._changed:
            self._lent.pop(seat, None)
            seat.state, seat.trouble, seat.tried_at = "empty", _as_fault(error), time.monotonic()
            if trouble := self._trouble():
                while self._waiting:
                    _refuse(self._waiting.popleft(), _anew(trouble))
            self._changed.notify_all()
            if self._waiting and not self._is_closed:
                seat.lane.submit(functools.partial(self._try_again, seat))

    def _try_again(self, seat: Seat) -> None:
        """In the lane of a seat that is empty while others work."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed, timeout=_RETRY_S)
            if self._is_closed or not self._waiting or seat.state != "empty":
                return
            seat.state = "preparing"
        self._prepare(seat)

    def _trouble(self) -> Exception | None:
        """Return why nobody can be served, if so."""
        if any(seat.state != "empty" for seat in self._seats):
            return None
        return next((seat.trouble for seat in self._seats if seat.trouble), None)

    def _count(self, name: str) -> None:
        with self._changed:
            self._counts[name] += 1

    def _took(self, name: str, start: float) -> None:
        with self._changed:
            self._times[name].add(time.monotonic() - start)


def _refuse(turn: Turn, error: Exception) -> None:
    if turn.set_running_or_notify_cancel():
        turn.set_exception(error)


def _as_fault(error: Exception) -> Exception:
    """Return what a borrower is told: an error about the spec as it is, anything else as a fault."""
    if isinstance(error, InfraError | ValueError | LookupError):
        return error
    return InfraError(
        f"no sandbox could be started: {type(error).__name__}: {error}; {advice(error)}; "
        "the pool tries again for the next borrower"
    )


def _anew(error: Exception) -> Exception:
    """Return an equal error, so that no two borrowers share a traceback."""
    return type(error)(*error.args)
