"""What a terminal sandbox is to work in: files anywhere, programs, a shell that goes on."""

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import MIB, Limits, Python, Sandbox, SandboxFileError, Spec


def test_it_is_root_of_its_own_machine(box: Sandbox) -> None:
    ran = box.exec(["sh", "-c", "id -u; id -g; pwd; hostname; echo $HOME; stat -c %u:%g / /usr /etc/passwd"])
    assert ran.stdout.decode().split() == ["0", "0", "/workspace", "sandbox", "/root", "0:0", "0:0", "0:0"]
    assert box.capabilities.terminal


def test_the_whole_root_is_written_and_stays(box: Sandbox) -> None:
    box.exec(["sh", "-c", "echo new > /usr/bin/tool; chmod 755 /usr/bin/tool; rm /usr/bin/env; echo x >> /etc/hosts"])
    assert box.read("/usr/bin/tool") == b"new\n"
    assert box.exec(["sh", "-c", "ls /usr/bin/env; tail -1 /etc/hosts; echo kept > /tmp/t"]).stdout == b"x\n"
    assert box.read("/tmp/t") == b"kept\n"
    assert os.path.exists("/usr/bin/env")
    assert not os.path.exists("/usr/bin/tool")


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has one user id to give")
def test_other_users_can_be_made_and_become(box: Sandbox) -> None:
    assert box.exec(["sh", "-c", "touch f; chown 33:44 f; stat -c %u:%g f"]).stdout == b"33:44\n"
    source = "import os; os.setgid(44); os.setuid(33); print(os.getuid(), os.access('/etc/hosts', os.W_OK))"
    assert box.exec(Python(source)).stdout == b"33 False\n"


def test_programs_have_their_input_output_and_status(box: Sandbox) -> None:
    ran = box.exec(["sh", "-c", "cat; echo err >&2; exit 3"], stdin=b"in\x00put", env={"A": "b"})
    assert (ran.stdout, ran.stderr, ran.exit_code) == (b"in\x00put", b"err\n", 3)
    assert box.exec(["no-such-command"]).exit_code == 127
    assert box.exec(["sh", "-c", "kill -9 $$"]).signal == 9
    assert box.exec(["sh", "-c", "echo out >/dev/stdout; echo err >/dev/stderr"]).stderr == b"err\n"


def test_python_source_of_any_size_and_imports_of_the_workspace(box: Sandbox) -> None:
    box.write("helper.py", b"value = 7")
    source = (
        "import sys, helper\nprint(sys.argv, __name__, helper.value, sorted(set(globals()) - set(dir(sys)) )[:3])\n"
    )
    ran = box.exec(Python(source + "#" * 300_000, argv=("a b",)))
    assert ran.stdout.startswith(b"['<program>', 'a b'] __main__ 7"), ran.stderr
    assert box.exec(Python("import sys; sys.exit(4)")).exit_code == 4


def test_what_a_program_leaves_is_ended_and_what_the_shell_started_is_not(box: Sandbox) -> None:
    shell = box.shell()
    shell.run("sleep 1001 & disown")
    daemon = "setsid sh -c 'sleep 1002 & exec >/dev/null 2>&1 <&1; (setsid sleep 1003 &) ' & setsid sleep 1004 & exit 0"
    assert box.exec(["sh", "-c", daemon]).exit_code == 0
    assert _sleepers(box) == ["1001"]


def test_a_time_out_ends_the_whole_tree(box: Sandbox) -> None:
    box.shell().run("sleep 1001 & disown")
    ran = box.exec(["sh", "-c", "setsid setsid sleep 1002 & sleep 1003"], limits=Limits(wall_s=0.3))
    assert (ran.timed_out, ran.signal) == (True, 9)
    assert _sleepers(box) == ["1001"]


def test_a_fork_bomb_in_a_program_is_ended_and_the_shell_lives(box: Sandbox) -> None:
    shell = box.shell()
    shell.run("kept=1")
    ran = box.exec(["sh", "-c", "f() { f | f & }; f; sleep 60"], limits=Limits(wall_s=0.5, processes=16))
    assert ran.timed_out
    assert _sleepers(box) == []
    assert shell.run("echo $kept").output == b"1\n"


def _sleepers(box: Sandbox) -> list[str]:
    source = """
import os
for name in os.listdir('/proc'):
    if name.isdecimal():
        try:
            words = open(f'/proc/{name}/cmdline').read().split('\\0')
        except OSError:
            continue
        if words[0] == 'sleep':
            print(words[1])
"""
    return sorted(box.exec(Python(source)).stdout.decode().split())


def test_files_by_absolute_and_relative_paths(box: Sandbox, tmp_path: Path) -> None:
    box.write("a/b", b"\x00relative")
    assert box.read("/workspace/a/b") == b"\x00relative"
    box.write("/opt/deep/er", b"absolute")
    assert box.exec(["stat", "-c", "%n %a %u", "/opt/deep/er"]).stdout == b"/opt/deep/er 644 0\n"
    (tmp_path / "up").write_bytes(b"u" * 100_000)
    box.upload(str(tmp_path / "up"), "/srv/up")
    box.download("/srv/up", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == b"u" * 100_000


HOSTILE = """
ln -s /etc/passwd link; ln -s /etc folder; mkfifo fifo; ln /etc/hosts second
truncate -s 20M sparse; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('socket')"
mkdir loop; ln -s ../loop loop/loop; ln -s /proc/self/root magic
"""


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("link", "link"),
        ("folder/passwd", "link"),
        ("magic/etc/hosts", "link"),
        ("/proc/self/root/etc/hosts", "link"),
        ("loop/loop/x", "link"),
        ("fifo", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        ("socket", "No such device"),
        ("second", "2 names"),
        ("sparse", "more than the limit"),
        ("/etc", "not a regular file"),
        ("missing", "No such file"),
        ("../etc/passwd", "upwards"),
        ("/workspace", "names no file"),
        ("", "names no file"),
        ("a\0b", "names no file"),
    ],
)
def test_tricks_at_copy_out_are_refused(box: Sandbox, path: str, reason: str) -> None:
    box.exec(["sh", "-c", HOSTILE])
    with pytest.raises(SandboxFileError, match=reason):
        box.read(path)
    box.write("after", b"it goes on")
    assert box.read("after") == b"it goes on"


