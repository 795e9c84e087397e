"""Tries, inside a slot, what a slot must prevent, and says what was prevented.

A capability is claimed only when every attempt against it was seen to fail, and a program that must
work was seen to work.
"""

import contextlib
import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from palestra.sandbox.base import MIB, Capabilities, ExecResult, Limits, PermanentInfraError, Python, SandboxFileError
from palestra.sandbox.native.seccomp import REFUSED
from palestra.sandbox.native.slot import Slot
from palestra.sandbox.native.syscalls import machine, number

WORKSPACE_BYTES = 4 * MIB
_LIMITS = Limits(wall_s=20.0, cpu_s=10.0, memory_bytes=64 * MIB, processes=8, disk_bytes=WORKSPACE_BYTES)
_PROGRAM = Path(__file__).with_name("canary_program.py")

_TWO_BIG_CHILDREN = """
import os, signal, sys, time
signal.signal(signal.SIGCHLD, lambda *_: sys.exit(1))  # one of them was killed
told, tell = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        block = bytearray(b"x") * (40 << 20)
        os.write(tell, b"1")
        time.sleep(30)
both = os.read(told, 1) + os.read(told, 1)  # both held at once
"""
_AS_MANY_AS_IT_CAN = """
import os, time
started = 0
try:
    while started < 64:
        if os.fork() == 0:
            time.sleep(30)
        started += 1
except BlockingIOError:
    print(started)
"""


def examine(slot: Slot) -> Capabilities:
    """Return what the slot was seen to enforce.

    Raises:
        InfraError: the slot cannot even run a program.
    """
    with _host_file() as secret, _host_listener() as port:
        given = {"secret": secret, "port": port, "numbers": {name: number(name, machine()) for name in REFUSED}}
        ran = _run(slot, _PROGRAM.read_text(), json.dumps(given))
    try:
        seen: dict[str, bool] = json.loads(ran.stdout)
    except ValueError as error:
        raise PermanentInfraError(f"the sandbox cannot run a program: {ran.stderr.decode(errors='replace')}") from error
    big = _run(slot, _TWO_BIG_CHILDREN)
    many = _run(slot, _AS_MANY_AS_IT_CAN)
    keeps_files = _keeps_files(slot)
    return Capabilities(
        network_off=seen["network_off"],
        read_only_root=seen["read_only_root"],
        memory_tree=big.oom,
        process_count=many.ok and 0 < int(many.stdout or 0) <= _LIMITS.processes,
        pid_hidden=seen["pid_hidden"],
        socket_families=seen["socket_families"],
        syscall_filter=seen["syscall_filter"],
        inner_root=False,
        snapshot=keeps_files,
        fork=keeps_files,
    )


def _run(slot: Slot, source: str, stdin: str = "") -> ExecResult:
    return slot.run(Python(source), stdin.encode(), {}, _LIMITS)


def _keeps_files(slot: Slot) -> bool:
    """Return whether a workspace comes back as it was saved."""
    try:
        slot.ask_files({"do": "write", "path": "kept/file"}, b"\x00old")
        saved = slot.ask_files({"do": "save", "limit_bytes": WORKSPACE_BYTES}, limit_bytes=WORKSPACE_BYTES)
        slot.wipe(WORKSPACE_BYTES)
        loaded = slot.ask_files({"do": "load"}, saved[1])
        content = slot.ask_files({"do": "read", "path": "kept/file", "limit_bytes": 100}, limit_bytes=100)[1]
    except SandboxFileError:
        return False
    return content == b"\x00old" and saved[0]["digest"] == loaded[0]["digest"]


@contextlib.contextmanager
def _host_file() -> Iterator[str]:
    """Give the path of a file that everybody on the host may read and write."""
    with tempfile.NamedTemporaryFile(prefix="palestra-canary-") as file:
        Path(file.name).chmod(0o666)
        yield file.name


@contextlib.contextmanager
def _host_listener() -> Iterator[int]:
    """Give a port on which the host listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
