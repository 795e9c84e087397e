"""The terminal sandbox: one machine, its shell, its snapshots."""

import errno
import functools
import json
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from palestra.sandbox.base import (
    MIB,
    Capabilities,
    CapabilityError,
    Command,
    ExecResult,
    Limits,
    ProcessesRunningError,
    SandboxFileError,
    SandboxSnapshot,
    Shell,
    Spec,
)
from palestra.sandbox.limits import check_limits
from palestra.sandbox.native.terminal.files import folder_of, place_of
from palestra.sandbox.native.terminal.machine import Layer, Machine
from palestra.sandbox.shell import TerminalShell
from palestra.sandbox.transfers import Transfers
from palestra.sandbox.workspace import folder_in, split_path

_KIND = "palestra native terminal 1"
_PROMPT_S = 3.0
_LONGEST_HEAD = 4096

Make = Callable[[Spec], Machine]


class TerminalSnapshot:
    """Layers that machines share, and a shell's state. Its bytes are made when they are asked for."""

    def __init__(self, layers: tuple[Layer, ...], state: bytes, status: int, spec: Spec, holder: Machine, make: Make):
        self.layers, self.state, self.status, self.image = layers, state, status, spec.image
        self._spec, self._make = spec, make
        self._holder = weakref.ref(holder)
        self._saved: tuple[bytes, str] | None = None

    @property
    def data(self) -> bytes:
        """The snapshot as bytes: what the files are other than at first, and the shell's state.

        Raises:
            SandboxFileError: the files add up to more than can be saved.
        """
        archive, _ = self._save()
        head = {"kind": _KIND, "image": self.image, "status": self.status, "state": len(self.state)}
        return json.dumps(head).encode() + b"\n" + self.state + archive

    @property
    def digest(self) -> str:
        """The hash of the files, times and the shell's state left out; raises as `data`."""
        return self._save()[1]

    def _save(self) -> tuple[bytes, str]:
        if self._saved is None:
            holder = self._holder()
            if holder is not None and holder.holds(self.layers):
                self._saved = holder.save(self.layers)
            else:
                machine = self._make(self._spec)
                try:
                    machine.restore(self.layers)
                    self._saved = machine.save(self.layers)
                finally:
                    machine.kill()
        return self._saved


