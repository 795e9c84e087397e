"""What is said when a part of a terminal sandbox is killed from outside, and what is left of it then: nothing."""

import gc
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from palestra.sandbox import create
from palestra.sandbox.aio import Interruptible
from palestra.sandbox.base import MIB, InfraError, Limits, Sandbox, Spec
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.native.terminal.layers import BASES, LAYERS, MACHINE, MASKS, SEEN
from palestra.sandbox.native.terminal.root import BUILD_AT

SPEC = Spec(terminal=True, limits=Limits(wall_s=10.0, memory_bytes=128 * MIB, processes=24, disk_bytes=16 * MIB))
WAIT_S = 10.0
OURS = re.compile(rf"{BUILD_AT}(({'|'.join((BASES, MASKS, SEEN, LAYERS, MACHINE, '/template', '/proc'))})(/.*)?)?")


@pytest.fixture
def backend() -> Iterator[NativeBackend]:
    """A backend with a nursery of its own."""
    made = NativeBackend(proven=create().capabilities)
    yield made
    made.close()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def nursery_of(backend: NativeBackend) -> int:
    process = backend._nursery._process
    assert process is not None
    return process.pid


def below(pid: int) -> list[int]:
    found = children(pid)
    return found + [deeper for child in found for deeper in below(child)]


def gone(pids: list[int]) -> bool:
    """Return whether all of these end soon."""
    deadline = time.monotonic() + WAIT_S
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def groups() -> set[str]:
    return set(glob.glob(f"/sys/fs/cgroup/**/palestra-{os.getpid()}-*", recursive=True))


def traces() -> tuple[int, set[str], list[str]]:
    """Return descriptors, control groups, and what is mounted where machines are put together.

    Elsewhere others may mount something meanwhile, as a docker daemon does for its containers.
    """
    gc.collect()
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return len(os.listdir("/proc/self/fd")), groups(), [place for place in places if OURS.fullmatch(place)]


@pytest.mark.parametrize("doing", ["nothing", "a program", "a line", "a REPL"])
@pytest.mark.parametrize("victim", ["init", "nursery"])
def test_a_killed_part_is_an_infra_error(backend: NativeBackend, victim: str, doing: str) -> None:
    box = backend.create(SPEC)
    shell = box.shell()
    shell.run("setsid sleep 1000 & true")
    everything = below(nursery_of(backend))
    pid = nursery_of(backend) if victim == "nursery" else children(nursery_of(backend))[0]
    if doing == "a REPL":
        shell.send(b"cat\n")
    killer = subprocess.Popen(["sh", "-c", f"sleep {0.3 if doing.startswith('a ') else 0}; kill -9 {pid}"])
    if doing == "nothing":
        killer.wait()
        assert gone([process for process in everything if process != nursery_of(backend)])
    actions: dict[str, Callable[[], object]] = {
        "a program": lambda: box.exec(["sleep", "8"]),
        "a REPL": lambda: shell.wait(timeout_s=8),
    }
    with pytest.raises(InfraError, match="create another"):
        actions.get(doing, lambda: shell.run("sleep 8"))()
    killer.wait()
    assert gone([process for process in everything if process != pid])
    with pytest.raises(InfraError):
        box.exec(["true"])
    with closing(backend.create(SPEC)) as other:
        assert other.exec(["true"]).ok
    box.close()


def test_a_killed_shell_is_no_fault_and_another_starts(box: Sandbox) -> None:
    shell = box.shell()
    assert shell.run("kill -9 $$").exit_code == 137
    assert shell.run("echo new").output == b"new\n"
    shell.run("large=$(head -c 30000000 /dev/zero | tr '\\0' a)")  # it takes a while to die with that
    box.exec(["sh", "-c", "kill -9 -1"])
    assert shell.run("echo newer").output == b"newer\n"


def test_nothing_in_the_machine_ends_or_stops_its_first_process(box: Sandbox) -> None:
    box.exec(["sh", "-c", "for s in 1 2 3 9 13 15 17 19 20 23; do kill -$s 1; done"])
    box.shell().run("for s in 1 2 9 15 19; do kill -$s 1; done")
    assert box.exec(["echo", "alive"]).stdout == b"alive\n"


def live(backend: NativeBackend, *, is_closed: bool) -> None:
    """Use all that a sandbox has, and close it, or have nobody refer to it any more."""
    box = backend.create(SPEC)
    box.shell().run("sleep 1000 & true")
    box.exec(["true"])
    saved = box.snapshot(end_processes=True)
    twin = box.fork()
    twin.restore(saved)
    assert len(saved.digest) == 64
    if is_closed:
        box.close()
        twin.close()


def test_closing_leaves_nothing(backend: NativeBackend) -> None:
    with closing(backend.create(SPEC)) as first:
        first.shell().run("true")
    before, processes = traces(), len(below(nursery_of(backend)))
    for number in range(12):
        live(backend, is_closed=number % 3 > 0)
    assert traces() == before
    assert len(below(nursery_of(backend))) == processes


def test_nothing_outlives_a_killed_host(tmp_path: Path) -> None:
    script = """
import os, sys, time
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.base import Capabilities, Spec
backend = NativeBackend(proven=Capabilities(terminal=True))
box = backend.create(Spec(terminal=True))
box.shell().run("setsid sleep 1000 & true")
print(os.getpid(), backend._nursery._process.pid, flush=True)
time.sleep(60)
"""
    host = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=tmp_path)
    assert host.stdout is not None
    pid, nursery = (int(word) for word in host.stdout.readline().split())
    everything = [nursery, *below(nursery)]
    assert len(everything) >= 3
    host.send_signal(signal.SIGKILL)
    host.wait()
    host.stdout.close()
    with suppress(ProcessLookupError):
        assert gone(everything)
    deadline = time.monotonic() + WAIT_S
    while (left := list(Path("/sys/fs/cgroup").glob(f"*/palestra-{pid}-*"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def test_a_sandbox_belongs_to_one_process(box: Sandbox) -> None:
    box.exec(["true"])
    pid = os.fork()
    if pid == 0:
        try:
            box.exec(["true"])
        except InfraError as error:
            os._exit("forked" not in str(error))
        os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    assert box.exec(["true"]).ok


def test_an_interrupt_from_another_thread(backend: NativeBackend) -> None:
    box = backend.create(SPEC)
    assert isinstance(box, Interruptible)
    timer = threading.Timer(0.2, box.interrupt)
    timer.start()
    with pytest.raises(InfraError, match="another thread"):
        box.exec(["sleep", "8"])
    timer.join()


def test_keys_for_a_shell_that_has_just_ended_go_to_another(box: Sandbox) -> None:
    shell = box.shell()
    for _ in range(5):
        shell.send(b"exit\n")
        box.exec(["sleep", "0.05"])  # it has ended by now, and nobody has been told
        shell.send(b"echo typed\n")
        assert shell.wait(timeout_s=10.0).output.endswith(b"typed\n")
