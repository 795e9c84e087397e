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
_SPARES = 2  # contexts kept ready for each size of window in use
_ARGUMENTS = (  # so that pages look the same on every machine
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--hide-scrollbars",
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

    def __init__(self, playwright: "Playwright", browser: "Browser", folder: Path, server: Server) -> None:
        self._playwright, self._browser, self._folder, self._server = playwright, browser, folder, server
        self._listening: asyncio.Server | None = None
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
        folder = Path(tempfile.mkdtemp(prefix="palestra-browser-"))
        driver = async_playwright()
        playwright = None
        try:
            playwright = await driver.start()
            with socket.socket(socket.AF_UNIX) as link:
                link.bind(str(folder / "link"))
                link.listen(1)
                link.setblocking(False)
                browser = await _launch(playwright, executable, folder, link)
                self = cls(playwright, browser, folder, Server(answer_for))
                listener = _received(link)
                self._listening = await asyncio.start_server(self._server.serve, sock=listener)
        except BaseException as error:
            if playwright is not None:
                await playwright.stop()
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise InfraError(f"no browser could be started: {error}; {advice(error)}") from error
            raise
        return self

    @property
    def is_alive(self) -> bool:
        """Whether the browser still runs."""
        return self._browser.is_connected()

    async def room(self, size: Size) -> Room:
        """Return a new context with a page: one kept warm, if there is one."""
        spares = self._spares.setdefault(size, [])
        room = spares.pop() if spares else await self._make_room(size)
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
        if self._listening is not None:
            self._listening.close()
        await self._server.close()
        shutil.rmtree(self._folder, ignore_errors=True)

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


async def _launch(playwright: "Playwright", executable: str, folder: Path, link: socket.socket) -> "Browser":
    """Return the browser; what starts it tells through the link of the network or of its trouble."""
    words = [sys.executable, "-I", "-S", "-c", bootstrap("palestra.envs.web.chromium.launcher")]
    words += [str(Path(palestra.envs.__file__).parent.parent), executable, str(folder)]
    script = folder / "browser"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    script.chmod(0o700)
    folder.chmod(0o711)  # the browser's user must get to its profile
    try:
        return await playwright.chromium.launch(
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
        with contextlib.suppress(BlockingIOError):
            _received(link).close()
        raise InfraError(f"{executable} did not start: {error}") from error


def _received(link: socket.socket) -> socket.socket:
    """Return the socket that the launcher sent; PermanentInfraError with its words if it sent those."""
    connection, _ = link.accept()
    with connection:
        connection.setblocking(True)
        words, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
    if not descriptors:
        said = words.decode(errors="replace") or "the launcher ended without a word"
        raise PermanentInfraError(f"the browser could not get a network of its own: {said}")
    listener = socket.socket(fileno=descriptors[0])
    os.set_inheritable(descriptors[0], False)
    listener.setblocking(False)
    return listener
