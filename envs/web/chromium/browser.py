"""The browser that episodes share: started when it is first needed, and again after it has crashed."""

import asyncio
import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Callable
from typing import ClassVar

from palestra.envs.web.chromium.background import Background
from palestra.envs.web.chromium.running import Room, Running, Size, find_executable
from palestra.envs.web.chromium.server import Answer
from palestra.envs.web.chromium.visit import Visit
from palestra.sandbox.base import InfraError

WINDOW: Size = (1280, 720)
_LIMIT_S = 120.0  # for a browser to start and to open a context, on a machine that does much else


class Chromium:
    """A browser, thread-safe; nothing is started before the first visit."""

    _shared: ClassVar[dict[tuple[int, str], "Chromium"]] = {}
    _sharing: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, executable: str | None = None) -> None:
        """Choose a browser.

        Args:
            executable: its name or path; None: the first that PATH has of `NAMES`.

        Raises:
            PermanentInfraError: there is none.
        """
        self.executable = find_executable(executable)
        self._visits: weakref.WeakValueDictionary[str, Visit] = weakref.WeakValueDictionary()
        self._background: Background | None = None
        self._starting: asyncio.Lock | None = None
        self._running: Running | None = None
        self._lock = threading.Lock()

    @classmethod
    def shared(cls, executable: str | None = None) -> "Chromium":
        """Return this process's browser of an executable, which ends with the process."""
        path = find_executable(executable)
        with cls._sharing:
            if (os.getpid(), path) not in cls._shared:
                one = cls._shared[(os.getpid(), path)] = cls(path)
                atexit.register(one.close)
            return cls._shared[(os.getpid(), path)]

    @property
    def is_running(self) -> bool:
        """Whether there is a browser now."""
        return self._running is not None and self._running.is_alive

    def visit(self, answer: Answer, *, size: Size = WINDOW) -> Visit:
        """Return a fresh context with a blank page, in a browser that is started if there is none.

        Args:
            answer: is given every request of the visit's pages, in the browser's thread: it must be quick, and may
                run beside whoever called `Visit.run` only while that waits.
            size: of the window.

        Raises:
            InfraError: no browser could be started, or no context opened.
        """
        background = self._thread()
        try:
            running, room = background.call(self._room(size), _LIMIT_S)
        except InfraError:
            raise
        except Exception as error:
            raise InfraError(f"no context could be opened in {self.executable}: {error}; try again") from error
        visit = Visit(background, room, answer, _alive(running), _forgetting(background))
        self._visits[room.token] = visit
        return visit

    def close(self) -> None:
        """End the browser; its visits are lost. The next visit starts another."""
        with self._lock:
            background, self._background = self._background, None
            running, self._running = self._running, None
        if background is None or not background.is_alive:
            return
        if running is not None:
            with contextlib.suppress(InfraError):
                background.call(running.close(), _LIMIT_S)
        background.stop()

    def _thread(self) -> Background:
        with self._lock:
            if self._background is None or not self._background.is_alive:
                self._background, self._starting, self._running = Background("browser"), None, None
            return self._background

    async def _room(self, size: Size) -> tuple[Running, Room]:
        running = await self._started()
        try:
            return running, await running.room(size)
        except Exception:  # it has died, which may not have been told yet
            await self._drop(running)
        running = await self._started()
        return running, await running.room(size)

    async def _started(self) -> Running:
        """Return the browser that runs, after starting it if there is none: one, however many ask for it."""
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if self._running is not None and not self._running.is_alive:
                await self._drop(self._running)
            if self._running is None:
                self._running = await Running.start(self.executable, self._answer_for)
            return self._running

    async def _drop(self, running: Running) -> None:
        if self._running is running:
            self._running = None
        await running.close()

    def _answer_for(self, token: str) -> Answer | None:
        visit = self._visits.get(token)
        return None if visit is None else visit.respond


def _alive(running: Running) -> Callable[[], bool]:
    return lambda: running.is_alive


def _forgetting(background: Background) -> Callable[[Room], None]:
    """Return what closes a context in the background, wherever a garbage collection happens to call it."""

    def forget(room: Room) -> None:
        with contextlib.suppress(InfraError):  # the browser has ended, and the context with it
            background.begin(_close(room))

    return forget


async def _close(room: Room) -> None:
    with contextlib.suppress(Exception):
        await room.context.close()
