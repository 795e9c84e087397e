"""Files copied out of a machine, and what predicates say of them.

The copies are archives that nobody opens on this side: a fresh slot with our own interpreter and modules parses them
and judges every predicate there. Content that was made to break whoever looks at it breaks one process in that slot.
"""

import contextlib
import errno
import functools
import importlib.util
import json
import marshal
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from palestra import sandbox as sandboxes
from palestra.envs.code.judge.case import trouble
from palestra.envs.terminal.predicates.content import Predicate
from palestra.envs.terminal.step import HOME
from palestra.envs.terminal.tree import Tree
from palestra.sandbox.base import MIB, InfraError, Limits, Python, Sandbox, SandboxFileError, Spec

MOST_BYTES: Final = 24 * MIB  # of files, together
_LIMITS: Final = Limits(
    wall_s=40.0, cpu_s=20.0, memory_bytes=768 * MIB, processes=4, disk_bytes=128 * MIB, file_bytes=128 * MIB,
    output_bytes=4 * MIB,
)  # fmt: skip
_LIMITS_ALONE: Final = Limits(
    wall_s=10.0, cpu_s=5.0, memory_bytes=768 * MIB, processes=4, disk_bytes=128 * MIB, file_bytes=128 * MIB,
    output_bytes=1 * MIB,
)  # fmt: skip
_MOST_DEATHS: Final = 3  # predicates whose judgement ended the slot's process; after these no other is tried
_PACKAGE: Final = "palestra.envs.terminal"
_MODULES: Final = (  # in the order in which they import each other
    "palestra.envs.reading",
    f"{_PACKAGE}.tree",
    *(
        f"{_PACKAGE}.predicates.{name}"
        for name in ("content", "texts", "values", "nodes", "archives", "database", "repository", "history", "judging")
    ),
)
_PRELOAD: Final = (
    "base64", "bz2", "collections.abc", "configparser", "csv", "dataclasses", "datetime", "functools", "gzip",
    "hashlib", "io", "json", "lzma", "marshal", "math", "pathlib", "posixpath", "re", "signal", "sqlite3", "stat",
    "struct", "tarfile", "tempfile", "tomllib", "typing", "zipfile", "zlib",
)  # fmt: skip
_GOOD: Final = "/good"  # a file that nothing is wrong with, to tell whose fault it is that there is no answer


@dataclass(frozen=True, slots=True)
class Frozen:
    """Files as they were, in archives that no program of their machine had a hand in."""

    archives: tuple[bytes, ...]
    troubles: Mapping[str, str]  # why what is at a path, and below it, could not be copied

    @classmethod
    def collect(cls, sandbox: Sandbox, paths: Iterable[str]) -> Self:
        """Copy what is at some paths; what is not there is no trouble, what cannot be copied is.

        Raises:
            InfraError: the sandbox failed.
        """
        archives: list[bytes] = []
        troubles: dict[str, str] = {}
        left = MOST_BYTES
        for path in paths:
            try:
                archives.append(_copied(sandbox, path, max(left, 1)))
                left -= len(archives[-1])
            except SandboxFileError as error:
                if error.errno != errno.ENOENT:
                    troubles[path] = f"{path} cannot be copied out: {error.strerror or error!s:.200}"
        return cls(tuple(archives), troubles)

    @classmethod
    def of(cls, tree: Tree) -> Self:
        """Return what copying a tree would give."""
        return cls((tree.to_tar(),), {})


