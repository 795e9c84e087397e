"""The host's side of the battery: sets out the bait, lets a sandbox try the items, reads what came through."""

import contextlib
import ctypes
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

from palestra.sandbox.base import MIB, ExecResult, InfraError, Limits, PermanentInfraError, Python, Sandbox
from palestra.sandbox.battery.attempt import ITEMS, Bait
from palestra.sandbox.native.syscalls import MACHINES, machine, number

_TOPICS = ("network", "processes", "system", "kernel")
_MODULES = ("attempt", *_TOPICS, "inside")
for _topic in _TOPICS:  # each registers its items
    import_module(f"palestra.sandbox.battery.{_topic}")

LIMITS = Limits(wall_s=60.0, cpu_s=30.0, memory_bytes=96 * MIB, processes=12, disk_bytes=4 * MIB)
_CALLS = (
    *("add_key", "adjtimex", "bpf", "clone3", "delete_module", "finit_module", "fsopen", "init_module"),
    *("io_uring_setup", "kexec_load", "keyctl", "mount", "move_mount", "open_by_handle_at", "open_tree"),
    *("perf_event_open", "pidfd_getfd", "pivot_root", "process_vm_readv", "process_vm_writev", "ptrace"),
    *("request_key", "sethostname", "setns", "umount2", "unshare", "userfaultfd"),
)
# Variables that a sandbox sets itself, to what may be the same.
_PLAIN_VARIABLES = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "PWD", "OLDPWD", "SHLVL", "SHELL", "TERM", "_"}
_PLAIN_VARIABLES |= {"USER", "LOGNAME", "TMPDIR", "HOSTNAME", "DEBIAN_FRONTEND", "PYTHONHASHSEED"}
_PLAIN_VARIABLES |= {"PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"}
_READ_BY_ALL = 0o666
_REMOVE_SHARED_MEMORY, _CREATE_NEW = 0, 0o3000
_LOOKING_S = 1.5

_START = """
import json, sys, types
given = json.load(sys.stdin)
for name, source in given["modules"]:
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, name, "exec"), module.__dict__)
import io
sys.stdin = io.StringIO(json.dumps(given))
module.main()
"""


_WAIT_AND_CLEAR_UP = """
import ctypes, os, sys
marker, key, *files = sys.argv[1:]
sys.stdin.read()
libc = ctypes.CDLL(None)
libc.mq_unlink(("/" + marker).encode())
libc.shmctl(libc.shmget(int(key), ctypes.c_size_t(0), 0), 0, None)
for file in files:
    if os.path.exists(file):
        os.unlink(file)
"""


@contextlib.contextmanager
def set_out_bait() -> Iterator[Bait]:
    """Give what attempts go for, all of it made for this: nothing of the host's own is at stake."""
    marker = f"palestra-battery-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as held:
        server = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener = held.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(f"\0{marker}")
        listener.listen()
        file = held.enter_context(tempfile.NamedTemporaryFile(mode="w", prefix=f"{marker}-"))
        file.write(marker)
        file.flush()
        os.chmod(file.name, _READ_BY_ALL)
        salt, key, memory = secrets.token_hex(16), secrets.randbelow(1 << 30) + 1, Path("/dev/shm", marker)
        yield Bait(
            marker=marker,
            pid=held.enter_context(_bystander(marker, key, [file.name, str(memory)])),
            file=file.name,
            port=server.getsockname()[1],
            unix_name=marker,
            shared_memory_key=held.enter_context(_shared_memory(key, memory)),
            queue=held.enter_context(_queue(f"/{marker}")),
            namespaces={kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "uts")},
            salt=salt,
            environment=tuple(_hashed(salt, os.environ)),
            kernel=os.uname().release,
            calls={name: number(name, machine()) or -1 for name in _CALLS} if os.uname().machine in MACHINES else {},
            terminal=False,
        )


def try_items(sandbox: Sandbox, bait: Bait, names: Iterable[str], *, terminal: bool) -> dict[str, list[str]]:
    """Return what came through in a sandbox, by item: an empty list where all was refused.

    Args:
        sandbox: made with or without `Spec.terminal`.
        bait: what `set_out_bait` gives.
        names: of `ITEMS`.
        terminal: how the sandbox was made.

    Raises:
        PermanentInfraError: the sandbox cannot even run a program.
    """
    wanted = list(names)
    folder = Path(__file__).parent
    modules = [(f"palestra.sandbox.battery.{name}", (folder / f"{name}.py").read_text()) for name in _MODULES]
    given = {"modules": modules, "bait": asdict(replace(bait, terminal=terminal)), "items": wanted}
    ran = sandbox.exec(Python(_START), stdin=json.dumps(given).encode(), limits=LIMITS)
    found = _read(ran, wanted)
    if "no_user_of_the_host" in found and (outside := users_outside(sandbox)):
        # What the host sees counts for more than the inner map, which nested namespaces make misleading.
        seen = ["it runs as the host's user 0"] if 0 in outside else []
        found["no_user_of_the_host"] = seen + (found["no_user_of_the_host"] if terminal else [])
    return found


