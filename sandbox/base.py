"""The sandbox folder's nouns: what a program may use, what came of it, and who runs it.

Nothing here starts a process. Backends live beside this file and are reached through
`palestra.sandbox.create`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Protocol, Self, runtime_checkable

MIB = 1024 * 1024


class InfraError(RuntimeError):
    """A fault that no policy could cause: it never becomes a reward.

    `retryable` says whether trying the same thing again may work.
    """

    retryable = True


class PermanentInfraError(InfraError):
    """An `InfraError` that will come back however often one tries (a missing kernel feature)."""

    retryable = False


class CapabilityError(PermanentInfraError):
    """A backend does not enforce what a task needs; the message names what is missing."""


class SandboxFileError(OSError):
    """A path inside a sandbox is missing, not a regular file, too large or outside the workspace."""


class ProcessesRunningError(RuntimeError):
    """A snapshot would lose processes that still run in a terminal sandbox; the message lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may use. Every backend says in its capabilities which of these it enforces."""

    wall_s: float = 5.0
    cpu_s: float = 5.0
    memory_bytes: int = 256 * MIB  # of the whole process tree
    processes: int = 32
    file_bytes: int = 32 * MIB  # the largest single file
    disk_bytes: int = 64 * MIB  # workspace and /tmp, each
    output_bytes: int = 64 * 1024  # kept of stdout and of stderr, each


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend was seen to enforce or offer, by a canary that it ran; False means not proven."""

    network_off: bool = False
    read_only_root: bool = False
    memory_tree: bool = False
    process_count: bool = False
    pid_hidden: bool = False  # no process outside the sandbox can be seen
    socket_families: bool = False  # AF_VSOCK and other families outside network namespaces refused
    syscall_filter: bool = False
    terminal: bool = False  # `Spec.terminal`: a writable root, a shell, processes that live on
    inner_root: bool = False  # uid 0 inside, which is nobody outside
    image: bool = False  # `Spec.image`: a root filesystem of one's own
    snapshot: bool = False
    fork: bool = False
    process_snapshot: bool = False  # a terminal's snapshots hold what runs, which goes on where it stood

    def missing(self, needs: "frozenset[str]") -> list[str]:
        """Return the needs, sorted, that are not proven here.

        Raises:
            ValueError: a need is no capability name.
        """
        known = {entry.name for entry in fields(self)}
        if unknown := sorted(needs - known):
            raise ValueError(f"unknown capability {unknown[0]!r}; known: {', '.join(sorted(known))}")
        return sorted(need for need in needs if not getattr(self, need))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a caller wants of a sandbox, fixed for its life."""

    limits: Limits = field(default_factory=Limits)
    needs: frozenset[str] = frozenset()  # names of `Capabilities` that must be proven
    env: Mapping[str, str] = field(default_factory=dict)  # nothing of the host's environment is passed
    preload: tuple[str, ...] = ()  # Python modules imported once, before programs are forked
    image: str = ""  # a root filesystem that `palestra image build` made; "" is the host's /usr
    terminal: bool = False  # one machine to work in: writable root, shell, processes that live on between calls

    @property
    def required(self) -> frozenset[str]:
        """The capabilities that this spec cannot do without."""
        return self.needs | ({"terminal"} if self.terminal else set()) | ({"image"} if self.image else set())


@dataclass(frozen=True, slots=True)
class Python:
    """A Python program given as source, run as ``__main__`` by the sandbox's own interpreter."""

    source: str
    argv: tuple[str, ...] = ()


Command = Python | Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecResult:
    """What came of one program. Exactly one of `exit_code` and `signal` is set.

    An exit code of 0 proves nothing about the program's answer: a verifier judges its output.
    """

    exit_code: int | None
    signal: int | None
    stdout: bytes
    stderr: bytes
    truncated: bool  # stdout or stderr was cut at the limit
    timed_out: bool  # the wall clock or CPU limit ended it
    oom: bool  # the memory limit ended it
    duration_s: float
    cpu_s: float = 0.0
    max_rss_bytes: int = 0

    @property
    def ok(self) -> bool:
        """True when the program ended by itself with exit code 0."""
        return self.exit_code == 0 and not (self.timed_out or self.oom)


class SandboxSnapshot(Protocol):
    """A sandbox's files at one moment, and in a terminal sandbox the state of its shell.

    It may be held cheaply, as layers that its sandbox and its forks share; `data` is what crosses to
    another process, and is only made when asked for.
    """

    @property
    def data(self) -> bytes:
        """The snapshot as bytes that only its own backend kind reads."""
        ...

    @property
    def digest(self) -> str:
        """The hash of the content: equal files give equal digests."""
        ...


