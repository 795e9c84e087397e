"""Serves a slot from inside: starts `bwrap` for one program after another, on the slot's workspace.

The slot's root, which is the native backend's, holds nothing but what programs may see; `bwrap` shows
all of it read-only, but for the workspace and a new /tmp.
"""

import contextlib
import json
import marshal
import os
import select
import signal
import socket
import sys
import time
from typing import IO, Any, NoReturn

from palestra.sandbox.bubblewrap.command import bubblewrap_words, find_bubblewrap
from palestra.sandbox.limits import lower_limit
from palestra.sandbox.native import forkserver, linux, messages, rootfs
from palestra.sandbox.native.execution import close_all_but
from palestra.sandbox.native.interpreter import Interpreter
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.privileges import Privileges
from palestra.sandbox.native.seccomp import build_filter
from palestra.sandbox.native.syscalls import machine
from palestra.sandbox.sealed import sealed_file

_START_S = 10.0  # for bwrap and an interpreter, on a busy machine
_LONGEST_REPORT = 4096
_LONGEST_COMPLAINT = 1000
_ERRORS = 2  # never the program's: bwrap and the init complain to us


def main() -> NoReturn:
    """Serve until the host's end of the socket is closed: ``argv`` holds the configuration."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    config = json.loads(sys.argv[1])
    control = socket.socket(fileno=config["control"])
    control.set_inheritable(False)
    rootfs.bring_up_loopback()
    privileges = Privileges(build_filter(machine()), config["changes_user"])
    privileges.bar_gains()
    linux.prctl(linux.PR_SET_DUMPABLE, 0)  # a program of the same user cannot reach into it
    with open("/proc/self/statm") as file:
        address_space = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    messages.send(control, {"address_space": address_space})
    Server(control, privileges, config["imports"]).serve()


class Server(forkserver.Server):
    """Answers the host's requests, one at a time."""

    def __init__(self, control: socket.socket, privileges: Privileges, imports: list[str]) -> None:
        super().__init__(control, privileges, Interpreter())
        self._imports = imports

    def _run(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Run one program to its end, and end whatever it left.

        An error in between is the end of the slot, so nothing is undone here.
        """
        rootfs.mount_fresh_tmp(request["disk_bytes"])
        (told, tell), (informed, inform) = os.pipe(), os.pipe()
        complaints = os.memfd_create("palestra-bwrap-errors", os.MFD_CLOEXEC)
        bwrap = os.fork()
        if bwrap == 0:
            os.dup2(complaints, _ERRORS)
            self._become_bubblewrap(request["rlimits"], descriptors, tell, inform)
        os.close(tell)
        os.close(inform)
        with os.fdopen(told, "rb", buffering=0) as reports, os.fdopen(informed, "rb") as information:
            answer = _watch(information, reports, request["wall_s"])
        with os.fdopen(complaints, "rb") as said:
            if "error" in answer:
                text = os.pread(said.fileno(), _LONGEST_COMPLAINT, 0).decode("utf-8", "replace")
                return {"error": f"{answer['error']}; run it again in another sandbox. {text}".strip()}
        _, _, usage = os.wait4(bwrap, 0)  # returns when nothing of the namespace is left
        linux.unmount("/tmp")
        os.chmod(WORKSPACE, 0o755)  # whatever the program made of it
        of_all = {"cpu_s": usage.ru_utime + usage.ru_stime, "max_rss_bytes": usage.ru_maxrss * 1024}
        return of_all | answer | {"workspace_bytes": rootfs.workspace_bytes()}

    def _become_bubblewrap(
        self, limits: dict[str, list[int]], descriptors: list[int], tell: int, inform: int
    ) -> NoReturn:
        try:
            bwrap = find_bubblewrap()
            if bwrap is None:
                raise FileNotFoundError("there is no bwrap in the sandbox's root")
            payload, *streams = descriptors
            description = json.loads(os.read(payload, os.fstat(payload).st_size))
            proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
            program = [description.get("source"), description["argv"], description["env"]]
            config = marshal.dumps([tell, proc, streams, self._imports, *program])
            with sealed_file(config) as told, sealed_file(self._privileges.rules) as rules:
                passed = (*streams, tell, inform, proc, told, rules)
                close_all_but(*passed)
                for descriptor in passed:
                    os.set_inheritable(descriptor, True)
                words = bubblewrap_words(bwrap, sys.executable, rules, inform, told)
                self._privileges.become_agent()
                for name, value in limits.items():
                    lower_limit(0, name, (value[0], value[1]))
                os.execve(bwrap, words, os.environ)
        except BaseException as error:
            os.write(_ERRORS, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)


def _watch(information: IO[bytes], reports: IO[bytes], wall_s: float) -> dict[str, Any]:
    """Return how the program ended, as its init tells, or why that is not known; end what is left of it.

    Args:
        information: what `bwrap` tells of the init it has started.
        reports: what the init tells: first that the program begins, then how it ended.
        wall_s: how long the program may take.
    """
    try:
        init = os.pidfd_open(json.loads(information.read())["child-pid"])
    except (ValueError, OSError):
        return {"error": "bwrap did not start"}
    try:
        if not _is_ready(reports, _START_S) or not reports.read(1):
            return {"error": "the program's init did not start"}
        start = time.monotonic()
        timed_out = not _is_ready(reports, wall_s)
        took = {"timed_out": timed_out, "duration_s": time.monotonic() - start}
        if timed_out:
            return {"code": -signal.SIGKILL, **took}
        report = reports.read(_LONGEST_REPORT)
        return {**marshal.loads(report), **took} if report else {"error": "somebody outside killed the program's init"}
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(init, signal.SIGKILL)  # and so everything in its namespace
        os.close(init)


def _is_ready(reports: IO[bytes], seconds: float) -> bool:
    poll = select.poll()
    poll.register(reports, select.POLLIN)
    return bool(poll.poll(max(1, int(seconds * 1000))))
