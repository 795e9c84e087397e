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
from palestra.sandbox.native.seccomp import build_filter
from palestra.sandbox.native.syscalls import machine

_FRESH = linux.NEWNS | linux.NEWPID | linux.NEWIPC
# What programs import most: cheap to hold, and each saves its import time in every program.
_COMMON = ("bisect", "collections", "dataclasses", "functools", "heapq", "io", "itertools", "json", "linecache", "math")
_COMMON += ("operator", "random", "re", "string", "threading", "traceback", "typing")


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
    server = Server(control, config["drop_ids"])
    gc.collect()
    gc.freeze()  # so that a collection in a program does not copy the memory it shares with this process
    messages.send(control, {"ready": True})
    server.serve()


class Server:
    """Answers the host's requests, one at a time."""

    def __init__(self, control: socket.socket, drop_ids: bool) -> None:
        self._control, self._drop_ids = control, drop_ids
        self._rules = build_filter(machine())
        self._last_capability = linux.last_capability()
        self._has_workspace = False

    def serve(self) -> NoReturn:
        """Answer until the host is gone."""
        actions = {"run": self._run, "wipe": self._wipe}
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

    def _run(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Run one program to its end."""
        status_read, status_write = os.pipe()
        start = time.monotonic()
        pid = linux.clone(_FRESH)
        if pid == 0:
            request["last_capability"] = self._last_capability
            program.run(request, descriptors, status_write, self._rules, self._drop_ids)
        os.close(status_write)
        with os.fdopen(status_read, "rb", buffering=0) as status:
            timed_out = self._wait(pid, request["wall_s"])
            _, wait_status, usage = os.wait4(pid, 0)  # returns when every process of the namespace is gone
            duration = time.monotonic() - start
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
            "workspace_bytes": _used_bytes(),
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


def _used_bytes() -> int:
    """Return the memory that the workspace's files hold."""
    state = os.statvfs(WORKSPACE)
    return (state.f_blocks - state.f_bfree) * state.f_frsize