def test_tricks_at_copy_in_are_refused(box: Sandbox) -> None:
    box.exec(["sh", "-c", HOSTILE])
    for path in ("folder/passwd", "link", "fifo", "/etc", "/dev/full"):
        with pytest.raises(SandboxFileError):
            box.write(path, b"x")
    with pytest.raises(SandboxFileError, match="disk limit"):
        box.write("large", bytes(17 * MIB))
    assert b"root" in box.read("/etc/passwd")


def test_the_disk_is_limited(box: Sandbox) -> None:
    ran = box.exec(["sh", "-c", "head -c 20000000 /dev/zero > /root/full"])
    assert ran.exit_code != 0
    assert b"No space left" in ran.stderr
    with pytest.raises(SandboxFileError, match="No space left"):
        box.write("more", b"x" * (8 * MIB))  # zeros would take no room
    assert box.exec(["rm", "/root/full"]).ok
    box.write("more", b"x" * (8 * MIB))


@pytest.mark.skipif(os.geteuid() != 0, reason="memory of a tree is bounded by control groups")
def test_memory_of_programs_and_of_the_shell_is_limited(box: Sandbox) -> None:
    hog = (
        "import os\nfor _ in range(4):\n    if os.fork() == 0:\n        x = bytearray(b'x') * (60 << 20); os._exit(0)\n"
    )
    reap = "codes = [os.wait()[1] for _ in range(4)]\nos._exit(1 if any(codes) else 0)"
    held = box.exec(Python(hog.replace("os._exit(0)", "__import__('time').sleep(1); os._exit(0)") + reap))
    assert held.oom
    shell = box.shell()
    assert shell.run('python3 -c "x = bytearray(10**9)"; echo $?').output.split()[-1] in (b"137", b"1")
    assert shell.run("echo alive").output == b"alive\n"


def test_the_shell_has_the_number_of_processes_that_it_may(box: Sandbox) -> None:
    box.write(
        "many.py",
        b"""
import os, time
started = 0
try:
    while started < 60:
        if os.fork() == 0:
            time.sleep(30)
        started += 1
except BlockingIOError:
    print(started)
os.killpg(0, 9)
""",
    )
    shown = box.shell().run("python3 many.py; true", timeout_s=20).output
    assert 0 < int(shown.split()[0]) <= 24
    assert box.exec(["true"]).ok


def test_a_shell_is_the_same_until_closed(box: Sandbox) -> None:
    shell = box.shell()
    shell.run("x=1; cd /var; export Y=2")
    assert box.shell() is shell
    assert shell.run('echo $x $Y "$PWD" $TERM $HOME').output == b"1 2 /var xterm /root\n"
    shell.run("sleep 1005 &")
    shell.close()
    assert _sleepers(box) == []
    assert box.shell().run("echo $x $PWD").output == b"/workspace\n"


def test_a_shell_that_ends_itself_is_started_again_and_its_daemons_live(box: Sandbox) -> None:
    shell = box.shell()
    assert shell.run("setsid sleep 1006 & x=1; exit 3").exit_code == 3
    assert _sleepers(box) == ["1006"]
    assert shell.run("echo new $x").output == b"new\n"
    assert shell.run("kill -9 $$").exit_code == 137
    assert shell.run("echo newer").output == b"newer\n"


def test_job_control_and_full_screen_programs(box: Sandbox) -> None:
    shell = box.shell()
    shell.resize(40, 100)
    assert shell.run("stty size; tty").output == b"40 100\n/dev/pts/0\n"
    shell.send(b"sleep 1007\n")
    time.sleep(0.1)
    shell.send(b"\x1a")  # ^Z
    assert b"Stopped" in shell.wait(timeout_s=5).output
    shell.run("kill %1; wait")
    curses = "import curses; s = curses.initscr(); s.addstr(2, 3, 'shown'); s.refresh(); s.getch(); curses.endwin()"
    shell.send(f'python3 -c "{curses}"\n'.encode())
    shown = b""
    for _ in range(20):
        shown += shell.read(timeout_s=0.5)
        if b"shown" in shown:
            break
    assert b"shown" in shown
    shell.send(b"q")
    assert shell.wait(timeout_s=5).exit_code == 0
    assert shell.run("echo clean").output == b"clean\n"


def test_a_limit_that_makes_no_sense_is_named() -> None:
    with pytest.raises(ValueError, match="disk_bytes"):
        create(Spec(terminal=True, limits=Limits(disk_bytes=-1)))


def test_a_closed_sandbox_says_so() -> None:
    with closing(create(Spec(terminal=True))) as made:
        made.close()
        made.close()
        with pytest.raises(ValueError, match="closed"):
            made.exec(["true"])
