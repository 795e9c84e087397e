"""What every law is written with: a backend, a sandbox of it, and what it claims."""

import contextlib
import glob
import os
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from palestra.sandbox.base import Backend, CapabilityError, ExecResult, Python, Sandbox, Spec

Create = Callable[..., Sandbox]
_OF_CONTAINERS = ("/overlay2/", "/netns/")  # which come and go beside us
HELLO = Python("print('hello')")


class Case:
    """Inherit a class of laws and define `make_backend`; the other methods may be overridden as well."""

    spec = Spec()
    """What the sandboxes are like that the laws are tried on."""

    def make_backend(self) -> Backend:
        """Return the backend that the laws are to be tried on; asked once for each class of tests."""
        raise NotImplementedError(f"{type(self).__name__} must define make_backend()")

    def leftovers(self) -> set[str]:
        """Return a name, a word for its kind first, for everything that would be a leak if it stayed.

        These are this process's descendants, its descriptors, the mounts that it sees, but for those of a container
        engine's containers, and the control groups that bear its number. Add what your backend makes elsewhere.
        """
        found = {f"process {pid}" for pid in descendants(os.getpid())}
        found |= {f"descriptor {name}" for name in os.listdir("/proc/self/fd")}
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        found |= {f"mount {line}" for line in mounts if not any(place in line for place in _OF_CONTAINERS)}
        groups = glob.glob(f"/sys/fs/cgroup/**/*-{os.getpid()}-*", recursive=True)  # which bears that others vanish
        return found | {f"group {group}" for group in groups}

    def left_since(self, before: set[str]) -> list[str]:
        """Return what is there now and was not, of every kind (the first word) of which there is more than before."""
        now = self.leftovers()
        known, counted = (Counter(name.partition(" ")[0] for name in names) for names in (before, now))
        return sorted(name for name in now - before if counted[kind := name.partition(" ")[0]] > known[kind])

    def processes_of(self, sandbox: Sandbox, before: set[int]) -> list[int]:
        """Return the processes on the host whose death may be the sandbox's death.

        Args:
            sandbox: a sandbox that was just made.
            before: the descendants of this process from before it was made.
        """
        return sorted(descendants(os.getpid()) - before)

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> Iterator[Backend]:
        """The backend, closed after the class if it can be."""
        made = cls().make_backend()
        yield made
        close = getattr(made, "close", None)
        if close is not None:
            close()

    @pytest.fixture
    def create(self, backend: Backend) -> Iterator[Create]:
        """A function that makes sandboxes, of `spec` with fields replaced; each is closed after the test."""
        with contextlib.ExitStack() as made:

            def make(**fields: object) -> Sandbox:
                sandbox = backend.create(replace(self.spec, **fields))  # type: ignore[arg-type]
                made.callback(sandbox.close)
                return sandbox

            yield make

    @pytest.fixture
    def sandbox(self, create: Create) -> Sandbox:
        """A new sandbox."""
        return create()

    def claims(self, backend: Backend, *capabilities: str) -> bool:
        """Whether all are claimed; one that is not must be refused to whoever needs it, which is checked here."""
        unclaimed = backend.probe().missing(frozenset(capabilities))
        for name in unclaimed:
            with pytest.raises(CapabilityError, match=name):
                backend.create(replace(self.spec, needs=frozenset({name}))).close()
        return not unclaimed


def run(sandbox: Sandbox, source: str, **options: object) -> ExecResult:
    """Run an indented Python source."""
    return sandbox.exec(Python(textwrap.dedent(source)), **options)  # type: ignore[arg-type]


def listing(sandbox: Sandbox) -> bytes:
    """Return the names in the workspace."""
    return sandbox.exec(["ls", "-A", "."]).stdout


def descendants(pid: int) -> set[int]:
    """Return every process below one, those in other namespaces too."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found: set[int] = set()
    left = [pid]
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
