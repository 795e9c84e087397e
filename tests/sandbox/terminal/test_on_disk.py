"""Terminals whose layers lie in a folder of a disk: the same laws, and nothing is left there."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import probe
from palestra.sandbox.base import MIB, Backend, InfraError, Limits, Spec
from palestra.sandbox.conformance import TerminalConformance
from palestra.sandbox.conformance.case import Create, eventually
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.native.terminal.removal import remove_tree

SPEC = Spec(terminal=True, limits=Limits(wall_s=20.0, memory_bytes=128 * MIB, processes=24, disk_bytes=16 * MIB))
FILL = "for n in 1 2 3; do head -c 10000000 /dev/zero > /srv/fill$n || exit 1; done"
SPOIL = "mkdir -p $(yes d | head -300 | tr '\\n' '/'); mkdir shut; touch shut/in; chmod 000 shut d; ln -s / root"


def disk() -> str:
    """Return a folder for temporary files that lies on no overlay: that could hold no layers."""
    for folder in (tempfile.gettempdir(), "/var/tmp", "/dev/shm"):
        kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True).stdout.strip()
        if kind and kind != "overlayfs":
            return folder
    raise AssertionError("no folder here can hold layers")


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for layers, which the test must leave empty."""
    folder = Path(tempfile.mkdtemp(prefix="palestra-test-", dir=disk()))
    try:
        yield folder
        assert list(folder.iterdir()) == []
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def backend(scratch: Path) -> Iterator[NativeBackend]:
    """A backend that has its layers there."""
    made = NativeBackend(proven=probe(), scratch=scratch)
    yield made
    made.close()


def layers(scratch: Path) -> list[str]:
    return sorted(str(path.relative_to(scratch)) for path in scratch.glob("palestra-*/*/*"))


@pytest.mark.slow
class TestNativeTerminalOnDisk(TerminalConformance):
    """All that terminals promise, except that the disk is as large as it is."""

    def make_backend(self) -> Backend:
        folder = tempfile.TemporaryDirectory(prefix="palestra-test-", dir=disk())
        backend = NativeBackend(scratch=Path(folder.name))
        backend.folder = folder  # type: ignore[attr-defined] # so that it goes with the backend
        return backend

    def test_a_disk_bomb_stops_at_the_limit(self, backend: Backend, create: Create) -> None:
        """Only a quota could stop it; one file cannot grow beyond its limit here either."""
        sandbox = create(limits=Limits(disk_bytes=8 * MIB, file_bytes=16 * MIB))
        assert sandbox.exec(["sh", "-c", FILL]).ok
        assert not sandbox.exec(["sh", "-c", "head -c 20000000 /dev/zero > /srv/more"]).ok


def test_there_is_room_for_more_than_memory_may_hold(backend: NativeBackend, scratch: Path) -> None:
    with closing(backend.create(SPEC)) as box:
        assert box.exec(["sh", "-c", FILL + "; cat /srv/fill* > /srv/all"]).ok
        saved = box.snapshot()
        with closing(box.fork()) as twin:
            box.exec(["rm", "/srv/all"])
            twin.shell().run("cd /srv; echo twin > fill1")
            box.restore(saved)
            assert box.exec(["sh", "-c", "wc -c < /srv/all; wc -c < /srv/fill1"]).stdout == b"30000000\n10000000\n"
            assert twin.shell().run("cat fill1; pwd").output == b"twin\n/srv\n"
        assert len(layers(scratch)) >= 2
        assert all(path.stat().st_mode & 0o77 == 0 for path in scratch.glob("palestra-*/*"))


def test_nothing_is_kept_that_nobody_wants(backend: NativeBackend, scratch: Path) -> None:
    box = backend.create(SPEC)
    box.write("kept", b"1")
    first = box.snapshot()
    assert eventually(lambda: len(layers(scratch)) == 1)
    for _ in range(3):
        box.exec(["sh", "-c", SPOIL])
        box.restore(first)
    assert eventually(lambda: len(layers(scratch)) == 1)
    box.exec(["sh", "-c", SPOIL])
    second = box.snapshot()
    box.restore(first)
    assert eventually(lambda: len(layers(scratch)) == 2)
    box.close()
    with closing(backend.create(SPEC)) as other:
        other.restore(second)
        assert other.exec(["ls"]).stdout == b"d\nkept\nroot\nshut\n"
    del second
    assert eventually(lambda: len(layers(scratch)) == 1)
    del first, box, other
    assert eventually(lambda: list(scratch.glob("palestra-*/*")) == [])


