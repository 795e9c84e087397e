"""What the host does to a pool: kills, full tables, full disks, no memory. Each is a typed fault, and passes."""

import contextlib
import glob
import os
import secrets
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from palestra.sandbox import probe
from palestra.sandbox.base import InfraError, Limits, Python
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.native.cgroups import find_hierarchy
from palestra.sandbox.pool import SandboxPool

HELLO = Python("print('hello')")
LONG = Limits(wall_s=120.0)
IS_ROOT = os.geteuid() == 0


def eventually(claim: Callable[[], bool]) -> bool:
    """Wait, generously, for something that must become true."""
    for _ in range(1200):
        if claim():
            return True
        time.sleep(0.025)
    return False


def below(pid: int) -> dict[int, str]:
    """Return every process below one and its name, zombies too."""
    found: dict[int, str] = {}
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            head, _, tail = status.read_text().rpartition(")")
            parents[int(status.parent.name)] = (int(tail.split()[1]), head.partition("(")[2])
    ring = {pid}
    while ring:
        ring = {child for child, (parent, _) in parents.items() if parent in ring}
        found |= {child: parents[child][1] for child in ring}
    return found


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def groups() -> list[str]:
    """Return the control groups that this process has made."""
    return glob.glob(f"/sys/fs/cgroup/**/palestra-{os.getpid()}-*", recursive=True)


def namespace_depth(pid: int) -> int:
    """Return in how many process namespaces a process is."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(len(line.split()) - 1 for line in lines if line.startswith("NSpid:"))


def find_victim(name: str, before: dict[int, str]) -> int:
    """Return the process of the pool's only sandbox that is called so."""
    own = sorted(pid for pid in below(os.getpid()) if pid not in before)
    shallow = [pid for pid in own if namespace_depth(pid) == namespace_depth(os.getpid())]
    server = [pid for pid in own if namespace_depth(pid) == namespace_depth(os.getpid()) + 1]
    inner = [pid for pid in own if namespace_depth(pid) == namespace_depth(os.getpid()) + 2]
    first = [pid for pid in inner if Path(f"/proc/{pid}/status").read_text().split("NSpid:")[1].split()[2] == "1"]
    return {"launcher": shallow, "fork-server": server, "init": first}[name][0]


@pytest.fixture
def own_pool() -> Iterator[SandboxPool]:
    """A pool with one slot of its own, and a check that nothing of it is left."""
    proven = probe()
    processes, made = below(os.getpid()), groups()
    backend = NativeBackend(proven)
    with SandboxPool(backend=backend, size=1) as pool:
        yield pool
    backend.close()
    assert eventually(lambda: below(os.getpid()).keys() <= processes.keys()), below(os.getpid())
    assert eventually(lambda: groups() == made), groups()


@pytest.mark.parametrize("victim", ["launcher", "fork-server", "init"])
def test_a_kill_in_mid_program_is_a_fault_and_the_next_borrower_notices_nothing(victim: str) -> None:
    proven = probe()
    before, made = below(os.getpid()), groups()
    backend = NativeBackend(proven)
    with SandboxPool(backend=backend, size=1) as pool:
        with pool.borrow() as sandbox:
            assert sandbox.exec(HELLO).ok

            def kill() -> None:
                eventually(lambda: "sleep" in below(os.getpid()).values())
                os.kill(find_victim(victim, before), signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            with pytest.raises(InfraError, match=r"create another|again") as caught:
                sandbox.exec(["sleep", "100"], limits=LONG)
            killer.join()
            assert caught.value.retryable
        with pool.borrow() as sandbox:
            assert sandbox.exec(HELLO).stdout == b"hello\n"
            assert sandbox.exec(["ls", "-A"]).stdout == b""
        assert pool.metrics().recycled_dead == 1
    backend.close()
    assert eventually(lambda: below(os.getpid()).keys() <= before.keys()), below(os.getpid())
    assert eventually(lambda: groups() == made), groups()


@pytest.mark.parametrize("victim", ["launcher", "fork-server"])
def test_a_kill_while_idle_is_noticed_by_nobody(victim: str) -> None:
    proven = probe()
    before = below(os.getpid())
    backend = NativeBackend(proven)
    with SandboxPool(backend=backend, size=1) as pool:
        assert eventually(lambda: pool.metrics().ready == 1)
        server = find_victim("fork-server", before)
        os.kill(find_victim(victim, before), signal.SIGKILL)
        assert eventually(lambda: has_ended(server))
        with pool.borrow() as sandbox:
            assert sandbox.exec(HELLO).stdout == b"hello\n"
        assert pool.metrics().recycled_dead == 1
    backend.close()
    assert eventually(lambda: below(os.getpid()).keys() <= before.keys()), below(os.getpid())


def test_a_program_that_kills_itself_is_no_fault(own_pool: SandboxPool) -> None:
    with own_pool.borrow() as sandbox:
        for target in ("os.getpid()", "1", "-1", "0"):
            result = sandbox.exec(Python(f"import os\ntry: os.kill({target}, 9)\nfinally: os.kill(os.getpid(), 9)"))
            assert (result.signal, result.exit_code) == (9, None)


_COMMON = """
import os, resource, sys, time
from palestra.sandbox.base import InfraError, Limits, Python
from palestra.sandbox.pool import SandboxPool

HELLO = Python("print('hello')")

def outcome(pool):
    try:
        with pool.borrow(timeout_s=60) as sandbox:
            return sandbox.exec(HELLO).stdout.decode().strip()
    except InfraError as error:
        return f"{type(error).__name__}: {error}"

def until_it_works(pool):
    for _ in range(300):
        if outcome(pool) == "hello":
            return "hello"
        time.sleep(0.1)
"""


def run_child(source: str, *wrapper: str) -> list[str]:
    """Run a script in a process of its own; return its lines."""
    text = _COMMON + textwrap.dedent(source)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*wrapper, sys.executable, "-c", text]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_no_open_files_left_is_a_fault_that_passes() -> None:
    lines = run_child("""
        pool = SandboxPool(size=1)
        print(outcome(pool))
        held = resource.getrlimit(resource.RLIMIT_NOFILE)
        for spare in range(12):  # whichever of the descriptors that a program needs is missing
            lowest = os.dup(0)
            os.close(lowest)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, held[1]))
            got = outcome(pool)
            resource.setrlimit(resource.RLIMIT_NOFILE, held)
            print("hello" if got == "hello" else "told" if "ulimit -n" in got else got)
        print(until_it_works(pool))
        with pool.borrow() as sandbox:
            print(sandbox.exec(["ls", "-A"]).stdout)
        pool.close()
    """)
    assert (lines[0], lines[-2:]) == ("hello", ["hello", "b''"])
    assert set(lines[1:-2]) <= {"told", "hello"}, lines
    assert "told" in lines


