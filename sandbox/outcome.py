"""What every backend asks of the kernel for one program, and what came of it."""

import math
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from palestra.sandbox.base import Command, ExecResult, Limits, Python
from palestra.sandbox.limits import can_be_passed, check_variables

_OPEN_FILES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a program ended and what it used."""

    code: int  # an exit code, or minus the number of a signal
    timed_out: bool  # it was killed when its wall clock had run out
    oom: bool  # it failed, and a process of it was killed for want of memory
    duration_s: float
    cpu_s: float
    max_rss_bytes: int


class Printed(Protocol):
    """What a program wrote to one stream, up to a limit."""

    @property
    def data(self) -> bytes:
        """What was kept."""
        ...

    @property
    def truncated(self) -> bool:
        """True when more was written than kept."""
        ...


def check_command(command: Command, stdin: bytes, env: Mapping[str, str]) -> None:
    """Raise ValueError when a command, its input or a variable could never be passed to a program."""
    words = [command.source, *command.argv] if isinstance(command, Python) else command
    if isinstance(words, str) or not words or not all(isinstance(word, str) for word in words):
        raise ValueError(f"a command is Python(source) or a list of words such as ['ls', '-l'], not {command!r}")
    passed = command.argv if isinstance(command, Python) else command
    if not all(can_be_passed(word) for word in passed):
        raise ValueError(f"a command's words hold no NUL and no half of a character: {command!r}")
    if not isinstance(stdin, bytes | bytearray | memoryview):
        raise ValueError(f"stdin is bytes, such as 'text'.encode(), not {type(stdin).__name__}")
    check_variables(env)


def program_environment(python: str, home: str) -> dict[str, str]:
    """Return the variables that programs start with; nothing of the host's is among them.

    Args:
        python: the interpreter that ``python3`` shall mean.
        home: a folder that lives as long as the program.
    """
    folders = dict.fromkeys([os.path.dirname(python), "/usr/local/bin", "/usr/bin", "/bin"])
    return {
        "PATH": ":".join(folders),
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",  # the same program prints the same twice
        "PYTHONDONTWRITEBYTECODE": "1",  # a workspace holds what programs wrote, and no caches with times in them
        "OPENBLAS_NUM_THREADS": "1",  # a fork-server must have one thread
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def resource_limits(limits: Limits) -> dict[str, tuple[int, int]]:
    """Return what each process may use, by the names in the `resource` module."""
    cpu_s = math.ceil(limits.cpu_s)
    return {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_CPU": (cpu_s, cpu_s + 1),
        "RLIMIT_FSIZE": (limits.file_bytes, limits.file_bytes),
        "RLIMIT_NOFILE": (_OPEN_FILES, _OPEN_FILES),
    }


def to_result(outcome: Outcome, limits: Limits, stdout: Printed, stderr: Printed) -> ExecResult:
    """Return what came of a program.

    A program that the kernel stopped for its processor time has timed out as well.
    """
    code = outcome.code
    used_up = code == -signal.SIGXCPU or (code == -signal.SIGKILL and outcome.cpu_s >= math.ceil(limits.cpu_s))
    return ExecResult(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        stdout=stdout.data,
        stderr=stderr.data,
        truncated=stdout.truncated or stderr.truncated,
        timed_out=outcome.timed_out or (used_up and not outcome.oom),
        oom=outcome.oom and not outcome.timed_out,
        duration_s=outcome.duration_s,
        cpu_s=outcome.cpu_s,
        max_rss_bytes=outcome.max_rss_bytes,
    )
