"""Files copied out of a machine, and what predicates say of them.

The copies are archives that nobody opens on this side: a fresh slot with our own interpreter and modules parses them
and judges every predicate there. Content that was made to break whoever looks at it breaks one process in that slot.
"""

import contextlib
import errno
import functools
import hashlib
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
from palestra.envs.base import digest
from palestra.envs.code.judge.case import trouble
from palestra.envs.terminal.predicates.content import Predicate, one_line
from palestra.envs.terminal.recent import Recent
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
MODULES: Final = (  # in the order in which they import each other
    "palestra.envs.reading",
    f"{_PACKAGE}.tree",
    *(
        f"{_PACKAGE}.predicates.{name}"
        for name in (
            "content",
            "texts",
            "values",
            "nodes",
            "archives",
            "database",
            "gitfiles",
            "repository",
            "history",
            "judging",
        )
    ),
)
_PRELOAD: Final = (
    "base64", "bz2", "collections.abc", "configparser", "csv", "dataclasses", "datetime", "functools", "gzip",
    "hashlib", "io", "json", "lzma", "marshal", "math", "pathlib", "posixpath", "re", "signal", "sqlite3", "stat",
    "struct", "tarfile", "tempfile", "tomllib", "typing", "zipfile", "zlib",
)  # fmt: skip
_OURS: Final = frozenset({errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE})  # no doing of an agent's
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
                if error.errno in _OURS:
                    raise InfraError(f"{path} cannot be copied out: {error}; create another sandbox") from error
                if error.errno != errno.ENOENT:
                    troubles[path] = one_line(f"{path} cannot be copied out: {error.strerror or error}")
        return cls(tuple(archives), troubles)

    @property
    def digest(self) -> str:
        """A hash of the bytes that were copied, and of why others were not."""
        hashes = [hashlib.sha256(archive).hexdigest() for archive in self.archives]
        return digest([hashes, self.troubles])

    @classmethod
    def of(cls, tree: Tree) -> Self:
        """Return what copying a tree would give."""
        return cls((tree.to_tar(),), {})


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of some files."""

    reasons: list[str]  # for each predicate why it does not hold, or ""
    digest: str = ""  # a hash of all that the predicates are about; "" if there was no telling


_judged: Final = Recent[Judged](256)


class Desk:
    """The slot in which predicates are judged. Not thread-safe; give it back with `close`."""

    def __init__(self) -> None:
        """Take a slot of the native backend, which keeps them warm.

        Raises:
            InfraError: no sandbox could be started.
        """
        self._slot = sandboxes.create(Spec(preload=_PRELOAD, limits=_LIMITS))

    def close(self) -> None:
        """Give the slot back."""
        self._slot.close()

    def judge(self, frozen: Frozen, predicates: Sequence[Predicate]) -> Judged:
        """Return which predicates hold.

        Where the process that judges ends without an answer, every predicate is judged alone, and those that end it
        again do not hold, if it is seen that a file with nothing wrong can be judged.

        Raises:
            InfraError: the slot does not work.
        """
        if not predicates:
            return Judged([])
        answer = self._ask(frozen, predicates, _LIMITS)
        if isinstance(answer, Judged):
            return answer
        reasons: list[str] = []
        deaths = 0
        for predicate in predicates:
            if deaths == _MOST_DEATHS:
                reasons.append("it was not looked at, since what was looked at before it ended whoever looked")
                continue
            alone = self._ask(frozen, [predicate], _LIMITS_ALONE)
            if isinstance(alone, Judged):
                reasons += alone.reasons
                continue
            self._check_slot(alone)
            deaths += 1
            reasons.append(f"{predicate['path']} cannot be judged: whoever looks at it is ended ({alone})")
        return Judged(reasons)

    def _check_slot(self, problem: str) -> None:
        good = Frozen.of(Tree().put(_GOOD, "good\n"))
        asked = {"kind": "file", "path": _GOOD, "equals": "good\n", "group": 0}
        answer = self._ask(good, [asked], _LIMITS_ALONE)
        if isinstance(answer, str) or answer.reasons != [""]:
            raise InfraError(f"the sandbox that judges files does not work: {problem}; create another and try again")

    def _ask(self, frozen: Frozen, predicates: Sequence[Predicate], limits: Limits) -> Judged | str:
        """Return what was found, or what became of the process that was to find them."""
        parts = (_codes(), *frozen.archives)
        asked = {
            "sizes": [len(part) for part in parts],
            "troubles": dict(frozen.troubles),
            "predicates": [dict(predicate) for predicate in predicates],
        }
        result = self._slot.exec(our_program("inside"), stdin=_packed(asked, parts), limits=limits)
        if problem := trouble(result, limits):
            return problem
        with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
            answer = json.loads(result.stdout)
            reasons = [str(reason) for reason in answer["reasons"]]
            if len(reasons) == len(predicates):
                return Judged(reasons, str(answer["digest"]))
        return f"no answer: {result.stderr[-200:].decode(errors='replace')}"


def judge_frozen(frozen: Frozen, predicates: Sequence[Predicate]) -> Judged:
    """Return which predicates hold of some files, judged in a slot taken for it if they are not those of a while ago.

    Raises:
        InfraError: no slot could be taken, or it does not work.
    """
    question = f"{frozen.digest} {digest([dict(one) for one in predicates])}"
    judged = _judged.get(question)
    if judged is None:
        with closing(Desk()) as desk:
            judged = desk.judge(frozen, predicates)
        if judged.digest:  # all at once, and nothing ended whoever looked
            _judged.put(question, judged)
    return judged


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
    found = [importlib.util.find_spec(name) for name in MODULES]
    sources = {spec.name: Path(spec.origin).read_text(encoding="utf-8") for spec in found if spec and spec.origin}
    return marshal.dumps(
        {name: marshal.dumps(compile(source, name, "exec", dont_inherit=True)) for name, source in sources.items()}
    )


@functools.cache
def our_program(name: str) -> Python:
    """Return a program of this folder, which imports nothing from the folder that it starts in."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return Python(f"import sys; sys.path[:] = [place for place in sys.path if place not in ('', {HOME!r})]\n{source}")
