"""What is particular to programs that `bwrap` starts; the rest is every backend's."""

import contextlib
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import create, probe
from palestra.sandbox.base import (
    Capabilities,
    CapabilityError,
    InfraError,
    Limits,
    PermanentInfraError,
    Python,
    Sandbox,
    Spec,
)
from palestra.sandbox.bubblewrap import command
from palestra.sandbox.bubblewrap.backend import BubblewrapBackend

MIB = 1 << 20


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of a backend that nobody else uses."""
    backend = BubblewrapBackend(probe("bubblewrap"))
    with closing(backend), closing(backend.create(Spec())) as made:
        yield made


def family() -> dict[int, str]:
    """Return this process's descendants and their names."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            text = (folder / "stat").read_text()
            parents[int(folder.name)] = int(text.rpartition(")")[2].split()[1])
            names[int(folder.name)] = text.partition("(")[2].rpartition(")")[0]
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: names[pid] for pid in found}


def eventually(claim: Callable[[], bool]) -> bool:
    """Wait, generously, for something that must become true."""
    for _ in range(400):
        if claim():
            return True
        time.sleep(0.025)
    return False


def while_it_sleeps(sandbox: Sandbox, action: Callable[[dict[int, str]], object]) -> Callable[[], object]:
    """Do something with the processes there are while a program sleeps; return what gives its result or error."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(sandbox.exec(["sleep", "30"], limits=Limits(wall_s=60)))
        except InfraError as error:
            outcome.append(error)

    runner = threading.Thread(target=run)
    runner.start()
    assert eventually(lambda: "sleep" in family().values())
    action(family())

    def result() -> object:
        runner.join(20)
        return outcome[0]

    return result


def pids(running: dict[int, str], name: str) -> list[int]:
    """Return the numbers of the processes of a name, the first to be started first."""
    return sorted(pid for pid, known in running.items() if known == name)


def ids_of(pid: int) -> set[str]:
    """Return every user id of a process, as the host counts them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return set(next(line for line in lines if line.startswith("Uid:")).split()[1:])


def test_it_proves_what_native_proves_of_programs() -> None:
    ours, natives = probe("bubblewrap"), probe("native")
    for name in Capabilities.__dataclass_fields__:
        is_offered = name not in ("terminal", "image", "inner_root")
        assert getattr(ours, name) == (is_offered and getattr(natives, name)), name


def test_without_the_program_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_FOLDERS", "/nonexistent")
    with pytest.raises(PermanentInfraError, match="apt-get install bubblewrap") as caught:
        BubblewrapBackend()
    assert not pickle.loads(pickle.dumps(caught.value)).retryable


def test_there_is_no_terminal(sandbox: Sandbox) -> None:
    with pytest.raises(CapabilityError, match="does not enforce terminal"):
        create(Spec(terminal=True), backend="bubblewrap")
    with pytest.raises(CapabilityError, match="no shell"):
        sandbox.shell()


def test_nothing_in_it_is_the_hosts_root(sandbox: Sandbox) -> None:
    """Neither the program nor bwrap, which maps its own user to the one inside."""
    seen: dict[str, set[str]] = {}

    def look(running: dict[int, str]) -> None:
        seen.update({name: ids_of(pid) for pid, name in running.items() if name in ("bwrap", "sleep")})
        os.kill(pids(running, "sleep")[0], signal.SIGTERM)

    while_it_sleeps(sandbox, look)()
    assert set(seen) == {"bwrap", "sleep"}
    assert all("0" not in ids for ids in seen.values())


def test_no_process_inside_shows_the_hosts_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_TEST_SECRET", "much-to-be-hidden")
    source = """
import glob
for name in [*glob.glob("/proc/[0-9]*/environ"), *glob.glob("/proc/[0-9]*/cmdline")]:
    try:
        print(name, b"much-to-be-hidden" in open(name, "rb").read())
    except OSError as error:
        print(name, error.strerror)
"""
    backend = BubblewrapBackend(probe("bubblewrap"))
    with closing(backend), closing(backend.create(Spec())) as fresh:
        shown = fresh.exec(Python(source)).stdout.decode().splitlines()
    assert sorted(shown) == [
        "/proc/1/cmdline False",
        "/proc/1/environ Permission denied",
        "/proc/2/cmdline False",
        "/proc/2/environ False",
    ]


def test_an_exit_code_is_told_from_a_signal(sandbox: Sandbox) -> None:
    by_code, by_signal = sandbox.exec(["sh", "-c", "exit 137"]), sandbox.exec(["sh", "-c", "kill -9 $$"])
    assert (by_code.exit_code, by_code.signal) == (137, None)
    assert (by_signal.exit_code, by_signal.signal) == (None, 9)


