"""Snapshots, restores and forks of terminal sandboxes: layers that are shared, and bytes that cross."""

import pickle
import shlex
import sys
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import MIB, Limits, ProcessesRunningError, Sandbox, SandboxFileError, SavedSnapshot, Spec

SPEC = Spec(terminal=True, limits=Limits(wall_s=10.0, memory_bytes=128 * MIB, processes=24, disk_bytes=16 * MIB))
TREE = f"""
find / -not -path '/proc*' -not -path '/dev*' -not -path '/usr/*/*' -not -path '{sys.base_prefix}/*' \\
    \\( -type d -printf '%p %m %U:%G\\n' -o -printf '%p %y %m %U:%G %s %l %n\\n' \\) | sort
cat /workspace/* /workspace/*/*/a; ls /usr/share
"""
CHANGES = """
mkdir -p deep/er; echo a > deep/er/a; ln -s a deep/er/link; ln deep/er/a deep/er/same; mkfifo deep/fifo; echo $$ > s
chmod 4750 deep/er/a; rm -rf /usr/share/doc /etc/hosts; mkdir -p /usr/share/doc; echo mine > /usr/share/doc/only
chmod 700 /srv; echo more >> /etc/passwd; touch -d '2001-02-03 04:05:06.7' deep/old; rm -f s
"""


def test_a_restore_brings_files_back_as_they_were(box: Sandbox) -> None:
    box.exec(["bash", "-c", CHANGES])
    before, was = box.snapshot(), box.exec(["bash", "-c", TREE]).stdout
    assert was == box.exec(["bash", "-c", TREE]).stdout
    box.exec(["sh", "-c", "rm -rf deep /etc/passwd /usr/bin/env; mkdir /etc/passwd; echo new > /new"])
    box.restore(before)
    assert box.exec(["bash", "-c", TREE]).stdout == was
    assert box.exec(["stat", "-c", "%Y", "deep/old"]).stdout == b"981173106\n"


def test_a_snapshot_can_be_restored_many_times_and_in_any_order(box: Sandbox) -> None:
    saved = []
    for number in range(4):
        box.write("n", b"%d" % number)
        box.exec(["sh", "-c", f"touch f{number}"])
        saved.append(box.snapshot())
    for number in (2, 0, 3, 3, 1):
        box.restore(saved[number])
        assert box.read("n") == b"%d" % number
        assert box.exec(["sh", "-c", "ls f* | wc -l"]).stdout == b"%d\n" % (number + 1)
        box.write("n", b"changed")


def test_more_snapshots_than_an_overlay_takes(box: Sandbox) -> None:
    first = box.snapshot()
    box.exec(["rm", "/usr/bin/env"])
    kept = []
    for number in range(60):
        box.write(f"d/{number}", b"%d" % number)
        if number % 2:
            box.exec(["rm", f"d/{number - 1}"])
        kept.append(box.snapshot())
    assert box.exec(["sh", "-c", "ls d | wc -l; ls /usr/bin/env; cat d/59"]).stdout == b"30\n59"
    box.restore(kept[30])
    assert box.exec(["sh", "-c", "ls d | wc -l; cat d/30"]).stdout == b"16\n30"
    box.restore(first)
    assert box.exec(["sh", "-c", "ls d /usr/bin/env"]).stdout == b"/usr/bin/env\n"


def test_equal_files_have_equal_digests_however_they_came_to_be(box: Sandbox) -> None:
    empty = box.snapshot().digest
    box.write("f", b"1")
    one = box.snapshot().digest
    box.write("g", b"2")
    box.snapshot()
    box.exec(["sh", "-c", "rm g; touch f; echo x > /usr/bin/y; rm /usr/bin/y; cp -p /etc/hosts h; mv h /etc/hosts"])
    assert box.snapshot().digest == one != empty
    box.exec(["rm", "f"])
    assert box.snapshot().digest == empty
    for change in ("rm /usr/bin/env", "chmod 600 /etc/hosts", "mkdir d", "ln -s a b", "echo >> /etc/hosts"):
        box.exec(["sh", "-c", change])
        now = box.snapshot().digest
        assert now != empty, change
        empty = now


def test_the_shell_goes_on_after_a_snapshot_and_goes_back_at_a_restore(box: Sandbox) -> None:
    shell = box.shell()
    shell.run(
        "cd /var; export A='1 2'; f() { echo f$1; }; alias g='echo g'; set -o pipefail; shopt -s nullglob; (exit 7)"
    )
    before = box.snapshot()
    assert shell.run("echo $? $A $PWD; f 1; g; shopt -q nullglob && set -o | grep pipefail").output.split() == (
        b"7 1 2 /var f1 g pipefail on".split()
    )
    shell.run("cd /; unset A f; unalias g; touch /late")
    box.restore(before)
    assert box.shell() is shell
    assert shell.run("echo $? $A $PWD; f 1; g; ls /late").output.split()[:6] == b"7 1 2 /var f1 g".split()


def test_a_fork_is_independent_in_both_directions(box: Sandbox) -> None:
    shell = box.shell()
    shell.run("cd /srv; x=1; echo common > f")
    with closing(box.fork()) as twin:
        other = twin.shell()
        assert other.run("echo $x $PWD; cat f").output == b"1 /srv\ncommon\n"
        other.run("x=2; echo twin > f; touch twin")
        shell.run("echo mine > f; touch mine")
        assert shell.run("echo $x; cat f; ls | cat").output == b"1\nmine\nf\nmine\n"
        assert other.run("echo $x; cat f; ls | cat").output == b"2\ntwin\nf\ntwin\n"
        box.close()
        assert other.run("cat f; ls | cat").output == b"twin\nf\ntwin\n"
        with closing(twin.fork()) as third:
            assert third.shell().run("cat f; echo $x").output == b"twin\n2\n"


