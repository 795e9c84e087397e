"""The process backend: a plain subprocess in a temporary folder, for programs that are your own.

It isolates nothing: a program can read and write the host's files, use the network, see and end other
processes of its user, and fill the memory or the disk. Only its time, each process's memory and each
file's size are bounded, and processes that hide well outlive it.
"""

import contextlib
import errno
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

from palestra.sandbox import archive
from palestra.sandbox.base import (
    MIB,
    Capabilities,
    Command,
    ExecResult,
    InfraError,
    Limits,
    Python,
    SandboxFileError,
    SandboxSnapshot,
    SavedSnapshot,
    Spec,
)
from palestra.sandbox.capture import Capture, take_until
from palestra.sandbox.faults import advice
from palestra.sandbox.limits import check_limits, check_spec, lower_limit
from palestra.sandbox.outcome import Outcome, check_command, program_environment, resource_limits, to_result
from palestra.sandbox.sealed import sealed_file
from palestra.sandbox.transfers import Transfers
from palestra.sandbox.workspace import Workspace

_CAPABILITIES = Capabilities(snapshot=True, fork=True)
_COMMAND_NOT_FOUND, _COMMAND_NOT_EXECUTABLE = 127, 126
_MARK = "PALESTRA_PROGRAM"  # a variable by which the processes that a program left are found


class ProcessBackend:
    """Subprocesses of this process."""

    name = "process"

    def probe(self) -> Capabilities:
        """Return that nothing is enforced."""
        return _CAPABILITIES

    def create(self, spec: Spec) -> "ProcessSandbox":
        """Return a sandbox with an empty workspace.

        Raises:
            CapabilityError: the spec needs anything enforced.
            ValueError: a limit or a need makes no sense.
        """
        check_spec(self.name, spec, _CAPABILITIES)
        with _host_errors_as_faults():
            return ProcessSandbox(spec)


