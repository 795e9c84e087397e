"""A browser for the tests that do not end theirs, and a look at processes from outside."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from palestra.envs.web.chromium import Chromium

Descendants = Callable[[int], dict[int, str]]
Eventually = Callable[[Callable[[], bool]], bool]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    chromium = Chromium()
    yield chromium
    chromium.close()


@pytest.fixture
def descendants() -> Descendants:
    """Return what tells the command of every process below one, by its id."""

    def below(pid: int) -> dict[int, str]:
        parents: dict[int, int] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        found, left = dict[int, str](), [pid]
        while left:
            above = left.pop()
            children = [child for child, parent in parents.items() if parent == above]
            found |= {child: _command(child) for child in children}
            left += children
        return found

    return below


@pytest.fixture
def eventually() -> Eventually:
    """Return what waits, generously, for something that must become true."""

    def wait(claim: Callable[[], bool]) -> bool:
        for _ in range(600):
            if claim():
                return True
            time.sleep(0.05)
        return False

    return wait


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
