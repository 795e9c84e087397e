"""Terminal sandboxes: a container whose root is written to, its shell, its snapshots."""

import contextlib
import errno
import functools
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from palestra.sandbox.archive import archive_limit
from palestra.sandbox.base import (
    Capabilities,
    Command,
    ExecResult,
    InfraError,
    Limits,
    ProcessesRunningError,
    SandboxFileError,
    SandboxSnapshot,
    Shell,
    Spec,
)
from palestra.sandbox.docker import changes
from palestra.sandbox.docker.client import told
from palestra.sandbox.docker.container import Container, raw_socket
from palestra.sandbox.docker.images import DEFAULT
from palestra.sandbox.docker.machine import REPORTS_FILE, START_FILE, TERMINAL_FILE
from palestra.sandbox.docker.python import PYTHON
from palestra.sandbox.docker.sandbox import DockerSandbox, Make
from palestra.sandbox.images import image_folder
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.terminal.files import folder_of, place_of
from palestra.sandbox.outcome import program_environment
from palestra.sandbox.shell import TerminalShell, shell_command, start_script

if TYPE_CHECKING:
    from docker import DockerClient

_KIND = "palestra docker terminal 1"
_PROMPT_S = 3.0
_LONGEST_HEAD = 4096
# Both are killed before the keeper for want of memory. What is printed to the reports is told by nobody else.
_WATCH = "echo 1000 >/proc/self/oom_score_adj; stty raw -echo; exec cat 0<>" + REPORTS_FILE
_WAIT_FOR = (
    f"echo 1000 >/proc/self/oom_score_adj; tty >{TERMINAL_FILE}; stty -echo -onlcr rows 24 cols 80; read -r _; "
    f'"$@"; printf "\\0E%d\\0" $? >{REPORTS_FILE}'
)


@dataclass(frozen=True, slots=True)
class MachineSnapshot:
    """What a machine's files are other than its image's, and its shell's state, as bytes."""

    data: bytes
    digest: str


class DockerTerminal:
    """A shell that dockerd has started, and its terminal."""

    reports_file = REPORTS_FILE

    def __init__(self, container: Container, is_bash: bool, env: Mapping[str, str]) -> None:
        """Start the shell; its start file is in place.

        Raises:
            InfraError: dockerd could not start it.
        """
        self.is_bash = is_bash
        self._container: Container | None = container
        words, variables = shell_command(is_bash, START_FILE)
        self._sockets: list[socket.socket] = []
        try:
            with told():
                self.reports = self._start(["sh", "-c", _WATCH], {**env, "TERM": "dumb"})
                self.screen = self._start(["sh", "-c", _WAIT_FOR, "sh", *words], {**env, **variables})
                os.write(self.screen, b"\n")  # it waits until whatever it shows is seen
        except BaseException:
            self.let_go()
            raise

    def _start(self, words: list[str], env: Mapping[str, str]) -> int:
        """Start a process on a terminal of its own; return the descriptor that leads to it."""
        assert self._container is not None  # while it starts
        api = self._container.client.api
        made = api.exec_create(
            self._container.id, words, stdin=True, tty=True, environment=dict(env), workdir=WORKSPACE
        )
        self._shell = str(made["Id"])
        connection = raw_socket(api.exec_start(self._shell, tty=True, socket=True))
        connection.setblocking(False)
        self._sockets.append(connection)
        return connection.fileno()

    def calm(self) -> None:
        """Put the terminal's modes back after a program that left them otherwise."""
        if self._container is not None:
            self._container.ask({"do": "calm"})

    def resize(self, rows: int, columns: int) -> None:
        """Change the terminal's size."""
        if self._container is not None:
            with told():
                self._container.client.api.exec_resize(self._shell, height=rows, width=columns)

    def close(self) -> None:
        """End the shell and what it started, and free the descriptors; a second call does nothing."""
        container, self._container = self._container, None
        if container is not None:
            with contextlib.suppress(InfraError):
                container.ask({"do": "end_others", "shell": False})
        self.let_go()

    def let_go(self) -> None:
        """Free the descriptors of a shell that has ended already."""
        self._container = None
        while self._sockets:
            self._sockets.pop().close()


