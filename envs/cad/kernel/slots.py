"""`SlotKernel`: programs in one kind of warm slot, the judgement of their shapes in another.

What is isolated: an author's program runs as nobody in particular in namespaces of its own, with no network and none of
our files; every process of it is dead before its shape is read. The shape crosses as BREP text of limited length. It is
opened in another slot only, in a process made for that one question, and no pickle is ever read from either. What is
not: a program shares its process with what takes its shape, so it may write any text in its place; that is a shape
like another, and judged like one.
"""

import ast
import contextlib
import dataclasses
import functools
import importlib.util
import json
import marshal
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from palestra import sandbox as sandboxes
from palestra.envs.cad import records
from palestra.envs.cad.geometry import wire
from palestra.envs.cad.kernel import author, desk, telling
from palestra.envs.cad.records import Built, Comparison, Picture, Properties, ShapeError, ShapeLimits, Wanted
from palestra.envs.code.judge.bench import NEEDS
from palestra.envs.code.judge.case import trouble
from palestra.sandbox.base import (
    MIB,
    ExecResult,
    InfraError,
    Limits,
    PermanentInfraError,
    Python,
    Sandbox,
    SandboxFileError,
    Spec,
)

BUILD_PRELOAD: Final = ("cadquery",)
BUILD_MEMORY_MB: Final = 1024
MOST_OUTPUT: Final = 4000  # characters kept of what a program prints
_EARLY_S: Final = 0.02  # by which a program's own alarm ends it, since its end takes some time
_LATE_S: Final = 0.08  # after which the sandbox ends by force, and makes a new slot, what is deaf to its alarm
_NEEDED: Final = ("cadquery", "manifold3d", "scipy")
_LONGEST_S: Final = 600.0
_HEADER_BYTES: Final = 64 * 1024
_BUILD_LIMITS: Final = Limits(
    memory_bytes=(BUILD_MEMORY_MB + 128) * MIB, processes=16, file_bytes=16 * MIB, disk_bytes=32 * MIB,
    output_bytes=64 * 1024,
)  # fmt: skip
_JUDGE_LIMITS: Final = Limits(
    wall_s=30.0, cpu_s=30.0, memory_bytes=1536 * MIB, processes=4, file_bytes=32 * MIB, disk_bytes=MIB,
    output_bytes=32 * MIB,
)  # fmt: skip
_START: Final = (
    "import marshal, sys; exec(marshal.loads(sys.stdin.buffer.read(int(sys.argv[1]))), {'__name__': '__main__'})"
)


