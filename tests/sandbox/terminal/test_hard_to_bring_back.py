"""Snapshots of machines in states that are hard to bring back."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import InfraError, Limits, ProcessesRunningError, Python, Sandbox, SavedSnapshot, Spec

SPEC = Spec(terminal=True, limits=Limits(wall_s=20.0))
MANY = 30  # snapshots: more than a stack of layers is left to grow to

NAMES = r"""
import os
for name in (b"new\nline", b"\xff\xfe", b"-rf", b"a" * 255, b" "):
    open(b"/srv/" + name, "w").write("x")
os.mkdir(b"/srv/d\xff"); open(b"/srv/d\xff/in", "w").close(); os.symlink(b"/\xff\n", b"/srv/l\xfe")
"""
LINKS = """
import os
os.chdir("/srv"); open("a", "w").write("1"); os.mkdir("d"); os.link("a", "b"); os.link("a", "d/c"); os.mkfifo("p")
with open("sparse", "wb") as file:
    file.truncate(30 << 20); file.seek(20 << 20); file.write(b"z")
os.chmod("a", 0o4755); os.chown("d", 12, 34)
"""
WHITEOUTS = """
import os, shutil
shutil.rmtree("/usr/lib/python3", ignore_errors=True)
os.makedirs("/usr/lib/python3/dist-packages"); open("/usr/lib/python3/dist-packages/new", "w").close()
shutil.move("/etc", "/etc2"); os.mkdir("/etc"); os.rename("/etc2/passwd", "/etc/passwd")
"""
ATTRIBUTES = """
import os
open("/srv/file", "w").close(); os.mkdir("/srv/folder")
os.setxattr("/srv/file", "user.a", b"\\x00\\xff"); os.setxattr("/srv/folder", "user.b", b"2")
"""
SHOW = """
import os
found = []
for top in ("/srv", "/etc", "/etc2", "/usr/lib/python3"):
    for folder, folders, files in os.walk(os.fsencode(top)):
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            state = os.lstat(path)
            links = state.st_nlink if not os.path.isdir(path) else 0
            found.append((path, oct(state.st_mode), state.st_uid, state.st_gid, links, state.st_blocks > 1000))
            if top == "/srv":
                found.append([(key, os.getxattr(path, key)) for key in os.listxattr(path, follow_symlinks=False)])
for line in sorted(map(repr, found)):
    print(line)
"""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A machine with default limits."""
    with closing(create(SPEC)) as made:
        yield made


def look(box: Sandbox) -> bytes:
    result = box.exec(Python(SHOW), limits=Limits(output_bytes=4 << 20))
    assert result.ok, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    "source", [NAMES, LINKS, WHITEOUTS, ATTRIBUTES], ids=["names", "links", "whiteouts", "attributes"]
)
def test_files_of_every_kind_outlast_joined_layers_and_cross_as_bytes(box: Sandbox, source: str) -> None:
    made = box.exec(Python(source))
    assert made.ok, made.stderr
    before, first = look(box), box.snapshot()
    assert before
    last = first
    for _ in range(MANY):
        last = box.snapshot()
    assert look(box) == before
    assert last.digest == first.digest
    box.exec(["sh", "-c", "rm -rf /srv /etc2 /etc/* /usr/lib/python3; echo f > /srv"])
    for snapshot in (first, last):
        box.restore(snapshot)
        assert look(box) == before
    with closing(create(SPEC)) as other:
        other.restore(SavedSnapshot(last.data, last.digest))
        assert look(other) == before
        assert other.snapshot().digest == last.digest


def test_hundreds_of_snapshots_and_the_shell_after_them(box: Sandbox) -> None:
    shell = box.shell()
    shell.run("alias l='echo aliased'; f() { echo called; }; set -f; export E=1; declare -A m=([k]='v w'); cd /opt")
    snapshots = []
    for number in range(200):
        box.write("/opt/file", b"%d" % number)
        snapshots.append(box.snapshot())
    for number in (3, 199, 100):
        box.restore(snapshots[number])
        assert box.read("/opt/file") == b"%d" % number
    shown = shell.run('l; f; echo $E "${m[k]}"; pwd; case $- in *f*) echo f;; esac').output
    assert shown == b"aliased\ncalled\n1 v w\n/opt\nf\n"


def test_a_snapshot_while_a_program_writes(box: Sandbox) -> None:
    shell = box.shell()
    assert shell.run("while :; do date >> /srv/log; done", timeout_s=0.5).timed_out
    with pytest.raises(ProcessesRunningError):
        box.snapshot()
    snapshot = box.snapshot(end_processes=True)
    length = len(box.read("/srv/log"))
    assert length
    assert box.exec(["sleep", "0.2"]).ok
    assert len(box.read("/srv/log")) == length
    box.restore(snapshot)
    assert len(box.read("/srv/log")) == length
    assert shell.run("echo alive").output == b"alive\n"


def test_a_restore_while_a_line_runs(box: Sandbox) -> None:
    shell = box.shell()
    shell.run("x=1")
    snapshot = box.snapshot()
    assert shell.run("x=2; sleep 4321", timeout_s=0.3).timed_out
    box.restore(snapshot)
    assert shell.is_idle
    assert shell.run("echo $x; cat /proc/[0-9]*/cmdline | grep -c 432[1]").output == b"1\n0\n"


def test_a_fork_of_a_fork_outlives_both(box: Sandbox) -> None:
    box.shell().run("a=1; cd /srv; echo a > a")
    with closing(box.fork()) as child:
        child.shell().run("a=2; echo b > b")
        with closing(child.fork()) as grandchild:
            grandchild.shell().run("a=$((a+1)); echo d > d")
            box.close()
            child.shell().run("rm a")
            assert child.shell().run("echo $a; ls").output.split() == [b"2", b"b"]
            child.close()
            assert grandchild.shell().run("echo $a; pwd; ls").output.split() == [b"3", b"/srv", b"a", b"b", b"d"]
            grandchild.restore(grandchild.snapshot())
            assert grandchild.read("/srv/a") == b"a\n"


@pytest.mark.parametrize("spoil", ["rm -rf /srv /opt /var/*", "rm -rf /usr/bin /bin", "chmod 0 /", "rm -rf /tmp /root"])
def test_a_spoiled_machine_is_whole_again(box: Sandbox, spoil: str) -> None:
    act: Callable[[], object] = lambda: box.exec(["sh", "-c", spoil])  # noqa: E731
    before, snapshot = look(box), box.snapshot()
    act()
    with suppress(InfraError):
        box.snapshot()
    box.restore(snapshot)
    assert look(box) == before
    assert box.shell().run("echo alive").output == b"alive\n"
