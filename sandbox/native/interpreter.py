"""Runs a Python source in a process forked from a warm interpreter, as ``python`` itself would.

What can be made before the fork is made before it: a program then pays only for what is its own.
"""

import atexit
import builtins
import contextlib
import gc
import io
import itertools
import linecache
import os
import sys
import threading
import traceback
import types
from collections.abc import Iterator, Mapping
from typing import NoReturn

_SOURCE_NAME = "<program>"
_FLUSH_FAILED = 120  # Python's own exit code for it


class Interpreter:
    """Made in the fork-server, used once in each program's process."""

    def __init__(self) -> None:
        with _likely_streams():
            self._stdin, self._stdout, self._stderr = _text(0, "r"), _text(1, "w"), _text(2, "w")
        self._own_modules = {name: sys.modules.pop(name) for name in [*sys.modules] if name.startswith("palestra")}
        self._loaded = len(sys.modules)
        self._env = dict(os.environ)

    def run(self, source: str, argv: list[str], env: Mapping[str, str], folder: str) -> NoReturn:
        """Run a source as ``__main__`` and end as an interpreter does: threads joined, files flushed.

        Args:
            source: the program.
            argv: what follows the program's name in ``sys.argv``.
            env: the whole environment.
            folder: where its imports are looked for first.
        """
        if env != self._env:
            os.environ.clear()
            os.environ.update(env)
        for name, stream in (("stdin", self._stdin), ("stdout", self._stdout), ("stderr", self._stderr)):
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        sys.argv = [_SOURCE_NAME, *argv]
        sys.path.insert(0, folder)
        main = types.ModuleType("__main__")
        main.__dict__["__builtins__"] = builtins
        sys.modules["__main__"] = main
        gc.enable()
        os._exit(self._finish(_run(source, main), main) & 0xFF)

    def show_own_modules(self) -> None:
        """Let this process import palestra again."""
        sys.modules.update(self._own_modules)

    def _finish(self, code: int, main: types.ModuleType) -> int:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        # What the program left open is flushed by its destructor, as at the end of an interpreter.
        new = itertools.islice(reversed(sys.modules.values()), max(0, len(sys.modules) - self._loaded))
        for module in (main, *new):
            with contextlib.suppress(Exception):
                module.__dict__.clear()
        gc.collect()
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None and not getattr(stream, "closed", False):
                    stream.flush()
            except Exception:  # a program may have put anything there
                code = code or _FLUSH_FAILED
        return code


def _run(source: str, main: types.ModuleType) -> int:
    try:
        lines = source.splitlines(keepends=True)
        linecache.cache[_SOURCE_NAME] = (len(source), None, lines, _SOURCE_NAME)  # tracebacks quote it
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
        if sys.excepthook is sys.__excepthook__:  # which finds the lines of files only
            traceback.print_exception(type(error), error.with_traceback(trace), trace)
        else:
            sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1


@contextlib.contextmanager
def _likely_streams() -> Iterator[None]:
    """Put files of the kinds that programs have there on 0, 1 and 2: a stream remembers what it was made on."""
    kept = [os.dup(descriptor) for descriptor in range(3)]
    given, (end, pipe) = os.memfd_create("stdin"), os.pipe()
    for descriptor, file in enumerate((given, pipe, pipe)):
        os.dup2(file, descriptor)
    try:
        yield
    finally:
        for descriptor, file in enumerate(kept):
            os.dup2(file, descriptor)
        for file in (*kept, given, end, pipe):
            os.close(file)


def _text(descriptor: int, mode: str) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, mode, closefd=False)
    buffered = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    errors = "backslashreplace" if descriptor == 2 else "surrogateescape"
    return io.TextIOWrapper(buffered, encoding="utf-8", errors=errors, line_buffering=descriptor == 2)