@dataclass(frozen=True, slots=True)
class SavedSnapshot:
    """A snapshot held as bytes."""

    data: bytes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellResult:
    """What came of one line typed at a shell's prompt."""

    output: bytes  # as a terminal shows it: echo off, stdout and stderr in one
    exit_code: int | None  # None: the line has not come to an end
    timed_out: bool  # the prompt did not come back in time; what runs goes on
    truncated: bool = False  # the output was cut at the limit


class Shell(Protocol):
    """An interactive shell on a terminal of its own. Not thread-safe.

    Whether the prompt is back is told over a channel that is not the terminal, so programs that read all
    input, clear the screen or print what looks like a prompt mislead nobody.
    """

    @property
    def is_idle(self) -> bool:
        """Whether the shell waits at its prompt."""
        ...

    def run(self, line: str, *, timeout_s: float = 30.0) -> ShellResult:
        """Type a line (or several) and wait until the prompt is back.

        Raises:
            InfraError: the shell is gone for a reason of ours; one that ended itself is started again.
            ValueError: the shell is not idle, or the line cannot be typed.
        """
        ...

    def send(self, keys: bytes) -> None:
        """Type keys without waiting: input for a program, ``\\x03`` for ^C, ``\\x04`` for ^D."""
        ...

    def read(self, *, timeout_s: float = 1.0) -> bytes:
        """Return what the terminal showed since the last call, waiting up to the time for something."""
        ...

    def wait(self, *, timeout_s: float) -> ShellResult:
        """Wait until the prompt is back, after `send` or a `run` that timed out; the output is what came since."""
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Change the terminal's size; programs are told as by a window."""
        ...

    def close(self) -> None:
        """Hang up: the shell and what it started in the foreground and background ends."""
        ...


@runtime_checkable
class Sandbox(Protocol):
    """A workspace (``/workspace``) and the right to run programs in it. Not thread-safe: one caller at a time.

    Every program starts in the workspace; what it writes there stays. Without `Spec.terminal` it finds a
    fresh ``/tmp`` and a read-only system. With it the whole file system is writable and stays, paths may
    be absolute, and what a shell starts lives on until `close`, `restore` or a snapshot.
    """

    capabilities: Capabilities

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program to its end and return what came of it; every process it left is dead.

        Raises:
            InfraError: the program could not be started for a reason of ours.
        """
        ...

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a regular file in the workspace, with its parent folders.

        Raises:
            SandboxFileError: the path leaves the workspace or the disk limit is reached.
        """
        ...

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a regular file's bytes; links are not followed.

        Raises:
            SandboxFileError: missing, not a regular file, larger than the limit, or outside.
        """
        ...

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return what is at a path, with all below it, as a tar archive that no program of the sandbox had a hand in.

        Names are absolute paths without the slash before them ("workspace/out.txt"); links are
        kept as links, with owners as the programs see them, permissions and times; sockets and devices are left out.
        What runs meanwhile may change what is half collected: end it first.

        Raises:
            SandboxFileError: missing, a link on its way, or the files add up to more than the limit.
        """
        ...

    def upload(self, source: str, path: str) -> None:
        """Copy one host file into the workspace: its bytes and its permissions, in place of what has the name.

        Set-user-id, set-group-id and sticky bits are not copied. Links on the host are followed.

        Raises:
            OSError: the host's file is missing or may not be read.
            SandboxFileError: it is not a regular file, or as `write`.
        """
        ...

    def download(self, path: str, target: str) -> None:
        """Copy one workspace file to the host, with the rules of `read`.

        Its permissions were a program's choice, so they are not copied: the host's file has those of any file
        that this process makes, or keeps those it had.
        """
        ...

    def shell(self) -> Shell:
        """Return the terminal sandbox's shell, started at the first call; one at a time.

        Raises:
            CapabilityError: the spec did not ask for a terminal.
        """
        ...

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the files as they are now and, in a terminal sandbox, the shell's state.

        Where `Capabilities.process_snapshot` is proven it holds what runs as well, and refuses nothing.

        Args:
            end_processes: end what runs beside the shell, which a snapshot does not hold otherwise.

        Raises:
            ProcessesRunningError: something runs, and `end_processes` is False; nothing was changed.
        """
        ...

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the workspace what it was at the snapshot; nothing written since then is left.

        What runs is ended, and what the snapshot holds of processes goes on.
        """
        ...

    def fork(self, *, end_processes: bool = False) -> Self:
        """Return a new sandbox that begins where this one stands, as by `snapshot`; the two are independent."""
        ...

    def close(self) -> None:
        """Give the sandbox back; a second call does nothing."""
        ...


class Backend(Protocol):
    """One way to isolate programs."""

    name: str

    def probe(self) -> Capabilities:
        """Run the canary (once; cached) and return what is really enforced on this machine."""
        ...

    def create(self, spec: Spec) -> Sandbox:
        """Return a sandbox that holds to the spec.

        Raises:
            CapabilityError: a need of the spec was not proven by the canary.
            InfraError: no sandbox could be started.
        """
        ...
