"""What is asked of a slot for one program, and what its answer means."""

import json
import math
import os
import signal
from collections.abc import Mapping
from typing import Any

from palestra.sandbox.base import Command, ExecResult, Limits, Python
from palestra.sandbox.capture import Capture

_OPEN_FILES = 512
_COUNTS_PER_NAMESPACE = (5, 14)  # the first Linux whose RLIMIT_NPROC counts a user per user namespace


def check_command(command: Command, env: Mapping[str, str]) -> None:
    """Raise ValueError when a command or a variable could never be passed to a program."""
    words = [command.source, *command.argv] if isinstance(command, Python) else command
    if isinstance(words, str) or not words or not all(isinstance(word, str) for word in words):
        raise ValueError(f"a command is Python(source) or a list of words such as ['ls', '-l'], not {command!r}")
    if not isinstance(command, Python) and any("\0" in word for word in words):
        raise ValueError(f"a command's words hold no NUL: {command!r}")
    for name, value in env.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"no program can be given the variable {name!r} = {value!r}")


def describe(command: Command, env: Mapping[str, str]) -> bytes:
    """Return what the program's own process reads of it."""
    check_command(command, env)
    if isinstance(command, Python):
        return json.dumps({"source": command.source, "argv": list(command.argv), "env": dict(env)}).encode()
    return json.dumps({"argv": list(command), "env": dict(env)}).encode()


def resource_limits(limits: Limits, address_space: int | None, own_processes: int) -> dict[str, tuple[int, int]]:
    """Return the limits of each process.

    Args:
        limits: what the program may use.
        address_space: None where a control group bounds memory and processes; else what a process has
            mapped already before it is the program.
        own_processes: how many the slot itself has.
    """
    cpu_s = math.ceil(limits.cpu_s)
    wanted = {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_CPU": (cpu_s, cpu_s + 1),
        "RLIMIT_FSIZE": (limits.file_bytes, limits.file_bytes),
        "RLIMIT_NOFILE": (_OPEN_FILES, _OPEN_FILES),
    }
    if address_space is not None:
        wanted["RLIMIT_AS"] = (limits.memory_bytes + address_space,) * 2
        if tuple(int(part) for part in os.uname().release.split(".")[:2]) >= _COUNTS_PER_NAMESPACE:
            wanted["RLIMIT_NPROC"] = (limits.processes + own_processes,) * 2
    return wanted


def to_result(outcome: dict[str, Any], limits: Limits, stdout: Capture, stderr: Capture, is_short: bool) -> ExecResult:
    """Return what came of a program, from the fork-server's answer.

    Args:
        is_short: whether a process of it was killed for want of memory.
    """
    code = int(outcome["code"])
    used_up = code == -signal.SIGXCPU or (code == -signal.SIGKILL and outcome["cpu_s"] >= math.ceil(limits.cpu_s))
    timed_out = bool(outcome["timed_out"]) or (used_up and not is_short)
    return ExecResult(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        stdout=stdout.data,
        stderr=stderr.data,
        truncated=stdout.truncated or stderr.truncated,
        timed_out=timed_out,
        oom=is_short and not outcome["timed_out"],
        duration_s=float(outcome["duration_s"]),
        cpu_s=float(outcome["cpu_s"]),
        max_rss_bytes=int(outcome["max_rss_bytes"]),
    )
