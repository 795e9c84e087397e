"""A browser that runs: Playwright's driver, Chromium in its network, the server there, and contexts kept warm.

Everything here happens in the thread of `Background`.
"""

import asyncio
import contextlib
import os
import secrets
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import palestra.envs
from palestra.envs.web.chromium.launcher import LISTENING
from palestra.envs.web.chromium.server import VISIT_HEADER, Answer, Server
from palestra.sandbox.base import InfraError, PermanentInfraError
from palestra.sandbox.faults import advice
from palestra.sandbox.native.plan import bootstrap

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Playwright

Size = tuple[int, int]  # of the window, in pixels: width, height

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_INSTALL = "on Debian: apt-get install --no-install-recommends chromium-headless-shell fonts-dejavu-core"
_START_S = 60.0
_LOOK_S = 10.0  # for what takes milliseconds
_SPARES = 2  # contexts kept ready for each size of window in use
_ARGUMENTS = (
    "--font-render-hinting=none",  # this and the next two: so that pages look the same on every machine
    "--disable-lcd-text",
    "--hide-scrollbars",
    "--disable-features=RenderDocument",  # which makes frames anew for each navigation, at twice the cost
)


@dataclass(slots=True)
class Room:
    """A context that nobody has used, its first page, and what has befallen them."""

    token: str  # how the server knows whose requests these are
    context: "BrowserContext"
    page: "Page"
    cdp: "CDPSession"
    is_crashed: bool = False


def find_executable(executable: str | None) -> str:
    """Return the path of the browser of a name or path, or of the first one found.

    Raises:
        PermanentInfraError: there is none.
    """
    names = NAMES if executable is None else (executable,)
    for name in names:
        if found := shutil.which(name):
            return found
    wanted = f"none of {', '.join(NAMES)}" if executable is None else f"no program {executable!r}"
    raise PermanentInfraError(f"there is {wanted} on PATH; {_INSTALL}, or name one by executable=")


class Running:
    """One browser from its start to its end."""

    def __init__(self, playwright: "Playwright", browser: "Browser", server: Server, listening: asyncio.Server) -> None:
        self._playwright, self._browser, self._server, self._listening = playwright, browser, server, listening
        self._spares: dict[Size, list[Room]] = {}
        self._refilling: dict[Size, asyncio.Task[None]] = {}

    @classmethod
    async def start(cls, executable: str, answer_for: Callable[[str], Answer | None]) -> Self:
        """Start a browser.

        Args:
            executable: its path.
            answer_for: says who answers for the visit of a token, None: nobody.

        Raises:
            InfraError: it did not start; the message says what to do.
        """
        try:
            from playwright.async_api import async_playwright
        except ImportError as error:
            raise PermanentInfraError(f"{error}; pip install 'palestra[web]'") from error
        playwright = None
        try:
            with tempfile.TemporaryDirectory(prefix="palestra-browser-") as name:
                playwright = await async_playwright().start()
                browser, listener = await _launch(playwright, executable, Path(name))
            server = Server(answer_for)
            return cls(playwright, browser, server, await server.listen(listener))
        except BaseException as error:
            if playwright is not None:
                await playwright.stop()
            if isinstance(error, OSError):
                raise InfraError(f"no browser could be started: {error}; {advice(error)}") from error
            raise

    @property
    def is_alive(self) -> bool:
        """Whether the browser still runs."""
        return self._browser.is_connected()

    async def room(self, size: Size) -> Room:
        """Return a new context with a page: one kept warm, if there is one."""
        spares = self._spares.setdefault(size, [])
        room = None
        while spares and room is None:
            room = await _if_well(spares.pop())
        room = room or await self._make_room(size)
        if size not in self._refilling:
            self._refilling[size] = asyncio.get_running_loop().create_task(self._refill(size))
        return room

    async def close(self) -> None:
        """End the browser and all that came with it. Never raises."""
        for task in self._refilling.values():
            task.cancel()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._browser.close(), _START_S)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._playwright.stop(), _START_S)
        self._listening.close()
        await self._server.close()

    async def _refill(self, size: Size) -> None:
        spares = self._spares[size]
        try:
            with contextlib.suppress(Exception):  # whoever opens the next visit will see what is wrong
                while len(spares) < _SPARES:
                    spares.append(await self._make_room(size))
        finally:
            del self._refilling[size]

    async def _make_room(self, size: Size) -> Room:
        token = secrets.token_hex(16)
        context = await self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            extra_http_headers={VISIT_HEADER: token},
            accept_downloads=False,
            service_workers="block",
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="UTC",
        )
        page = await context.new_page()
        room = Room(token, context, page, await context.new_cdp_session(page))

        def note_crash(_page: "Page") -> None:
            room.is_crashed = True

        page.on("crash", note_crash)
        context.on("page", lambda other: other.on("crash", note_crash))
        return room


async def _if_well(room: Room) -> Room | None:
    """Return a room in which something can be done."""
    with contextlib.suppress(Exception):  # its page or the browser crashed, which may not have been told yet
        await asyncio.wait_for(room.page.evaluate("0"), _LOOK_S)
        return None if room.is_crashed else room
    return None


async def _launch(playwright: "Playwright", executable: str, folder: Path) -> tuple["Browser", socket.socket]:
    """Return the browser and a socket that listens in its network."""
    path, script = folder / "link", folder / "browser"
    words = [sys.executable, "-I", "-S", "-c", bootstrap("palestra.envs.web.chromium.launcher")]
    words += [str(Path(palestra.envs.__file__).parent.parent), executable, str(path)]
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    script.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as link:
        link.bind(str(path))
        link.listen(1)
        link.setblocking(False)
        try:
            browser = await playwright.chromium.launch(
                executable_path=script,
                chromium_sandbox=True,
                args=list(_ARGUMENTS),
                artifacts_dir=folder,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
                timeout=_START_S * 1000,
            )
        except Exception as error:
            with contextlib.suppress(BlockingIOError):  # it did not get as far as that
                _received(link).close()
            raise InfraError(f"{executable} did not start: {error}") from error
        return browser, _received(link)


def _received(link: socket.socket) -> socket.socket:
    """Return the socket that the launcher sent.

    Raises:
        PermanentInfraError: it told of its trouble.
    """
    connection, _ = link.accept()
    with connection:
        connection.setblocking(True)
        connection.settimeout(_LOOK_S)
        words, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
        while more := connection.recv(4096):  # until the launcher has become the browser, or has ended
            words += more
    if not descriptors or words != LISTENING:
        for descriptor in descriptors:
            os.close(descriptor)
        said = words.removeprefix(LISTENING).decode(errors="replace") or "the launcher ended without a word"
        raise PermanentInfraError(f"the browser could not be given what it needs: {said}")
    os.set_inheritable(descriptors[0], False)
    listener = socket.socket(fileno=descriptors[0])
    listener.setblocking(False)
    return listener
