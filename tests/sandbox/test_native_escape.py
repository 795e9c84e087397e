"""Programs that try to get out of a native sandbox, or to see what is not theirs.

Nothing here is ever connected: a socket of a refused family is only asked for.
"""

import json
import os
import socket
import tempfile
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from palestra.sandbox import probe
from palestra.sandbox.base import ExecResult, Limits, Python, Sandbox, Spec
from palestra.sandbox.native.backend import NativeBackend
from palestra.sandbox.native.seccomp import REFUSED
from palestra.sandbox.native.syscalls import machine, number


def run(sandbox: Sandbox, source: str, **options: object) -> ExecResult:
    """Run an indented Python source."""
    return sandbox.exec(Python(textwrap.dedent(source)), **options)  # type: ignore[arg-type]


# Getting out.


def test_socket_families_outside_namespaces_are_refused(native: Sandbox) -> None:
    source = """
        import socket
        for family in range(64):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
                for protocol in (0, 9, 15, 16):
                    try:
                        socket.socket(family, kind, protocol).close()
                        print(family, protocol if family == 16 else "")
                    except OSError:
                        pass
    """
    made = {tuple(line.split()) for line in run(native, source).stdout.decode().splitlines()}
    assert made == {(str(int(family)),) for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)} | {("16", "0")}