def test_what_runs_is_not_lost_silently(box: Sandbox) -> None:
    shell = box.shell()
    shell.run("kept=1; sleep 1234 & until grep -q sleep /proc/$!/cmdline; do :; done; disown")
    for action in (box.snapshot, box.fork):
        with pytest.raises(ProcessesRunningError, match="sleep 1234"):
            action()
    assert shell.run("pgrep -f 'sleep 1234' || ps ax").output
    box.snapshot(end_processes=True)
    assert shell.run("echo $kept").output == b"1\n"


def test_a_program_in_the_foreground_is_named_or_ended(box: Sandbox) -> None:
    shell = box.shell()
    shell.run("kept=1")
    shell.run("cat", timeout_s=0.2)
    with pytest.raises(ProcessesRunningError, match="cat"):
        box.snapshot()
    shell.send(b"still\n")
    assert shell.read(timeout_s=3) == b"still\n"
    box.snapshot(end_processes=True)
    assert shell.run("echo $kept").output.split()[-1] == b"1"
    shell.send(b"if true\n")
    with pytest.raises(ProcessesRunningError, match="not at its prompt"):
        box.snapshot()
    box.snapshot(end_processes=True)
    assert shell.run("echo $kept").output.split()[-1] == b"1"


@pytest.mark.parametrize("command", ["/bin/true", ":", "sleep 0.01"])
def test_a_loop_at_the_prompt_is_interrupted_however_short_its_commands(box: Sandbox, command: str) -> None:
    """One ^C in four comes between two commands, where the shell does not heed it."""
    shell = box.shell()
    shell.run("kept=1")
    for _ in range(4):
        assert shell.run(f"while :; do {command}; done", timeout_s=0.2).timed_out
        box.snapshot(end_processes=True)
        assert shell.run("echo $kept").output.split()[-1:] == [b"1"]


def test_a_restore_ends_what_runs(box: Sandbox) -> None:
    before = box.snapshot()
    shell = box.shell()
    shell.run("setsid sleep 1234 & x=1; cat", timeout_s=0.2)
    box.restore(before)
    assert box.exec(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]).stdout.count(b"sleep") == 0
    assert shell.run("echo now $x").output == b"now\n"


def test_a_snapshot_crosses_as_bytes(box: Sandbox) -> None:
    shell = box.shell()
    box.exec(["bash", "-c", CHANGES])
    shell.run("cd deep; y=3")
    was = box.exec(["bash", "-c", TREE]).stdout
    live = box.snapshot()
    box.close()
    saved = pickle.loads(pickle.dumps(SavedSnapshot(live.data, live.digest)))
    with closing(create(SPEC)) as other:
        other.restore(saved)
        assert other.exec(["bash", "-c", TREE]).stdout == was
        assert other.shell().run("echo $y $PWD").output == b"3 /workspace/deep\n"
        assert other.snapshot().digest == saved.digest
        other.restore(live)
        assert other.exec(["bash", "-c", TREE]).stdout == was


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"content", b"C0ntent"),
        lambda data: data.replace(b"1/bin", b"9/bin"),
        lambda data: data.partition(b"\n")[0] + b"\n" + b"x" * 5000,
    ],
)
def test_damaged_bytes_are_refused_and_leave_a_new_machine(box: Sandbox, harm: object) -> None:
    box.write("f", b"content" * 1000)
    box.exec(["touch", "/usr/bin/there"])
    good = box.snapshot()
    data = harm(good.data)  # type: ignore[operator]
    with pytest.raises(SandboxFileError, match="snapshot"):
        box.restore(SavedSnapshot(data, good.digest))
    assert box.exec(["ls", "/workspace"]).stdout == b""
    box.restore(good)
    assert len(box.read("f")) == 7000


def test_bytes_of_another_kind_are_refused(box: Sandbox) -> None:
    box.write("f", b"1")
    with closing(create(Spec())) as plain, pytest.raises(SandboxFileError, match="no snapshot of a native terminal"):
        box.restore(plain.snapshot())
    assert box.read("f") == b"1"


def test_layers_share_the_disk_limit(box: Sandbox) -> None:
    for _ in range(3):
        box.exec(["sh", "-c", "head -c 6000000 /dev/zero | tr '\\0' x >> big"])
        box.snapshot()
    assert len(box.read("big")) < 16 * MIB
    assert not box.exec(["sh", "-c", "head -c 6000000 /dev/zero > more"]).ok


def test_a_replaced_mount_point_does_not_lead_out(box: Sandbox) -> None:
    above = [str(folder) for folder in Path(sys.base_prefix).parents if len(folder.parts) > 2]  # the interpreter's
    places = shlex.join([*above, "/opt", "/usr/local"])
    box.exec(["sh", "-c", f"for d in {places}; do mv $d /gone 2>/dev/null; ln -s /proc/1 $d; done"])
    box.snapshot()
    assert box.exec(["sh", "-c", "ls -d /root"]).stdout == b"/root\n"
