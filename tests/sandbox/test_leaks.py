"""Thousands of programs on two slots leave nothing: no process, descriptor, mount, control group, file or memory."""

import glob
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from palestra.sandbox import probe
from palestra.sandbox.base import Python
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.pool import SandboxPool

_BORROWED_FOR = 10  # programs
_GROWTH_BYTES = 8 << 20  # of a process, however many programs there were
_PROGRAMS = (
    Python("print(sum(range(1000)))"),
    Python("open('file', 'w').write('x' * 10000); open('/tmp/file', 'w').write('x')"),
    Python("import os; [os.fork() == 0 and os._exit(0) for _ in range(3)]"),
    Python("import socket; s = socket.socketpair(); raise SystemExit(3)"),
    ["sh", "-c", "sleep 100 & exit 0"],
)


def descendants(pid: int) -> set[int]:
    """Return every process below one, zombies and those in other namespaces too."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(status.parent.name))
    found, left = set(), [pid]
    while left:
        for child in children.get(left.pop(), []):
            found.add(child)
            left.append(child)
    return found


def eventually(claim: Callable[[], bool]) -> bool:
    """Wait, generously, for something that must become true."""
    for _ in range(400):
        if claim():
            return True
        time.sleep(0.025)
    return False


def listed(path: str) -> list[str]:
    """Return a folder's names or a file's lines; none when it has just gone."""
    try:
        return os.listdir(path) if os.path.isdir(path) else Path(path).read_text().splitlines()
    except OSError:
        return []


@dataclass(frozen=True)
class Holdings:
    """What this process and everything below it hold."""

    processes: int
    descriptors: int
    mounts: int
    groups: int
    files: int

    @classmethod
    def now(cls, temporary: Path) -> "Holdings":
        """Count, in a folder for temporary files as well."""
        everyone = {os.getpid()} | descendants(os.getpid())
        return cls(
            processes=len(everyone),
            descriptors=sum(len(listed(f"/proc/{pid}/fd")) for pid in everyone),
            mounts=sum(len(listed(f"/proc/{pid}/mountinfo")) for pid in everyone),
            groups=len(glob.glob(f"/sys/fs/cgroup/**/palestra-{os.getpid()}-*", recursive=True)),
            files=len(listed(str(temporary))),
        )

    def beyond(self, other: "Holdings") -> dict[str, int]:
        """Return of what there is more than in another count."""
        more = {entry.name: getattr(self, entry.name) - getattr(other, entry.name) for entry in fields(self)}
        return {name: count for name, count in more.items() if count > 0}


def private_bytes(pid: int) -> int:
    """Return the memory that a process shares with no other."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024


def run_programs(pool: SandboxPool, count: int) -> None:
    """Run so many programs of every kind in one thread, borrowing again and again."""
    for first in range(0, count, _BORROWED_FOR):
        with pool.borrow() as sandbox:
            assert sandbox.exec(["ls", "-A"]).stdout == b""
            for number in range(first, min(count, first + _BORROWED_FOR) - 1):
                assert sandbox.exec(_PROGRAMS[number % len(_PROGRAMS)]).signal is None
            sandbox.write("folder/file", b"x" * 1000)


def check_that_nothing_is_left(count: int, temporary: Path) -> None:
    """Run so many programs on two slots, counting before, in between and afterwards."""
    backend = NativeBackend(probe())
    before, others = Holdings.now(temporary), descendants(os.getpid())  # such as a browser of earlier tests
    with SandboxPool(backend=backend, size=2, max_uses=count // 4) as pool, ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: run_programs(pool, 40), range(2)))
        assert eventually(lambda: pool.metrics().ready == 2)
        warm, memory = Holdings.now(temporary), private_bytes(os.getpid())
        list(threads.map(lambda _: run_programs(pool, count // 2), range(2)))
        assert eventually(lambda: pool.metrics().ready == 2)
        assert eventually(lambda: not Holdings.now(temporary).beyond(warm)), Holdings.now(temporary).beyond(warm)
        assert private_bytes(os.getpid()) < memory + _GROWTH_BYTES
        for pid in descendants(os.getpid()) - others:
            assert private_bytes(pid) < 4 * _GROWTH_BYTES
        metrics = pool.metrics()
    backend.close()
    assert eventually(lambda: not Holdings.now(temporary).beyond(before)), Holdings.now(temporary).beyond(before)
    assert metrics.programs == count + 80
    assert (metrics.failures, metrics.recycled_dead, metrics.recycled_suspicious) == (0, 0, 0)
    assert metrics.recycled_uses >= 2


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where temporary files go during the test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_300_programs_leave_nothing(temporary: Path) -> None:
    check_that_nothing_is_left(300, temporary)


@pytest.mark.slow
def test_10_000_programs_leave_nothing(temporary: Path) -> None:
    check_that_nothing_is_left(10_000, temporary)
