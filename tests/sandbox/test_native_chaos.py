"""Any process of native's, killed at any moment: a typed fault in time, and nothing left of it."""

import glob
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import InfraError, Limits, ProcessesRunningError, Sandbox, SandboxFileError, Spec
from palestra.sandbox.conformance.case import descendants, eventually
from palestra.sandbox.native.backend import NativeBackend

ROUNDS = 40
LIMITS = Limits(wall_s=20.0)


@pytest.fixture
def backend() -> Iterator[NativeBackend]:
    """A backend whose processes are nobody else's."""
    made = NativeBackend(proven=create().capabilities)
    yield made
    made.close()


def groups() -> set[str]:
    return set(glob.glob(f"/sys/fs/cgroup/**/palestra-{os.getpid()}-*", recursive=True))


def mounts() -> set[str]:
    """Those that this process sees, but for the layers of a docker daemon beside us."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return {line for line in lines if "overlay2" not in line and "/netns/" not in line}


def use(box: Sandbox, *, is_terminal: bool) -> None:
    """Do a bit of everything, until something fails."""
    while True:
        box.exec(["sh", "-c", "sleep 0.01 & sleep 0.02"])
        box.write("file", b"x" * 100_000)
        assert len(box.read("file")) == 100_000
        if is_terminal:
            box.shell().run("sleep 0.01; echo x")
            box.restore(box.snapshot(end_processes=True))
        box.fork(end_processes=True).close()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("is_terminal", [False, True], ids=["programs", "terminal"])
def test_whatever_is_killed_whenever(backend: NativeBackend, is_terminal: bool) -> None:
    """What was only a program's, or a twin's, may be missed; then the next kill is for the sandbox."""
    chance = random.Random(7)
    ours = descendants(os.getpid())
    before = (ours, len(os.listdir("/proc/self/fd")), mounts(), groups())
    longest, retryable = 0.0, [True]
    for _ in range(ROUNDS):
        over = threading.Event()
        killed: list[float] = []

        def reap(over: threading.Event = over, killed: list[float] = killed) -> None:
            while not over.wait(chance.random() / 5):
                if victims := sorted(descendants(os.getpid()) - ours):
                    killed.append(time.monotonic())
                    kill(chance.choice(victims))

        reaper = threading.Thread(target=reap)
        try:
            with closing(backend.create(Spec(terminal=is_terminal, limits=LIMITS))) as box:
                reaper.start()
                with suppress(ProcessesRunningError, SandboxFileError):
                    use(box, is_terminal=is_terminal)
        except InfraError as error:
            retryable.append(error.retryable)
            longest = max(longest, time.monotonic() - killed[-1] if killed else 0.0)
        finally:
            over.set()
            reaper.join()
        with closing(backend.create(Spec(terminal=is_terminal, limits=LIMITS))) as other:
            assert other.exec(["echo", "works"]).stdout == b"works\n"
    backend.close()
    assert all(retryable)
    assert len(retryable) > ROUNDS // 2, "most kills are noticed"
    assert longest < 10.0, "an ended sandbox is not waited for"
    assert eventually(lambda: descendants(os.getpid()) <= before[0])
    assert eventually(lambda: groups() <= before[3])
    assert len(os.listdir("/proc/self/fd")) <= before[1] + 1
    assert mounts() <= before[2]
