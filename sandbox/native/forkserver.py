"""The warm interpreter inside a slot: forks one program after another.

It never sees what a program is or is given: the description stays in a sealed file that only the
program's own process reads, so that nothing of one program is left in memory for the next.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, NoReturn

from palestra.sandbox.native import linux, messages, program, rootfs
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.privileges import Privileges
from palestra.sandbox.native.seccomp import build_filter
from palestra.sandbox.native.syscalls import machine

_FRESH = linux.NEWNS | linux.NEWPID | linux.NEWIPC
# What programs import most: cheap to hold, and each saves its import time in every program.
_COMMON = (
    *("bisect", "collections", "dataclasses", "functools", "heapq", "io", "itertools", "json", "linecache", "math"),
    *("operator", "random", "re", "string", "threading", "traceback", "typing"),
)


def main() -> NoReturn:
    """Serve until the host's end of the socket is closed: ``argv`` holds the configuration."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    config = json.loads(sys.argv[1])
    control = socket.socket(fileno=config["control"])
    control.set_inheritable(False)
    sys.path.extend(config["imports"])
    try:
        for name in (*_COMMON, *config["preload"]):
            importlib.import_module(name)
        if len(os.listdir("/proc/self/task")) != 1:
            raise ImportError("a preloaded module started a thread, and a fork-server must have one only")
        rootfs.bring_up_loopback()
    except BaseException as error:
        messages.send(control, {"error": f"{type(error).__name__}: {error}"[:2000], "errno": None})
        os._exit(1)
    privileges = Privileges(build_filter(machine()), linux.last_capability(), config["changes_user"])
    gc.collect()
    gc.freeze()  # so that a collection in a program does not copy the memory it shares with this process
    with open("/proc/self/statm") as file:
        address_space = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    messages.send(control, {"address_space": address_space})
    Server(control, privileges).serve()


class Server:
    """Answers the host's requests, one at a time."""

    def __init__(self, control: socket.socket, privileges: Privileges) -> None:
        self._control, self._privileges = control, privileges
        self._has_workspace = False

    def serve(self) -> NoReturn:
        """Answer until the host is gone."""
        actions = {"run": self._run, "wipe": self._wipe, "files": self._files}
        while True:
            try:
                request, descriptors = messages.receive(self._control)
            except EOFError:
                os._exit(0)
            try:
                reply = actions[request["do"]](request, descriptors)
            except OSError as error:
                reply = {"error": f"{type(error).__name__}: {error}", "errno": error.errno}
            finally:
                messages.close_all(descriptors)
            messages.send(self._control, reply)

    def _wipe(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Give the slot an empty workspace of a size."""
        if self._has_workspace:
            linux.unmount(WORKSPACE)
        rootfs.mount_workspace(request["size_bytes"])
        self._has_workspace = True
        return {}

    def _files(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Start the process that serves files over the connection that came along."""
        if os.fork() == 0:
            connection = socket.socket(fileno=os.dup2(descriptors[0], 3))
            program.close_all_but(3)
            self._privileges.drop()
            # Only now, so that programs do not carry what only this process needs.
            importlib.import_module("palestra.sandbox.native.fileserver").serve(connection)
        return {}

    def _run(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Run one program to its end."""
        status_read, status_write = os.pipe()
        start = time.monotonic()
        pid = linux.clone(_FRESH)
        if pid == 0:
            program.run(request, descriptors, status_write, self._privileges)
        os.close(status_write)
        with os.fdopen(status_read, "rb", buffering=0) as status:
            timed_out = self._wait(pid, request["wall_s"])
            _, wait_status, usage = os.wait4(pid, 0)  # returns when every process of the namespace is gone
            duration = time.monotonic() - start
            os.chmod(WORKSPACE, 0o755)  # whatever the program made of it
            os.set_blocking(status_read, False)
            told = status.read(1024) or b""
        if told[:1] == b"E":
            return {"error": told[1:].decode("utf-8", "replace"), "errno": None}
        if len(told) == program.STATUS.size:
            wait_status = program.STATUS.unpack(told)[1]
        return {
            "code": os.waitstatus_to_exitcode(wait_status & 0xFFFF),
            "timed_out": timed_out,
            "duration_s": duration,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "max_rss_bytes": usage.ru_maxrss * 1024,
            "workspace_bytes": rootfs.workspace_bytes(),
        }

    @staticmethod
    def _wait(pid: int, seconds: float) -> bool:
        """Return whether the process had to be killed after its time."""
        descriptor = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if poll.poll(max(1, int(seconds * 1000))):
                return False
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            return True
        finally:
            os.close(descriptor)
