"""Starting machines: the host's end of the nursery."""

import contextlib
import os
import select
import socket
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

from palestra.sandbox.base import InfraError, PermanentInfraError
from palestra.sandbox.faults import advice
from palestra.sandbox.native import messages
from palestra.sandbox.native.cgroups import ControlGroup
from palestra.sandbox.native.launcher import HINTS
from palestra.sandbox.native.plan import bootstrap
from palestra.sandbox.native.terminal.plan import MachinePlan
from palestra.sandbox.sealed import sealed_file

_START_S, _GRACE_S = 30.0, 15.0
_LONGEST_COMPLAINT = 2000


class NurseryClient:
    """The nursery's host end: starts machines. Thread-safe; the nursery is started when it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = os.fdopen(os.memfd_create("palestra-nursery-errors", os.MFD_CLOEXEC), "r+b", buffering=0)

    def start(self, plan: MachinePlan, disk_bytes: int, group: ControlGroup | None, ends: Sequence[int]) -> int:
        """Start a machine and return a pidfd of its first process.

        Args:
            plan: what it is made of.
            disk_bytes: what its layers may hold.
            group: where its programs go.
            ends: the descriptors of the sockets that it is given.

        Raises:
            InfraError: the nursery is gone or cannot; PermanentInfraError if it never will.
        """
        with self._lock, contextlib.ExitStack() as opened:
            given = [opened.enter_context(sealed_file(plan.to_json().encode())), *ends]
            for file in group.procs_files if group else ():
                given.append(os.open(file, os.O_WRONLY | os.O_CLOEXEC))
                opened.callback(os.close, given[-1])
            request = {"disk_bytes": disk_bytes, "cgroup_dirs": group.folders if group else ()}
            try:
                answer, descriptors = self._ask(plan, request, given)
            except InfraError:  # one that was killed is replaced
                answer, descriptors = self._ask(plan, request, given)
        raise_if_failed(answer)
        return descriptors[0]

    def close(self) -> None:
        """End the nursery and every machine."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """After a fork, in the child: let go of what is the parent's."""
        self._lock = threading.Lock()
        connection, self._socket, self._process = self._socket, None, None
        if connection is not None:
            connection.close()

    def _ask(
        self, plan: MachinePlan, request: dict[str, Any], descriptors: Sequence[int]
    ) -> tuple[dict[str, Any], list[int]]:
        try:
            connection = self._connect(plan)
            messages.send(connection, request, descriptors)
            if not select.select([connection], [], [], _START_S)[0]:
                raise TimeoutError(f"no answer within {_START_S:g} s")
            return messages.receive(connection)
        except (EOFError, OSError, ValueError) as error:
            complaint = self._complaint()
            self._end()
            raise InfraError(f"no sandbox could be started: {error}; {advice(error)}. {complaint}") from error

    def _complaint(self) -> str:
        """Return what the nursery said about its end."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-_LONGEST_COMPLAINT:]

    def _connect(self, plan: MachinePlan) -> socket.socket:
        if self._socket is None:
            self._errors.seek(0)
            self._errors.truncate()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._socket = ours
            words = ["nursery", plan.package, str(os.getpid()), str(theirs.fileno())]
            code = f"import sys; sys.argv = {words!r}; {bootstrap('palestra.sandbox.native.terminal.nursery')}"
            # Its command line is that of every machine's first process, so the code comes as a file.
            with theirs, sealed_file(code.encode()) as source:
                self._process = subprocess.Popen(
                    [plan.host_python, "-I", "-S", "-"],
                    pass_fds=[theirs.fileno()],
                    stdin=source,
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors.fileno(),
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
        return self._socket

    def _end(self) -> None:
        connection, self._socket = self._socket, None
        process, self._process = self._process, None
        if connection is not None:
            with contextlib.suppress(OSError):
                messages.send(connection, {"end": True})  # so that it does not take us for dead
            connection.close()  # the nursery ends its machines and itself then
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_GRACE_S)
            process.kill()
            process.wait()


def raise_if_failed(answer: dict[str, Any]) -> None:
    """Raise the error that an answer carries."""
    if "error" in answer:
        code = answer.get("code")
        kind = PermanentInfraError if code in HINTS else InfraError
        raise kind(f"the sandbox cannot work: {answer['error']}{HINTS.get(code, '')}")