class Desk:
    """The slot in which predicates are judged. Not thread-safe; give it back with `close`."""

    def __init__(self, *, backend: str = "native", unsafe: bool = False) -> None:
        """Take a slot.

        Args:
            backend: of the machine that is judged. Only a machine of the backend "process", which isolates nothing, is
                judged by it; all others by the native one, whose slots are kept warm.
            unsafe: accept a backend that does not isolate programs.

        Raises:
            InfraError: no sandbox could be started.
        """
        chosen = backend if backend == "process" else "native"
        self._slot = sandboxes.create(Spec(preload=_PRELOAD, limits=_LIMITS), backend=chosen, unsafe=unsafe)

    def close(self) -> None:
        """Give the slot back."""
        self._slot.close()

    def reasons(self, frozen: Frozen, predicates: Sequence[Predicate]) -> list[str]:
        """Return for each predicate why it does not hold, or "".

        Where the process that judges ends without an answer, every predicate is judged alone, and those that end it
        again do not hold, if it is seen that a file with nothing wrong can be judged.

        Raises:
            InfraError: the slot does not work.
        """
        if not predicates:
            return []
        answer = self._ask(frozen, predicates, _LIMITS)
        if isinstance(answer, list):
            return answer
        reasons: list[str] = []
        deaths = 0
        for predicate in predicates:
            if deaths == _MOST_DEATHS:
                reasons.append("it was not looked at, since what was looked at before it ended whoever looked")
                continue
            alone = self._ask(frozen, [predicate], _LIMITS_ALONE)
            if isinstance(alone, str):
                self._check_slot(alone)
                deaths += 1
                alone = [f"{predicate['path']} cannot be judged: whoever looks at it is ended ({alone})"]
            reasons += alone
        return reasons

    def _check_slot(self, problem: str) -> None:
        good = Frozen.of(Tree().put(_GOOD, "good\n"))
        if self._ask(good, [{"kind": "file", "path": _GOOD, "equals": "good\n", "group": 0}], _LIMITS_ALONE) != [""]:
            raise InfraError(f"the sandbox that judges files does not work: {problem}; create another and try again")

    def _ask(self, frozen: Frozen, predicates: Sequence[Predicate], limits: Limits) -> list[str] | str:
        """Return reasons, or what became of the process that was to find them."""
        parts = (_codes(), *frozen.archives)
        asked = {
            "sizes": [len(part) for part in parts],
            "troubles": dict(frozen.troubles),
            "predicates": [dict(predicate) for predicate in predicates],
        }
        result = self._slot.exec(our_program("inside"), stdin=_packed(asked, parts), limits=limits)
        if problem := trouble(result, limits):
            return problem
        with contextlib.suppress(ValueError, RecursionError):
            answer = json.loads(result.stdout)
            if isinstance(answer, list) and len(answer) == len(predicates):
                return [str(reason) for reason in answer]
        return f"no answer: {result.stderr[-200:].decode(errors='replace')}"


def judge_frozen(
    frozen: Frozen, predicates: Sequence[Predicate], *, backend: str = "native", unsafe: bool = False
) -> list[str]:
    """Return for each predicate why it does not hold of some files, or "", judged in a slot taken for it.

    Raises:
        InfraError: no slot could be taken, or it does not work.
    """
    with closing(Desk(backend=backend, unsafe=unsafe)) as desk:
        return desk.reasons(frozen, predicates)


def _copied(sandbox: Sandbox, path: str, limit_bytes: int) -> bytes:
    """Return an archive of what is at a path or, where a link or a file is on its way, of that."""
    while True:
        try:
            return sandbox.collect(path, limit_bytes=limit_bytes)
        except SandboxFileError as error:
            if error.errno != errno.ENOTDIR:
                raise
            path = posixpath.dirname(path)


def _packed(asked: Mapping[str, object], parts: Iterable[bytes]) -> bytes:
    head = json.dumps(asked).encode()
    return b"".join((len(head).to_bytes(8, "big"), head, *parts))


@functools.cache
def _codes() -> bytes:
    """Return the modules that judge, compiled: slots have the same interpreter."""
    found = [importlib.util.find_spec(name) for name in _MODULES]
    sources = [(spec.name, Path(spec.origin).read_text(encoding="utf-8")) for spec in found if spec and spec.origin]
    return marshal.dumps([(name, compile(source, name, "exec", dont_inherit=True)) for name, source in sources])


@functools.cache
def our_program(name: str) -> Python:
    """Return a program of this folder, which imports nothing from the folder that it starts in."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return Python(f"import sys; sys.path[:] = [place for place in sys.path if place not in ('', {HOME!r})]\n{source}")
