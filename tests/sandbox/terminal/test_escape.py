"""An inner root that tries to get out of its machine, or at what keeps it. Nothing outside is ever connected."""

import os
import textwrap
import time
from pathlib import Path

import pytest

from palestra.sandbox.base import ProcessesRunningError, Python, Sandbox
from palestra.sandbox.battery.host import items_of, set_out_bait, try_items
from palestra.sandbox.native.terminal.plan import MachinePlan
from palestra.sandbox.native.terminal.program import CAPABILITIES


def lines(box: Sandbox, source: str) -> list[str]:
    ran = box.exec(Python(textwrap.dedent(source)))
    assert ran.ok, ran.stderr.decode()
    return ran.stdout.decode().splitlines()


def test_the_battery_holds_in_programs(box: Sandbox) -> None:
    with set_out_bait() as bait:
        found = try_items(box, bait, items_of(terminal=True), terminal=True)
    assert {name: came for name, came in found.items() if came} == {}


def test_the_shell_has_no_more_than_programs(box: Sandbox) -> None:
    status = "grep -E 'Cap(Prm|Eff|Bnd|Inh|Amb)|NoNewPrivs|Seccomp:' /proc/self/status"
    shell = box.shell().run(status).output
    assert shell == box.exec(["sh", "-c", status]).stdout
    shown = dict(line.split(":") for line in shell.decode().splitlines())
    assert int(shown["CapEff"], 16) == int(shown["CapBnd"], 16) == CAPABILITIES
    assert (int(shown["CapAmb"], 16), shown["NoNewPrivs"].strip(), shown["Seccomp"].strip()) == (0, "1", "2")


def test_no_key_is_typed_into_a_terminal(box: Sandbox) -> None:
    shell = box.shell()
    box.write(
        "type.py",
        b"""
import fcntl, termios
for request in (termios.TIOCSTI, 0x541C, termios.TIOCSTI | 1 << 32):
    try:
        fcntl.ioctl(0, request & 0xFFFFFFFF, b"x")
        print("typed")
    except OSError as error:
        print(error.errno)
""",
    )
    assert shell.run("python3 type.py").output.split() == [b"1", b"1", b"1"]
    assert shell.run("echo clean").output == b"clean\n"


def test_its_first_process_cannot_be_looked_into(box: Sandbox) -> None:
    source = """
        import os
        for name in ("environ", "mem", "maps", "fd", "root", "cwd", "exe", "ns/mnt", "syscall", "stack"):
            opens = [lambda path: os.open(path, os.O_RDWR), lambda path: os.open(path, os.O_RDONLY)]
            for action in (os.listdir, os.readlink, *opens):
                try:
                    got = action(f"/proc/1/{name}")
                    if os.read(got, 1) if isinstance(got, int) else got:
                        print(name, got)
                except OSError:
                    pass
    """
    box.shell()
    assert lines(box, source) == []


def test_layers_and_host_folders_are_out_of_reach(box: Sandbox) -> None:
    source = """
        import os
        for path in ("/layers", "/bases", "/masks", "/seen", "/template", "/machine", "/.old"):
            if os.path.exists(path):
                print(path)
        for line in open("/proc/self/mountinfo"):
            kind = line.split(" - ")[1].split()[0]
            options = line.split()[5].split(",")
            if kind == "overlay" and "nodev" not in options:
                print(line)
            if kind in ("ext4", "xfs", "btrfs") or (kind in ("proc", "devtmpfs") and "ro" not in options):
                print(line)
    """
    assert lines(box, source) == []


def test_host_folders_below_the_overlay_stay_as_they_are(box: Sandbox) -> None:
    sample = Path("/usr/bin/env")
    before = (sample.stat(), sample.read_bytes())
    source = """
        import os
        path = "/usr/bin/env"
        os.chmod(path, 0o4777); os.utime(path, (1, 1)); os.setxattr(path, "user.x", b"1")
        with open(path, "ab") as file:
            file.write(b"changed")
        print(os.stat(path).st_size)
        for name in os.listdir("/usr/bin"):
            os.unlink(f"/usr/bin/{name}")
    """
    assert lines(box, source) == [str(before[0].st_size + 7)]
    after = sample.stat()
    assert (after.st_mtime_ns, after.st_mode, after.st_uid, after.st_ctime_ns) == (
        before[0].st_mtime_ns,
        before[0].st_mode,
        before[0].st_uid,
        before[0].st_ctime_ns,
    )
    assert sample.read_bytes() == before[1]


