"""The host's end of one slot: starts it, sends it programs, and notices when it is gone."""

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from palestra.sandbox.base import MIB, Command, ExecResult, InfraError, Limits, PermanentInfraError, Python
from palestra.sandbox.capture import Capture, take_until
from palestra.sandbox.faults import advice
from palestra.sandbox.native import messages, stream
from palestra.sandbox.native.cgroups import ControlGroup, Hierarchy
from palestra.sandbox.native.plan import Plan, bootstrap
from palestra.sandbox.outcome import Outcome, check_command, resource_limits, to_result
from palestra.sandbox.sealed import sealed_file

_START_S = 30.0
_GRACE_S = 15.0  # on a busy machine, beyond the program's own time
_LONGEST_COMPLAINT = 2000
_COUNTS_PER_NAMESPACE = (5, 14)  # the first Linux whose RLIMIT_NPROC counts a user per user namespace


class Slot:
    """A started sandbox, warm, and without a workspace until `wipe` gives it one.

    Every method raises InfraError when the slot is dead, does not answer or is in use, and a slot that
    failed to answer is ended.
    """

    _helpers = 2  # processes beside a program: the fork-server and an init
    _helper_bytes = 4 * MIB  # what those take that are not there between programs

    def __init__(self, plan: Plan, hierarchy: Hierarchy | None) -> None:
        self.is_alive = True
        self.is_worn = False  # nobody else should get it
        self.programs = 0  # that it has run
        self._lock = threading.Lock()
        self._owner_pid = os.getpid()
        self._held = contextlib.ExitStack()  # what `kill` gives back, the last first
        self._files: socket.socket | None = None
        self._workspace_bytes, self._memory_bytes = 0, 64 * MIB
        self._base_bytes, self._is_measured = 16 * MIB, False  # what is held by what serves the slot
        try:
            self._start(plan, hierarchy)
        except OSError as error:
            self.kill()
            raise InfraError(f"no sandbox could be started: {error}; {advice(error)}") from error
        except BaseException:
            self.kill()
            raise

    def _start(self, plan: Plan, hierarchy: Hierarchy | None) -> None:
        self._group = ControlGroup(hierarchy) if hierarchy else None
        if self._group:
            self._held.callback(self._unless_forked, self._group.remove)
            plan = dataclasses.replace(plan, cgroup_procs=self._group.procs_files, cgroup_dirs=self._group.folders)
        self._plan = plan
        self._environment = plan.environment()
        errors = os.memfd_create("palestra-slot-errors", os.MFD_CLOEXEC)
        self._errors = self._held.enter_context(os.fdopen(errors, "rb"))
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._held.enter_context(self._control)
        with theirs:
            launcher = self._launch(theirs.fileno())
        self._lifeline = launcher.stdin
        self._held.callback(self._end, launcher)
        self._address_space = int(self._answer(_START_S)["address_space"])

    def wipe(self, size_bytes: int) -> None:
        """Replace the workspace by an empty one."""
        with self._exchange():
            self._ask({"do": "wipe", "size_bytes": size_bytes})
            self._workspace_bytes = 0

    def run(self, command: Command, stdin: bytes, env: Mapping[str, str], limits: Limits) -> ExecResult:
        """Run one program in the workspace and return what came of it."""
        check_command(command, stdin, env)
        description = _describe(command, {**self._environment, **env})
        request = {
            "do": "run",
            "wall_s": limits.wall_s,
            "disk_bytes": limits.disk_bytes,
            "rlimits": {**resource_limits(limits), **self._limits_without_group(limits)},
        }
        output_limits = (limits.output_bytes, limits.file_bytes)
        with self._exchange(), Capture(*output_limits) as stdout, Capture(*output_limits) as stderr:
            self._memory_bytes = limits.memory_bytes
            self._measure()
            self._limit(limits.processes)
            kills = self._kills()
            with sealed_file(description) as payload, sealed_file(stdin) as given:
                answer = self._start_program(request, payload, given, stdout, stderr)
            self._workspace_bytes = int(answer.pop("workspace_bytes"))
            is_short = answer["code"] != 0 and self._kills() > kills
            self._refuse_blame(is_short)
            result = to_result(Outcome(**answer, oom=is_short), limits, stdout, stderr)
            self.programs += 1
            self.is_worn |= result.timed_out or result.oom
            return result

    def _refuse_blame(self, is_short: bool) -> None:
        """Raise InfraError when a program was killed for want of memory that others hold."""
        if is_short and self._group and not self._group.was_full():
            self.is_worn = True
            raise InfraError(
                "the host ran out of memory while the program held less than its limit; "
                "end something or run fewer at once, then run it again"
            )

    def check(self) -> None:
        """Return if the slot answers."""
        with self._exchange():
            self._ask({"do": "check"})

    def ask_files(
        self, question: dict[str, Any], data: bytes = b"", limit_bytes: int = 0
    ) -> tuple[dict[str, Any], bytes]:
        """Let the file server do something with data; return its answer and the data that came back.

        Args:
            question: what to do.
            data: what to do it with.
            limit_bytes: more than this never comes back from one that works.

        Raises:
            SandboxFileError: it refused.
        """
        with self._exchange():
            connection = self._files_connection()
            self._measure()
            self._limit(extra_bytes=len(data))
            stream.send_end(connection, question)
            for chunk in stream.split(data):
                stream.send_chunk(connection, chunk)
            stream.send_end(connection, {})
            got = b"".join(stream.receive_chunks(connection, limit_bytes))
            answer = stream.receive_message(connection)
            self._workspace_bytes = int(answer["workspace_bytes"])
        return stream.accept(answer), got

    def interrupt(self) -> None:
        """End the slot from another thread, without waiting; whoever waits for an answer gets InfraError."""
        self.is_alive = False
        if self._lifeline:
            self._lifeline.close()  # the launcher kills the slot then

    def kill(self) -> None:
        """End the slot and everything in it; returns when it is gone. A second call does nothing."""
        self.is_alive = False
        self._held.pop_all().close()

    def _unless_forked(self, action: Callable[[], object]) -> None:
        """Do something in the process that owns the slot, and not in a fork of it."""
        if os.getpid() == self._owner_pid:
            action()

    def _end(self, launcher: "subprocess.Popen[bytes]") -> None:
        if launcher.stdin:
            launcher.stdin.close()  # the launcher kills the slot then
        if os.getpid() != self._owner_pid:  # the slot is not ours to wait for
            launcher.returncode = 0
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            launcher.wait(timeout=_GRACE_S)
        launcher.kill()
        launcher.wait()

    def _launch(self, control: int) -> "subprocess.Popen[bytes]":
        start = [self._plan.python, "-I", "-S", "-c", bootstrap("palestra.sandbox.native.launcher")]
        return subprocess.Popen(
            [*start, self._plan.package, self._plan.to_json(), str(control)],
            pass_fds=[control],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors.fileno(),
            env={},
            cwd="/",
            start_new_session=True,
        )

    def _start_program(
        self, request: dict[str, Any], payload: int, stdin: int, stdout: Capture, stderr: Capture
    ) -> dict[str, Any]:
        captures = (stdout, stderr)
        if self._plan.host_ids:  # so that the program may open /dev/stdout
            for capture in captures:
                os.fchown(capture.write_end, self._plan.host_ids[1], self._plan.host_ids[1])
        messages.send(self._control, request, [payload, stdin, stdout.write_end, stderr.write_end])
        for capture in captures:
            capture.close_write_end()
        outcome = self._answer(request["wall_s"] + _GRACE_S, captures)
        for capture in captures:
            capture.drain()
        return outcome

    def _measure(self) -> None:
        """See what is held by what serves the slot, before the first use of it after a server was started."""
        if self._group and not self._is_measured:
            self._base_bytes = max(self._base_bytes, self._group.held_bytes() - self._workspace_bytes)
            self._is_measured = True

    def _limit(self, processes: int = 1, extra_bytes: int = 0) -> None:
        """Set the control group's limits.

        What lies in the workspace already is memory too, but not a later program's fault.
        """
        if self._group is None:
            return
        workspace_bytes = -(-self._workspace_bytes // MIB) * MIB
        size = self._base_bytes + self._helper_bytes + self._memory_bytes + workspace_bytes + extra_bytes
        self._group.limit(size, processes + self._own_processes)

    @property
    def _own_processes(self) -> int:
        """The server, what it starts for a program, and the file server once there is one."""
        return self._helpers + (self._files is not None)

    def _limits_without_group(self, limits: Limits) -> dict[str, tuple[int, int]]:
        """Return what takes the place of the control group where there is none: each process is bounded."""
        if self._group is not None:
            return {}
        size = limits.memory_bytes + self._address_space
        count = limits.processes + self._own_processes
        wanted = {"RLIMIT_AS": (size, size)}
        if tuple(int(part) for part in os.uname().release.split(".")[:2]) >= _COUNTS_PER_NAMESPACE:
            wanted["RLIMIT_NPROC"] = (count, count)
        return wanted

    def _kills(self) -> int:
        """Return how many processes were killed for want of memory so far."""
        return self._group.kills() if self._group else 0

    def _files_connection(self) -> socket.socket:
        if self._files is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            self._files = self._held.enter_context(ours)
            self._files.settimeout(_GRACE_S)
            with theirs:
                self._ask({"do": "files"}, [theirs.fileno()])
            self._is_measured = False
        return self._files

    @contextlib.contextmanager
    def _exchange(self) -> Iterator[None]:
        """Hold the slot for one question and its answer; whatever comes between them ends the slot."""
        if os.getpid() != self._owner_pid:
            raise InfraError("this sandbox belongs to the process that this one was forked from; create another here")
        if not self._lock.acquire(blocking=False):
            raise InfraError("this sandbox is busy for another thread; use one sandbox a thread")
        try:
            if not self.is_alive:
                raise InfraError("the sandbox has died or was closed; create another")
            yield
        except InfraError:
            raise
        except (EOFError, OSError, ValueError) as error:
            raise self._failure(error) from error
        except BaseException:
            self.kill()
            raise
        finally:
            self._lock.release()

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        messages.send(self._control, request, descriptors)
        self._answer(_GRACE_S)

    def _answer(self, timeout_s: float, captures: Sequence[Capture] = ()) -> dict[str, Any]:
        try:
            if not take_until(self._control.fileno(), captures, timeout_s):
                raise TimeoutError(f"no answer within {timeout_s:g} s")
            answer, descriptors = messages.receive(self._control)
            messages.close_all(descriptors)
        except (EOFError, OSError, ValueError) as error:
            raise self._failure(error) from error
        if "error" in answer:
            self.kill()
            kind = PermanentInfraError if answer.get("permanent") else InfraError
            raise kind(f"the sandbox cannot work: {answer['error']}")
        return answer

    def _failure(self, error: Exception) -> InfraError:
        """End the slot and return what to raise about it."""
        complaint = ""
        with contextlib.suppress(ValueError):  # closed: another thread has ended the slot
            self._errors.seek(0)
            complaint = self._errors.read().decode(errors="replace")[-_LONGEST_COMPLAINT:]
        reason = f"the sandbox died: {error}" if self.is_alive else "the sandbox was ended from another thread"
        self.kill()
        return InfraError(f"{reason}; {advice(error)}. {complaint}".strip())


def _describe(command: Command, env: Mapping[str, str]) -> bytes:
    """Return what the program's own process reads of it."""
    if isinstance(command, Python):
        return json.dumps({"source": command.source, "argv": list(command.argv), "env": dict(env)}).encode()
    return json.dumps({"argv": list(command), "env": dict(env)}).encode()
