"""Ctrl-C that stops between two things, never inside one that must be whole."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any


class Interrupt:
    """Turns SIGINT and SIGTERM into KeyboardInterrupt at places that can bear it.

    Inside `open` a signal raises at once; elsewhere it waits for `check`. A second signal raises
    anywhere but inside `held`. In a thread other than the main one signals are left alone.
    """

    def __init__(self) -> None:
        self._asked = 0
        self._is_open = False
        self._is_held = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came."""
        if self._asked:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Let a signal raise at once, in work that can be dropped."""
        self.check()
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let no signal raise, in work that must be whole."""
        before, self._is_held = self._is_held, True
        try:
            yield
        finally:
            self._is_held = before

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1
        if not self._is_held and (self._is_open or self._asked > 1):
            raise KeyboardInterrupt
