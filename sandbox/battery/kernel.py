"""Attempts at the kernel: calls that make namespaces or are mostly attack surface. Runs inside a sandbox.

Every call is made so that it changes nothing where it is allowed.
"""

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator

from palestra.sandbox.battery.attempt import Bait, call, came_through, item

_NEW_NAMESPACES = {"user": 0x10000000, "mnt": 0x20000, "pid": 0x20000000, "net": 0x40000000}
_NEW_NAMESPACES |= {"ipc": 0x08000000, "uts": 0x04000000, "cgroup": 0x02000000, "time": 0x80}
_THREAD_KEYRING, _ANY_KEYRING = -1, -3
_TREE_CLONE, _AT_FDCWD = 1, -100
_MODE_ESTERROR = 8
_WAIT_FOR_ALL = 0x40000000
_STATUS_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
# What an inner root may keep, since it acts on the sandbox's own files, users and processes only.
_INNER_ROOT = {"chown": 0, "dac_override": 1, "dac_read_search": 2, "fowner": 3, "fsetid": 4, "kill": 5, "setgid": 6}
_INNER_ROOT |= {"setuid": 7, "setpcap": 8, "net_bind_service": 10, "sys_chroot": 18, "audit_write": 29, "setfcap": 31}


@item("syscall_filter")
def no_namespace(bait: Bait) -> Iterator[str]:
    """No new namespace can be made, a user's least of all, and no other one be entered."""
    if bait.is_under_another_kernel:
        return
    for name, flag in _NEW_NAMESPACES.items():
        child = os.fork()
        if child == 0:  # so that this process stays where it is
            result, code = call(bait, "unshare", ctypes.c_ulong(flag))
            os._exit(result == 0 or code not in (errno.EPERM, errno.ENOSYS))
        if os.waitpid(child, 0)[1] != 0:
            yield f"a {name} namespace by unshare"
    yield from came_through(bait, "setns", -1, 0)
    arguments = struct.pack("=8Q", _NEW_NAMESPACES["user"], 0, 0, 0, 0, 0, 0, 0)
    result, code = call(bait, "clone3", arguments, ctypes.c_size_t(len(arguments)))
    if result == 0:
        os._exit(0)  # the new process
    if result > 0:
        os.waitpid(result, _WAIT_FOR_ALL)  # it tells nobody of its end
    if code not in (errno.EPERM, errno.ENOSYS):
        yield "a user namespace by clone3"


@item("syscall_filter")
def no_mount(bait: Bait) -> Iterator[str]:
    """No file system can be mounted, moved or looked at from outside."""
    if bait.is_under_another_kernel:
        return
    yield from came_through(bait, "mount", b"none", b"/nowhere", b"tmpfs", ctypes.c_ulong(0), None)
    yield from came_through(bait, "umount2", b"/nowhere", 0)
    yield from came_through(bait, "pivot_root", b"/nowhere", b"/nowhere")
    yield from came_through(bait, "fsopen", b"no-such-kind", 0)
    yield from came_through(bait, "open_tree", _AT_FDCWD, b"/", ctypes.c_uint(_TREE_CLONE))
    yield from came_through(bait, "move_mount", -1, b"", -1, b"", 0)
    yield from came_through(bait, "open_by_handle_at", -1, None, 0)


@item("syscall_filter")
def no_io_uring(bait: Bait) -> Iterator[str]:
    """There is no io_uring."""
    if not bait.is_under_another_kernel:
        yield from came_through(bait, "io_uring_setup", 1, ctypes.create_string_buffer(256))


@item("syscall_filter")
def no_keyring(bait: Bait) -> Iterator[str]:
    """The kernel's keys, which know no namespace, cannot be asked for."""
    if not bait.is_under_another_kernel:
        yield from came_through(bait, "keyctl", 0, _THREAD_KEYRING, 1)
        yield from came_through(bait, "add_key", b"user", b"x", b"x", ctypes.c_size_t(1), _THREAD_KEYRING)
        yield from came_through(bait, "request_key", b"user", b"palestra-none", None, _ANY_KEYRING)


@item("syscall_filter")
def no_tracing_of_the_kernel(bait: Bait) -> Iterator[str]:
    """No BPF program, performance counter or handler of page faults can be made."""
    if not bait.is_under_another_kernel:
        attributes = ctypes.create_string_buffer(struct.pack("=II", 1, 128), 128)  # a count of processor time
        yield from came_through(bait, "bpf", 0, ctypes.create_string_buffer(128), 128)
        yield from came_through(bait, "perf_event_open", attributes, 0, -1, -1, ctypes.c_ulong(0))
        yield from came_through(bait, "userfaultfd", 1)


@item("syscall_filter")
def no_module(bait: Bait) -> Iterator[str]:
    """No code can be put into the kernel or in its place."""
    if not bait.is_under_another_kernel:
        yield from came_through(bait, "init_module", None, ctypes.c_ulong(0), b"")
        yield from came_through(bait, "finit_module", -1, b"", 0)
        yield from came_through(bait, "delete_module", b"no_such_module_here", os.O_NONBLOCK)
        yield from came_through(bait, "kexec_load", ctypes.c_ulong(0), ctypes.c_ulong(0x7FFF), None, ctypes.c_ulong(0))


@item("syscall_filter")
def no_setting_of_the_clock(bait: Bait) -> Iterator[str]:
    """The time cannot be set."""
    state = ctypes.create_string_buffer(256)  # struct timex, filled with what is so now
    if bait.is_under_another_kernel or call(bait, "adjtimex", state)[0] == -1:
        return
    struct.pack_into("=I", state, 0, _MODE_ESTERROR)
    yield from came_through(bait, "adjtimex", state)


@item("syscall_filter")
def no_name_of_the_host(bait: Bait) -> Iterator[str]:
    """The host's name cannot be changed."""
    if bait.is_under_another_kernel or os.readlink("/proc/self/ns/uts") != bait.namespaces["uts"]:
        return
    name = socket.gethostname().encode()
    yield from came_through(bait, "sethostname", name, ctypes.c_size_t(len(name)))


@item("syscall_filter")
def no_capability(bait: Bait) -> Iterator[str]:
    """No capability is left or to be had; an inner root has those that act on its own things only."""
    with open("/proc/self/status") as file:
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
    allowed = sum(1 << number for number in _INNER_ROOT.values()) if bait.terminal else 0
    for name in _STATUS_CAPABILITIES:
        if beyond := int(status.get(name, "0"), 16) & ~allowed:
            yield f"{name} has {beyond:x} too many"
    if not bait.terminal and status.get("NoNewPrivs") != "1" and not bait.is_under_another_kernel:
        yield "a set-user-ID program may give new ones"


@item("syscall_filter")
def no_user_of_the_host(bait: Bait) -> Iterator[str]:
    """No user in here is the host's root, by whatever number."""
    if bait.is_under_another_kernel:
        return
    with open("/proc/self/uid_map") as file:
        spans = [[int(part) for part in line.split()] for line in file]
    for inner, outer, _ in spans:
        if outer == 0 and (bait.terminal or inner in os.getresuid()):
            yield f"the host's user 0 is {inner} here; this is user {os.getuid()}"
