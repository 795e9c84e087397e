"""The docker backend and its sandboxes."""

import atexit
import errno
import os
import sys
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palestra.sandbox.archive import archive_limit
from palestra.sandbox.base import (
    MIB,
    Capabilities,
    CapabilityError,
    Command,
    ExecResult,
    Limits,
    PermanentInfraError,
    Python,
    SandboxFileError,
    SandboxSnapshot,
    SavedSnapshot,
    Shell,
    Spec,
)
from palestra.sandbox.canary import examine
from palestra.sandbox.docker.client import connect
from palestra.sandbox.docker.container import GRACE_S, PYTHON, Container, sweep
from palestra.sandbox.docker.images import DEFAULT, provide
from palestra.sandbox.limits import check_limits, check_spec
from palestra.sandbox.outcome import Outcome, check_command, program_environment, resource_limits, to_result
from palestra.sandbox.workspace import split_path

if TYPE_CHECKING:
    from docker import DockerClient


class DockerBackend:
    """A warm container a sandbox, of images that are built on this machine. Thread-safe.

    A program costs a few milliseconds, since a keeper inside the container starts it: dockerd takes part in
    starting and ending containers only. `Spec.image` "" means the image "base".

    What it does not stop: programs share a kernel with the host, so a hole in the kernel is a hole in the
    sandbox. Programs of one sandbox have one /dev/shm and one user, one after another; all of that is
    emptied between them. Whoever may speak to the daemon is root on the host, palestra's process included.
    """

    name = "docker"

    def __init__(self, proven: Capabilities | None = None) -> None:
        """Reach the daemon, and remove what processes that were killed have left there.

        Args:
            proven: what `probe` returned in another process with this daemon, not to run it again.

        Raises:
            InfraError: the daemon does not answer.
            PermanentInfraError: this is not Linux, or the docker package is not installed.
        """
        if sys.platform != "linux":
            raise PermanentInfraError(f"the docker backend needs Linux; this is {sys.platform}")
        self._lock = threading.RLock()  # the canary makes sandboxes while it is held
        self._capabilities = proven
        self._client: DockerClient | None = connect()
        self._open: weakref.WeakSet[DockerSandbox] = weakref.WeakSet()
        sweep(self._client)
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def probe(self) -> Capabilities:
        """Run the canary (once; cached) and return what is really enforced by this daemon.

        Raises:
            InfraError: no sandbox could be started.
        """
        with self._lock:
            if self._capabilities is None:
                self._capabilities = examine(self.create_unproven, image=DEFAULT)
            return self._capabilities

    def create(self, spec: Spec) -> "DockerSandbox":
        """Return a sandbox that holds to the spec, with an empty workspace.

        Raises:
            CapabilityError: a need of the spec was not proven by the canary.
            ImageNotBuiltError: the image was not built on this machine.
            InfraError: no sandbox could be started.
            ValueError: a limit or a need makes no sense.
        """
        check_spec(self.name, spec, self.probe())
        if spec.preload:
            raise CapabilityError(
                f"the docker backend cannot preload {', '.join(spec.preload)}: its containers have an interpreter of "
                "their own; put the packages into an image (`palestra image build`), or use backend='native'"
            )
        return self.create_unproven(spec)

    def create_unproven(self, spec: Spec) -> "DockerSandbox":
        """Return a sandbox without asking what was proven, which the canary needs before anything is.

        Raises:
            InfraError: no sandbox could be started.
        """
        with self._lock:
            if self._client is None:
                self._client = connect()
            client, capabilities = self._client, self._capabilities or Capabilities()
        made = DockerSandbox(self, client, spec, capabilities)
        self._open.add(made)
        return made

    def close(self) -> None:
        """End every container."""
        for sandbox in list(self._open):
            sandbox.close()
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._client = None  # its connections are the parent's
        self._open = weakref.WeakSet()


