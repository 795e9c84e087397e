"""Warm slots, used again: a sandbox then costs a message instead of a start."""

import contextlib
import os
import threading
import weakref
from collections.abc import Callable

from palestra.sandbox.base import MIB, InfraError
from palestra.sandbox.native.slot import Slot

_MOST_PROGRAMS = 1000  # that one slot runs: whatever may add up in a kernel or an interpreter stays small


class Pool:
    """Slots of one kind. Thread-safe; `make` is called outside the lock.

    A slot that comes back is wiped before anybody else gets it. One that died, does not answer, ended a
    program by force or has run very many is replaced.
    """

    def __init__(self, make: Callable[[], Slot], max_idle: int | None = None) -> None:
        self._make = make
        self._max_idle = 2 * (os.cpu_count() or 1) if max_idle is None else max_idle
        self._idle: list[Slot] = []
        self._known: weakref.WeakSet[Slot] = weakref.WeakSet()
        self._lock = threading.RLock()  # a garbage collection may give a slot back at any moment

    def acquire(self, size_bytes: int) -> Slot:
        """Return a slot with an empty workspace of a size.

        Raises:
            InfraError: none could be started.
        """
        while True:
            with self._lock:
                slot = self._idle.pop() if self._idle else None
            if slot is None:
                slot = self._make()
                with self._lock:
                    self._known.add(slot)
                slot.wipe(size_bytes)
                return slot
            with contextlib.suppress(InfraError):  # died while it was idle: take the next
                slot.wipe(size_bytes)
                return slot

    def release(self, slot: Slot) -> None:
        """Take a slot back, its files gone; end it when there are enough."""
        try:
            with self._lock:
                has_room = len(self._idle) < self._max_idle
            if has_room and not slot.is_worn and slot.programs < _MOST_PROGRAMS:
                slot.wipe(MIB)
                with self._lock:
                    self._idle.append(slot)
                return
        except InfraError:
            pass
        slot.kill()

    def close(self) -> None:
        """End every slot, those in use included."""
        with self._lock:
            slots, self._idle = list(self._known), []
        for slot in slots:
            slot.kill()

    def forget(self) -> None:
        """After a fork, in the child: let go of the parent's slots, which live on."""
        self._lock = threading.RLock()
        self.close()