@pytest.mark.skipif(not IS_ROOT, reason="only root makes a mount namespace in which native still has two user ids")
@pytest.mark.parametrize("backend", ["native", "process"])
def test_a_full_disk_is_a_fault_that_passes_or_nothing_at_all(backend: str, tmp_path: Path) -> None:
    script = f'mount -t tmpfs -o size=64k none {tmp_path} && exec "$@"'
    lines = run_child(
        f"""
        pool = SandboxPool(size=1, backend={backend!r}, unsafe=True)
        print(outcome(pool))
        with open("{tmp_path}/ballast", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        print(outcome(pool))
        os.unlink("{tmp_path}/ballast")
        print(until_it_works(pool))
        pool.close()
        print(os.listdir("{tmp_path}"))
        """,
        *("unshare", "--mount", "sh", "-c", script, "sh", "env", f"TMPDIR={tmp_path}"),
    )
    assert (lines[0], *lines[2:]) == ("hello", "hello", "[]")
    assert lines[1] == "hello" or (lines[1].startswith("InfraError") and "free some room" in lines[1])


HIERARCHY = find_hierarchy(Path("/proc/self/mountinfo").read_text(), IS_ROOT)


@pytest.mark.skipif(HIERARCHY is None, reason="without control groups nobody is told who is out of memory")
def test_a_host_out_of_memory_is_a_fault_and_no_programs_fault() -> None:
    assert HIERARCHY is not None
    folder = HIERARCHY.folders["memory"]
    parent = folder / f"test-{os.getpid()}-{secrets.token_hex(4)}"
    (parent / "host").mkdir(parents=True)
    try:
        limit = "memory.limit_in_bytes" if HIERARCHY.version == 1 else "memory.max"
        (parent / limit).write_text(str(160 << 20))
        script = f'echo $$ > {parent}/host/cgroup.procs && mount --bind {parent} {folder} && exec "$@"'
        lines = run_child(
            """
            pool = SandboxPool(size=1)
            print(outcome(pool))
            ballast = bytearray(b"x") * (80 << 20)
            big = Python("x = bytearray(b'x') * (150 << 20); print('fits')")
            with pool.borrow() as sandbox:
                try:
                    print(sandbox.exec(big, limits=Limits(memory_bytes=500 << 20)))
                except InfraError as error:
                    print(error)
            print(until_it_works(pool))
            with pool.borrow() as sandbox:
                print(sandbox.exec(big, limits=Limits(memory_bytes=20 << 20)).oom)
            pool.close()
            """,
            *("unshare", "--mount", "sh", "-c", script, "sh"),
        )
        assert lines[0] == "hello"
        assert "the host ran out of memory" in lines[1]
        assert lines[2:] == ["hello", "True"]
        assert [entry.name for entry in parent.iterdir() if entry.is_dir()] == ["host"]
    finally:
        assert eventually(lambda: not (parent / "host" / "cgroup.procs").read_text())
        (parent / "host").rmdir()
        parent.rmdir()
