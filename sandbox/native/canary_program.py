"""Runs inside a slot: tries what must fail, and prints which capabilities held, as JSON.

Standard input holds the path of a file of the host, a port on which the host listens, and the numbers
of system calls.
"""

import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable
from functools import partial

CLONE_NEWUSER, THREAD_KEYRING, POSSIBLE_VSOCK = 0x10000000, -1, 40
FOREIGN_FAMILIES = (15, 17, 21, 29, 30, 31, 38, POSSIBLE_VSOCK, 42, 44)  # outside namespaces, or raw
NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH)


def refuses(action: Callable[[], object], *codes: int) -> bool:
    """Return whether an action fails, with one of the codes if any are given."""
    try:
        action()
    except OSError as error:
        return not codes or error.errno in codes
    return False


def connect(address: tuple[str, int]) -> None:
    """Open a connection."""
    with socket.socket() as caller:
        caller.settimeout(2)
        caller.connect(address)


def create(path: str) -> None:
    """Create a file, or open it to write."""
    with open(path, "a"):
        pass


def network_is_off(port: int) -> bool:
    """No interface but loopback, no route, and not the host's loopback."""
    only_loopback = [name for _, name in socket.if_nameindex()] == ["lo"]
    no_route = refuses(lambda: connect(("192.0.2.1", 9)), *NO_ROUTE)
    return only_loopback and no_route and refuses(lambda: connect(("127.0.0.1", port)), errno.ECONNREFUSED)


def root_is_read_only(secret: str) -> bool:
    """Nothing of the host, of the interpreter or of the kernel's settings can be written; the secret is not there."""
    places = ["/", "/usr", "/etc", "/dev", "/opt", os.path.dirname(os.path.realpath(sys.executable)), sys.prefix]
    files = [os.path.join(place, "written") for place in places]
    files += ["/etc/passwd", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", sys.executable]
    works = not refuses(lambda: create("/tmp/written")) and not refuses(lambda: create("written"))
    os.remove("written")
    return works and all(refuses(partial(create, file)) for file in files) and not os.path.exists(secret)


def pids_are_hidden() -> bool:
    """Only init and this process exist."""
    return sorted(name for name in os.listdir("/proc") if name.isdecimal()) == ["1", "2"] and os.getpid() == 2


def families_are_refused() -> bool:
    """A socket of a family outside the list cannot even be made, and the usual ones can."""
    codes = (errno.EAFNOSUPPORT, errno.EPERM)
    refused = all(refuses(partial(socket.socket, family, socket.SOCK_DGRAM), *codes) for family in FOREIGN_FAMILIES)
    usual = (socket.AF_UNIX, socket.AF_INET)
    return refused and not any(refuses(partial(socket.socket, family)) for family in usual)


def calls_are_filtered(numbers: dict[str, int]) -> bool:
    """Calls that would work without the filter are refused, and no capability is left."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(256)
    attempts: dict[str, tuple[object, ...]] = {
        "unshare": (CLONE_NEWUSER,),
        "keyctl": (0, THREAD_KEYRING, 1),
        "ptrace": (0, 0, 0, 0),
        "io_uring_setup": (1, buffer),
        "userfaultfd": (1,),
        "bpf": (0, buffer, 128),
        "perf_event_open": (buffer, 0, -1, -1, 0),
        "mount": (b"none", b"/tmp", b"tmpfs", 0, 0),
    }
    for name, arguments in attempts.items():
        result = libc.syscall(numbers[name], *arguments)
        if result != -1 or ctypes.get_errno() != errno.EPERM:
            print(f"{name} returned {result}, errno {ctypes.get_errno()}", file=sys.stderr)
            return False
    with open("/proc/self/status") as file:
        status = {line.partition(":")[0]: line.partition(":")[2].strip() for line in file}
    no_capabilities = all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    return no_capabilities and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


def main() -> None:
    """Print the result of every check."""
    given = json.load(sys.stdin)
    checks: dict[str, Callable[[], bool]] = {
        "network_off": lambda: network_is_off(given["port"]),
        "read_only_root": lambda: root_is_read_only(given["secret"]),
        "pid_hidden": pids_are_hidden,
        "socket_families": families_are_refused,
        "syscall_filter": lambda: calls_are_filtered(given["numbers"]),
    }
    results = {}
    for name, check in checks.items():
        try:
            results[name] = check()
        except Exception as error:  # not proven
            print(f"{name}: {error!r}", file=sys.stderr)
            results[name] = False
    print(json.dumps(results))


if __name__ == "__main__":
    main()
