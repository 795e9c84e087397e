"""What is particular to terminals under gVisor: faults, limits, and what a snapshot is bound to."""

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from palestra.sandbox.base import (
    MIB,
    Capabilities,
    CapabilityError,
    InfraError,
    Limits,
    Python,
    Sandbox,
    SandboxFileError,
    SavedSnapshot,
    Spec,
)
from palestra.sandbox.conformance.case import descendants, eventually
from palestra.sandbox.gvisor import backend as gvisor_backend
from palestra.sandbox.gvisor.backend import GvisorBackend
from palestra.sandbox.gvisor.bundle import find_runsc

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "CI" not in os.environ and (find_runsc() is None or os.geteuid() != 0),
        reason="needs root and runsc, which CI installs",
    ),
]

PROVEN = Capabilities(terminal=True, process_snapshot=True, snapshot=True, fork=True)
SPEC = Spec(terminal=True, limits=Limits(wall_s=20.0, memory_bytes=96 * MIB, disk_bytes=8 * MIB))
Make = Callable[[], Sandbox]


@pytest.fixture(scope="module")
def backend() -> Iterator[GvisorBackend]:
    """A backend that nobody else uses."""
    made = GvisorBackend(PROVEN)
    yield made
    made.close()


@pytest.fixture
def make(backend: GvisorBackend) -> Iterator[Make]:
    """A function that makes sandboxes; each is closed after the test."""
    with contextlib.ExitStack() as made:
        yield lambda: made.enter_context(contextlib.closing(backend.create(SPEC)))


def words_of(pid: int) -> list[str]:
    """Return the words of a process; none of one that has ended, or of gVisor's stubs."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return []


def groups(pid: int) -> set[str]:
    folders = Path("/sys/fs/cgroup")
    return {str(path) for kind in ("", "*/") for path in folders.glob(f"{kind}palestra-{pid}-*")}


def traces() -> tuple[int, set[int], set[str]]:
    gc.collect()
    return len(os.listdir("/proc/self/fd")), descendants(os.getpid()), groups(os.getpid())


PARTS: dict[str, Callable[[list[str]], bool]] = {
    "gVisor's kernel": lambda words: "boot" in words,
    "gVisor's file server": lambda words: "gofer" in words,
    "runsc": lambda words: "run" in words,
    "the relay": lambda words: "/opt/palestra" in words,  # the younger of two: it is the server's child
    "the watcher": lambda words: any(word.endswith("watcher.py") for word in words),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_told_at_once_and_leaves_nothing(make: Make, part: str) -> None:
    before = traces()
    sandbox = make()
    shell = sandbox.shell()
    shell.run("sleep 1000 &")
    found = [pid for pid in sorted(descendants(os.getpid()) - before[1]) if PARTS[part](words_of(pid))]
    assert found
    os.kill(found[-1], signal.SIGKILL)
    time.sleep(1.0)  # in which it is found out
    with pytest.raises(InfraError) as caught:
        shell.run("true")
    assert caught.value.retryable
    with pytest.raises(InfraError):
        sandbox.snapshot()
    sandbox.close()
    assert eventually(lambda: traces() == before), (before, traces())


def test_a_killed_owner_leaves_nothing() -> None:
    source = f"""
import os, time
from palestra.sandbox.base import *
from palestra.sandbox.conformance.case import descendants
from palestra.sandbox.gvisor.backend import GvisorBackend
sandbox = GvisorBackend({PROVEN!r}).create({SPEC!r})
sandbox.shell().run("sleep 1000 &")
twin = sandbox.fork()
print(*descendants(os.getpid()), flush=True)
time.sleep(1000)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    owner = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, env=environment)
    assert owner.stdout is not None
    with owner, owner.stdout:
        parts = [int(word) for word in owner.stdout.readline().split()]
        owner.kill()
    assert len(parts) > 8
    assert eventually(lambda: not any(words_of(pid) for pid in parts))
    assert eventually(lambda: not groups(owner.pid))


def test_an_older_runsc_is_told_to_be_replaced(backend: GvisorBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gvisor_backend, "platform", lambda runsc: "ptrace")
    with pytest.raises(CapabilityError, match="install a newer one: apt-get install runsc"):
        backend.create(SPEC)


def test_what_ends_everything_in_the_machine_ends_no_more(make: Make) -> None:
    """The machine's first process can be killed in it, and all that runs goes with that; the files stay."""
    sandbox = make()
    sandbox.shell().run("echo kept >/opt/kept; sleep 1000 &")
    for _ in range(2):
        sandbox.exec(["sh", "-c", "kill -9 1; kill -9 -1"])
        assert sandbox.exec(["cat", "/opt/kept"]).stdout == b"kept\n"
        assert sandbox.shell().run("jobs; cat /opt/kept").output == b"kept\n"
    with contextlib.closing(sandbox.fork()) as twin:
        assert twin.shell().run("cat /opt/kept").output == b"kept\n"


