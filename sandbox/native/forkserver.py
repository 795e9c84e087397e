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
from palestra.sandbox.native.execution import close_all_but
from palestra.sandbox.native.interpreter import Interpreter
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.privileges import Privileges
from palestra.sandbox.native.seccomp import build_filter
from palestra.sandbox.native.syscalls import machine

# What programs import most: cheap to hold, and each saves its import time in every program.
_COMMON = (
    *("bisect", "collections", "dataclasses", "functools", "heapq", "io", "itertools", "json", "math", "operator"),
    *("random", "re", "string", "threading", "traceback", "typing"),
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
        messages.send(control, {"error": f"{type(error).__name__}: {error}", "permanent": True})
        os._exit(1)
    privileges = Privileges(build_filter(machine()), config["changes_user"])
    privileges.bar_gains()
    linux.prctl(linux.PR_SET_DUMPABLE, 0)  # a program of the same user cannot reach into it
    interpreter = Interpreter()
    gc.collect()
    gc.freeze()  # so that a collection in a program does not copy the memory it shares with this process
    with open("/proc/self/statm") as file:
        address_space = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    messages.send(control, {"address_space": address_space})
    Server(control, privileges, interpreter).serve()


class Server:
    """Answers the host's requests, one at a time."""

    def __init__(self, control: socket.socket, privileges: Privileges, interpreter: Interpreter) -> None:
        self._control, self._privileges, self._interpreter = control, privileges, interpreter
        self._own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
        self._has_workspace = False

    def serve(self) -> NoReturn:
        """Answer until the host is gone."""
        actions = {"run": self._run, "wipe": self._wipe, "files": self._files, "check": self._check}
        while True:
            try:
                request, descriptors = messages.receive(self._control)
            except EOFError:
                os._exit(0)
            try:
                reply = actions[request["do"]](request, descriptors)
            except OSError as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            finally:
                messages.close_all(descriptors)
            messages.send(self._control, reply)

    def _check(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Answer."""
        return {}

    def _wipe(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Give the slot an empty workspace of a size, and a network in which nothing has happened."""
        if rootfs.network_was_used():
            linux.unshare(linux.NEWNET)
            rootfs.bring_up_loopback()
        if self._has_workspace:
            linux.unmount(WORKSPACE)
        rootfs.mount_workspace(request["size_bytes"])
        self._has_workspace = True
        return {}

    def _files(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Start the process that serves files over the connection that came along."""
        if os.fork() == 0:
            connection = socket.socket(fileno=os.dup2(descriptors[0], 3))
            close_all_but(3)
            self._privileges.drop()
            self._interpreter.show_own_modules()
            # Only now, so that programs do not carry what only this process needs.
            importlib.import_module("palestra.sandbox.native.fileserver").serve(connection)
        return {}

    def _run(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Run one program to its end, and end whatever it left.

        An error in between is the end of the slot, so nothing is undone here.
        """
        told, tell = os.pipe()
        start = time.monotonic()
        init = linux.start_init()
        init_ended = os.pidfd_open(init)
        linux.join(init_ended, linux.NEWPID)
        pid = linux.clone(linux.NEWNS | linux.NEWIPC)
        if pid == 0:
            program.run(request, descriptors, tell, self._privileges, self._interpreter)  # never returns
        linux.join(self._own_namespace, linux.NEWPID)
        os.close(tell)
        timed_out = not _ends_within(pid, request["wall_s"])
        is_orphan = not timed_out and _was_killed(pid) and linux.is_exiting(init)  # which no program brings about
        signal.pidfd_send_signal(init_ended, signal.SIGKILL)  # and so everything in its namespace
        _, status, usage = os.wait4(pid, 0)
        duration = time.monotonic() - start
        os.waitpid(init, 0)  # returns when nothing of the namespace is left
        os.close(init_ended)
        with os.fdopen(told, "rb") as pipe:
            trouble = pipe.read()
        os.chmod(WORKSPACE, 0o755)  # whatever the program made of it
        if trouble:
            return {"error": trouble.decode("utf-8", "replace")}
        if is_orphan:
            return {"error": "somebody outside killed the program's init; run the program again"}
        return {
            "code": os.waitstatus_to_exitcode(status),
            "timed_out": timed_out,
            "duration_s": duration,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "max_rss_bytes": usage.ru_maxrss * 1024,
            "workspace_bytes": rootfs.workspace_bytes(),
        }


def _was_killed(pid: int) -> bool:
    """Whether a child that has ended, and that nobody has waited for yet, was ended by SIGKILL."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return ended is not None and ended.si_status == signal.SIGKILL and ended.si_code == os.CLD_KILLED


def _ends_within(pid: int, seconds: float) -> bool:
    ended = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        return bool(poll.poll(max(1, int(seconds * 1000))))
    finally:
        os.close(ended)