def test_devices_that_are_made_are_none(box: Sandbox) -> None:
    source = """
        import os, stat
        for folder in ("/tmp", "/dev/shm", "/workspace", "/usr", "/root"):
            for kind in (stat.S_IFCHR, stat.S_IFBLK):
                for number in ((1, 1), (1, 3), (0, 0), (8, 0), (254, 0), (7, 0), (10, 200), (10, 232)):
                    try:
                        os.mknod(f"{folder}/d", kind | 0o666, os.makedev(*number))
                    except OSError:
                        continue
                    try:
                        os.open(f"{folder}/d", os.O_RDWR)
                        print("opened", folder, number)
                    except OSError:
                        pass
                    os.unlink(f"{folder}/d")
        print("end")
    """
    assert lines(box, source) == ["end"]


def test_overlay_attributes_are_not_for_programs_to_set_through_the_machine(box: Sandbox) -> None:
    source = """
        import os
        os.mkdir("/d"); open("/d/f", "w").close()
        opaque = [("user.overlay.opaque", b"y"), ("trusted.overlay.opaque", b"y")]
        for name, value in (*opaque, ("user.overlay.redirect", b"/etc")):
            for path in ("/d", "/usr", "/etc"):
                try:
                    os.setxattr(path, name, value)
                except OSError:
                    pass
    """
    lines(box, source)
    box.snapshot()
    assert lines(box, "import os; print(len(os.listdir('/usr')) > 3, 'passwd' in os.listdir('/etc'))") == ["True True"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has other user ids to give")
def test_no_user_inside_is_one_of_the_host(box: Sandbox) -> None:
    plan = MachinePlan.make(None)
    assert plan.ids is not None
    outer = {tuple(line.split()) for line in lines(box, "print(open('/proc/self/uid_map').read().strip())")}
    assert outer == {("0", str(plan.ids[0]), str(plan.ids[1]))}
    box.shell().send(b"exec sleep 30\n")
    deadline = time.monotonic() + 10
    while not (nobody := [path for path in Path("/proc").glob("[0-9]*/status") if _is_sleep(path)]):
        assert time.monotonic() < deadline
    assert nobody
    assert all("Uid:\t0" not in path.read_text() for path in nobody)


def _is_sleep(status: Path) -> bool:
    try:
        return (status.parent / "cmdline").read_bytes() == b"sleep\x0030\0"
    except OSError:
        return False


def test_set_user_id_programs_give_nothing(box: Sandbox) -> None:
    source = """
        import os, shutil, subprocess
        shutil.copy("/bin/cat", "/bin/mycat"); os.chmod("/bin/mycat", 0o4755)
        open("/root/secret", "w").write("secret"); os.chmod("/root/secret", 0o600); os.chmod("/root", 0o755)
        print(subprocess.run(["/bin/mycat", "/root/secret"], user=65534, capture_output=True).returncode)
    """
    assert lines(box, source) == ["1"] or os.geteuid() != 0


def test_the_report_channel_holds_no_power(box: Sandbox) -> None:
    shell = box.shell()
    box.exec(["sh", "-c", "head -c 200000 /dev/zero | tr '\\0' Z > /dev/shell/reports & sleep 0.2"])
    shell.run("true", timeout_s=3)
    for mess in (
        "rm -rf /dev/shell/*",
        "ln -s /etc/passwd /dev/shell/start",
        "rm -rf /dev/shell/*; mkdir /dev/shell/reports",
    ):
        box.exec(["sh", "-c", mess])
        shell.run(mess)
    assert shell.run("ls /dev/shell; echo x > /dev/shell/start").exit_code == 1
    box.restore(box.snapshot())
    assert shell.run("echo back").output == b"back\n"
    assert b"root" in box.read("/etc/passwd")


def test_a_shell_that_keeps_its_state_to_itself_is_named_or_lost(box: Sandbox) -> None:
    shell = box.shell()
    box.write("kept", b"1")
    assert shell.run("printf() { :; }").exit_code == 0
    shell.run("unset PROMPT_COMMAND", timeout_s=0.3)
    with pytest.raises(ProcessesRunningError):
        box.snapshot()
    box.restore(box.snapshot(end_processes=True))
    assert box.shell().run("cat kept; echo ' fresh'").output == b"1 fresh\n"


def test_no_path_of_the_host_is_in_the_first_process_command_line(box: Sandbox) -> None:
    command = box.exec(["cat", "/proc/1/cmdline"]).stdout.split(b"\0")
    assert command[1:] == [b"-I", b"-S", b"-", b""]
