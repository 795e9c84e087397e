"""Serves a slot from inside: starts `runsc` for one program after another, on the slot's workspace."""

import contextlib
import json
import marshal
import os
import select
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from palestra.sandbox.gvisor.bundle import container, find_runsc, platform
from palestra.sandbox.gvisor.exchange import PROGRAM, REPORT
from palestra.sandbox.native import forkserver, linux, messages, rootfs
from palestra.sandbox.native.execution import close_all_but
from palestra.sandbox.native.interpreter import Interpreter
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.privileges import Privileges
from palestra.sandbox.native.seccomp import build_filter
from palestra.sandbox.native.syscalls import machine

_START_S = 20.0  # for runsc and an interpreter, on a busy machine
_BUNDLE = Path("/tmp/bundle")  # in the slot: a container has a /tmp of its own
_EXCHANGE, _LOG = _BUNDLE / "exchange", _BUNDLE / "log"
_LONGEST_COMPLAINT = 1000


def main() -> NoReturn:
    """Serve until the host's end of the socket is closed: ``argv`` holds the configuration."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    config = json.loads(sys.argv[1])
    control = socket.socket(fileno=config["control"])
    control.set_inheritable(False)
    linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=16m,mode=755")
    privileges = _LatePrivileges(build_filter(machine()), config["changes_user"])
    server = Server(control, privileges, config["imports"])
    messages.send(control, {"address_space": 0})
    server.serve()


class _LatePrivileges(Privileges):
    """For a server that keeps its own, since `runsc` builds its cage with them."""

    def drop(self) -> None:
        """Leave this process and its descendants without capabilities, and filtered."""
        self.bar_gains()
        super().drop()


class Server(forkserver.Server):
    """Answers the host's requests, one at a time."""

    def __init__(self, control: socket.socket, privileges: Privileges, imports: list[str]) -> None:
        super().__init__(control, privileges, Interpreter())
        self._imports = imports
        self._command = _command()
        self._rules = build_filter(machine())

    def _run(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Run one program to its end, and end whatever it or a failed start left."""
        payload, *streams = descriptors
        description = json.loads(os.read(payload, os.fstat(payload).st_size))
        program = [description.get("source"), description["argv"], description["env"]]
        shutil.rmtree(_BUNDLE, ignore_errors=True)
        _EXCHANGE.mkdir(parents=True, mode=0o700)
        config = marshal.dumps([request["wall_s"], request["rlimits"], self._rules, self._imports, *program])
        (_EXCHANGE / PROGRAM).write_bytes(config)
        told = container(sys.executable, os.environ, str(_EXCHANGE), request["disk_bytes"])
        (_BUNDLE / "config.json").write_text(json.dumps(told))
        others, start = _processes(), time.monotonic()
        runsc = os.fork()
        if runsc == 0:
            _become(self._command, streams)
        timed_out = not _ends_within(runsc, request["wall_s"] + _START_S)
        _end(_processes() - others)
        os.chmod(WORKSPACE, 0o755)  # whatever the program made of it
        answer = {"timed_out": timed_out, "duration_s": time.monotonic() - start}
        return {**answer, **_report(), "workspace_bytes": rootfs.workspace_bytes()}


def _command() -> list[str]:
    runsc = find_runsc()
    if runsc is None:
        raise FileNotFoundError("there is no runsc in the sandbox's root")
    words = [runsc, f"--root={_BUNDLE}/state", f"--log={_LOG}", f"--platform={platform(runsc)}", "--network=none"]
    return [*words, "--ignore-cgroups", "--rootless", "run", f"--bundle={_BUNDLE}", "program"]


def _become(command: list[str], streams: list[int]) -> NoReturn:
    try:
        for target, file in enumerate(streams):
            os.dup2(file, target)
        close_all_but()
        os.execve(command[0], command, {"PATH": "/usr/bin:/bin"})
    except BaseException as error:
        _LOG.write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(1)


def _report() -> dict[str, Any]:
    """Return what the container's init has told, or that it came to tell nothing."""
    try:
        return dict(marshal.loads((_EXCHANGE / REPORT).read_bytes()))
    except (OSError, ValueError, EOFError, TypeError):
        said = _LOG.read_text(errors="replace")[-_LONGEST_COMPLAINT:] if _LOG.exists() else ""
        return {"code": -signal.SIGKILL, "cpu_s": 0.0, "max_rss_bytes": 0, "lost": said}


def _processes() -> set[int]:
    """Return every process of the slot."""
    return {int(name) for name in os.listdir("/proc") if name.isdecimal()}


def _end(processes: set[int]) -> None:
    """End what `runsc` has started and may have left, and wait until it is gone: orphans are this process's."""
    while processes:
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in processes:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        processes &= _processes()


def _ends_within(pid: int, seconds: float) -> bool:
    ended = os.pidfd_open(pid)
    try:
        return bool(select.select([ended], [], [], seconds)[0])
    finally:
        os.close(ended)