def test_deep_stacks_are_joined_on_a_disk_too(backend: NativeBackend, scratch: Path) -> None:
    with closing(backend.create(SPEC)) as box:
        saved = []
        for number in range(40):
            box.write("n", b"%d" % number)
            saved = [box.snapshot()]
        assert box.read("n") == b"39"
        assert len(saved[0].digest) == 64
        assert eventually(lambda: len(layers(scratch)) <= 26)


def test_snapshots_go_from_memory_to_a_disk_and_back(backend: NativeBackend) -> None:
    memory = NativeBackend(proven=probe())
    with closing(memory), closing(memory.create(SPEC)) as box, closing(backend.create(SPEC)) as other:
        box.shell().run("cd /srv; x=1; echo from memory > f")
        other.restore(box.snapshot())
        assert other.shell().run("echo $x; pwd; cat f; echo and a disk >> f").output == b"1\n/srv\nfrom memory\n"
        box.restore(other.snapshot())
        assert box.shell().run("cat f").output == b"from memory\nand a disk\n"


def test_a_snapshot_of_a_closed_backend_is_a_fault(backend: NativeBackend) -> None:
    box = backend.create(SPEC)
    box.write("file", b"x")
    saved = box.snapshot()
    backend.close()
    with closing(backend.create(SPEC)) as other, pytest.raises(InfraError, match="create another"):
        other.restore(saved)
    with closing(backend.create(SPEC)) as other:
        assert other.exec(["true"]).ok


HOST = """
import sys, time
from pathlib import Path
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.base import Capabilities, Spec
backend = NativeBackend(proven=Capabilities(terminal=True), scratch=Path(sys.argv[1]))
box = backend.create(Spec(terminal=True))
box.write("file", b"x")
saved = box.snapshot()
box.shell().run("setsid sleep 1000 & echo y > other")
print(backend._nursery._process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("with_nursery", [False, True], ids=["the host", "the host and the nursery"])
def test_a_killed_host_leaves_nothing(scratch: Path, with_nursery: bool) -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST, str(scratch)], stdout=subprocess.PIPE)
    assert host.stdout is not None
    nursery = int(host.stdout.readline())
    assert len(layers(scratch)) >= 2
    NativeBackend(proven=probe(), scratch=scratch).close()
    assert len(layers(scratch)) >= 2, "what is in use stays"
    if with_nursery:
        os.kill(nursery, signal.SIGSTOP)
    host.kill()
    host.wait()
    host.stdout.close()
    if with_nursery:
        os.kill(nursery, signal.SIGKILL)
        for folder in scratch.iterdir():
            os.utime(folder, (1, 1))
        assert eventually(lambda: not Path(f"/proc/{nursery}").exists())
        NativeBackend(proven=probe(), scratch=scratch).close()
    assert eventually(lambda: list(scratch.iterdir()) == [])


def test_a_forked_process_leaves_its_parents_layers_alone(backend: NativeBackend) -> None:
    with closing(backend.create(SPEC)) as box:
        box.write("file", b"x")
        saved = box.snapshot()
        pid = os.fork()
        if pid == 0:
            del saved, box
            backend.close()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        box.restore(saved)
        assert box.read("file") == b"x"


def test_the_folder_is_chosen_by_the_environment(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_SCRATCH", str(scratch))
    with closing(NativeBackend(proven=probe())) as backend, closing(backend.create(SPEC)) as box:
        box.write("file", b"x")
        assert len(layers(scratch)) == 1
    monkeypatch.setenv("PALESTRA_SCRATCH", str(scratch / "missing"))
    with pytest.raises(ValueError, match=r"PALESTRA_SCRATCH.* must be a folder that this user may write to"):
        NativeBackend(proven=probe())


def test_removing_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    doomed = tmp_path / "doomed"
    (doomed / "a" / "b").mkdir(parents=True)
    deep = "mkdir -p $(yes d | head -1500 | tr '\\n' '/'); touch d/d/f; mkdir shut; touch shut/in; chmod 0 shut d/d d"
    subprocess.run(["sh", "-c", deep], cwd=doomed, check=True)
    (doomed / "a" / "b" / "link").symlink_to(tmp_path / "outside")
    (doomed / "link").symlink_to(tmp_path / "outside")
    remove_tree(doomed)
    remove_tree(doomed)
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (tmp_path / "outside" / "kept").exists()
