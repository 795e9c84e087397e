"""Runs inside the sandbox, in place of a program and before it: locks it in, and becomes it.

A program needs its own language and shared libraries; with Landlock it can read and run nothing else, so that
one in Lua does not have Python do its work. What it writes is none of this module's business. It uses the
standard library only and is sent as source.

Source: Landlock's system calls and flags, Documentation/userspace-api/landlock.rst of Linux.
"""

import os
import sys

_PATH = [*sys.path]
sys.path[:] = [place for place in _PATH if place not in ("", os.getcwd())]  # what a compiler left is not imported here

import ctypes  # noqa: E402 - only now
import json  # noqa: E402
import signal  # noqa: E402
import types  # noqa: E402
from typing import Any  # noqa: E402

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_EXECUTE, _READ_FILE = 1 << 0, 1 << 2
_SET_NO_NEW_PRIVS = 38
_COMMAND_NOT_FOUND, _COMMAND_NOT_EXECUTABLE = 127, 126


def main(plan: dict[str, Any]) -> None:
    """Lock this process in if the plan says so, and become the plan's program."""
    if plan["locks"]:
        lock(plan["reads"], plan["runs"])
    if plan.get("command"):
        become(plan["command"])
    sys.argv[1:], sys.path[:] = plan["argv"], _PATH
    run(plan["source"])


def lock(reads: list[str], runs: list[str]) -> None:
    """Leave this process, and what it starts, these files and folders to read, and these to run."""
    libc = ctypes.CDLL(None, use_errno=True)
    handled = ctypes.c_uint64(_EXECUTE | _READ_FILE)
    ruleset = _called(libc, _CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    for paths, allowed in ((reads, _READ_FILE), (runs, _READ_FILE | _EXECUTE)):
        for path in paths:
            place = os.open(path, os.O_PATH)
            rule = allowed.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder)
            _called(libc, _ADD_RULE, ruleset, 1, rule, 0)
            os.close(place)
    libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _called(libc, _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def become(command: list[str]) -> None:
    """Become a command, or end as a shell would when there is none."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        is_missing = isinstance(error, FileNotFoundError)
        os._exit(_COMMAND_NOT_FOUND if is_missing else _COMMAND_NOT_EXECUTABLE)


def run(source: str) -> None:
    """Run a Python source as ``__main__``; tracebacks show nothing of what stands before it."""
    frame, name = sys._getframe(), "<program>"

    def show(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
        import traceback

        while trace is not None and trace.tb_frame is not frame:
            trace = trace.tb_next
        trace = trace.tb_next if trace else None
        traceback.print_exception(kind, error.with_traceback(trace), trace)

    sys.excepthook = show
    if "linecache" in sys.modules:
        sys.modules["linecache"].cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec", dont_inherit=True), sys.modules["__main__"].__dict__)


def _called(libc: Any, number: int, *values: Any) -> int:
    result = int(libc.syscall(number, *values))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock does not work here: {os.strerror(ctypes.get_errno())}")
    return result


if __name__ == "__cell__":  # as the host starts it
    main(json.loads(sys.argv[1]))