class SlotKernel:
    """Implements `records.Kernel` with slots of the sandbox. Thread-safe, and of use after a fork.

    It holds no slot between calls: the sandbox keeps some warm for all kernels of this process and ends them with it.
    As many programs, and as many questions about shapes, run at once as there are processors; others wait their turn.
    """

    def __init__(self, *, backend: str = "native", unsafe: bool = False, limits: ShapeLimits | None = None) -> None:
        """Make a kernel; nothing is started before it is asked for something.

        Args:
            backend: a name in `palestra.sandbox.BACKENDS` that forks warm interpreters of this Python.
            unsafe: accept a backend that does not isolate programs.
            limits: what a shape may be.

        Raises:
            PermanentInfraError: the extra `cad` is not installed.
        """
        if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
            raise PermanentInfraError(
                f"parts need the package {missing[0]}; install it with: pip install 'palestra[cad]'"
            )
        self._backend, self._unsafe, self._limits = backend, unsafe, limits or ShapeLimits()
        needs: frozenset[str] = frozenset() if unsafe else NEEDS
        self._building = Spec(needs=needs, preload=BUILD_PRELOAD, limits=_BUILD_LIMITS)
        self._judging = Spec(needs=needs, preload=judge_preload(), limits=_JUDGE_LIMITS)
        self._is_closed = False

    def build(self, source: str, *, timeout_s: float = 10.0) -> Built:
        """Run a CadQuery program, which leaves its shape in the name `result`, and return the shape.

        Args:
            source: the program.
            timeout_s: wall clock, with what it takes to write the shape down.

        Raises:
            InfraError: no slot could be started, or it died.
            ValueError: the time makes no sense.
        """
        if not 0.05 <= timeout_s <= _LONGEST_S:
            raise ValueError(f"timeout_s must be from 0.05 to {_LONGEST_S:g} seconds, not {timeout_s!r}")
        code = _code(author.__file__)
        limits = _build_limits(timeout_s)
        with self._slot(self._building) as sandbox:
            began = time.monotonic()
            given = json.dumps(
                {
                    "source": source,
                    "deadline": began + timeout_s - _EARLY_S,
                    "timeout_s": timeout_s,
                    "memory_bytes": BUILD_MEMORY_MB * MIB,
                    "limit_bytes": self._limits.bytes,
                }
            )
            result = sandbox.exec(Python(_START, (str(len(code)),)), stdin=code + given.encode(), limits=limits)
            seconds = time.monotonic() - began
            answer = self._read(sandbox) if result.ok else None
        output = telling.printed(result.stdout + result.stderr, MOST_OUTPUT)
        if answer is None:
            timed_out = result.timed_out or result.signal == signal.SIGALRM
            return Built(None, _ended(result, timeout_s), output, timed_out, seconds)
        told, brep = answer
        if told.get("kind") == "shape" and brep:
            return Built(brep, "", output, False, seconds)
        return Built(None, telling.complaint(told), output, False, seconds)

    def measure(self, brep: bytes) -> Properties:
        """Return what is known of a shape.

        Raises:
            ShapeError: it is no solid that can be measured; the message says why.
            InfraError: the slot that measures does not work.
        """
        question = wire.measure(brep, self._limits)
        return wire.properties_of(self._ask(question, {"kind": "canary"})[0])

    def judge(self, brep: bytes, wanted: Wanted) -> Comparison:
        """Compare a shape with a reference.

        Raises:
            ShapeError: the shape is no solid that can be judged; the message says why.
            InfraError: the slot that judges does not work, or the reference cannot be judged.
            ValueError: a feature test is malformed.
        """
        question = wire.judge(brep, wanted, self._limits)
        canary = wire.judge(wanted.brep, wanted, self._limits)
        told, _ = self._ask(question, canary)
        if wire.blamed(told) == "reference":
            raise PermanentInfraError(f"the reference cannot be judged: {told['refused']}")
        return wire.comparison_of(told)

    def draw(self, brep: bytes, picture: Picture) -> NDArray[np.uint8]:
        """Return shaded views with edges, side by side: (size, views * size, 3).

        Raises:
            ShapeError: it is no solid that can be drawn; the message says why.
            InfraError: the slot that draws does not work.
            ValueError: the picture makes no sense.
        """
        described = {
            "views": list(picture.views),
            "size": picture.size,
            "has_dimensions": picture.has_dimensions,
            "marks": dict(picture.marks),
        }
        question = {"kind": "draw", "brep": wire.packed(brep), "picture": described}
        told, data = self._ask(question, {"kind": "canary"})
        if "refused" in told:
            raise ShapeError(str(told["refused"]))
        return np.frombuffer(data, np.uint8).reshape(told["shape"]).copy()

    def close(self) -> None:
        """Take no more questions; a second call does nothing."""
        self._is_closed = True

    @contextlib.contextmanager
    def _slot(self, spec: Spec) -> Iterator[Sandbox]:
        """Lend a sandbox with an empty workspace, in turn."""
        if self._is_closed:
            raise ValueError("the kernel is closed; make another")
        turn = _turns.setdefault(spec.preload, threading.BoundedSemaphore(os.cpu_count() or 1))
        with turn, contextlib.closing(sandboxes.create(spec, backend=self._backend, unsafe=self._unsafe)) as sandbox:
            yield sandbox

    def _read(self, sandbox: Sandbox) -> tuple[Mapping[str, Any], bytes] | None:
        """Return what was written down in the workspace, or None where it is no answer."""
        try:
            data = sandbox.read(author.ANSWER, limit_bytes=self._limits.bytes + _HEADER_BYTES)
        except SandboxFileError:
            return None
        head, _, brep = data.partition(b"\n")
        with contextlib.suppress(ValueError, RecursionError):
            told = json.loads(head[:_HEADER_BYTES])
            if isinstance(told, dict) and len(brep) <= self._limits.bytes:
                return told, brep
        return None

    def _ask(self, question: Mapping[str, Any], canary: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the answer about a shape. Where whoever answers is ended, the canary tells whose fault it is."""
        told = self._put(question)
        if isinstance(told, tuple):
            return told
        good = self._put(canary)
        if isinstance(good, str) or "refused" in good[0]:
            said = good if isinstance(good, str) else good[0]["refused"]
            raise InfraError(f"what is sound cannot be judged either: {said}; create another kernel and try again")
        raise ShapeError(f"the shape cannot be measured: whoever looks at it is ended ({told}); make it simpler")

    def _put(self, question: Mapping[str, Any]) -> tuple[dict[str, Any], bytes] | str:
        """Return the answer to a question and the bytes with it, or what became of the process that was to answer."""
        code = _code(desk.__file__)
        stdin = code + marshal.dumps((_sent(), json.dumps(question).encode()))
        with self._slot(self._judging) as sandbox:
            result = sandbox.exec(Python(_START, (str(len(code)),)), stdin=stdin)
        if problem := trouble(result, _JUDGE_LIMITS):
            return f"{problem}: {result.stderr[-300:].decode(errors='replace')}" if result.stderr else problem
        head, _, data = result.stdout.partition(b"\n")
        try:
            told = json.loads(head)
        except ValueError:
            return "no answer"
        if "malformed" in told:
            raise ValueError(told["malformed"])
        return told, data


@functools.cache
def kernel_for(backend: str = "native", *, unsafe: bool = False) -> SlotKernel:
    """Return the kernel that this process shares; whoever closes it closes it for all."""
    return SlotKernel(backend=backend, unsafe=unsafe)


def _build_limits(timeout_s: float) -> Limits:
    """Return the limits of a program that should have ended itself by then; several threads may use up its time."""
    return dataclasses.replace(_BUILD_LIMITS, wall_s=timeout_s + _LATE_S, cpu_s=2.0 * timeout_s + 2.0)


def _ended(result: ExecResult, timeout_s: float) -> str:
    """Say why a program left no answer."""
    if result.timed_out or result.signal == signal.SIGALRM:
        return telling.out_of_time(timeout_s)
    if result.oom:
        return telling.out_of_memory(BUILD_MEMORY_MB)
    if result.signal is not None:
        return telling.ended(f"the kernel crashed, {signal.Signals(result.signal).name}")
    return telling.ended(f"exit code {result.exit_code}")


@functools.cache
def _code(path: str) -> bytes:
    """Return a module that is run as a program, compiled: slots have the same interpreter."""
    return marshal.dumps(compile(Path(path).read_text(encoding="utf-8"), Path(path).stem, "exec", dont_inherit=True))


@functools.cache
def judge_preload() -> tuple[str, ...]:
    """Return what the modules that answer questions import, but for themselves."""
    found: set[str] = set()
    for path in (Path(desk.__file__), *_modules().values()):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
            elif isinstance(node, ast.Import):
                found |= {one.name for one in node.names}
    return tuple(sorted(name for name in found if name.split(".")[0] not in ("", "palestra")))


@functools.cache
def _sent() -> dict[str, tuple[bool, bytes]]:
    """Return the modules that answer questions by their names, whether they are packages, and their code."""
    empty = marshal.dumps(compile("", "nothing", "exec"))
    sent = {name: (True, empty) for name in ("palestra", "palestra.envs", "palestra.envs.cad")}
    return sent | {name: (path.stem == "__init__", _code(str(path))) for name, path in _modules().items()}


def _modules() -> dict[str, Path]:
    """Return where the modules that answer questions are, by their names."""
    folder = Path(records.__file__).parent
    paths = (folder / "records.py", *sorted(folder.glob("geometry/*.py")), *sorted(folder.glob("drawing/*.py")))
    names = (path.relative_to(folder).with_suffix("").parts for path in paths)
    return {
        ".".join(("palestra.envs.cad", *(part for part in parts if part != "__init__"))): path
        for parts, path in zip(names, paths, strict=True)
    }


_turns: dict[tuple[str, ...], threading.BoundedSemaphore] = {}  # by what is preloaded
os.register_at_fork(after_in_child=_turns.clear)