class ProcessSandbox(Transfers):
    """A temporary folder, removed by `close` or when nobody refers to the sandbox any more."""

    def __init__(self, spec: Spec) -> None:
        self.capabilities = _CAPABILITIES
        self._spec = spec
        self._folder = Path(tempfile.mkdtemp(prefix="palestra-process-"))
        self._workspace = Workspace(str(self._folder / "work"))
        self._python = (
            sys.executable if spec.preload else os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        )
        self._remove = weakref.finalize(self, _remove_tree, self._folder)
        (self._folder / "work").mkdir()

    def exec(
        self,
        command: Command,
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ExecResult:
        """Run one program to its end and return what came of it.

        Raises:
            InfraError: the program could not be started for a reason of ours.
            ValueError: the command, a variable or a limit makes no sense.
        """
        self._check_open()
        limits = limits or self._spec.limits
        check_limits(limits)
        variables = {**self._spec.env, **(env or {})}
        check_command(command, stdin, variables)
        with _host_errors_as_faults():
            return self._exec(command, stdin, variables, limits)

    def _exec(self, command: Command, stdin: bytes, variables: dict[str, str], limits: Limits) -> ExecResult:
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="tmp-", ignore_cleanup_errors=True) as temporary:
            mark = secrets.token_hex(16)
            base = program_environment(self._python, temporary) | {_MARK: mark}
            words = self._words(command, temporary, base)
            output_limits = (limits.output_bytes, limits.file_bytes)
            with Capture(*output_limits) as stdout, Capture(*output_limits) as stderr:
                outcome = self._run(words, stdin, base | variables | {_MARK: mark}, limits, stdout, stderr)
                return to_result(outcome, limits, stdout, stderr)

    def _words(self, command: Command, temporary: str, base: dict[str, str]) -> list[str]:
        if not isinstance(command, Python):
            return list(command)
        program = Path(temporary, "program.py")
        program.write_text(command.source, encoding="utf-8", errors="surrogatepass")
        base["PYTHONPATH"] = self._workspace.root
        hidden = [] if self._spec.preload else ["-S"]
        return [self._python, "-s", *hidden, "-P", str(program), *command.argv]

    def _run(
        self,
        words: list[str],
        stdin: bytes,
        env: dict[str, str],
        limits: Limits,
        stdout: Capture,
        stderr: Capture,
    ) -> Outcome:
        start = time.monotonic()
        os.makedirs(self._workspace.root, exist_ok=True)  # a program may have removed it
        with sealed_file(stdin) as given:
            try:
                program = subprocess.Popen(
                    words,
                    stdin=given,
                    stdout=stdout.write_end,
                    stderr=stderr.write_end,
                    env=env,
                    cwd=self._workspace.root,
                    start_new_session=True,
                )
            except OSError as error:  # as a shell would
                os.write(stderr.write_end, f"{words[0]}: {error.strerror}\n".encode("utf-8", "replace"))
                stderr.drain()
                code = _COMMAND_NOT_FOUND if error.errno == errno.ENOENT else _COMMAND_NOT_EXECUTABLE
                return Outcome(code=code, timed_out=False, oom=False, duration_s=0.0, cpu_s=0.0, max_rss_bytes=0)
        for capture in (stdout, stderr):
            capture.close_write_end()
        try:
            timed_out = not _wait(program, limits, (stdout, stderr))
        finally:
            os.killpg(program.pid, signal.SIGKILL)  # it is not reaped yet, so the number is still its own
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
            _end_marked(env[_MARK])
        for capture in (stdout, stderr):
            capture.drain()
        return Outcome(
            code=program.returncode,
            timed_out=timed_out,
            oom=False,  # it cannot be told from other failures
            duration_s=time.monotonic() - start,
            cpu_s=usage.ru_utime + usage.ru_stime,
            max_rss_bytes=usage.ru_maxrss * 1024,
        )

    def read(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return a regular file's bytes; links are not followed.

        Raises:
            SandboxFileError: missing, not a regular file, larger than the limit, or outside.
        """
        self._check_open()
        return b"".join(self._workspace.read(path, limit_bytes))

    def collect(self, path: str, *, limit_bytes: int = 16 * MIB) -> bytes:
        """Return what is at a path as a tar archive, as `Sandbox.collect`.

        Raises:
            SandboxFileError: missing, a link on its way, or the files add up to more than the limit.
        """
        self._check_open()
        parts: list[bytes] = []
        archive.collect_inside(self._workspace, path, parts.append, limit_bytes)
        return b"".join(parts)

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        """Return the workspace as it is now.

        Raises:
            SandboxFileError: its files add up to more than the disk limit.
        """
        self._check_open()
        parts: list[bytes] = []
        digest = archive.save(self._workspace, parts.append, self._spec.limits.disk_bytes)
        return SavedSnapshot(b"".join(parts), digest)

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Make the workspace what it was at the snapshot; nothing written since then is left.

        Raises:
            SandboxFileError: the snapshot is damaged; the workspace is empty then.
        """
        self._check_open()
        self._empty()
        try:
            if archive.load(self._workspace, [snapshot.data]) != snapshot.digest:
                raise SandboxFileError(errno.EINVAL, f"the snapshot does not match its digest {snapshot.digest[:12]}")
        except SandboxFileError:
            self._empty()
            raise

    def fork(self, *, end_processes: bool = False) -> "ProcessSandbox":
        """Return a new sandbox whose workspace is a copy of this one's; the two are independent."""
        snapshot = self.snapshot()
        twin = ProcessSandbox(self._spec)
        twin.restore(snapshot)
        return twin

    def close(self) -> None:
        """Remove the workspace; a second call does nothing."""
        self._remove()

    def _write(self, path: str, data: bytes, mode: int | None) -> None:
        self._check_open()
        limit = self._spec.limits.disk_bytes
        if memoryview(data).nbytes > limit:
            raise SandboxFileError(errno.ENOSPC, f"{path!r}: {len(data)} bytes are more than the disk limit {limit}")
        self._workspace.write(path, [data], mode)

    def _empty(self) -> None:
        _remove_tree(Path(self._workspace.root))
        os.makedirs(self._workspace.root)

    def _check_open(self) -> None:
        if not self._remove.alive:
            raise ValueError("the sandbox is closed; create another")


@contextlib.contextmanager
def _host_errors_as_faults() -> Iterator[None]:
    """Raise InfraError for what the host refuses: a full disk, a full table."""
    try:
        yield
    except OSError as error:
        raise InfraError(f"no program could be started: {error}; {advice(error)}") from error


def _wait(program: "subprocess.Popen[bytes]", limits: Limits, captures: tuple[Capture, Capture]) -> bool:
    """Bound a program and take what it prints; return whether it ended in its time."""
    ended = os.pidfd_open(program.pid)
    try:
        with contextlib.suppress(ProcessLookupError):
            for name, value in {**resource_limits(limits), "RLIMIT_AS": (limits.memory_bytes,) * 2}.items():
                lower_limit(program.pid, name, value)
        return take_until(ended, captures, limits.wall_s)
    finally:
        os.close(ended)


def _end_marked(mark: str) -> None:
    """End the processes that a program left, by the variable that they have inherited."""
    wanted, found = f"{_MARK}={mark}".encode(), True
    while found:
        found = False
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdecimal() and wanted in (folder / "environ").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
                    found = True


def _remove_tree(folder: Path) -> None:
    """Remove a folder, whatever its owner did to its permissions and its depth."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except (OSError, RecursionError):
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", folder], check=True)
