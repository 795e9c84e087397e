"""The terminal sandbox under gVisor: one machine, its shell, and snapshots that hold what runs."""

import contextlib
import errno
import hashlib
import json
import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from palestra.sandbox.archive import archive_limit
from palestra.sandbox.base import (
    MIB,
    Capabilities,
    Command,
    ExecResult,
    Limits,
    SandboxFileError,
    SandboxSnapshot,
    Shell,
    Spec,
)
from palestra.sandbox.gvisor.terminal.machine import GvisorTerminal, Machine
from palestra.sandbox.limits import check_limits
from palestra.sandbox.native.terminal.files import folder_of, place_of
from palestra.sandbox.sealed import sealed_file
from palestra.sandbox.shell import Standing, TerminalShell
from palestra.sandbox.transfers import Transfers

_KIND = "palestra gvisor machine 1"
_PROMPT_S, _DIGEST_S = 3.0, 60.0
_LONGEST_HEAD = 16 * MIB

Make = Callable[[Spec, int | None], Machine]


class MachineSnapshot:
    """A whole machine at one moment: its files, its processes, its shell."""

    def __init__(self, image: int, digest: str, shell: "Standing | None", release: str, disk_bytes: int) -> None:
        """Hold an open file, which is closed with this."""
        self.image, self.digest, self.shell = image, digest, shell
        self.release, self.disk_bytes = release, disk_bytes

    @property
    def data(self) -> bytes:
        """The snapshot as bytes."""
        content = os.pread(self.image, os.fstat(self.image).st_size, 0)
        head = {
            "kind": _KIND,
            "release": self.release,
            "digest": self.digest,
            "disk_bytes": self.disk_bytes,
            "shell": asdict(self.shell) if self.shell else None,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        return json.dumps(head).encode() + b"\n" + content

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.image)


class _Current:
    """The machine that a sandbox is in at present, for its shell, which must not refer to the sandbox."""

    machine: Machine


