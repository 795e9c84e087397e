"""Laws about files that cross between the host and a sandbox."""

import io
import os
import pickle
import tarfile
from pathlib import Path

import pytest

from palestra.sandbox.base import MIB, Limits, Python, Sandbox, SandboxFileError
from palestra.sandbox.conformance.case import Case, Create, listing, run


class FileLaws(Case):
    """`read`, `write`, `upload` and `download`, and what they refuse."""

    @pytest.mark.parametrize(
        ("path", "data"),
        [
            ("plain.txt", b"text"),
            ("deep/er/and/deeper", b"\x00\xff" * 1000),
            ("./odd//slashes/./x", b""),
            ("/workspace/absolute", b"a"),
            ("ünï/文件.txt", "文".encode()),
            ("-rf", b"dash"),
            ("with spaces and 'quotes\"", b"s"),
            ("new\nline", b"n"),
            ("x" * 255, b"long"),
        ],
        ids=["plain", "deep", "slashes", "absolute", "unicode", "dash", "spaces", "newline", "long"],
    )
    def test_what_is_written_is_read(self, sandbox: Sandbox, path: str, data: bytes) -> None:
        sandbox.write(path, b"old and longer content")
        sandbox.write(path, data)
        assert sandbox.read(path) == data
        source = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
        shown = sandbox.exec(Python(source, (path.removeprefix("/workspace/"),)))
        assert shown.stdout == data

    def test_a_large_file_makes_the_round_trip(self, sandbox: Sandbox) -> None:
        data = os.urandom(5_000_000)
        sandbox.write("large", data)
        assert sandbox.read("large") == data
        assert sandbox.exec(["wc", "-c", "large"]).stdout.split()[0] == b"5000000"

    @pytest.mark.parametrize(
        "path", [*("..", "../x", "a/../../x", "", ".", "/"), "/workspace/", "a\0b", "\ud800", "x" * 300]
    )
    def test_paths_that_name_no_file_are_refused(self, sandbox: Sandbox, path: str) -> None:
        for action in (lambda: sandbox.read(path), lambda: sandbox.write(path, b"x")):
            with pytest.raises(SandboxFileError):
                action()
        assert listing(sandbox) == b""

    def test_an_endless_path_is_refused(self, sandbox: Sandbox) -> None:
        with pytest.raises(SandboxFileError):
            sandbox.write("y/" * 10**6 + "z", b"x")
        assert listing(sandbox) == b""

    def test_what_is_no_regular_file_is_refused(self, sandbox: Sandbox) -> None:
        """Folders, FIFOs (which would block), sockets, and links of every kind, on the way as well."""
        made = run(
            sandbox,
            """
            import os, socket
            os.mkdir('folder'); os.mkfifo('fifo'); socket.socket(socket.AF_UNIX).bind('socket')
            os.symlink('/etc/passwd', 'out'); os.symlink('target', 'in'); open('target', 'w').write('t')
            os.symlink('/', 'root'); os.symlink('folder', 'alias'); os.symlink('/proc/self/root', 'magic')
            """,
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

    def test_reading_has_a_limit(self, sandbox: Sandbox) -> None:
        sandbox.write("ten", b"0123456789")
        assert sandbox.read("ten", limit_bytes=10) == b"0123456789"
        with pytest.raises(SandboxFileError, match="10 bytes, more than the limit 9"):
            sandbox.read("ten", limit_bytes=9)

    def test_a_sparse_giant_is_not_read(self, sandbox: Sandbox) -> None:
        assert sandbox.exec(["truncate", "-s", "30M", "giant"]).ok
        with pytest.raises(SandboxFileError, match="more than the limit"):
            sandbox.read("giant")
        assert sandbox.exec(["stat", "-c", "%s", "giant"]).stdout == b"%d\n" % (30 * MIB)

    def test_missing_files_say_so(self, sandbox: Sandbox) -> None:
        with pytest.raises(SandboxFileError, match=r"absent/x'.*No such file") as caught:
            sandbox.read("absent/x")
        again = pickle.loads(pickle.dumps(caught.value))
        assert (type(again), str(again)) == (SandboxFileError, str(caught.value))

    def test_a_write_keeps_the_permissions(self, sandbox: Sandbox) -> None:
        assert sandbox.exec(["sh", "-c", "echo old > tool; chmod 751 tool"]).ok
        sandbox.write("tool", b"#!/bin/sh\necho new\n")
        assert sandbox.exec(["./tool"]).stdout == b"new\n"
        assert sandbox.exec(["stat", "-c", "%a", "tool"]).stdout == b"751\n"

    def test_programs_may_change_what_was_written_to_them(self, sandbox: Sandbox) -> None:
        sandbox.write("folder/given", b"1")
        changed = sandbox.exec(["sh", "-c", "echo 2 >> folder/given && chmod 700 folder && mv folder/given folder/got"])
        assert changed.ok, changed.stderr
        assert sandbox.read("folder/got") == b"12\n"
        assert sandbox.exec(["rm", "-r", "folder"]).ok

    def test_programs_make_every_kind_of_file(self, sandbox: Sandbox) -> None:
        result = run(
            sandbox,
            r"""
            import os, threading
            names = [" lead and trail ", "new\nline", "-rf", "tab\t", "\u6587\u4ef6", b"\xff\xfe", "*", "x" * 255]
            for name in names:
                open(name, "w").write("1")
            found = {os.fsencode(name) for name in os.listdir(".")}
            assert found == {os.fsencode(name) for name in names}, found
            os.mkfifo("fifo"); threading.Thread(target=lambda: open("fifo", "w").write("through")).start()
            assert open("fifo").read() == "through"
            os.link("*", "second"); assert os.stat("*").st_nlink == 2 and os.path.samefile("*", "second")
            os.symlink("second", "link"); assert open("link").read() == "1" and os.readlink("link") == "second"
            os.truncate("second", 20 << 20); assert os.stat("second").st_blocks * 512 < 20 << 20
            os.chmod("second", 0o4751); assert os.stat("second").st_mode & 0o7777 == 0o4751
            os.rename("second", "third"); os.remove("*"); assert os.stat("third").st_nlink == 1
            print("all")
            """,
        )
        assert result.stdout == b"all\n", result.stderr

    def test_a_folder_is_collected_with_all_that_it_holds(self, sandbox: Sandbox) -> None:
        made = run(
            sandbox,
            """
            import os
            os.makedirs("out/deep"); os.mkfifo("out/fifo"); os.symlink("/etc/passwd", "out/link")
            for name, mode in (("out/plain", 0o640), ("out/deep/tool", 0o751)):
                open(name, "w").write(name); os.chmod(name, mode); os.utime(name, (5, 1_000_000_000))
            os.link("out/plain", "out/second"); os.chmod("out/deep", 0o700)
            print(os.getuid())
            """,
        )
        with tarfile.open(fileobj=io.BytesIO(sandbox.collect("out"))) as archive:
            found = {member.name.removeprefix("workspace/"): member for member in archive}
            assert [name for name in found if name != "out/fifo"] == [
                "out",
                *(f"out/{n}" for n in ("deep", "deep/tool", "link", "plain", "second")),
            ]
            tool, plain = found["out/deep/tool"], found["out/plain"]
            assert (tool.mode, plain.mode, tool.mtime, found["out/deep"].mode) == (0o751, 0o640, 10**9, 0o700)
            assert {member.uid for member in found.values()} == {int(made.stdout)}
            assert (found["out/link"].type, found["out/link"].linkname) == (tarfile.SYMTYPE, "/etc/passwd")
            assert {archive.extractfile(found[n]).read() for n in ("out/plain", "out/second")} == {b"out/plain"}  # type: ignore[union-attr]
            assert all(name.startswith("workspace/out") for name in archive.getnames())
        with tarfile.open(fileobj=io.BytesIO(sandbox.collect("/workspace/out/plain"))) as archive:
            assert archive.getnames() == ["workspace/out/plain"]

    def test_what_cannot_be_collected_is_refused(self, sandbox: Sandbox) -> None:
        assert sandbox.exec(["sh", "-c", "mkdir d; ln -s / root; ln -s d alias; head -c 2000000 /dev/zero > d/big"]).ok
        for path in ("absent", "root/etc", "alias/big", "../etc", "a\0b", "/proc", "d/../../etc", "\ud800"):
            with pytest.raises(SandboxFileError):
                sandbox.collect(path)
        with pytest.raises(SandboxFileError, match="large"):
            sandbox.collect("d", limit_bytes=1_000_000)
        with tarfile.open(fileobj=io.BytesIO(sandbox.collect("root"))) as archive:
            assert [member.type for member in archive] == [tarfile.SYMTYPE]
        assert len(sandbox.collect("d", limit_bytes=2_000_000)) > 2_000_000

    def test_more_than_the_disk_limit_is_refused(self, create: Create) -> None:
        sandbox = create(limits=Limits(disk_bytes=1 << 20))
        with pytest.raises(SandboxFileError, match="disk limit"):
            sandbox.write("big", b"x" * ((1 << 20) + 1))
        assert listing(sandbox) == b""

    def test_upload_and_download(self, sandbox: Sandbox, tmp_path: Path) -> None:
        data = os.urandom(100_000)
        (tmp_path / "source").write_bytes(data)
        sandbox.upload(str(tmp_path / "source"), "in/side")
        sandbox.download("in/side", str(tmp_path / "target"))
        assert (tmp_path / "target").read_bytes() == data

    def test_an_upload_keeps_the_permissions(self, sandbox: Sandbox, tmp_path: Path) -> None:
        """They are the host file's, whatever was there before, and never more than may be done with it."""
        source = tmp_path / "source"
        source.write_text("#!/bin/sh\necho ran\n")
        for mode in (0o755, 0o640, 0o777, 0o444, 0o6751, 0o1700):
            source.chmod(mode)
            sandbox.upload(str(source), "in/tool")
            assert sandbox.exec(["stat", "-c", "%a", "in/tool"]).stdout == b"%o\n" % (mode & 0o777)
        assert sandbox.exec(["./in/tool"]).stdout == b"ran\n"

    def test_an_upload_of_no_file_leaves_nothing(self, sandbox: Sandbox, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for name in ("absent", "pipe", "."):
            with pytest.raises(OSError, match="No such file" if name == "absent" else "regular file"):
                sandbox.upload(str(tmp_path / name), "got")
        assert listing(sandbox) == b""

    def test_a_download_has_the_permissions_of_any_new_file(self, sandbox: Sandbox, tmp_path: Path) -> None:
        """Those inside were a program's choice: nothing becomes executable on the host, or anybody's to write."""
        assert sandbox.exec(["sh", "-c", "echo data > tool; chmod 6777 tool"]).ok
        (tmp_path / "plain").write_bytes(b"")
        sandbox.download("tool", str(tmp_path / "target"))
        assert (tmp_path / "target").stat().st_mode == (tmp_path / "plain").stat().st_mode

    def test_a_download_of_a_link_reaches_nothing(self, sandbox: Sandbox, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("secret")
        assert sandbox.exec(["ln", "-s", str(secret), "link"]).ok
        with pytest.raises(SandboxFileError, match="link"):
            sandbox.download("link", str(tmp_path / "target"))
        assert not (tmp_path / "target").exists()

    def test_a_download_of_what_blocks_reaches_nothing(self, sandbox: Sandbox, tmp_path: Path) -> None:
        assert sandbox.exec(["mkfifo", "pipe"]).ok
        for path in ("pipe", "absent", "."):
            with pytest.raises(SandboxFileError):
                sandbox.download(path, str(tmp_path / "target"))
        assert not (tmp_path / "target").exists()


class WorkspaceLaws(Case):
    """What holds when there is a workspace and nothing else to write to."""

    @pytest.mark.parametrize("path", ["/etc/passwd", "/workshop/x", "/tmp/x"])
    def test_paths_outside_are_refused(self, sandbox: Sandbox, path: str) -> None:
        for action in (lambda: sandbox.read(path), lambda: sandbox.write(path, b"x")):
            with pytest.raises(SandboxFileError, match=path):
                action()

    def test_a_write_leaves_other_names_of_the_file_alone(self, sandbox: Sandbox) -> None:
        assert sandbox.exec(["sh", "-c", "echo old > tool; ln tool other"]).ok
        sandbox.write("tool", b"new")
        assert sandbox.read("other") == b"old\n"

    def test_nothing_but_the_workspace_is_left_of_a_program(self, sandbox: Sandbox) -> None:
        """The temporary folder of each program is its own; a process, a socket or a name of one is gone."""
        run(sandbox, "import tempfile, os; open(os.path.join(tempfile.gettempdir(), 'left'), 'w').write('x')")
        left = "import tempfile, os; print(os.path.exists(os.path.join(tempfile.gettempdir(), 'left')))"
        assert run(sandbox, left).stdout == b"False\n"