def test_a_full_disk_is_the_programs_and_a_snapshot_is_made_of_it(make: Make) -> None:
    sandbox = make()
    shell = sandbox.shell()
    result = shell.run("head -c 100M /dev/zero >/var/full")
    assert b"No space" in result.output
    with pytest.raises(SandboxFileError):
        sandbox.write("/var/more", b"x" * (2 * MIB))
    with contextlib.closing(sandbox.fork()) as twin:
        assert twin.shell().run("rm /var/full; echo x >/var/small; cat /var/small").output == b"x\n"
        assert sandbox.exec(["test", "-s", "/var/full"]).ok


def test_the_largest_process_is_ended_for_want_of_memory_and_the_rest_goes_on(make: Make) -> None:
    sandbox = make()
    shell = sandbox.shell()
    child = "block = bytearray(b'x') * (40 << 20); os.kill(os.getpid(), 19)"
    hold = f"import os\nfor _ in range(6):\n    if os.fork() == 0: {child}"
    ended = Python(hold + "\nraise SystemExit(sum(os.WTERMSIG(os.waitpid(-1, 2)[1] & 127) == 9 for _ in range(6)) > 0)")
    assert sandbox.exec(ended).oom
    sandbox.write("/opt/hold.py", (hold + "\nimport time; time.sleep(2)").encode())
    shell.run("was=here; python3 /opt/hold.py; sleep 0.5", timeout_s=60.0)
    assert shell.run("echo $was").output == b"here\n"
    alive = sandbox.exec(["sh", "-c", "cat /proc/*/statm 2>/dev/null | awk '{ held += $2 } END { print held * 4096 }'"])
    assert 0 < int(alive.stdout) < 200 * MIB


def test_a_snapshot_is_bound_to_what_made_it(backend: GvisorBackend, make: Make) -> None:
    sandbox = make()
    sandbox.write("/opt/kept", b"1")
    snapshot = sandbox.snapshot()
    head, _, image = snapshot.data.partition(b"\n")
    other = json.dumps(json.loads(head) | {"release": "runsc version of tomorrow"}).encode() + b"\n" + image
    with pytest.raises(SandboxFileError, match="of tomorrow"):
        sandbox.restore(SavedSnapshot(other, snapshot.digest))
    small = Spec(terminal=True, limits=Limits(disk_bytes=MIB))
    with contextlib.closing(backend.create(small)) as tight, pytest.raises(SandboxFileError, match="limit 1048576"):
        tight.restore(snapshot)
    assert sandbox.read("/opt/kept") == b"1"


def test_what_is_not_written_anew_counts_for_nothing_in_the_digest(make: Make) -> None:
    sandbox = make()
    empty = sandbox.snapshot().digest
    sandbox.exec(["sh", "-c", "mkdir -p /opt/a/b; echo x >/opt/a/b/c; touch /usr/bin/env; chmod 600 /usr/bin/tail"])
    changed = sandbox.snapshot().digest
    sandbox.exec(["sh", "-c", "rm -r /opt/a; chmod 755 /usr/bin/tail"])
    assert sandbox.snapshot().digest == empty != changed
    sandbox.exec(["rm", "/usr/bin/tail"])
    assert sandbox.snapshot().digest not in (empty, changed)


def test_keys_that_nobody_reads_hold_nobody_up(make: Make) -> None:
    sandbox = make()
    shell = sandbox.shell()
    shell.run("sleep 2", timeout_s=0.2)
    shell.send(b"x" * 300_000)
    assert sandbox.exec(["echo", "works"]).stdout == b"works\n"
    shell.send(b"\x03")
    shell.wait(timeout_s=30.0)
    with contextlib.closing(sandbox.fork()) as twin:
        assert twin.exec(["echo", "works"]).stdout == b"works\n"


def test_a_flood_that_nobody_reads_is_no_obstacle(make: Make) -> None:
    sandbox = make()
    sandbox.shell().run("yes", timeout_s=0.1)
    time.sleep(1.0)  # in which every buffer on its way fills up
    with contextlib.closing(sandbox.fork()) as twin:
        for each in (twin, sandbox):
            each.shell().send(b"\x03")
            assert each.shell().wait(timeout_s=60.0).exit_code == 130
            assert each.shell().run("echo calm").output.endswith(b"calm\n")


def test_a_shell_that_closes_its_terminal_costs_nothing_and_loses_nobody(make: Make) -> None:
    sandbox = make()
    sandbox.shell().run("exec 0</dev/null 1>/dev/null 2>&1", timeout_s=2.0)
    assert sandbox.exec(["echo", "works"]).stdout == b"works\n"
    assert sandbox.shell().run("echo x").exit_code is not None
    with contextlib.closing(sandbox.fork()) as twin:
        assert twin.exec(["echo", "works"]).stdout == b"works\n"


def test_a_closed_backend_has_no_machine_left() -> None:
    backend = GvisorBackend(PROVEN)
    sandbox = backend.create(SPEC)
    before = descendants(os.getpid())
    backend.close()
    assert len(descendants(os.getpid())) < len(before)
    with pytest.raises(InfraError, match="closed"):
        sandbox.exec(["true"])