class GvisorTerminalSandbox(Transfers):
    """A machine in use: programs and the shell are root inside. It ends with `close`.

    A snapshot holds what runs as well, so it never refuses; a restore and a fork go on from there. Its digest
    is of the files, as they were a moment before where programs go on writing. One is restored by the release
    of gVisor that made it, on a machine with the same programs.
    """

    def __init__(
        self, make: Make, spec: Spec, capabilities: Capabilities, release: str, origin: MachineSnapshot | None = None
    ) -> None:
        """Start a machine, anew or from a snapshot; raises InfraError."""
        self.capabilities = capabilities
        self._make, self._spec, self._release = make, spec, release
        self._shell: TerminalShell | None = None
        self._current = _Current()
        self._hold(make(spec, origin.image if origin else None))
        if origin is not None and origin.shell is not None:
            self._shell = self._resumed(origin.shell)

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program to its end and return what came of it; every process it left is dead.

        What the shell has started goes on. A command that does not exist ends with exit code 127.

        Raises:
            InfraError: the program could not be started for a reason of ours.
            ValueError: the command, a variable or a limit makes no sense.
        """
        if limits is not None:
            check_limits(limits)
        return self._open().execute(command, stdin, {**self._spec.env, **(env or {})}, limits or self._spec.limits)

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a regular file's bytes; links are not followed, and a file with several names is refused.

        Raises:
            SandboxFileError: missing, not a regular file, or larger than the limit.
        """
        place_of(path)
        question = {"do": "read", "path": path, "limit_bytes": limit_bytes}
        return self._open().ask(question, limit_bytes=limit_bytes)[1]

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return what is at a path as a tar archive, as `Sandbox.collect`.

        Raises:
            SandboxFileError: missing, a link on its way, or the files add up to more than the limit.
        """
        folder_of(path)
        question = {"do": "collect", "path": path, "limit_bytes": limit_bytes}
        return self._open().ask(question, limit_bytes=archive_limit(limit_bytes))[1]

    def shell(self) -> Shell:
        """Return the shell, started at the first call; after its `close`, another.

        Raises:
            InfraError: it could not be started.
        """
        self._open()
        if self._shell is None or self._shell.is_closed:
            self._shell = TerminalShell(self._starter(), self._spec.limits.output_bytes)
        return self._shell

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the machine as it is now: files, processes and the shell, which all go on.

        Args:
            end_processes: end what runs beside the shell before.

        Raises:
            SandboxFileError: folders are nested more than 200 deep.
        """
        return self._save(end_processes)

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the machine what it was at the snapshot; what ran then goes on, and what runs now is ended.

        Raises:
            SandboxFileError: the snapshot is damaged, of another kind or release, or does not fit; nothing was changed.
        """
        old = self._open()
        with _opened(snapshot, self._release) as read:
            self._check_fits(read)
            new = self._make(self._spec, read.image)
            shell = read.shell
        self._end.detach()
        self._hold(new)
        old.kill()
        if shell is None:
            if self._shell is not None and not self._shell.is_closed:
                self._shell.pause(b"", 0)
        elif self._shell is None or self._shell.is_closed:
            self._shell = self._resumed(shell)
        else:
            self._shell.go_on(self._terminal(shell), shell)

    def fork(self, *, end_processes: bool = False) -> "GvisorTerminalSandbox":
        """Return a new sandbox in which everything goes on from here, as by `snapshot`; the two are independent."""
        origin = self._save(end_processes)
        return GvisorTerminalSandbox(self._make, self._spec, self.capabilities, self._release, origin)

    def interrupt(self) -> None:
        """End the sandbox from another thread, without waiting; whoever waits for an answer gets InfraError."""
        self._current.machine.interrupt()

    def check(self) -> None:
        """Return if the machine answers; raises InfraError."""
        self._open().ask({"do": "left"})

    def close(self) -> None:
        """End the machine; a second call does nothing."""
        if self._shell is not None:
            self._shell.abandon()
        self._end()

    def _hold(self, machine: Machine) -> None:
        self._current.machine = machine
        self._end = weakref.finalize(self, machine.kill)
        self._end.atexit = False  # the backend ends every machine then

    def _open(self) -> Machine:
        if not self._end.alive:
            raise ValueError("the sandbox is closed; create another")
        return self._current.machine

    def _starter(self) -> Callable[[bytes, int], GvisorTerminal]:
        current, env = self._current, dict(self._spec.env)
        return lambda state, status: current.machine.start_shell(env, state, status)

    def _terminal(self, standing: Standing) -> GvisorTerminal:
        return GvisorTerminal(self._current.machine, standing.is_bash)

    def _resumed(self, standing: Standing) -> TerminalShell:
        terminal = self._terminal(standing)
        return TerminalShell.resume(self._starter(), self._spec.limits.output_bytes, terminal, standing)

    def _save(self, end_processes: bool) -> MachineSnapshot:
        machine, shell = self._open(), self._shell
        if end_processes:
            machine.ask({"do": "end"})
            if shell is not None and shell.is_running and not shell.is_idle:
                shell.interrupt(_PROMPT_S)
        try:
            shown, reported = machine.hold_still()
            if shell is not None:
                shell.take(shown, reported)
            digest = str(machine.ask({"do": "digest"}, timeout_s=_DIGEST_S)[0]["digest"])
            image = machine.save()
        finally:
            if machine.is_alive:
                machine.ask({"do": "go_on"})
        standing = shell.standing() if shell is not None else None
        return MachineSnapshot(image, digest, standing, self._release, self._spec.limits.disk_bytes)

    def _check_fits(self, snapshot: MachineSnapshot) -> None:
        if snapshot.disk_bytes > self._spec.limits.disk_bytes:
            raise SandboxFileError(
                errno.ENOSPC,
                f"the snapshot is of a machine with {snapshot.disk_bytes} bytes of disk, more than the limit "
                f"{self._spec.limits.disk_bytes}",
            )

    def _write(self, path: str, data: bytes, mode: int | None) -> None:
        place_of(path)
        size_bytes, limit = memoryview(data).nbytes, self._spec.limits.disk_bytes
        if size_bytes > limit:
            raise SandboxFileError(errno.ENOSPC, f"{path!r}: {size_bytes} bytes are more than the disk limit {limit}")
        self._open().ask({"do": "write", "path": path, "mode": mode}, [data])


@contextlib.contextmanager
def _opened(snapshot: SandboxSnapshot, release: str) -> Iterator[MachineSnapshot]:
    """Give a snapshot of this kind; raises SandboxFileError."""
    if isinstance(snapshot, MachineSnapshot):
        yield snapshot
        return
    head, _, content = snapshot.data.partition(b"\n")
    try:
        told: dict[str, Any] = json.loads(head) if len(head) < _LONGEST_HEAD else {}
        if told.get("kind") != _KIND:
            raise ValueError("no such head")
        standing = Standing(**told["shell"]) if told["shell"] else None
        sha256, digest, disk_bytes, made_by = (told[name] for name in ("sha256", "digest", "disk_bytes", "release"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SandboxFileError(
            errno.EINVAL, "this is no snapshot of a gVisor terminal sandbox; restore it where it was made"
        ) from error
    if digest != snapshot.digest or hashlib.sha256(content).hexdigest() != sha256:
        raise SandboxFileError(errno.EINVAL, f"the snapshot's content does not match its digest {snapshot.digest[:12]}")
    if made_by != release:
        raise SandboxFileError(errno.EINVAL, f"the snapshot was made by {made_by!r}, and here is {release!r}")
    with sealed_file(content) as image:
        yield MachineSnapshot(os.dup(image), digest, standing, made_by, disk_bytes)
