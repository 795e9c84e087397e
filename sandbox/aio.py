"""Sandboxes for asyncio: the same protocol, with `await`.

async with await create() as sandbox:
    print((await sandbox.exec(Python("print(input())"), stdin=b"hello")).stdout)
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol, Self, runtime_checkable

import palestra.sandbox
from palestra.sandbox.base import MIB, Command, ExecResult, Limits, Sandbox, SandboxSnapshot, Shell, ShellResult, Spec
from palestra.sandbox.lane import Lane

_LOOK_S = 0.2  # how often a shell's line is asked whether somebody still waits for it
_GIVE_WAY_S = 2.0  # for a line to end after ^C, and after ^\


@runtime_checkable
class Interruptible(Protocol):
    """A sandbox whose running call another thread may end."""

    def interrupt(self) -> None:
        """End what runs, at once and without waiting: its `exec` returns or raises InfraError.

        The sandbox is good for nothing but `close` afterwards.
        """
        ...


async def create(spec: Spec | None = None, *, backend: str = "native", unsafe: bool = False) -> "AsyncSandbox":
    """Return a sandbox as `palestra.sandbox.create` does; one that nobody waits for any more is closed."""
    lane = Lane("sandbox")
    made = lane.submit(lambda: palestra.sandbox.create(spec, backend=backend, unsafe=unsafe))
    try:
        return AsyncSandbox(await asyncio.wrap_future(made), lane)
    except BaseException:
        _undo(made)
        lane.close()
        raise


class AsyncSandbox:
    """A sandbox whose calls run in order on a thread of its own, so that none holds up the event loop.

    Event loops may come and go. When a task is cancelled while it waits for `exec`, the program is ended
    and the sandbox closed; where a backend cannot end a program, it runs to its time limit first. Other
    calls come to their end unseen.
    """

    def __init__(self, sandbox: Sandbox, lane: Lane | None = None, *, owns_lane: bool = True) -> None:
        """Wrap a sandbox, which nobody else may use from now on.

        Args:
            sandbox: the one.
            lane: where its calls are made; None: one is made for it.
            owns_lane: whether `close` ends the lane.
        """
        self.capabilities = sandbox.capabilities
        self._sandbox = sandbox
        self._lane, self._owns_lane = lane or Lane("sandbox"), owns_lane
        self._is_closed = False

    async def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program as `Sandbox.exec` does; cancelled, end it and close the sandbox."""
        running = self._open_lane().submit(lambda: self._sandbox.exec(command, stdin=stdin, env=env, limits=limits))
        try:
            return await asyncio.wrap_future(running)
        except (asyncio.CancelledError, GeneratorExit):
            if not running.cancel() and not running.done():
                if isinstance(self._sandbox, Interruptible):
                    self._sandbox.interrupt()
                self._close_soon()
            raise

    async def write(self, path: str, data: bytes) -> None:
        """Create or replace a file, as `Sandbox.write`."""
        await self._open_lane().call(lambda: self._sandbox.write(path, data))

    async def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a file's bytes, as `Sandbox.read`."""
        return await self._open_lane().call(lambda: self._sandbox.read(path, limit_bytes=limit_bytes))

    async def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return what is at a path as a tar archive, as `Sandbox.collect`."""
        return await self._open_lane().call(lambda: self._sandbox.collect(path, limit_bytes=limit_bytes))

    async def upload(self, source: str, path: str) -> None:
        """Copy one host file into the sandbox."""
        await self._open_lane().call(lambda: self._sandbox.upload(source, path))

    async def download(self, path: str, target: str) -> None:
        """Copy one file of the sandbox to the host."""
        await self._open_lane().call(lambda: self._sandbox.download(path, target))

    async def shell(self) -> "AsyncShell":
        """Return the terminal sandbox's shell, as `Sandbox.shell`."""
        return AsyncShell(await self._open_lane().call(self._sandbox.shell), self._open_lane())

    async def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the files and the shell's state as they are now, as `Sandbox.snapshot`."""
        return await self._open_lane().call(lambda: self._sandbox.snapshot(end_processes=end_processes))

    async def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the sandbox what it was at the snapshot, as `Sandbox.restore`."""
        await self._open_lane().call(lambda: self._sandbox.restore(snapshot))

    async def fork(self, *, end_processes: bool = False) -> "AsyncSandbox":
        """Return an independent sandbox that begins where this one stands, with a thread of its own."""
        made = self._open_lane().submit(lambda: self._sandbox.fork(end_processes=end_processes))
        try:
            return AsyncSandbox(await asyncio.wrap_future(made))
        except (asyncio.CancelledError, GeneratorExit):
            _undo(made)
            raise

    async def close(self) -> None:
        """Give the sandbox back once its calls have ended; a second call does nothing."""
        if closing := self._close_soon():
            await asyncio.shield(asyncio.wrap_future(closing))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def _open_lane(self) -> Lane:
        if self._is_closed:
            raise ValueError("the sandbox is closed; create another")
        return self._lane

    def _close_soon(self) -> "Future[None] | None":
        if self._is_closed:
            return None
        closing = self._open_lane().submit(self._sandbox.close)
        self._is_closed = True
        if self._owns_lane:
            self._lane.close()
        return closing


class AsyncShell:
    """A terminal sandbox's shell, on its sandbox's thread.

    When a task is cancelled while it waits for `run` or `wait`, what runs gets ^C and then ^\\; a program
    that takes both is hung up on together with the shell.
    """

    def __init__(self, shell: Shell, lane: Lane) -> None:
        """Wrap a shell whose calls, and its sandbox's, are made in a lane."""
        self._shell, self._lane = shell, lane

    async def is_idle(self) -> bool:
        """Return whether the shell waits at its prompt."""
        return await self._lane.call(lambda: self._shell.is_idle)

    async def run(self, line: str, *, timeout_s: float = 30.0) -> ShellResult:
        """Type a line and wait until the prompt is back, as `Shell.run`."""
        return await self._follow(lambda look_s: self._shell.run(line, timeout_s=look_s), timeout_s)

    async def wait(self, *, timeout_s: float) -> ShellResult:
        """Wait until the prompt is back, as `Shell.wait`."""
        return await self._follow(lambda look_s: self._shell.wait(timeout_s=look_s), timeout_s)

    async def send(self, keys: bytes) -> None:
        """Type keys without waiting for what comes of them."""
        await self._lane.call(lambda: self._shell.send(keys))

    async def read(self, *, timeout_s: float = 1.0) -> bytes:
        """Return what the terminal showed since the last call, as `Shell.read`."""
        return await self._lane.call(lambda: self._shell.read(timeout_s=timeout_s))

    async def resize(self, rows: int, columns: int) -> None:
        """Change the terminal's size."""
        await self._lane.call(lambda: self._shell.resize(rows, columns))

    async def close(self) -> None:
        """Hang up."""
        await self._lane.call(self._shell.close)

    async def _follow(self, begin: Callable[[float], ShellResult], timeout_s: float) -> ShellResult:
        given_up = threading.Event()
        running = self._lane.submit(lambda: self._look_after(begin, timeout_s, given_up))
        try:
            return await asyncio.wrap_future(running)
        except (asyncio.CancelledError, GeneratorExit):
            given_up.set()
            running.cancel()
            raise

    def _look_after(
        self, begin: Callable[[float], ShellResult], timeout_s: float, given_up: threading.Event
    ) -> ShellResult:
        """On the thread: wait in short pieces, so that a line nobody waits for is ended soon."""
        deadline = time.monotonic() + timeout_s
        parts = [begin(min(_LOOK_S, timeout_s))]
        while parts[-1].timed_out and not given_up.is_set() and (left_s := deadline - time.monotonic()) > 0:
            parts.append(self._shell.wait(timeout_s=min(_LOOK_S, left_s)))
        if parts[-1].timed_out and given_up.is_set():
            self._end_line()
        output = b"".join(part.output for part in parts)
        return replace(parts[-1], output=output, truncated=any(part.truncated for part in parts))

    def _end_line(self) -> None:
        for keys in (b"\x03", b"\x1c"):
            self._shell.send(keys)
            if not self._shell.wait(timeout_s=_GIVE_WAY_S).timed_out:
                return
        self._shell.close()


def _undo(made: "Future[Sandbox]") -> None:
    """Close a sandbox that was, or still will be, made for nobody."""

    def close(future: "Future[Sandbox]") -> None:
        with contextlib.suppress(Exception):  # it was never made
            future.result().close()

    if not made.cancel():
        made.add_done_callback(close)
