"""Laws about snapshots: what was there is there again, and copies go their own way."""

import contextlib

import pytest

from palestra.sandbox.base import Python, Sandbox, SandboxFileError, SavedSnapshot
from palestra.sandbox.conformance.case import Case, Create, listing, run

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
import os
os.makedirs("a/b/c"); os.mkdir("empty")
open("a/b/file", "wb").write(bytes(range(256)) * 1000)
open("tab\\tname \\u00fc", "w").write("x"); open(b"\\xff\\xfe", "w").write("not UTF-8")
open("new\\nline", "w").write("n"); open("a/sparse", "wb").truncate(3_000_000)
os.symlink("/etc/passwd", "absolute"); os.symlink("nowhere", "a/dangling"); os.symlink("b", "a/inside")
os.link("a/b/file", "second name"); os.mkfifo("pipe")
open("empty file", "w"); open("script", "w").write("#!/bin/sh"); os.chmod("script", 0o755)
open("long" * 50, "w").write("y"); os.utime("script", ns=(1, 1_600_000_000_123_456_789))
open("a/secret", "w").write("s"); os.chmod("a/secret", 0); os.mkdir("shut"); open("shut/in", "w").write("i")
os.utime("shut", ns=(5, 5)); os.chmod("shut", 0o000); os.chmod("a/b/c", 0o1777)
"""
_CHANGES = (
    *("printf x > file", "chmod 600 file", "mv file file2", "rm file", "ln file again", "ln -s file again"),
    *("rm file; ln -s x file", "mkdir sub", "rm file; mkdir file", "mkfifo pipe", "cp file copy", "chmod 700 ."),
)


def state(sandbox: Sandbox) -> str:
    """Return all that a program can see of the workspace."""
    result = sandbox.exec(Python(STATE))
    assert result.ok, result.stderr
    return result.stdout.decode()


class SnapshotLaws(Case):
    """`snapshot`, `restore` and `fork`: every backend has them."""

    def test_restore_brings_everything_back(self, sandbox: Sandbox) -> None:
        """Names, kinds, bytes, permissions, links and times: a program sees no difference."""
        made = sandbox.exec(Python(VARIED))
        assert made.ok, made.stderr
        before, snapshot = state(sandbox), sandbox.snapshot()
        assert state(sandbox) == before, "a snapshot changes nothing"
        sandbox.exec(["sh", "-c", "chmod -R u+rwx . ; rm -rf * ; mkdir a ; echo other > a/b ; echo new > new"])
        assert state(sandbox) != before
        for _ in range(2):
            sandbox.restore(snapshot)
            assert state(sandbox) == before
            assert sandbox.snapshot().digest == snapshot.digest

    def test_restore_keeps_file_identities_and_times(self, sandbox: Sandbox) -> None:
        assert sandbox.exec(Python(VARIED)).ok
        sandbox.restore(sandbox.snapshot())
        show = "import os; print(os.path.samefile('a/b/file', 'second name'), os.stat('script').st_mtime_ns)"
        assert run(sandbox, show).stdout == b"True 1600000000123456789\n"

    def test_restore_goes_back_and_forth(self, sandbox: Sandbox) -> None:
        snapshots = []
        for number in range(4):
            sandbox.write("number", str(number).encode())
            sandbox.write(f"file{number}", b"x")
            snapshots.append(sandbox.snapshot())
        for number in (0, 3, 1, 2, 0):
            sandbox.restore(snapshots[number])
            assert sandbox.read("number") == str(number).encode()
            assert listing(sandbox).count(b"file") == number + 1
            sandbox.write("number", b"spoilt")

    def test_equal_workspaces_have_equal_digests(self, create: Create) -> None:
        digests = []
        for order in (("one", "two"), ("two", "one")):
            sandbox = create()
            for name in order:
                sandbox.write(name, name.encode())
                sandbox.exec(["sleep", "0.01"])
            digests.append(sandbox.snapshot().digest)
            sandbox.exec(["touch", "one"])
            digests.append(sandbox.snapshot().digest)
        assert len(set(digests)) == 1

    @pytest.mark.parametrize("change", _CHANGES)
    def test_different_workspaces_have_different_digests(self, sandbox: Sandbox, change: str) -> None:
        sandbox.write("file", b"content")
        before = sandbox.snapshot()
        assert sandbox.exec(["sh", "-c", change]).ok
        if change != "chmod 700 .":  # the workspace itself belongs to the sandbox
            assert sandbox.snapshot().digest != before.digest
        sandbox.restore(before)
        assert sandbox.snapshot().digest == before.digest
        assert sandbox.read("file") == b"content"

    def test_a_snapshot_is_of_its_moment(self, sandbox: Sandbox) -> None:
        sandbox.write("file", b"old")
        snapshot = sandbox.snapshot()
        digest = snapshot.digest
        sandbox.exec(["sh", "-c", "echo new > file; echo more > other"])
        sandbox.snapshot()
        assert snapshot.digest == digest
        sandbox.restore(snapshot)
        assert (sandbox.read("file"), listing(sandbox)) == (b"old", b"file\n")

    def test_a_snapshot_crosses_to_another_sandbox_as_bytes(self, create: Create) -> None:
        first = create()
        assert first.exec(Python(VARIED)).ok
        before, snapshot = state(first), first.snapshot()
        carried = SavedSnapshot(bytes(snapshot.data), snapshot.digest)
        first.close()
        second = create()
        second.write("own", b"to be gone")
        second.restore(carried)
        assert state(second) == before
        assert second.snapshot().digest == carried.digest

    def test_a_snapshot_itself_crosses_to_another_sandbox(self, create: Create) -> None:
        first, second = create(), create()
        first.write("file", b"carried")
        second.restore(first.snapshot())
        first.write("file", b"changed")
        assert second.read("file") == b"carried"

    def test_forks_are_independent_in_both_directions(self, sandbox: Sandbox) -> None:
        sandbox.write("shared", b"from the parent")
        sandbox.write("folder/kept", b"1")
        with contextlib.closing(sandbox.fork()) as first, contextlib.closing(sandbox.fork()) as second:
            first.write("shared", b"first")
            second.exec(["rm", "-r", "shared", "folder"])
            sandbox.write("late", b"after")
            assert (first.read("shared"), listing(first)) == (b"first", b"folder\nshared\n")
            assert listing(second) == b""
            assert first.read("folder/kept") == b"1"
            with contextlib.closing(first.fork()) as grandchild:
                grandchild.write("shared", b"grandchild")
                assert first.read("shared") == b"first"
        assert sandbox.read("shared") == b"from the parent"

    def test_a_fork_is_the_same_to_a_program(self, sandbox: Sandbox) -> None:
        assert sandbox.exec(Python(VARIED)).ok
        with contextlib.closing(sandbox.fork()) as twin:
            assert state(twin) == state(sandbox)
            assert twin.snapshot().digest == sandbox.snapshot().digest

    def test_a_fork_outlives_its_parent(self, create: Create) -> None:
        parent = create(env={"KEPT": "yes"})
        parent.write("file", b"1")
        with contextlib.closing(parent.fork()) as child:
            parent.close()
            assert child.exec(["sh", "-c", "cat file; echo $KEPT"]).stdout == b"1yes\n"
            with contextlib.closing(child.fork()) as grandchild:
                assert grandchild.read("file") == b"1"

    def test_an_empty_workspace_makes_the_round_trip(self, sandbox: Sandbox) -> None:
        empty = sandbox.snapshot()
        sandbox.write("x", b"1")
        sandbox.restore(empty)
        assert listing(sandbox) == b""
        assert sandbox.snapshot().digest == empty.digest

    @pytest.mark.parametrize("damage", ["digest", "cut", "content", "garbage", "nothing"])
    def test_a_damaged_snapshot_is_refused(self, sandbox: Sandbox, damage: str) -> None:
        sandbox.write("file", bytes(range(256)) * 40)
        good = sandbox.snapshot()
        middle = good.data.find(bytes(range(256)))  # compressed, it is not found, and the end is as good
        inverted = bytes(255 - byte for byte in good.data[middle:][:64])
        data = {
            "digest": good.data,
            "cut": good.data[: len(good.data) // 3],
            "content": good.data.replace(good.data[middle:][:64], inverted),
            "garbage": b"\xff" * 2000,
            "nothing": b"",
        }[damage]
        digest = "0" * 64 if damage == "digest" else good.digest
        with pytest.raises(SandboxFileError, match="snapshot"):
            sandbox.restore(SavedSnapshot(data, digest))
        left = listing(sandbox)
        assert left in (b"", b"file\n"), "nothing half-restored is left"
        if left:
            assert sandbox.read("file") == bytes(range(256)) * 40
        sandbox.restore(good)
        assert sandbox.read("file") == bytes(range(256)) * 40

    @pytest.mark.parametrize(
        "source",
        [
            "import os\nfor _ in range(50):\n    os.mkdir('d' * 200); os.chdir('d' * 200)\nopen('end', 'w').write('x')",
            "import os\nfor _ in range(300):\n    os.mkdir('d'); os.chdir('d')",
            "for n in range(3): open(f'sparse{n}', 'wb').truncate(30 << 20)",
            "for n in range(2000): open(f'{n}' + 'f' * 200, 'w').close()",
        ],
        ids=["long paths", "nested folders", "sparse giants", "many names"],
    )
    def test_what_is_hard_to_save_is_saved_or_refused(self, sandbox: Sandbox, source: str) -> None:
        """Nothing in between: no half of it, no fault, and no sandbox that is of no use any more."""
        assert run(sandbox, source).ok
        count = "import os; print(sum(len(folders) + len(files) for _, folders, files in os.walk('.')))"
        before = run(sandbox, count).stdout
        with contextlib.suppress(SandboxFileError):
            snapshot = sandbox.snapshot()
            sandbox.restore(snapshot)
            assert sandbox.snapshot().digest == snapshot.digest
        assert run(sandbox, count).stdout == before
