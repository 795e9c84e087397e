"""Serves a machine's slot from inside: starts the machine, anew or as it was saved, and saves it while it goes on."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from palestra.sandbox.gvisor.terminal import bundle
from palestra.sandbox.gvisor.terminal.relay import Relay
from palestra.sandbox.native import linux, messages
from palestra.sandbox.native.execution import close_all_but
from palestra.sandbox.native.terminal.plan import MachinePlan

_NAME, _IMAGE = "machine", "checkpoint.img"
_SAVE_S, _START_S = 60.0, 25.0
_ENVIRONMENT = {"PATH": "/usr/bin:/bin"}

Reply = tuple[dict[str, Any], list[int]]


def main() -> NoReturn:
    """Serve until the host's end of the socket is closed: ``argv`` holds the configuration."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    control = socket.socket(fileno=json.loads(sys.argv[1])["control"])
    control.set_inheritable(False)
    linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=100%")
    os.umask(0o022)  # whatever the host's user has: users of the machine must be able to read its files
    bundle.WORK.mkdir()
    messages.send(control, {"address_space": 0})
    Server(control).serve()


class Server:
    """Answers the host's requests, one at a time."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._image: int | None = None  # from which the machine is being started

    def serve(self) -> NoReturn:
        """Answer until the host is gone."""
        actions = {"start": self._start, "started": self._started, "save": self._save, "why": self._why}
        while True:
            try:
                request, descriptors = messages.receive(self._control)
            except EOFError:
                os._exit(0)
            given: list[int] = []
            try:
                reply, given = actions[request["do"]](request, descriptors)
            except (OSError, subprocess.SubprocessError) as error:
                reply = {"error": f"{type(error).__name__}: {error}. {bundle.complaint()}"}
            finally:
                messages.close_all(descriptors)
            messages.send(self._control, reply, given)
            messages.close_all(given)

    def _start(self, request: dict[str, Any], descriptors: list[int]) -> Reply:
        """Start the machine, as it was saved if a fifth descriptor holds that."""
        plan = MachinePlan.from_json(os.pread(descriptors[0], os.fstat(descriptors[0]).st_size, 0).decode())
        bundle.build_base(plan)
        bundle.describe(plan, request["disk_bytes"])
        words = ["run", f"--bundle={bundle.WORK}", _NAME]
        if len(descriptors) > 4:
            folder = bundle.image_folder()
            self._image = os.dup(descriptors[4])
            (folder / _IMAGE).symlink_to(f"/proc/{os.getpid()}/fd/{self._image}")
            words = ["restore", f"--image-path={folder}", f"--bundle={bundle.WORK}", _NAME]
        pipes = [os.pipe() for _ in range(3)]
        (given, asks), (answers, output), (shows, errors) = pipes
        runsc = os.fork()
        if runsc == 0:
            _become(bundle.command(words), (given, output, errors))
        messages.close_all([given, output, errors])
        parts = _wait_for_parts(runsc)
        if os.fork() == 0:
            _be_relay((asks, answers, shows), descriptors[1:4], parts)
        messages.close_all([asks, answers, shows, *parts])
        return {}, []

    def _started(self, request: dict[str, Any], descriptors: list[int]) -> Reply:
        """Let go of what the machine was started from."""
        if self._image is not None:
            os.close(self._image)
            self._image = None
        return {}, []

    def _save(self, request: dict[str, Any], descriptors: list[int]) -> Reply:
        """Save the machine, which goes on; the host gets the file."""
        folder = bundle.image_folder()
        words = bundle.command(["checkpoint", f"--image-path={folder}", "--leave-running", _NAME])
        ended = subprocess.run(words, capture_output=True, timeout=_SAVE_S, env=_ENVIRONMENT, check=False)
        if ended.returncode != 0:
            return {"error": f"runsc cannot save the machine: {ended.stderr.decode(errors='replace')[-1000:]}"}, []
        image = os.open(folder / _IMAGE, os.O_RDONLY)
        os.unlink(folder / _IMAGE)
        return {}, [image]

    def _why(self, request: dict[str, Any], descriptors: list[int]) -> Reply:
        """Return what is known of the machine's end."""
        return {"complaint": bundle.complaint()}, []


def _become(words: list[str], streams: Sequence[int]) -> NoReturn:
    try:
        for target, file in enumerate(streams):
            os.dup2(file, target)
        close_all_but()
        os.execve(words[0], words, _ENVIRONMENT)
    finally:
        os._exit(1)


def _be_relay(keeper: Sequence[int], host: Sequence[int], parts: Sequence[int]) -> NoReturn:
    try:
        close_all_but(*keeper, *host, *parts)
        Relay(keeper, host, parts).run()
    finally:
        os._exit(1)


def _wait_for_parts(runsc: int) -> list[int]:
    """Return pidfds of what `runsc` is made of once its kernel runs; of itself only where that ends before."""
    deadline = time.monotonic() + _START_S
    pids = {runsc}
    while not _ended(runsc) and time.monotonic() < deadline:
        roles = {pid: role for pid in _children(runsc) if (role := _role(pid))}
        if set(roles.values()) >= {"boot", "gofer"}:
            pids |= set(roles)
            break
        time.sleep(0.005)
    found = []
    for pid in sorted(pids):
        with suppress(ProcessLookupError):
            found.append(os.pidfd_open(pid))
    return found


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _children(parent: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        with suppress(OSError):
            if name.isdecimal() and Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1] == str(parent):
                found.append(int(name))
    return found


def _role(pid: int) -> str:
    """Return which part of gVisor a process is; "" while it is none yet."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return next((role for role in ("boot", "gofer") if role.encode() in words), "")
    return ""