def items_of(terminal: bool) -> list[str]:
    """Return the names of the items that a kind of sandbox is held to."""
    return [item.name for item in ITEMS.values() if item.terminal or not terminal]


def users_outside(sandbox: Sandbox) -> set[int]:
    """Return the user ids that a program of a sandbox has on the host; empty when the host sees no such process."""
    seconds = f"{_LOOKING_S}{secrets.randbelow(10**12):012}"  # nobody else sleeps for just as long
    runner = threading.Thread(target=_run_quietly, args=(sandbox, ["sleep", seconds]))
    runner.start()
    found: set[int] = set()
    while runner.is_alive() and not found:
        found = _users_of(f"sleep\0{seconds}\0".encode())
        runner.join(0.01)
    runner.join()
    return found


def _run_quietly(sandbox: Sandbox, command: list[str]) -> None:
    with contextlib.suppress(InfraError):
        sandbox.exec(command, limits=LIMITS)


def _users_of(command_line: bytes) -> set[int]:
    """Return the user ids of the processes with a command line, which are ended."""
    users: set[int] = set()
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdecimal() and (folder / "cmdline").read_bytes() == command_line:
                status = (folder / "status").read_text().partition("Uid:")[2].splitlines()[0]
                users |= {int(user) for user in status.split()}
                os.kill(int(folder.name), 9)
    return users


def _read(ran: ExecResult, names: list[str]) -> dict[str, list[str]]:
    try:
        found = json.loads(ran.stdout)
        return {name: [str(line) for line in found[name]] for name in names}
    except (ValueError, KeyError, TypeError) as error:
        complaint = ran.stderr.decode(errors="replace")[-1000:].strip()
        raise PermanentInfraError(
            f"the sandbox cannot run the battery, a Python program: exit code {ran.exit_code}, signal {ran.signal}, "
            f"timed out: {ran.timed_out}, out of memory: {ran.oom}. {complaint}"
        ) from error


def _hashed(salt: str, environment: "os._Environ[str]") -> Iterator[str]:
    for name, value in environment.items():
        if name not in _PLAIN_VARIABLES:
            yield hashlib.sha256(os.fsencode(f"{salt}{name}={value}")).hexdigest()


@contextlib.contextmanager
def _bystander(marker: str, key: int, files: list[str]) -> Iterator[int]:
    """Give a process that has nothing to do with any sandbox, with the marker in its words and variables.

    When this process is killed it takes away what else the kernel would keep: shared memory, a queue and files.
    """
    words = [sys.executable, "-I", "-S", "-c", _WAIT_AND_CLEAR_UP, marker, str(key), *files]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, env={"PALESTRA_BATTERY": marker}, start_new_session=True)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()


@contextlib.contextmanager
def _shared_memory(key: int, file: Path) -> Iterator[int]:
    """Make a piece of shared memory and give its key, 0 if none can be made; make a file of shared memory beside it."""
    libc = ctypes.CDLL(None)
    segment = libc.shmget(ctypes.c_int(key), ctypes.c_size_t(4096), _READ_BY_ALL | _CREATE_NEW)
    with contextlib.suppress(OSError):
        file.touch()
        file.chmod(_READ_BY_ALL)
    try:
        yield key if segment != -1 else 0
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
        if segment != -1:
            libc.shmctl(segment, _REMOVE_SHARED_MEMORY, None)


@contextlib.contextmanager
def _queue(name: str) -> Iterator[str]:
    """Give the name of a message queue, or "" where none can be made."""
    libc = ctypes.CDLL(None)
    small = (ctypes.c_long * 8)(0, 1, 1)  # one message of one byte: all of a user's queues share one limit
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    queue = libc.mq_open(name.encode(), flags, ctypes.c_uint(_READ_BY_ALL), ctypes.byref(small))
    if queue == -1:
        yield ""
        return
    try:
        os.fchmod(queue, _READ_BY_ALL)
        yield name
    finally:
        os.close(queue)
        libc.mq_unlink(name.encode())