def test_there_is_no_network(native: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = f"""
            import errno, socket
            print([name for _, name in socket.if_nameindex()])
            for address in (("127.0.0.1", {server.getsockname()[1]}), ("192.0.2.1", 80), ("10.0.0.1", 53)):
                try:
                    socket.create_connection(address, 2)
                    print("connected", address)
                except OSError as error:
                    print(errno.errorcode[error.errno])
            try:
                socket.getaddrinfo("example.com", 80)
            except socket.gaierror:
                print("no names")
        """
        result = run(native, source)
    expected = ["['lo']", "ECONNREFUSED", "ENETUNREACH", "ENETUNREACH", "no names"]
    assert result.stdout.decode().splitlines() == expected


def test_a_program_may_talk_to_itself(native: Sandbox) -> None:
    source = """
        import socket
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname())
        client.send(b"hello")
        print(server.accept()[0].recv(5))
    """
    assert run(native, source).stdout == b"b'hello'\n"


def test_refused_system_calls(native: Sandbox) -> None:
    numbers = {name: number(name, machine()) for name in REFUSED}
    source = """
        import ctypes, errno, json, sys
        libc = ctypes.CDLL(None, use_errno=True)
        for name, number in json.load(sys.stdin).items():
            result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
            if (result, ctypes.get_errno()) != (-1, errno.EPERM):
                print(name, result, ctypes.get_errno())
        for flags in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000, 0x80):
            if libc.syscall({clone}, flags | 17, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM:
                print("clone", hex(flags))
        for number, name in ((435, "clone3"), (467, "unknown"), (999, "unknown")):
            if libc.syscall(number, 0, 0) != -1 or ctypes.get_errno() != errno.ENOSYS:
                print(name)
        print("end")
    """.replace("{clone}", str(number("clone", machine())))
    result = run(native, source, stdin=json.dumps(numbers).encode())
    assert result.stdout == b"end\n", result


@pytest.mark.skipif(machine() != "x86_64", reason="only x86-64 has other doors to the kernel")
def test_the_other_system_call_doors_are_shut(native: Sandbox) -> None:
    x32 = "import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39); print('came through')"
    result = run(native, x32)
    assert (result.signal, result.stdout) == (31, b"")
    int80 = """
        import ctypes, mmap
        code = mmap.mmap(-1, 4096, prot=7)
        code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 20 (getpid); int 0x80; ret
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
        print("came through")
    """
    result = run(native, int80)
    assert (result.signal, result.stdout) == (31, b"")


def test_no_privileges_and_none_to_be_had(native: Sandbox) -> None:
    shown = native.exec(["cat", "/proc/self/status"]).stdout.decode()
    status = {line.partition(":")[0]: line.partition(":")[2].strip() for line in shown.splitlines()}
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Uid"].split() == ["1000"] * 4
    result = run(
        native,
        """
        import os
        for action in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.chroot("/tmp"),
                       lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(254, 0)), lambda: os.nice(-5),
                       lambda: os.chown("/tmp", 0, 0)):
            try:
                action()
                print("allowed")
            except PermissionError:
                pass
        """,
    )
    assert result.stdout == b"", result


def test_the_root_cannot_be_written(native: Sandbox) -> None:
    source = """
        import os, sys
        for folder, folders, files in os.walk("/"):
            folders[:] = [f for f in folders if folder != "/" or f not in ("proc", "workspace", "tmp")]
            folders[:] = folders[:40] if folder.count("/") < 6 else []
            for name in [os.path.join(folder, "new"), *(os.path.join(folder, f) for f in files[:3])]:
                try:
                    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK))
                    if not name.startswith("/dev/"):
                        print("wrote", name)
                except OSError:
                    pass
            try:
                os.chmod(folder, 0o777)
                print("chmod", folder)
            except OSError:
                pass
    """
    result = run(native, source, limits=Limits(wall_s=30, cpu_s=20))
    assert (result.stdout, result.exit_code) == (b"", 0), result


def test_the_kernels_settings_cannot_be_written(native: Sandbox) -> None:
    source = """
        import os
        for folder, _, files in os.walk("/proc/sys"):
            for name in files:
                try:
                    os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
                    print(folder, name)
                except OSError:
                    pass
        for name in ("sysrq-trigger", "self/uid_map", "1/oom_score_adj", "self/mem"):
            try:
                os.close(os.open("/proc/" + name, os.O_WRONLY))
                print(name)
            except OSError:
                pass
    """
    result = run(native, source, limits=Limits(wall_s=30))
    assert (result.stdout, result.exit_code) == (b"", 0), result


def test_the_host_is_not_there(native: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with tempfile.NamedTemporaryFile() as shared:
        os.chmod(shared.name, 0o666)
        here = [str(secret), shared.name, str(Path(__file__).resolve()), os.getcwd() + "/pyproject.toml"]
        here += [
            "/etc/shadow",
            "/etc/hostname",
            "/home",
            "/var/log",
            "/var/lib/dpkg",
            "/var/tmp",
            "/sys",
            "/boot",
            "/dev/kvm",
            "/dev/vda",
            "/dev/tty",
        ]
        source = f"import os; print([p for p in {here!r} if os.path.lexists(p)])"
        assert run(native, source).stdout == b"[]\n"
        assert run(native, "import os; print(os.listdir('/run'))").stdout == b"[]\n"
    top = native.exec(["ls", "/"]).stdout.decode().split()
    assert set(top) <= {
        "bin",
        "sbin",
        "lib",
        "lib32",
        "lib64",
        "libx32",
        "usr",
        "etc",
        "dev",
        "proc",
        "tmp",
        "workspace",
        "opt",
        "run",
        "var",
    } | {
        os.path.realpath(os.sys.base_prefix).split("/")[1]  # type: ignore[attr-defined]
    }


def test_palestra_itself_cannot_be_imported(native: Sandbox) -> None:
    """Its generators know the answers to its tasks."""
    result = run(native, "import sys; sys.path.append('/opt/palestra')\nimport palestra")
    assert result.exit_code == 1
    found = run(
        native, "import os; print([n for _, _, f in os.walk('/opt') for n in f if n in ('oracle.py', 'generate.py')])"
    )
    assert found.stdout == b"[]\n"


# Seeing what is not its own.


def test_the_hosts_environment_is_nowhere(native: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        import glob, os
        for file in glob.glob("/proc/*/environ") + glob.glob("/proc/*/task/*/environ"):
            try:
                print(file, open(file, "rb").read())
            except OSError as error:
                print(file, error.strerror)
        print(dict(os.environ))
    """
    result = run(native, source)
    assert b"/proc/1/environ Permission denied" in result.stdout
    for name in ("USER", "LOGNAME", "PWD", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV"):
        assert f"{name}=".encode() not in result.stdout.replace(b"OLDPWD", b"")


def test_only_its_own_processes_are_visible(native: Sandbox) -> None:
    source = "import os; print([p for p in os.listdir('/proc') if p.isdecimal()], os.getpid(), os.getppid())"
    assert run(native, source).stdout == b"['1', '2'] 2 0\n"


def test_init_cannot_be_reached_into(native: Sandbox) -> None:
    source = """
        import os
        for name in ("mem", "maps", "fd", "root", "cwd", "exe", "ns/mnt", "auxv", "stack", "fdinfo", "map_files", "io"):
            path = f"/proc/1/{name}"
            for action in (os.listdir, lambda p: os.open(p, os.O_RDONLY), lambda p: os.open(p, os.O_RDWR), os.readlink):
                try:
                    print(name, action(path))
                except OSError:
                    pass
    """
    assert run(native, source).stdout == b""


def test_no_descriptor_but_the_standard_ones(native: Sandbox) -> None:
    source = """
        import os, stat
        for descriptor in range(4096):
            try:
                print(descriptor, stat.S_IFMT(os.fstat(descriptor).st_mode) == stat.S_IFSOCK)
            except OSError:
                pass
    """
    for command in (Python(textwrap.dedent(source)), ["python3", "-c", textwrap.dedent(source)]):
        assert native.exec(command).stdout == b"0 False\n1 False\n2 False\n"


def test_standard_streams_can_be_opened_again_but_input_not_changed(native: Sandbox) -> None:
    result = native.exec(["sh", "-c", "echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin"], stdin=b"in\n")
    assert (result.stdout, result.stderr) == (b"out\nin\n", b"err\n")
    result = run(native, "import os; os.open('/dev/stdin', os.O_RDWR); os.write(0, b'x')", stdin=b"given")
    assert result.exit_code == 1


def test_nothing_of_a_program_is_left_for_the_next(native: Sandbox) -> None:
    first = """
        import os, socket, sys, time
        open("/tmp/left", "w").write("x"); open("/dev/shm/left", "w").write("x")
        if os.fork() == 0:
            os.setsid()
            hidden = socket.socket(socket.AF_UNIX); hidden.bind("\\0left"); hidden.listen()
            time.sleep(60)
        time.sleep(0.05)
    """
    assert run(native, first).exit_code == 0
    second = """
        import os, socket
        print(os.listdir("/tmp"), [p for p in os.listdir("/proc") if p.isdecimal()])
        try:
            socket.socket(socket.AF_UNIX).connect("\\0left")
        except ConnectionRefusedError:
            print("refused")
    """
    assert run(native, second).stdout == b"[] ['1', '2']\nrefused\n"


def test_ports_of_another_sandboxs_programs_are_free() -> None:
    """A slot that is used again has a network in which nothing has happened."""
    use = """
        import socket
        server = socket.create_server(("127.0.0.1", 5555), reuse_port=False)
        client = socket.create_connection(("127.0.0.1", 5555))
        server.accept()[0].close()
        print(client.recv(1), open("/proc/net/sockstat").read().split(" tw ")[1][0])
    """
    backend = NativeBackend(probe())
    for _ in range(3):
        with closing(backend.create(Spec())) as sandbox:
            assert sandbox.exec(["grep", "-c", "tw 0 ", "/proc/net/sockstat"]).stdout == b"1\n"
            assert run(sandbox, use).stdout.startswith(b"b''"), "the port is free"
    backend.close()


def test_a_program_cannot_read_the_last_ones_source_or_data_in_its_memory(native: Sandbox) -> None:
    """The fork-server, whose memory every program starts with a copy of, never sees them."""
    half = os.urandom(12).hex()
    secret = f"{half}-{half[::-1]}"
    native.exec(Python(f"secret = {secret!r}; print(input())"), stdin=secret.encode(), env={"SECRET": secret})
    native.exec(["sh", "-c", f": {secret}"], stdin=secret.encode(), env={"SECRET": secret})
    search = f"""
        half, found = {half!r}.encode(), 0
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps.readlines():
                start, end = (int(part, 16) for part in line.split()[0].split("-"))
                if line.split()[1].startswith("rw"):
                    try:
                        memory.seek(start)
                        block = memory.read(end - start)
                    except OSError:
                        continue
                    for piece in block.split(half)[1:]:
                        found += piece[:1] == b"-"
        print(found)
    """
    assert run(native, search).stdout == b"0\n"
    control = search.replace("found = ", "held, found = ").replace(", 0\n", f", {half!r} + '-', 0\n")
    assert int(run(native, control).stdout) > 0, "the search finds what is there"


def test_a_program_cannot_forge_its_outcome(native: Sandbox) -> None:
    """It holds no channel to whoever reports on it."""
    forge = """
        import os, socket
        for descriptor in range(3, 1024):
            for action in (lambda: os.write(descriptor, b"{}"), lambda: socket.socket(fileno=descriptor).send(b"{}")):
                try:
                    action()
                    print("wrote to", descriptor)
                except OSError:
                    pass
        os._exit(3)
    """
    result = run(native, forge)
    assert (result.exit_code, result.stdout) == (3, b"")


def test_set_user_id_programs_gain_nothing(native: Sandbox) -> None:
    result = native.exec(
        ["sh", "-c", "find /usr/bin -perm -4000 2>/dev/null | head -3; su -c id 2>&1; mount 2>&1 | wc -l; id -u"]
    )
    assert result.stdout.decode().strip().endswith("1000")
    assert b"uid=0" not in result.stdout