class TerminalSandbox(Transfers):
    """A machine in use. It ends with `close`, or when nobody refers to it any more.

    Without `Spec.terminal` it holds an image's programs: an ordinary user's, on a system that is only read,
    with a workspace that stays.
    """

    def __init__(self, make: Make, spec: Spec, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._make, self._spec = make, spec
        self._machine = make(spec)
        self._shell: TerminalShell | None = None
        self._state, self._status = b"", 0  # what a shell that is not started yet begins with
        self._end = weakref.finalize(self, self._machine.kill)
        self._end.atexit = False  # the backend ends every machine then

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
        return self._open().run(command, stdin, {**self._spec.env, **(env or {})}, limits or self._spec.limits)

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a regular file's bytes; links are not followed, and a file with several names is refused.

        Raises:
            SandboxFileError: missing, not a regular file, or larger than the limit.
        """
        self._check_path(path)
        return self._open().read(path, limit_bytes)

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return what is at a path as a tar archive, as `Sandbox.collect`.

        Raises:
            SandboxFileError: missing, a link on its way, or the files add up to more than the limit.
        """
        self._check_folder(path)
        return self._open().collect(path, limit_bytes)

    def shell(self) -> Shell:
        """Return the shell, started at the first call; after its `close`, another.

        Raises:
            CapabilityError: the spec did not ask for a terminal.
            InfraError: it could not be started.
        """
        self._open()
        if not self._spec.terminal:
            raise CapabilityError("this sandbox has no shell; ask for one with Spec(terminal=True)")
        if self._shell is None or self._shell.is_closed:
            start = functools.partial(self._machine.start_shell, self._spec.env)  # which does not refer to this
            self._shell = TerminalShell(start, self._spec.limits.output_bytes, self._state, self._status)
            self._state, self._status = b"", 0
        return self._shell

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the files as they are now, and the shell's state.

        The shell goes on at its prompt, with the state it had, as another process.

        Raises:
            ProcessesRunningError: something runs, and `end_processes` is False; nothing was changed.
        """
        machine = self._open()
        self._clear(machine, end_processes)
        state, status = self._shell_state(end_processes)
        layers = machine.freeze()
        self._rest(state, status)
        return TerminalSnapshot(layers, state, status, self._spec, machine, self._make)

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the files and the shell what they were at the snapshot; everything that runs is ended.

        Raises:
            SandboxFileError: the snapshot is of another kind or image, and nothing was changed; or it is damaged
                or does not fit, and the machine is new then.
        """
        machine = self._open()
        if isinstance(snapshot, TerminalSnapshot) and machine.can_take(snapshot.layers):
            self._check_image(snapshot.image)
            machine.restore(snapshot.layers)
            state, status = snapshot.state, snapshot.status
        else:
            state, status = self._load(machine, snapshot)
        self._rest(state, status)

    def fork(self, *, end_processes: bool = False) -> "TerminalSandbox":
        """Return a new sandbox that begins where this one stands, as by `snapshot`; the two are independent."""
        snapshot = self.snapshot(end_processes=end_processes)
        twin = TerminalSandbox(self._make, self._spec, self.capabilities)
        try:
            twin.restore(snapshot)
        except BaseException:
            twin.close()
            raise
        return twin

    def interrupt(self) -> None:
        """End the sandbox from another thread, without waiting; whoever waits for an answer gets InfraError."""
        self._machine.interrupt()

    def check(self) -> None:
        """Return if the machine answers; raises InfraError."""
        self._open().check()

    def close(self) -> None:
        """End the machine; a second call does nothing."""
        if self._shell is not None:
            self._shell.abandon()
        self._end()

    def _open(self) -> Machine:
        if not self._end.alive:
            raise ValueError("the sandbox is closed; create another")
        return self._machine

    def _clear(self, machine: Machine, end_processes: bool) -> None:
        """Have nothing but an idle shell run, or refuse."""
        left = machine.left()
        is_idle = self._shell is None or self._shell.is_closed or not self._shell.is_running or self._shell.is_idle
        if not left and is_idle:
            return
        if not end_processes:
            what = ", ".join(left) or "the shell is not at its prompt"
            raise ProcessesRunningError(
                f"a snapshot holds no processes, and these run: {what}; end them, or pass end_processes=True"
            )
        machine.end_left()
        if self._shell is not None and not self._shell.is_idle:
            self._shell.interrupt(_PROMPT_S)

    def _shell_state(self, end_processes: bool) -> tuple[bytes, int]:
        """Return how the shell stands; one that cannot tell is lost with what runs, if that may be."""
        shell = self._shell
        if shell is None or shell.is_closed:
            return self._state, self._status
        if not shell.is_running:  # paused, with its state, or ended by itself
            return shell.paused
        try:
            return (shell.save(), shell.status) if shell.is_idle else (b"", 0)
        except ProcessesRunningError:
            if not end_processes:
                raise
            return b"", 0

    def _rest(self, state: bytes, status: int) -> None:
        """The machine's processes have ended: whoever comes next begins a shell with this state."""
        if self._shell is None or self._shell.is_closed:
            self._state, self._status = state, status
        else:
            self._shell.pause(state, status)

    def _load(self, machine: Machine, snapshot: SandboxSnapshot) -> tuple[bytes, int]:
        head, _, rest = snapshot.data.partition(b"\n")
        try:
            told: dict[str, Any] = json.loads(head) if len(head) < _LONGEST_HEAD else {}
            if told["kind"] != _KIND:
                raise ValueError(f"it is of kind {told['kind']!r}")
            image, size, status = str(told["image"]), int(told["state"]), int(told["status"])
        except (ValueError, KeyError, TypeError) as error:
            raise SandboxFileError(
                errno.EINVAL, f"this is no snapshot of a native terminal sandbox: {error}; restore it in its own kind"
            ) from error
        self._check_image(image)
        try:
            machine.load(rest[size:])
            if machine.save(machine.stack)[1] != snapshot.digest:
                raise SandboxFileError(
                    errno.EINVAL, f"the snapshot's content does not match its digest {snapshot.digest[:12]}"
                )
        except SandboxFileError:
            machine.restore([])
            self._rest(b"", 0)
            raise
        return rest[:size], status

    def _write(self, path: str, data: bytes, mode: int | None) -> None:
        self._check_path(path)
        size_bytes, limit = memoryview(data).nbytes, self._spec.limits.disk_bytes
        if size_bytes > limit:
            raise SandboxFileError(errno.ENOSPC, f"{path!r}: {size_bytes} bytes are more than the disk limit {limit}")
        self._open().write(path, data, mode)

    def _check_path(self, path: str) -> None:
        if self._spec.terminal:
            place_of(path)
        else:
            split_path(path)

    def _check_folder(self, path: str) -> None:
        if self._spec.terminal:
            folder_of(path)
        else:
            folder_in(path)

    def _check_image(self, image: str) -> None:
        if image != self._spec.image:
            raise SandboxFileError(
                errno.EINVAL, f"the snapshot is of image {image!r} and the sandbox of {self._spec.image!r}"
            )
