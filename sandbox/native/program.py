"""One program, from the fresh namespaces it starts in to its last exit code. Runs inside the slot.

Process 1 of the namespaces is a small init that collects what the program leaves; the program is
process 2. When init ends, the kernel kills every process that is left.
"""

import atexit
import builtins
import contextlib
import gc
import io
import json
import os
import signal
import struct
import sys
import threading
import traceback
import types
from collections.abc import Iterable
from typing import Any, NoReturn

from palestra.sandbox.limits import lower_limit
from palestra.sandbox.native import linux
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.privileges import Privileges
from palestra.sandbox.native.rootfs import mount_fresh_proc, mount_fresh_tmp

STATUS = struct.Struct("=ci")  # b"S" and a wait status; a text after b"E" says why there was no program
_SOURCE_NAME = "<program>"
_COMMAND_NOT_FOUND, _COMMAND_NOT_EXECUTABLE = 127, 126


def run(request: dict[str, Any], descriptors: list[int], status: int, privileges: Privileges) -> NoReturn:
    """Be init and, forked from it, the program.

    Args:
        request: the limits, as numbers.
        descriptors: the program's description, its stdin, stdout and stderr.
        status: where init writes what became of the program.
        privileges: what the program must not have.
    """
    try:
        payload = descriptors[0]
        for target, source in enumerate(descriptors[1:]):
            os.dup2(source, target)
        close_all_but(payload, status)
        _isolate(request, privileges)
        program = os.fork()
    except BaseException as error:
        os.write(status, b"E" + f"{type(error).__name__}: {error}".encode()[:1000])
        os._exit(1)
    if program:
        _collect(program, status)
    try:
        os.close(status)
        linux.prctl(linux.PR_SET_DUMPABLE, 1)  # so that it may open /proc/self/fd
        with os.fdopen(payload, "rb") as file:
            description = json.loads(file.read())
        os.environ.clear()
        os.environ.update(description["env"])
        if "source" in description:
            run_python(description["source"], description["argv"])
        run_command(description["argv"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # never back into the fork-server's code


def close_all_but(*kept: int) -> None:
    """Close every descriptor but the standard ones and these."""
    lowest = 3
    for descriptor in sorted(kept):
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, 1 << 20)


def _isolate(request: dict[str, Any], privileges: Privileges) -> None:
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # the fork-server outlives a shortage of memory
    mount_fresh_tmp(request["disk_bytes"])
    mount_fresh_proc()
    os.chdir(WORKSPACE)
    os.setsid()
    for name, value in request["rlimits"].items():
        lower_limit(0, name, tuple(value))
    privileges.drop()


def _collect(program: int, status: int) -> NoReturn:
    """Be init: wait until the program ends, whatever else ends before it."""
    os.closerange(0, 3)
    while True:
        ended, wait_status = os.wait()
        if ended == program:
            os.write(status, STATUS.pack(b"S", wait_status))
            os._exit(0)


def run_command(argv: list[str]) -> NoReturn:
    """Become a command, or end as a shell would when there is none."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(argv[0], argv, os.environ)
    except (OSError, ValueError) as error:
        code = _COMMAND_NOT_FOUND if isinstance(error, FileNotFoundError | ValueError) else _COMMAND_NOT_EXECUTABLE
        os.write(2, f"{argv[0]}: {error}\n".encode("utf-8", "surrogateescape"))
        os._exit(code)


def run_python(source: str, argv: list[str]) -> NoReturn:
    """Run a source as ``__main__`` and end as ``python`` would: threads joined, files flushed."""
    sys.stdin, sys.stdout, sys.stderr = _text(0, "r"), _text(1, "w"), _text(2, "w")
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)
    sys.argv = [_SOURCE_NAME, *argv]
    sys.path.insert(0, WORKSPACE)
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    before = set(sys.modules)
    for name in before:
        if name.partition(".")[0] == "palestra":
            del sys.modules[name]
    sys.modules["__main__"] = main
    gc.enable()
    code = _guarded(source, main)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    # What the program left open is flushed by its destructor, as at the end of an interpreter.
    _clear([main, *(module for name, module in sys.modules.items() if name not in before)])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or 120  # as Python does
    os._exit(code & 0xFF)


def _guarded(source: str, main: types.ModuleType) -> int:
    try:
        _remember_lines(source)
        exec(compile(source, _SOURCE_NAME, "exec", dont_inherit=True), main.__dict__)
        return 0
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        with contextlib.suppress(Exception):
            print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:
        trace = error.__traceback__.tb_next if error.__traceback__ else None  # without this function
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1


def _remember_lines(source: str) -> None:
    """Let tracebacks quote the program."""
    cache = sys.modules["linecache"].cache
    cache[_SOURCE_NAME] = (len(source), None, source.splitlines(keepends=True), _SOURCE_NAME)


def _clear(modules: Iterable[types.ModuleType]) -> None:
    for module in modules:
        with contextlib.suppress(Exception):
            module.__dict__.clear()
    gc.collect()


def _text(descriptor: int, mode: str) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, mode, closefd=False)
    buffered = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    errors = "backslashreplace" if descriptor == 2 else "surrogateescape"
    return io.TextIOWrapper(buffered, encoding="utf-8", errors=errors, line_buffering=descriptor == 2)