class DockerSandbox:
    """A container. It is removed by `close`, or when nobody refers to the sandbox any more."""

    def __init__(self, backend: DockerBackend, client: "DockerClient", spec: Spec, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._backend, self._spec = backend, spec
        image = provide(client, spec.image)
        self._container = Container(client, image, spec.limits, is_terminal=spec.terminal)
        self._remove = weakref.finalize(self, self._container.end)
        self._remove.atexit = False  # the backend ends every container then

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program to its end and return what came of it; every process it left is dead.

        A command that does not exist ends with exit code 127, as in a shell. The disk limit is the spec's.

        Raises:
            InfraError: the program could not be started for a reason of ours.
            ValueError: the command, a variable or a limit makes no sense.
        """
        limits = limits or self._spec.limits
        check_limits(limits)
        variables = {**self._spec.env, **(env or {})}
        check_command(command, stdin, variables)
        container = self._running()
        container.limit(limits, extra_bytes=memoryview(stdin).nbytes)
        question = _describe(command, program_environment(PYTHON, "/tmp") | variables, limits)
        room = 2 * max(limits.output_bytes, 1)
        answer, output = container.ask(question, [bytes(stdin)], timeout_s=limits.wall_s + GRACE_S, limit_bytes=room)
        length, cut = int(answer.pop("stdout")), answer.pop("truncated")
        stdout, stderr = _Output(output[:length], cut[0]), _Output(output[length:], cut[1])
        return to_result(Outcome(**answer), limits, stdout, stderr)

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a regular file in the workspace, with its parent folders.

        Raises:
            SandboxFileError: the path leaves the workspace or the disk limit is reached.
        """
        size_bytes = memoryview(data).nbytes
        split_path(path)
        self._refuse_larger(path, size_bytes)
        container = self._running()
        container.limit(self._spec.limits, extra_bytes=size_bytes)
        container.ask({"do": "write", "path": path}, [data])

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a regular file's bytes; links are not followed.

        Raises:
            SandboxFileError: missing, not a regular file, larger than the limit, or outside.
        """
        split_path(path)
        question = {"do": "read", "path": path, "limit_bytes": limit_bytes}
        return self._running().ask(question, limit_bytes=limit_bytes)[1]

    def upload(self, source: str, path: str) -> None:
        """Copy one host file into the workspace."""
        self._refuse_larger(path, os.path.getsize(source))
        self.write(path, Path(source).read_bytes())

    def download(self, path: str, target: str) -> None:
        """Copy one workspace file to the host, with the rules of `read`."""
        Path(target).write_bytes(self.read(path, limit_bytes=self._spec.limits.disk_bytes))

    def shell(self) -> Shell:
        """Refuse: there is no terminal.

        Raises:
            CapabilityError: always.
        """
        raise CapabilityError("this sandbox has no shell; ask for one with Spec(terminal=True)")

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the workspace as it is now.

        Raises:
            SandboxFileError: its files add up to more than the disk limit, as sparse ones can.
        """
        size = self._spec.limits.disk_bytes
        answer, data = self._running().ask({"do": "save", "limit_bytes": size}, limit_bytes=archive_limit(size))
        return SavedSnapshot(data, str(answer["digest"]))

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the workspace what it was at the snapshot; nothing written since then is left.

        Raises:
            SandboxFileError: the snapshot is damaged or does not fit; the workspace is empty then.
        """
        container = self._running()
        container.limit(self._spec.limits, extra_bytes=len(snapshot.data))
        try:
            answer, _ = container.ask({"do": "load"}, [snapshot.data])
            if answer["digest"] != snapshot.digest:
                raise SandboxFileError(
                    errno.EINVAL, f"the snapshot's content does not match its digest {snapshot.digest[:12]}"
                )
        except SandboxFileError:
            container.ask({"do": "empty"})
            raise

    def fork(self, *, end_processes: bool = False) -> "DockerSandbox":
        """Return a new sandbox whose workspace is a copy of this one's; the two are independent."""
        snapshot = self.snapshot()
        twin = self._backend.create_unproven(self._spec)
        try:
            twin.restore(snapshot)
        except BaseException:
            twin.close()
            raise
        return twin

    def close(self) -> None:
        """Remove the container; a second call does nothing."""
        self._remove()

    def check(self) -> None:
        """Return if programs could run now; raises InfraError if not."""
        self._running().check()

    def reset(self) -> None:
        """Empty the workspace, as in a new sandbox."""
        self._running().ask({"do": "empty"})

    def discard(self) -> None:
        """Close the sandbox; nothing of it serves another."""
        self.close()

    def interrupt(self) -> None:
        """End what runs, from another thread and without waiting: its `exec` raises InfraError. Close it then."""
        self._container.interrupt()

    def _running(self) -> Container:
        if not self._remove.alive:
            raise ValueError("the sandbox is closed; create another")
        return self._container

    def _refuse_larger(self, path: str, size_bytes: int) -> None:
        limit = self._spec.limits.disk_bytes
        if size_bytes > limit:
            raise SandboxFileError(errno.ENOSPC, f"{path!r}: {size_bytes} bytes are more than the disk limit {limit}")


@dataclass(frozen=True, slots=True)
class _Output:
    """What came of one stream."""

    data: bytes
    truncated: bool


def _describe(command: Command, env: Mapping[str, str], limits: Limits) -> dict[str, Any]:
    """Return the question that runs a program."""
    words: dict[str, Any] = {"argv": list(command.argv if isinstance(command, Python) else command)}
    if isinstance(command, Python):
        words["source"] = command.source
    return {
        "do": "run",
        **words,
        "env": dict(env),
        "wall_s": limits.wall_s,
        "rlimits": resource_limits(limits),
        "output_bytes": limits.output_bytes,
        "file_bytes": limits.file_bytes,
    }