def test_a_program_cannot_reach_its_init(sandbox: Sandbox) -> None:
    """It has the same user, and what ends it would look like a fault of ours."""
    source = """
import os, resource
for number in range(1, 65):
    try:
        os.kill(1, number)
    except OSError:
        pass
for which in range(16):
    try:
        resource.prlimit(1, which, (0, 0))
        print("limited", which)
    except PermissionError:
        pass
for name in ("mem", "environ", "maps", "fd", "ns", "cwd", "root"):
    for action in (os.listdir, open, os.readlink):
        try:
            print(name, action(f"/proc/1/{name}"))
        except OSError:
            pass
print(resource.prlimit(1, resource.RLIMIT_NOFILE) == resource.getrlimit(resource.RLIMIT_NOFILE))
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
"""
    result = sandbox.exec(Python(source))
    assert (result.exit_code, result.stdout, result.stderr) == (0, b"True\n", b"")


def test_a_program_is_given_its_streams_and_nothing_else(sandbox: Sandbox) -> None:
    assert sandbox.exec(["ls", "/proc/self/fd"]).stdout.split() == [b"0", b"1", b"2", b"3"]  # 3: the folder itself
    source = "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1], os.isatty(0)); open('/dev/tty')"
    result = sandbox.exec(Python(source))
    assert result.stdout == b"[0, 1, 2] False\n"
    assert b"/dev/tty" in result.stderr


@pytest.mark.parametrize("memory_bytes", [1 * MIB, 4 * MIB, 16 * MIB])
def test_a_small_limit_is_the_programs_and_not_the_inits(sandbox: Sandbox, memory_bytes: int) -> None:
    limits = Limits(memory_bytes=memory_bytes)
    assert sandbox.exec(["true"], limits=limits).ok
    flood = sandbox.exec(["dd", "if=/dev/zero", "of=/tmp/file", "bs=1M", "count=40"], limits=limits)
    assert flood.oom or not probe("bubblewrap").memory_tree
    assert sandbox.exec(["true"]).ok


def test_processor_time_is_the_programs(sandbox: Sandbox) -> None:
    burner = Python("while True: pass")
    ended = sandbox.exec(burner, limits=Limits(wall_s=0.5))
    assert (ended.timed_out, ended.signal) == (True, signal.SIGKILL)
    assert ended.cpu_s > 0
    used_up = sandbox.exec(burner, limits=Limits(wall_s=30, cpu_s=1))
    assert used_up.timed_out
    assert sandbox.exec(["true"]).cpu_s < used_up.cpu_s


@pytest.mark.parametrize("victim", ["bwrap", "init", "server"])
def test_whatever_is_killed_is_a_fault_of_ours_and_leaves_nothing(sandbox: Sandbox, victim: str) -> None:
    def kill(running: dict[int, str]) -> None:
        sleeper = pids(running, "sleep")[0]
        above = [pid for pid in running if f" {sleeper} " in f" {children(pid)} "]
        bwrap = pids(running, "bwrap")[0]
        server = next(pid for pid in running if str(bwrap) in children(pid).split())
        os.kill({"bwrap": bwrap, "init": above[0], "server": server}[victim], signal.SIGKILL)

    result = while_it_sleeps(sandbox, kill)()
    assert isinstance(result, InfraError)
    assert result.retryable
    assert eventually(lambda: not {"sleep", "bwrap"} & set(family().values()))
    with pytest.raises(InfraError):
        sandbox.exec(["true"])
    assert create(backend="bubblewrap").exec(["true"]).ok


def children(pid: int) -> str:
    """Return the numbers of a process's children, spaced."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return ""


def test_a_closed_backend_leaves_nothing() -> None:
    def traces() -> tuple[int, list[Path]]:
        groups = Path("/sys/fs/cgroup").glob(f"**/palestra-{os.getpid()}-*")
        return len(os.listdir("/proc/self/fd")), sorted(groups)

    backend = BubblewrapBackend(probe("bubblewrap"))
    before, processes = traces(), set(family())
    sandbox = backend.create(Spec())
    sandbox.write("file", b"data")
    sandbox.exec(["sh", "-c", "setsid sleep 60 & sleep 60"], limits=Limits(wall_s=0.3))
    sandbox.fork()
    backend.close()
    assert eventually(lambda: set(family()) <= processes)
    assert traces() == before
