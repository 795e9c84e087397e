"""What native sandboxes leave behind (nothing), and what happens when something dies."""

import contextlib
import gc
import glob
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import create, probe
from palestra.sandbox.base import CapabilityError, InfraError, Limits, PermanentInfraError, Python, Sandbox, Spec
from palestra.sandbox.native.backend import NativeBackend, NativeSandbox
from palestra.sandbox.native.cgroups import find_hierarchy

HELLO = Python("print('hello')")


def descendants(pid: int) -> set[int]:
    """Return every process below one, those in other namespaces too."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, left = set(), [pid]
    while left:
        for child in children.get(left.pop(), []):
            found.add(child)
            left.append(child)
    return found


def groups(pid: int) -> list[str]:
    """Return the control groups that a process has made."""
    return glob.glob(f"/sys/fs/cgroup/**/palestra-{pid}-*", recursive=True)  # others come and go meanwhile


def eventually(claim: Callable[[], bool]) -> bool:
    """Wait, generously, for something that must become true."""
    for _ in range(400):
        if claim():
            return True
        time.sleep(0.025)
    return False


def once_running(command: str, action: Callable[[], object]) -> threading.Thread:
    """Do something, in a thread, as soon as a program of a sandbox has become a command."""

    def is_running() -> bool:
        names = []
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                names.append(Path(f"/proc/{pid}/comm").read_text().strip())
        return command in names

    thread = threading.Thread(target=lambda: eventually(is_running) and action())
    thread.start()
    return thread


@pytest.fixture
def own_backend() -> NativeBackend:
    """A backend whose slots nobody else uses."""
    return NativeBackend(probe())


def use_and_close(backend: NativeBackend) -> None:
    """Do all that could leave something, and end the backend before the last sandbox is closed."""
    first, second = backend.create(Spec()), backend.create(Spec())
    first.write("x", b"1")
    second.exec(["sh", "-c", "sleep 100 & exit 0"])
    second.exec(Python("x = bytearray(b'x') * 10**9"), limits=Limits(memory_bytes=30 << 20))
    twin = first.fork()
    first.close()
    second.close()
    assert twin.read("x") == b"1"
    backend.close()
    with pytest.raises(InfraError):
        twin.exec(HELLO)


def test_nothing_is_left_behind(own_backend: NativeBackend) -> None:
    processes, files = descendants(os.getpid()), set(os.listdir("/proc/self/fd"))
    before = groups(os.getpid())
    for _ in range(2):
        use_and_close(own_backend)
    gc.collect()
    assert descendants(os.getpid()) <= processes
    assert set(os.listdir("/proc/self/fd")) <= files
    assert groups(os.getpid()) == before


def test_many_programs_leak_nothing(own_backend: NativeBackend) -> None:
    with closing(own_backend.create(Spec())) as sandbox:
        sandbox.write("x", b"")
        sandbox.exec(HELLO)
        counts = []
        for _ in range(2):
            for _ in range(25):
                sandbox.exec(HELLO)
                sandbox.exec(["no-such-command"])
                sandbox.read("x")
            slots = descendants(os.getpid())
            counts.append(
                (len(os.listdir("/proc/self/fd")), len(slots), sum(len(os.listdir(f"/proc/{p}/fd")) for p in slots))
            )
        assert counts[0] == counts[1]
    own_backend.close()


_ENDS = """
import os, signal, sys
from palestra.sandbox import create
from palestra.sandbox.base import Python
used, idle = create(), create()
idle.close()
used.exec(Python("print('hello')"))
print(os.getpid(), flush=True)
{end}
"""


@pytest.mark.parametrize(
    "end",
    ["", "os.kill(os.getpid(), signal.SIGKILL)", "used.exec(['sleep', '100'])"],
)
def test_nothing_outlives_the_host_process(end: str) -> None:
    command = [sys.executable, "-c", _ENDS.format(end=end)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, text=True) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        below = descendants(pid)
        if "sleep" in end:
            assert eventually(lambda: len(descendants(pid)) > 4), "two slots of two processes, and the program"
            below = descendants(pid)
            host.kill()
    assert eventually(lambda: not any(Path(f"/proc/{process}").exists() for process in below)), below
    assert eventually(lambda: not groups(pid)), groups(pid)


@pytest.mark.parametrize("victim", ["launcher", "fork-server"])
def test_a_dead_slot_is_a_fault_and_is_replaced(own_backend: NativeBackend, victim: str) -> None:
    before = descendants(os.getpid())
    sandbox = own_backend.create(Spec())
    launcher, server = sorted(descendants(os.getpid()) - before)[:2]
    os.kill(launcher if victim == "launcher" else server, signal.SIGKILL)
    with pytest.raises(InfraError) as caught:
        sandbox.exec(HELLO)
    assert caught.value.retryable
    pickle.loads(pickle.dumps(caught.value))
    with pytest.raises(InfraError, match="create another"):
        sandbox.write("x", b"")
    sandbox.close()
    with closing(own_backend.create(Spec())) as again:
        assert again.exec(HELLO).stdout == b"hello\n"
    own_backend.close()
    assert eventually(lambda: descendants(os.getpid()) <= before)


def test_a_slot_that_dies_during_a_program_is_a_fault(own_backend: NativeBackend) -> None:
    before = descendants(os.getpid())
    sandbox = own_backend.create(Spec())
    server = sorted(descendants(os.getpid()) - before)[1]
    killer = once_running("sleep", lambda: os.kill(server, signal.SIGKILL))
    with pytest.raises(InfraError):
        sandbox.exec(["sleep", "60"], limits=Limits(wall_s=120))
    killer.join()
    own_backend.close()


def test_a_slot_that_dies_while_idle_is_replaced_unnoticed(own_backend: NativeBackend) -> None:
    before = descendants(os.getpid())
    own_backend.create(Spec()).close()
    for pid in descendants(os.getpid()) - before:
        os.kill(pid, signal.SIGKILL)
    with closing(own_backend.create(Spec())) as sandbox:
        assert sandbox.exec(HELLO).stdout == b"hello\n"
    own_backend.close()


def test_a_killed_file_server_is_a_fault(own_backend: NativeBackend) -> None:
    before = descendants(os.getpid())
    sandbox = own_backend.create(Spec())
    sandbox.write("x", b"1")
    for pid in sorted(descendants(os.getpid()) - before)[2:]:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(InfraError):
        sandbox.read("x")
    own_backend.close()


def test_slots_are_used_again_and_wiped(own_backend: NativeBackend) -> None:
    own_backend.create(Spec()).close()
    before = descendants(os.getpid())
    for number in range(5):
        with closing(own_backend.create(Spec())) as sandbox:
            assert sandbox.exec(["ls", "-A"]).stdout == b""
            sandbox.write(f"file{number}", b"x")
            sandbox.exec(["sh", "-c", "chmod 000 . ; true"])
    assert len(descendants(os.getpid())) <= len(before) + 1, "one file server more"
    own_backend.close()


def test_a_forgotten_sandbox_is_given_back(own_backend: NativeBackend) -> None:
    sandbox = own_backend.create(Spec())
    sandbox.write("x", b"1")
    before = descendants(os.getpid())
    del sandbox
    gc.collect()
    with closing(own_backend.create(Spec())) as sandbox:
        assert sandbox.exec(["ls", "-A"]).stdout == b""
        assert descendants(os.getpid()) == before
    own_backend.close()


def test_sandboxes_work_in_threads(own_backend: NativeBackend) -> None:
    def work(number: int) -> bool:
        with closing(own_backend.create(Spec())) as sandbox:
            sandbox.write("number", str(number).encode())
            outputs = [
                sandbox.exec(Python("print(open('number').read(), input())"), stdin=b"%d\n" % i) for i in range(4)
            ]
            return [result.stdout for result in outputs] == [b"%d %d\n" % (number, i) for i in range(4)]

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(12)))
    own_backend.close()


def test_a_slot_outlives_the_thread_that_started_it(own_backend: NativeBackend) -> None:
    made: list[Sandbox] = []
    thread = threading.Thread(target=lambda: made.append(own_backend.create(Spec())))
    thread.start()
    thread.join()
    time.sleep(0.1)
    assert made[0].exec(HELLO).stdout == b"hello\n"
    own_backend.close()


def test_one_sandbox_serves_one_thread_at_a_time(native: NativeSandbox) -> None:
    refused: list[str] = []

    def intrude() -> None:
        try:
            native.exec(HELLO)
        except InfraError as error:
            refused.append(str(error))

    intruder = once_running("sleep", intrude)
    assert native.exec(["sleep", "1"], limits=Limits(wall_s=60)).ok
    intruder.join()
    assert refused
    assert "another thread" in refused[0]
    assert native.exec(HELLO).stdout == b"hello\n"


def test_a_forked_process_gets_slots_of_its_own(own_backend: NativeBackend) -> None:
    sandbox = own_backend.create(Spec())
    sandbox.write("x", b"parent's")
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        outcome = b"none"
        try:
            try:
                sandbox.exec(HELLO)
            except InfraError as error:
                outcome = b"refused " if "forked" in str(error) else str(error).encode()
            with closing(own_backend.create(Spec())) as other:
                outcome += other.exec(HELLO).stdout
            own_backend.close()
        finally:
            os.write(tell, outcome)
            os._exit(0)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        assert pipe.read() == b"refused hello\n"
    os.waitpid(child, 0)
    assert sandbox.read("x") == b"parent's"
    own_backend.close()


def test_an_interrupt_ends_the_slot_and_not_the_protocol(own_backend: NativeBackend) -> None:
    sandbox = own_backend.create(Spec())
    interrupter = once_running("sleep", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        sandbox.exec(["sleep", "60"], limits=Limits(wall_s=120))
    interrupter.join()
    with pytest.raises(InfraError):
        sandbox.exec(HELLO)
    own_backend.close()


def test_preloaded_modules_are_there(own_backend: NativeBackend) -> None:
    with closing(own_backend.create(Spec(preload=("decimal", "xml.dom.minidom")))) as sandbox:
        shown = sandbox.exec(Python("import sys; print('decimal' in sys.modules, 'xml.dom.minidom' in sys.modules)"))
        assert shown.stdout == b"True True\n"
    own_backend.close()


def test_a_preload_that_fails_says_why(own_backend: NativeBackend) -> None:
    with pytest.raises(PermanentInfraError, match="ModuleNotFoundError"):
        own_backend.create(Spec(preload=("no_such_module_here",)))
    with pytest.raises(ValueError, match="'this is none'"):
        own_backend.create(Spec(preload=("this is none",)))
    own_backend.close()


def test_third_party_modules_are_there_only_when_asked_for(own_backend: NativeBackend) -> None:
    use = Python("import numpy; print(numpy.arange(3).sum())")
    with closing(own_backend.create(Spec(preload=("numpy",)))) as sandbox:
        assert sandbox.exec(use).stdout == b"3\n"
    with closing(own_backend.create(Spec())) as sandbox:
        assert b"ModuleNotFoundError" in sandbox.exec(use).stderr
        assert b"ModuleNotFoundError" in sandbox.exec(["python3", "-c", use.source]).stderr
    own_backend.close()


def test_needs_are_checked_before_anything_is_handed_out() -> None:
    with pytest.raises(CapabilityError, match="does not enforce process_snapshot"):
        create(Spec(needs=frozenset({"process_snapshot", "network_off"})))
    with pytest.raises(ValueError, match="unknown capability"):
        create(Spec(needs=frozenset({"netwrok_off"})))


def test_the_canary_proves_what_this_machine_can_do() -> None:
    proven = probe()
    assert (
        proven.missing(
            frozenset(
                {
                    "network_off",
                    "read_only_root",
                    "process_count",
                    "pid_hidden",
                    "socket_families",
                    "syscall_filter",
                    "snapshot",
                    "fork",
                }
            )
        )
        == []
    )
    can_count = find_hierarchy(Path("/proc/self/mountinfo").read_text(), os.geteuid() == 0) is not None
    assert proven.memory_tree == can_count
