"""What every backend promises about files and snapshots."""

import os
import pickle
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import Limits, Python, Sandbox, SandboxFileError, SavedSnapshot, Spec

STATE = """
import hashlib, os, stat
for folder, folders, files in sorted(os.walk(".")):
    for name in sorted(folders + files):
        path = os.path.join(folder, name)
        state = os.lstat(path)
        what = os.readlink(path) if stat.S_ISLNK(state.st_mode) else ""
        if stat.S_ISREG(state.st_mode) and os.access(path, os.R_OK):
            what = hashlib.sha256(open(path, "rb").read()).hexdigest()
        links = 0 if stat.S_ISDIR(state.st_mode) else state.st_nlink
        print(ascii(path), oct(state.st_mode), links, state.st_mtime_ns, what)
"""
VARIED = """
import os, socket
os.makedirs("a/b/c"); os.mkdir("empty")
open("a/b/file", "wb").write(bytes(range(256)) * 1000)
open("tab\\tname \\u00fc", "w").write("x"); open(b"\\xff\\xfe", "w").write("not UTF-8")
os.symlink("/etc/passwd", "absolute"); os.symlink("nowhere", "a/dangling"); os.symlink("b", "a/inside")
os.link("a/b/file", "second name"); os.mkfifo("pipe"); socket.socket(socket.AF_UNIX).bind("socket")
open("empty file", "w"); open("script", "w").write("#!/bin/sh"); os.chmod("script", 0o755)
open("long" * 50, "w").write("y"); os.utime("script", ns=(1, 1_600_000_000_123_456_789))
open("a/secret", "w").write("s"); os.chmod("a/secret", 0); os.mkdir("shut"); open("shut/in", "w").write("i")
os.utime("shut", ns=(5, 5)); os.chmod("shut", 0o000); os.chmod("a/b/c", 0o1777)
"""


def state(sandbox: Sandbox) -> str:
    """Return all that a program can see of the workspace."""
    return sandbox.exec(Python(STATE)).stdout.decode()


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("plain.txt", b"text"),
        ("deep/er/and/deeper", b"\x00\xff" * 1000),
        ("./odd//slashes/./x", b""),
        ("/workspace/absolute", b"a"),
        ("ünï/文件.txt", "文".encode()),
        ("-rf", b"dash"),
        ("new\nline", b"n"),
        ("x" * 255, b"long"),
    ],
)
def test_what_is_written_is_read(sandbox: Sandbox, path: str, data: bytes) -> None:
    sandbox.write(path, b"old and longer content")
    sandbox.write(path, data)
    assert sandbox.read(path) == data
    source = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    shown = sandbox.exec(Python(source, (path.removeprefix("/workspace/"),)))
    assert shown.stdout == data


def test_a_large_file_makes_the_round_trip(sandbox: Sandbox) -> None:
    data = os.urandom(5_000_000)
    sandbox.write("large", data)
    assert sandbox.read("large") == data
    assert sandbox.exec(["wc", "-c", "large"]).stdout.split()[0] == b"5000000"


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../x",
        "a/../../x",
        "/etc/passwd",
        "/workshop/x",
        "",
        ".",
        "/",
        "/workspace/",
        "a\0b",
        "\ud800",
        "x" * 300,
        "y/" * 10**6,
    ],
)
def test_paths_outside_are_refused(sandbox: Sandbox, path: str) -> None:
    for action in (lambda: sandbox.read(path), lambda: sandbox.write(path, b"x")):
        with pytest.raises(SandboxFileError):
            action()
    assert sandbox.exec(["ls", "-A"]).stdout == b""


def test_what_is_no_regular_file_is_refused(sandbox: Sandbox) -> None:
    made = sandbox.exec(
        Python(
            "import os, socket; os.mkdir('folder'); os.mkfifo('fifo'); socket.socket(socket.AF_UNIX).bind('socket');"
            "os.symlink('/etc/passwd', 'out'); os.symlink('target', 'in'); open('target', 'w').write('t');"
            "os.symlink('/', 'root'); os.symlink('folder', 'alias'); os.symlink('/proc/self/root', 'magic')"
        )
    )
    assert made.ok, made.stderr
    through = ("root/etc/passwd", "magic/etc/passwd", "alias/new", "target/below")
    for path in ("folder", "fifo", "socket", "out", "in", *through):
        with pytest.raises(SandboxFileError, match=path.partition("/")[0]):
            sandbox.read(path)
        with pytest.raises(SandboxFileError):
            sandbox.write(path, b"overwritten")
    assert sandbox.read("target") == b"t"
    assert sandbox.exec(["ls", "folder"]).stdout == b""