class _Current:
    """The container that a sandbox is in at present, for its shell, which must not refer to the sandbox."""

    container: Container


@dataclass(frozen=True, slots=True)
class _Read:
    """A snapshot taken apart."""

    state: bytes
    status: int
    packed: bytes


class DockerTerminalSandbox(DockerSandbox):
    """A machine in use: programs and the shell are root inside. It ends with `close`.

    A snapshot is what the daemon says has changed, packed by the keeper: it needs no image in the daemon's
    store, and a restore begins with a new container. The disk limit bounds what is written from outside
    and what a snapshot holds, but not what programs write: Docker limits the disk on few file systems only.
    """

    def __init__(self, client: "DockerClient", spec: Spec, capabilities: Capabilities, make: Make) -> None:
        """Start a container; raises and is given what any `DockerSandbox` is."""
        self._root = str(image_folder(spec.image or DEFAULT))
        self._is_bash = any(os.path.lexists(f"{self._root}/{place}/bash") for place in ("bin", "usr/bin"))
        self._shell: TerminalShell | None = None
        self._state, self._status = b"", 0  # what a shell that is not started yet begins with
        self._current = _Current()
        super().__init__(client, spec, capabilities, make)
        own = {"HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash" if self._is_bash else "/bin/sh"}
        base = program_environment(PYTHON, "/root") | {"TMPDIR": "/tmp"} | own
        folders = [*base["PATH"].split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"]
        self._environment = base | {"PATH": ":".join(dict.fromkeys(folders))}

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program to its end and return what came of it; every process it left is dead.

        What the shell has started goes on. A process of the shell that is no longer anybody's child, but
        became so while the program ran, is taken for the program's.

        Raises:
            InfraError: the program could not be started for a reason of ours.
            ValueError: the command, a variable or a limit makes no sense.
        """
        result = super().exec(command, stdin=stdin, env=env, limits=limits)
        if limits is not None:
            self._running().limit(self._spec.limits)
        return result

    def shell(self) -> Shell:
        """Return the shell, started at the first call; after its `close`, another.

        Raises:
            InfraError: it could not be started.
        """
        self._running()
        if self._shell is None or self._shell.is_closed:
            start = functools.partial(_start_shell, self._current, self._spec, self._is_bash, dict(self._environment))
            self._shell = TerminalShell(start, self._spec.limits.output_bytes, self._state, self._status)
            self._state, self._status = b"", 0
        return self._shell

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the files as they are now, and the shell's state.

        Raises:
            ProcessesRunningError: something runs, and `end_processes` is False; nothing was changed.
            SandboxFileError: what has changed adds up to more than the disk limit.
        """
        container = self._running()
        self._clear(container, end_processes)
        state, status = self._shell_state()
        paths = json.dumps(container.changed_paths()).encode()
        size = self._spec.limits.disk_bytes
        packed = container.ask({"do": "pack", "limit_bytes": size}, [paths], limit_bytes=archive_limit(size))[1]
        digest = changes.digest(packed, self._root)
        head = {"kind": _KIND, "image": self._spec.image, "status": status, "state": len(state)}
        if self._shell is not None and self._shell.is_running:
            self._rest(state, status)
        return MachineSnapshot(json.dumps(head).encode() + b"\n" + state + packed, digest)

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the files and the shell what they were at the snapshot; everything that runs is ended.

        Raises:
            SandboxFileError: the snapshot is damaged, of another image or kind, or does not fit; nothing was changed.
        """
        old, read = self._running(), self._read_snapshot(snapshot)
        new = self._new_container()
        try:
            _unpack(new, self._spec, read.packed)
        except BaseException:
            new.end()
            raise
        self._change_to(new, read.state, read.status)
        old.end()

    def fork(self, *, end_processes: bool = False) -> Self:
        """Return a new sandbox that begins where this one stands, as by `snapshot`; the two are independent."""
        read = self._read_snapshot(self.snapshot(end_processes=end_processes))
        twin = cast(Self, self._make(self._spec))
        try:
            _unpack(twin._running(), twin._spec, read.packed)
        except BaseException:
            twin.close()
            raise
        twin._state, twin._status = read.state, read.status
        return twin

    def reset(self) -> None:
        """Become as new, in a new container."""
        old, new = self._running(), self._new_container()
        if self._shell is not None:
            self._shell.abandon()
            self._shell = None
        self._change_to(new, b"", 0)
        old.end()

    def close(self) -> None:
        """Remove the container; a second call does nothing."""
        if self._shell is not None:
            self._shell.abandon()
        super().close()

    def _hold(self, container: Container) -> None:
        super()._hold(container)
        self._current.container = container

    def _change_to(self, container: Container, state: bytes, status: int) -> None:
        """Go on in another container, with a shell of this state."""
        if self._shell is not None and not self._shell.is_closed:
            self._shell.pause(state, status)
        else:
            self._state, self._status = state, status
        self._remove.detach()
        self._hold(container)

    def _clear(self, container: Container, end_processes: bool) -> None:
        """Have nothing but an idle shell run, or refuse."""
        runs = self._shell is not None and self._shell.is_running
        left = container.ask({"do": "others", "shell": runs})[0]["others"]
        is_idle = self._shell is None or not runs or self._shell.is_idle
        if not left and is_idle:
            return
        if not end_processes:
            what = ", ".join(left) or "the shell is not at its prompt"
            raise ProcessesRunningError(
                f"a snapshot holds no processes, and these run: {what}; end them, or pass end_processes=True"
            )
        container.ask({"do": "end_others", "shell": runs})
        if self._shell is not None and not self._shell.is_idle:
            self._shell.interrupt(_PROMPT_S)

    def _shell_state(self) -> tuple[bytes, int]:
        shell = self._shell
        if shell is None or shell.is_closed:
            return self._state, self._status
        if not shell.is_running:  # paused, with its state, or ended by itself
            return shell.paused
        return (shell.save(), shell.status) if shell.is_idle else (b"", 0)

    def _rest(self, state: bytes, status: int) -> None:
        """Have the shell go on with the state that it told; asked for it, it has forgotten what ``$?`` was."""
        assert self._shell is not None  # its only caller has looked
        if not self._shell.is_idle:
            self._shell.pause(state, status)
        elif status:
            self._shell.run(f"(exit {status})")

    def _read_snapshot(self, snapshot: SandboxSnapshot) -> "_Read":
        head, _, rest = snapshot.data.partition(b"\n")
        try:
            given: dict[str, Any] = json.loads(head) if len(head) < _LONGEST_HEAD else {}
            if given.get("kind") != _KIND:
                raise ValueError("no such head")
            image, size, status = str(given["image"]), int(given["state"]), int(given["status"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SandboxFileError(
                errno.EINVAL, "this is no snapshot of a docker terminal sandbox; restore it where it was made"
            ) from error
        if image != self._spec.image:
            raise SandboxFileError(
                errno.EINVAL, f"the snapshot is of image {image!r} and the sandbox of {self._spec.image!r}"
            )
        state, packed = rest[:size], rest[size:]
        if changes.digest(packed, self._root) != snapshot.digest:
            raise SandboxFileError(
                errno.EINVAL, f"the snapshot's content does not match its digest {snapshot.digest[:12]}"
            )
        return _Read(state, status, packed)

    @staticmethod
    def _check_path(path: str) -> None:
        place_of(path)

    @staticmethod
    def _check_folder(path: str) -> None:
        folder_of(path)


def _unpack(container: Container, spec: Spec, packed: bytes) -> None:
    container.limit(spec.limits, extra_bytes=len(packed))
    container.ask({"do": "unpack"}, [packed])


def _start_shell(
    current: _Current, spec: Spec, is_bash: bool, env: Mapping[str, str], state: bytes, status: int
) -> DockerTerminal:
    container = current.container
    container.has_shell = True
    container.limit(spec.limits)
    container.ask({"do": "shell"}, [start_script(is_bash, REPORTS_FILE, state, status)])
    return DockerTerminal(container, is_bash, {**env, **spec.env})
