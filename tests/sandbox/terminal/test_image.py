"""Root file systems of one's own: as a machine to work in, and under programs that may only read it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import MIB, CapabilityError, InfraError, Limits, SandboxFileError, Spec
from palestra.sandbox.native import backend as module
from palestra.sandbox.native.backend import NativeBackend

LIMITS = Limits(wall_s=10.0, memory_bytes=128 * MIB, processes=24, disk_bytes=16 * MIB)
PROGRAMS = ("sh", "cat", "ls", "id", "rm", "touch", "sleep", "chmod", "chown", "stat")
AGENT = "root:x:0:0::/root:/bin/sh\nagent:x:1000:1000::/tmp:/bin/sh\n"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no user ids to give to programs")


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root file system with a few programs of this machine, known as "small"."""
    root = tmp_path / "root"
    for name in ("bin", "etc", "root", "var"):
        (root / name).mkdir(parents=True)
    for program in PROGRAMS:
        path = shutil.which(program)
        assert path is not None
        shutil.copy(path, root / "bin" / program)
        for word in subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout.split():
            if word.startswith("/"):
                (root / word.strip("/")).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, root / word.strip("/"))
    (root / "etc" / "passwd").write_text(AGENT)
    (root / "etc" / "secret").write_text("only root reads this\n")
    (root / "etc" / "secret").chmod(0o600)
    monkeypatch.setattr(module, "image_folder", lambda name: {"small": root}[name])
    return root


@pytest.fixture
def backend() -> Iterator[NativeBackend]:
    """A backend that has not seen another image of the name."""
    made = NativeBackend(proven=create().capabilities)
    yield made
    made.close()


def test_an_image_is_a_machine_to_work_in(backend: NativeBackend, image: Path) -> None:
    with closing(backend.create_unproven(Spec(terminal=True, image="small", limits=LIMITS))) as box:
        shell = box.shell()
        assert shell.run("id -u; cat /etc/secret; ls /usr /bin/sh").output.startswith(b"0\nonly root reads this\n")
        shell.run("rm /bin/id; echo changed > /etc/passwd; cd /var; x=1; alias l='echo l'")
        before = box.snapshot()
        assert shell.run("ls /bin/id; echo $x; cat /etc/passwd; l").output.split()[-3:] == [b"1", b"changed", b"l"]
        box.write("/new", b"1")
        box.restore(before)
        with pytest.raises(SandboxFileError, match="No such file"):
            box.read("/new")
        with closing(box.fork()) as twin:
            assert twin.read("/etc/passwd") == b"changed\n"
    assert (image / "etc" / "passwd").read_text() == AGENT
    assert (image / "bin" / "id").exists()
    assert not (image / "var" / "new").exists()


def test_programs_on_an_image_write_to_the_workspace_alone(backend: NativeBackend, image: Path) -> None:
    with closing(backend.create_unproven(Spec(image="small", limits=LIMITS))) as box:
        ran = box.exec(
            ["sh", "-c", "id -u; echo kept > f; echo gone > /tmp/f; echo $HOME; sleep 100 & cat /etc/secret"]
        )
        assert ran.stdout == b"1000\n/tmp\n"
        assert b"Permission denied" in ran.stderr
        for place in ("/", "/bin", "/etc", "/var", "/root", "/dev"):
            assert not box.exec(["touch", f"{place}/new"]).ok, place
        assert box.exec(["sh", "-c", "ls /tmp; cat f; cat /proc/[0-9]*/cmdline"]).stdout.startswith(b"kept\n")
        assert b"sleep" not in box.exec(["sh", "-c", "cat /proc/[0-9]*/cmdline"]).stdout
        box.write("folder/file", b"\x00data")
        before = box.snapshot()
        assert box.exec(["sh", "-c", "stat -c %u folder/file; rm -r folder"]).stdout == b"1000\n"
        box.restore(before)
        assert box.read("/workspace/folder/file") == b"\x00data"
        for path in ("/etc/passwd", "/new", "../etc/passwd"):
            with pytest.raises(SandboxFileError, match="outside"):
                box.read(path)
        with pytest.raises(CapabilityError, match="terminal=True"):
            box.shell()


def test_a_workspace_that_was_shut_is_no_fault(backend: NativeBackend, image: Path) -> None:
    with closing(backend.create_unproven(Spec(image="small", limits=LIMITS))) as box:
        assert box.exec(["chmod", "0", "."]).ok
        assert box.exec(["ls"]).exit_code not in (0, None)
        assert box.exec(["sh", "-c", "chmod 700 /workspace; echo $PWD"]).stdout == b"/workspace\n"


def test_a_machine_on_an_image_ends_with_its_nursery(backend: NativeBackend, image: Path) -> None:
    with closing(backend.create_unproven(Spec(image="small", limits=LIMITS))) as box:
        box.write("file", b"x")  # as the programs' user
        nursery = backend._nursery._process
        assert nursery is not None
        nursery.kill()
        with pytest.raises(InfraError, match="create another"):
            box.exec(["sleep", "5"])


def test_snapshots_do_not_go_from_one_image_to_another(backend: NativeBackend, image: Path) -> None:
    with (
        closing(backend.create_unproven(Spec(terminal=True, image="small", limits=LIMITS))) as box,
        closing(backend.create_unproven(Spec(terminal=True, limits=LIMITS))) as other,
        pytest.raises(SandboxFileError, match="image 'small'"),
    ):
        other.restore(box.snapshot())


def test_an_image_that_is_not_there_says_what_to_do(backend: NativeBackend) -> None:
    with pytest.raises((InfraError, LookupError), match="no-such-image"):
        backend.create_unproven(Spec(terminal=True, image="no-such-image"))