def test_reading_has_a_limit(sandbox: Sandbox) -> None:
    sandbox.write("ten", b"0123456789")
    assert sandbox.read("ten", limit_bytes=10) == b"0123456789"
    with pytest.raises(SandboxFileError, match="10 bytes, more than the limit 9"):
        sandbox.read("ten", limit_bytes=9)


def test_a_sparse_giant_is_not_read(sandbox: Sandbox) -> None:
    assert sandbox.exec(["truncate", "-s", "30M", "giant"]).ok
    with pytest.raises(SandboxFileError, match="more than the limit"):
        sandbox.read("giant")


def test_missing_files_say_so(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFileError, match=r"'absent/x': No such file") as caught:
        sandbox.read("absent/x")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (SandboxFileError, str(caught.value))


def test_a_write_keeps_the_permissions_and_the_other_names(sandbox: Sandbox) -> None:
    assert sandbox.exec(["sh", "-c", "echo old > tool; chmod 755 tool; ln tool other"]).ok
    sandbox.write("tool", b"#!/bin/sh\necho new\n")
    assert sandbox.exec(["./tool"]).stdout == b"new\n"
    assert sandbox.read("other") == b"old\n"


def test_more_than_the_disk_limit_is_refused(backend: str) -> None:
    with closing(create(Spec(limits=Limits(disk_bytes=1 << 20)), backend=backend, unsafe=True)) as sandbox:
        with pytest.raises(SandboxFileError, match="disk limit"):
            sandbox.write("big", b"x" * ((1 << 20) + 1))
        assert sandbox.exec(["ls", "-A"]).stdout == b""


def test_upload_and_download(sandbox: Sandbox, tmp_path: Path) -> None:
    data = os.urandom(100_000)
    (tmp_path / "source").write_bytes(data)
    sandbox.upload(str(tmp_path / "source"), "in/side")
    sandbox.download("in/side", str(tmp_path / "target"))
    assert (tmp_path / "target").read_bytes() == data


def test_a_download_of_a_link_reaches_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    assert sandbox.exec(["ln", "-s", str(secret), "link"]).ok
    with pytest.raises(SandboxFileError, match="link"):
        sandbox.download("link", str(tmp_path / "target"))
    assert not (tmp_path / "target").exists()


def test_restore_brings_everything_back(sandbox: Sandbox) -> None:
    made = sandbox.exec(Python(VARIED))
    assert made.ok, made.stderr
    sandbox.exec(["rm", "socket"])
    before, snapshot = state(sandbox), sandbox.snapshot()
    assert state(sandbox) == before, "a snapshot changes nothing"
    sandbox.exec(["sh", "-c", "chmod -R u+rwx . ; rm -rf * ; mkdir a ; echo other > a/b ; echo new > new"])
    assert state(sandbox) != before
    sandbox.restore(snapshot)
    assert state(sandbox) == before
    assert sandbox.snapshot() == snapshot
    sandbox.restore(snapshot)
    assert state(sandbox) == before


def test_restore_keeps_file_identities_and_times(sandbox: Sandbox) -> None:
    sandbox.exec(Python(VARIED))
    sandbox.restore(sandbox.snapshot())
    show = "import os; print(os.path.samefile('a/b/file', 'second name'), os.stat('script').st_mtime_ns)"
    assert sandbox.exec(Python(show)).stdout == b"True 1600000000123456789\n"


def test_equal_workspaces_have_equal_digests(backend: str) -> None:
    digests = []
    for order in (("one", "two"), ("two", "one")):
        with closing(create(backend=backend, unsafe=True)) as sandbox:
            for name in order:
                sandbox.write(name, name.encode())
                sandbox.exec(["sleep", "0.01"])
            digests.append(sandbox.snapshot().digest)
            sandbox.exec(["touch", "one"])
            digests.append(sandbox.snapshot().digest)
    assert len(set(digests)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "printf x > file",
        "chmod 600 file",
        "mv file file2",
        "rm file",
        "ln file again",
        "ln -s file again",
        "rm file; ln -s x file",
        "mkdir sub",
        "rm file; mkdir file",
        "mkfifo pipe",
        "cp file copy",
    ],
)
def test_different_workspaces_have_different_digests(sandbox: Sandbox, change: str) -> None:
    sandbox.write("file", b"content")
    before = sandbox.snapshot()
    assert sandbox.exec(["sh", "-c", change]).ok
    assert sandbox.snapshot().digest != before.digest
    sandbox.restore(before)
    assert sandbox.snapshot().digest == before.digest


