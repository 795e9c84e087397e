"""The host's end of one slot: starts it, sends it programs, and notices when it is gone."""

import contextlib
import errno
import json
import math
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from palestra.sandbox.base import Command, ExecResult, InfraError, Limits, PermanentInfraError, Python
from palestra.sandbox.capture import Capture, take_until
from palestra.sandbox.native import messages
from palestra.sandbox.native.plan import Plan, bootstrap

_START_S = 30.0
_GRACE_S = 15.0  # on a busy machine, beyond the program's own time
_OPEN_FILES = 512
_LACKS_SUPPORT = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EINVAL, errno.ENOSPC, errno.EUSERS)


class Slot:
    """A started sandbox, warm and empty until it is given a workspace by `wipe`.

    Every method raises InfraError when the slot is dead or does not answer, and it stays dead then.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._owner_pid = os.getpid()
        self._errors = os.memfd_create("palestra-slot-errors", os.MFD_CLOEXEC)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._launcher = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", bootstrap("palestra.sandbox.native.launcher")),
                    *(plan.package, plan.to_json(), str(theirs.fileno())),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env={},
                cwd="/",
                start_new_session=True,
            )
        self.is_alive = True
        try:
            self._answer(_START_S)
        except BaseException:
            self.kill()
            raise

    def wipe(self, size_bytes: int) -> None:
        """Replace the workspace by an empty one."""
        with self._exchange():
            messages.send(self._control, {"do": "wipe", "size_bytes": size_bytes})
            self._answer(_GRACE_S)

    def run(self, command: Command, stdin: bytes, env: Mapping[str, str], limits: Limits) -> ExecResult:
        """Run one program in the workspace and return what came of it."""
        description = _describe(command, {**self._plan.environment(), **env})
        output_limits = (limits.output_bytes, limits.file_bytes)
        with self._exchange(), Capture(*output_limits) as stdout, Capture(*output_limits) as stderr:
            descriptors = [messages.sealed_file(description), messages.sealed_file(stdin)]
            try:
                if self._plan.host_ids:  # so that the program may open /dev/stdout
                    for capture in (stdout, stderr):
                        os.fchown(capture.write_end, self._plan.host_ids[1], self._plan.host_ids[1])
                request = {
                    "do": "run",
                    "wall_s": limits.wall_s,
                    "disk_bytes": limits.disk_bytes,
                    "rlimits": self._rlimits(limits),
                }
                messages.send(self._control, request, [*descriptors, stdout.write_end, stderr.write_end])
            finally:
                messages.close_all(descriptors)
            for capture in (stdout, stderr):
                capture.close_write_end()
            outcome = self._answer(limits.wall_s + _GRACE_S, (stdout, stderr))
            for capture in (stdout, stderr):
                capture.drain()
            return self._result(outcome, limits, stdout, stderr)

    def kill(self) -> None:
        """End the slot and everything in it; returns when it is gone. A second call does nothing."""
        if not self.is_alive:
            return
        self.is_alive = False
        self._control.close()
        if os.getpid() != self._owner_pid:  # a forked copy of the owner: the slot is not ours to wait for
            os.close(self._errors)
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._launcher.wait(timeout=_GRACE_S)
        self._launcher.kill()
        self._launcher.wait()
        os.close(self._errors)

    @contextlib.contextmanager
    def _exchange(self) -> Any:
        """Hold the slot for one question and its answer; whatever cuts them apart ends the slot."""
        if os.getpid() != self._owner_pid:
            raise InfraError("this sandbox belongs to the process that this one was forked from; create another here")
        if not self._lock.acquire(blocking=False):
            raise InfraError("this sandbox is running a program for another thread; use one sandbox a thread")
        try:
            if not self.is_alive:
                raise InfraError("the sandbox has died or was closed; create another")
            yield
        except InfraError:
            raise
        except OSError as error:
            self.kill()
            raise InfraError(f"the sandbox does not answer: {error}") from error
        except BaseException:
            self.kill()
            raise
        finally:
            self._lock.release()

    def _answer(self, timeout_s: float, captures: Sequence[Capture] = ()) -> dict[str, Any]:
        try:
            if not take_until(self._control.fileno(), captures, timeout_s):
                raise TimeoutError(f"no answer within {timeout_s:g} s")
            answer, _ = messages.receive(self._control)
        except (EOFError, OSError, ValueError) as error:
            complaint = os.pread(self._errors, 2000, max(0, os.fstat(self._errors).st_size - 2000)).decode(
                errors="replace"
            )
            self.kill()
            raise InfraError(f"the sandbox died: {error}. {complaint}".strip()) from error
        if "error" in answer:
            self.kill()
            if answer.get("errno") in _LACKS_SUPPORT:
                raise PermanentInfraError(f"this machine does not let a sandbox be made: {answer['error']}")
            raise InfraError(f"the sandbox failed: {answer['error']}")
        return answer

    def _rlimits(self, limits: Limits) -> dict[str, tuple[int, int]]:
        cpu_s = math.ceil(limits.cpu_s)
        wanted = {
            "RLIMIT_CORE": (0, 0),
            "RLIMIT_CPU": (cpu_s, cpu_s + 1),
            "RLIMIT_FSIZE": (limits.file_bytes, limits.file_bytes),
            "RLIMIT_NOFILE": (_OPEN_FILES, _OPEN_FILES),
        }
        return wanted

    @staticmethod
    def _result(outcome: dict[str, Any], limits: Limits, stdout: Capture, stderr: Capture) -> ExecResult:
        code = outcome["code"]
        return ExecResult(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            stdout=stdout.data,
            stderr=stderr.data,
            truncated=stdout.truncated or stderr.truncated,
            timed_out=outcome["timed_out"],
            oom=False,
            duration_s=outcome["duration_s"],
            cpu_s=outcome["cpu_s"],
            max_rss_bytes=outcome["max_rss_bytes"],
        )


def _describe(command: Command, env: Mapping[str, str]) -> bytes:
    if isinstance(command, Python):
        return json.dumps({"source": command.source, "argv": list(command.argv), "env": dict(env)}).encode()
    return json.dumps({"argv": list(command), "env": dict(env)}).encode()
