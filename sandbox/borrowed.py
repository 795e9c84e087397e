"""What a borrower sees of a pool's sandbox."""

import threading
import time
from collections.abc import Callable, Mapping

from palestra.sandbox.aio import Interruptible
from palestra.sandbox.base import MIB, Command, ExecResult, Limits, Sandbox, SandboxSnapshot, Shell


class Borrowed:
    """A pool's sandbox for as long as it is lent. `close` gives it back; a second call does nothing."""

    def __init__(
        self,
        sandbox: Sandbox,
        note: Callable[[float, ExecResult | None], None],
        give_back: Callable[[], None],
    ) -> None:
        """Lend a sandbox.

        Args:
            sandbox: the one.
            note: told how long every program took, and what came of it or None for a fault.
            give_back: called once, by `close`.
        """
        self.capabilities = sandbox.capabilities
        self._sandbox: Sandbox | None = sandbox
        self._note, self._give_back = note, give_back
        self._ending = threading.Lock()

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program, as `Sandbox.exec`."""
        sandbox, result, start = self._open(), None, time.monotonic()
        try:
            result = sandbox.exec(command, stdin=stdin, env=env, limits=limits)
        except ValueError:  # it never ran
            raise
        except BaseException:
            self._note(time.monotonic() - start, None)
            raise
        self._note(time.monotonic() - start, result)
        return result

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a file, as `Sandbox.write`."""
        self._open().write(path, data)

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a file's bytes, as `Sandbox.read`."""
        return self._open().read(path, limit_bytes=limit_bytes)

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return what is at a path as a tar archive, as `Sandbox.collect`."""
        return self._open().collect(path, limit_bytes=limit_bytes)

    def upload(self, source: str, path: str) -> None:
        """Copy one host file into the sandbox."""
        self._open().upload(source, path)

    def download(self, path: str, target: str) -> None:
        """Copy one file of the sandbox to the host."""
        self._open().download(path, target)

    def shell(self) -> Shell:
        """Return the terminal sandbox's shell, as `Sandbox.shell`."""
        return self._open().shell()

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the files and the shell's state, as `Sandbox.snapshot`; it outlives the borrowing."""
        return self._open().snapshot(end_processes=end_processes)

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the sandbox what it was at the snapshot, as `Sandbox.restore`."""
        self._open().restore(snapshot)

    def fork(self, *, end_processes: bool = False) -> "Borrowed":
        """Return an independent twin beside the pool, which the borrower closes."""
        twin = self._open().fork(end_processes=end_processes)
        return Borrowed(twin, self._note, twin.close)

    def interrupt(self) -> None:
        """End what runs, from another thread, where the backend can; the sandbox is replaced afterwards."""
        sandbox = self._sandbox
        if isinstance(sandbox, Interruptible):
            sandbox.interrupt()

    def close(self) -> None:
        """Give the sandbox back, without waiting; from any thread."""
        if self.revoke():
            self._give_back()

    def revoke(self) -> bool:
        """Take the sandbox away from its borrower; return whether the borrower had it still."""
        with self._ending:
            had, self._sandbox = self._sandbox is not None, None
            return had

    def _open(self) -> Sandbox:
        if self._sandbox is None:
            raise ValueError("the sandbox was given back to its pool, or the pool was closed; borrow another")
        return self._sandbox