def test_forks_are_independent(sandbox: Sandbox) -> None:
    sandbox.write("shared", b"from the parent")
    with closing(sandbox.fork()) as first, closing(sandbox.fork()) as second:
        first.write("shared", b"first")
        second.exec(["rm", "shared"])
        sandbox.write("late", b"after")
        assert (first.read("shared"), first.exec(["ls"]).stdout) == (b"first", b"shared\n")
        assert second.exec(["ls"]).stdout == b""
    assert sandbox.read("shared") == b"from the parent"


def test_a_fork_outlives_its_parent(backend: str) -> None:
    parent = create(Spec(env={"KEPT": "yes"}), backend=backend, unsafe=True)
    parent.write("file", b"1")
    child = parent.fork()
    parent.close()
    assert child.exec(["sh", "-c", "cat file; echo $KEPT"]).stdout == b"1yes\n"
    child.close()


def test_an_empty_workspace_makes_the_round_trip(sandbox: Sandbox) -> None:
    empty = sandbox.snapshot()
    sandbox.write("x", b"1")
    sandbox.restore(empty)
    assert sandbox.exec(["ls", "-A"]).stdout == b""
    assert sandbox.snapshot().digest == empty.digest


@pytest.mark.parametrize("damage", ["digest", "cut", "content", "garbage", "nothing"])
def test_a_damaged_snapshot_is_refused(sandbox: Sandbox, damage: str) -> None:
    sandbox.write("file", b"content" * 1000)
    good = sandbox.snapshot()
    data = {
        "digest": good.data,
        "cut": good.data[:3000],
        "content": good.data.replace(b"contentcontent", b"kontentcontent", 1),
        "garbage": b"\xff" * 2000,
        "nothing": b"",
    }[damage]
    digest = "0" * 64 if damage == "digest" else good.digest
    with pytest.raises(SandboxFileError, match="snapshot"):
        sandbox.restore(SavedSnapshot(data, digest))
    assert sandbox.exec(["ls", "-A"]).stdout == b"", "nothing half-restored is left"
    sandbox.restore(good)
    assert sandbox.read("file") == b"content" * 1000


def test_long_paths_make_the_round_trip(sandbox: Sandbox) -> None:
    deep = "import os\nfor _ in range(50):\n    os.mkdir('d' * 200); os.chdir('d' * 200)\nopen('end', 'w').write('x')"
    assert sandbox.exec(Python(deep)).ok
    snapshot = sandbox.snapshot()
    sandbox.restore(snapshot)
    assert sandbox.snapshot().digest == snapshot.digest
    assert sandbox.read("/".join(["d" * 200] * 50 + ["end"])) == b"x"


def test_folders_nested_without_end_are_refused(sandbox: Sandbox) -> None:
    deep = "import os\nfor _ in range(300):\n    os.mkdir('d'); os.chdir('d')"
    assert sandbox.exec(Python(deep)).ok
    with pytest.raises(SandboxFileError, match="folders inside each other"):
        sandbox.snapshot()
    assert sandbox.exec(["true"]).ok


def test_sparse_files_cannot_blow_up_a_snapshot(sandbox: Sandbox) -> None:
    assert sandbox.exec(["sh", "-c", "for i in 1 2 3; do truncate -s 30M sparse$i; done"]).ok
    with pytest.raises(SandboxFileError, match="larger than can be saved"):
        sandbox.snapshot()


def test_endless_names_cannot_blow_up_a_snapshot(backend: str) -> None:
    source = """
import os
for _ in range(60):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
for number in range(400):
    open(f"{number}" + "f" * 240, "w").close()
"""
    with closing(create(Spec(limits=Limits(disk_bytes=1 << 18)), backend=backend, unsafe=True)) as sandbox:
        sandbox.exec(Python(source))
        with pytest.raises(SandboxFileError, match="more names than can be saved"):
            sandbox.snapshot()
        assert sandbox.exec(["true"]).ok


def test_closing_twice_is_fine_and_using_it_afterwards_is_not(backend: str) -> None:
    sandbox = create(backend=backend, unsafe=True)
    sandbox.close()
    sandbox.close()
    for action in (lambda: sandbox.exec(["true"]), lambda: sandbox.read("x"), sandbox.snapshot, sandbox.fork):
        with pytest.raises(ValueError, match="closed"):
            action()
