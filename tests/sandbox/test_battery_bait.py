"""The battery's attempts reach what they go for where nothing holds them back, and leave nothing on the host."""

import ctypes
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import Capabilities, InfraError, PermanentInfraError, Python, Sandbox, Spec
from palestra.sandbox.battery.attempt import ITEMS
from palestra.sandbox.battery.host import items_of, set_out_bait, try_items, users_outside
from palestra.sandbox.canary import examine
from palestra.sandbox.conformance.case import eventually
from palestra.sandbox.process import ProcessBackend

REACHED_BY_ANY_PROCESS = {
    *("no_host_loopback", "no_host_unix_socket", "no_foreign_process", "no_signal_outside", "no_host_messages"),
    *("no_host_file", "no_host_environment", "no_capability"),
}


@pytest.fixture(scope="module")
def unheld() -> dict[str, list[str]]:
    """What comes through in the process backend, which isolates nothing."""
    with pytest.MonkeyPatch.context() as patch, closing(create(backend="process", unsafe=True)) as sandbox:
        patch.setenv("PALESTRA_TEST_VARIABLE", "of the host")
        bystander = subprocess.Popen(["sleep", "60"])  # its environment can be read, unlike that of one's own start
        try:
            with set_out_bait() as bait:
                return try_items(sandbox, bait, items_of(terminal=False), terminal=False)
        finally:
            bystander.kill()
            bystander.wait()


@pytest.mark.parametrize("name", sorted(REACHED_BY_ANY_PROCESS))
def test_an_attempt_succeeds_where_nothing_is_held_back(unheld: dict[str, list[str]], name: str) -> None:
    assert unheld[name]
    assert not any("not tried to the end" in line for line in unheld[name])


@pytest.mark.parametrize("name", list(ITEMS))
def test_every_attempt_is_tried_to_the_end(unheld: dict[str, list[str]], name: str) -> None:
    assert not any("not tried to the end" in line for line in unheld[name]), unheld[name]


def test_the_process_backend_claims_none_of_it(unheld: dict[str, list[str]]) -> None:
    broken = {ITEMS[name].capability for name, lines in unheld.items() if lines}
    assert broken >= {"network_off", "read_only_root", "pid_hidden", "syscall_filter"}
    assert ProcessBackend().probe() == Capabilities(snapshot=True, fork=True)
    assert not broken & {name for name in Capabilities.__dataclass_fields__ if getattr(ProcessBackend().probe(), name)}


def test_the_canary_sees_through_a_backend_that_isolates_nothing() -> None:
    seen = examine(ProcessBackend().create, terminal=True)
    assert (seen.snapshot, seen.fork) == (True, True)
    for name in ("network_off", "read_only_root", "memory_tree", "pid_hidden", "syscall_filter", "terminal", "image"):
        assert not getattr(seen, name), name


def test_every_item_is_about_a_capability_and_says_what_must_be_true() -> None:
    for item in ITEMS.values():
        assert item.capability in Capabilities.__dataclass_fields__
        assert item.claim.endswith(".")
    assert len(ITEMS) >= 25


def test_setting_out_the_bait_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = os.listdir("/proc/self/fd"), Path("/proc/sysvipc/shm").read_text()
    with set_out_bait() as bait:
        assert Path(bait.file).read_text() == bait.marker
        assert Path("/proc", str(bait.pid)).exists()
        assert Path("/proc/sysvipc/shm").read_text() != before[1]
    assert (os.listdir("/proc/self/fd"), Path("/proc/sysvipc/shm").read_text()) == before
    assert not Path("/proc", str(bait.pid)).exists()
    assert not Path("/dev/shm", bait.marker).exists()
    assert not list(tmp_path.iterdir())


def test_the_hosts_variables_are_only_told_apart_by_their_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "a-secret-of-the-host")
    with set_out_bait() as bait:
        assert "a-secret-of-the-host" not in repr(bait)
        assert "API_KEY" not in repr(bait)


def test_the_users_of_a_program_are_seen_from_outside(native: Sandbox) -> None:
    with closing(create(backend="process", unsafe=True)) as sandbox:
        assert users_outside(sandbox) == {os.getuid()}
    inside = int(native.exec(["id", "-u"]).stdout)
    assert users_outside(native) != {0}
    assert inside != 0


def test_a_sandbox_that_runs_nothing_is_no_proof_of_anything() -> None:
    class Mute:
        """Says that all went well."""

        def exec(self, command: Python, **given: object) -> object:
            with closing(create(Spec(), backend="process", unsafe=True)) as sandbox:
                return sandbox.exec(["true"])

    with set_out_bait() as bait, pytest.raises(PermanentInfraError, match="cannot run the battery") as caught:
        try_items(Mute(), bait, ["no_route"], terminal=False)  # type: ignore[arg-type]
    assert isinstance(caught.value, InfraError)


def test_whoever_is_killed_with_bait_set_out_leaves_none_of_it() -> None:
    """The kernel itself would keep a queue and shared memory for good, and has room for a few of them only."""
    hold = "import time; from palestra.sandbox.battery.host import set_out_bait as s\n"
    hold += "with s() as b: print(b.pid, b.queue, b.shared_memory_key, b.file, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        pid, queue, key, file = holder.stdout.readline().split()

        def left() -> list[str]:
            files = [Path(file), Path("/dev/shm", queue[1:]), Path("/proc", pid)]
            found = [str(path) for path in files if path.exists()]
            if (opened := ctypes.CDLL(None).mq_open(queue.encode(), os.O_RDONLY)) != -1:
                os.close(opened)
                found.append(queue)
            return found + ([key] if ctypes.CDLL(None).shmget(int(key), ctypes.c_size_t(0), 0) != -1 else [])

        assert len(left()) == 5
        holder.kill()
    assert eventually(lambda: not left()), left()
