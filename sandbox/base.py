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
    inner_root: bool = False
    snapshot: bool = False
    fork: bool = False

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


@dataclass(frozen=True, slots=True)
class SandboxSnapshot:
    """A sandbox's workspace at one moment, as bytes only its own backend kind reads, with their hash."""

    data: bytes
    digest: str


@runtime_checkable
class Sandbox(Protocol):
    """A workspace (``/workspace``) and the right to run programs in it. Not thread-safe: one caller at a time.

    Every program starts in the workspace with a fresh ``/tmp``; what it writes to the workspace stays.
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

    def upload(self, source: str, path: str) -> None:
        """Copy one host file into the workspace."""
        ...

    def download(self, path: str, target: str) -> None:
        """Copy one workspace file to the host, with the rules of `read`."""
        ...

    def snapshot(self) -> SandboxSnapshot:
        """Return the workspace as it is now."""
        ...

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the workspace what it was at the snapshot; nothing written since then is left."""
        ...

    def fork(self) -> Self:
        """Return a new sandbox whose workspace is a copy of this one's; the two are independent."""
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
