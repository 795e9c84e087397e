"""Sandboxes that are containers."""

import errno
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from palestra.sandbox.archive import archive_limit
from palestra.sandbox.base import (
    MIB,
    Capabilities,
    Command,
    ExecResult,
    Limits,
    Python,
    SandboxFileError,
    SandboxSnapshot,
    SavedSnapshot,
    Spec,
)
from palestra.sandbox.docker.client import reach, told
from palestra.sandbox.docker.container import GRACE_S, Container
from palestra.sandbox.docker.images import provide
from palestra.sandbox.docker.python import PYTHON
from palestra.sandbox.limits import check_limits
from palestra.sandbox.outcome import Outcome, check_command, program_environment, resource_limits, to_result
from palestra.sandbox.transfers import Transfers
from palestra.sandbox.workspace import folder_in, split_path

if TYPE_CHECKING:
    from docker import DockerClient

Make = Callable[[Spec], "DockerSandbox"]


class DockerSandbox(Transfers):
    """A container. It is removed by `close`, or when nobody refers to the sandbox any more."""

    def __init__(self, client: "DockerClient", spec: Spec, capabilities: Capabilities, make: "Make") -> None:
        """Start a container.

        Args:
            client: of its daemon.
            spec: what is wanted of it.
            capabilities: what was proven.
            make: makes another one, for forks.

        Raises:
            InfraError: it could not be started.
        """
        self.capabilities = capabilities
        self._client, self._spec, self._make = client, spec, make
        self._environment = program_environment(PYTHON, "/tmp")
        self._hold(self._new_container())

    def _new_container(self) -> Container:
        with told():
            reach()
        image = provide(self._client, self._spec.image)
        return Container(self._client, image, self._spec.limits, is_terminal=self._spec.terminal)

    def _hold(self, container: Container) -> None:
        self._container = container
        self._remove = weakref.finalize(self, container.end)
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
        question = _describe(command, self._environment | variables, limits)
        room = 2 * max(limits.output_bytes, 1)
        answer, output = container.ask(question, [bytes(stdin)], timeout_s=limits.wall_s + GRACE_S, limit_bytes=room)
        length, cut = int(answer.pop("stdout")), answer.pop("truncated")
        stdout, stderr = _Output(output[:length], cut[0]), _Output(output[length:], cut[1])
        return to_result(Outcome(**answer), limits, stdout, stderr)

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a regular file's bytes; links are not followed.

        Raises:
            SandboxFileError: missing, not a regular file, larger than the limit, or outside.
        """
        self._check_path(path)
        question = {"do": "read", "path": path, "limit_bytes": limit_bytes}
        return self._running().ask(question, limit_bytes=limit_bytes)[1]

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return what is at a path as a tar archive, as `Sandbox.collect`.

        Raises:
            SandboxFileError: missing, a link on its way, or the files add up to more than the limit.
        """
        self._check_folder(path)
        question = {"do": "collect", "path": path, "limit_bytes": limit_bytes}
        return self._running().ask(question, limit_bytes=archive_limit(limit_bytes))[1]

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

    def fork(self, *, end_processes: bool = False) -> Self:
        """Return a new sandbox whose workspace is a copy of this one's; the two are independent."""
        snapshot = self.snapshot(end_processes=end_processes)
        twin = cast(Self, self._make(self._spec))
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

    @staticmethod
    def _check_path(path: str) -> None:
        split_path(path)

    @staticmethod
    def _check_folder(path: str) -> None:
        folder_in(path)

    def _write(self, path: str, data: bytes, mode: int | None) -> None:
        size_bytes, limit = memoryview(data).nbytes, self._spec.limits.disk_bytes
        self._check_path(path)
        if size_bytes > limit:
            raise SandboxFileError(errno.ENOSPC, f"{path!r}: {size_bytes} bytes are more than the disk limit {limit}")
        container = self._running()
        container.limit(self._spec.limits, extra_bytes=size_bytes)
        container.ask({"do": "write", "path": path, "mode": mode}, [data])


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
