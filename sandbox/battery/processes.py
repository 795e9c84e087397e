"""Attempts at other processes: seeing, signalling, reading and speaking to them. Runs inside a sandbox."""

import contextlib
import ctypes
import hashlib
import os
import signal
import stat
from collections.abc import Iterator

from palestra.sandbox.battery.attempt import Bait, came_through, item

_libc = ctypes.CDLL(None, use_errno=True)
_MANY = 64  # processes in a sandbox that has just been made, at the most


def _others() -> list[str]:
    """Return the visible processes that are not this program's own."""
    own = {str(os.getpid()), "self"}
    return [name for name in os.listdir("/proc") if name.isdecimal() and name not in own]


def _content(path: str) -> bytes:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(1 << 20)
    return b""


@item("pid_hidden")
def no_foreign_process(bait: Bait) -> Iterator[str]:
    """No process of the host can be seen."""
    others = _others()
    for pid in others:
        if bait.marker.encode() in _content(f"/proc/{pid}/cmdline") + _content(f"/proc/{pid}/environ"):
            yield f"a process of the host, as {pid}"
    if len(others) > _MANY:
        yield f"{len(others)} processes"
    if not bait.is_under_another_kernel and os.readlink("/proc/self/ns/pid") == bait.namespaces["pid"]:
        yield "the host's numbers of processes"


@item("pid_hidden")
def no_signal_outside(bait: Bait) -> Iterator[str]:
    """No process of the host can be signalled."""
    taken_by_another = os.path.exists(f"/proc/{bait.pid}") and bait.marker.encode() not in _content(
        f"/proc/{bait.pid}/cmdline"
    )
    if not taken_by_another:
        with contextlib.suppress(OSError):
            os.kill(bait.pid, signal.SIGCONT)  # which ends nothing
            yield f"a signal to process {bait.pid} of the host"


@item("pid_hidden")
def no_host_environment(bait: Bait) -> Iterator[str]:
    """Nothing of the host's environment is in this program's or in that of any process in /proc."""
    known = set(bait.environment)
    found = {"self": [os.fsencode(f"{name}={value}") for name, value in os.environ.items()]}
    found |= {pid: _content(f"/proc/{pid}/environ").split(b"\0") for pid in _others()}
    for pid, entries in found.items():
        for entry in entries:
            if hashlib.sha256(bait.salt.encode() + entry).hexdigest() in known:
                yield f"the host's {entry.partition(b'=')[0].decode(errors='replace')} in /proc/{pid}/environ"


@item("pid_hidden")
def no_host_messages(bait: Bait) -> Iterator[str]:
    """No shared memory, semaphore or message queue of the host can be reached."""
    if bait.shared_memory_key and _libc.shmget(ctypes.c_int(bait.shared_memory_key), ctypes.c_size_t(0), 0) != -1:
        yield "shared memory (System V) of the host"
    if bait.queue:
        queue = _libc.mq_open(bait.queue.encode(), os.O_RDONLY)
        if queue != -1:
            os.close(queue)
            yield "a message queue (POSIX) of the host"
    if os.path.exists(f"/dev/shm/{bait.marker}"):
        yield "shared memory (POSIX) of the host"


@item("pid_hidden")
def no_foreign_descriptor(bait: Bait) -> Iterator[str]:
    """A program holds no descriptor but its input and outputs, none of which leads anywhere else."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one that listed them is closed
            mode = os.fstat(int(name)).st_mode
            if int(name) > 2:
                yield f"descriptor {name}: {os.readlink(f'/proc/self/fd/{name}')}"
            elif stat.S_ISDIR(mode) or stat.S_ISBLK(mode) or (stat.S_ISSOCK(mode) and not bait.is_under_another_kernel):
                yield f"descriptor {name} is {os.readlink(f'/proc/self/fd/{name}')}"


@item("pid_hidden", terminal=False)
def no_door_into_others(bait: Bait) -> Iterator[str]:
    """What other processes have open, the channel of the verdict included, cannot be opened through /proc."""
    for pid in _others():
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                path = f"/proc/{pid}/fd/{name}"
                with contextlib.suppress(OSError):
                    leads_to = os.readlink(path)
                    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                    if leads_to != "/dev/null" and not _is_standard(leads_to):
                        yield f"{path}, which is {leads_to}"


def _is_standard(leads_to: str) -> bool:
    """Whether a descriptor is one that this program was given as well."""
    given = set()
    for descriptor in range(3):
        with contextlib.suppress(OSError):
            given.add(os.readlink(f"/proc/self/fd/{descriptor}"))
    return leads_to in given


@item("pid_hidden")
def no_terminal_of_the_host(bait: Bait) -> Iterator[str]:
    """There is no terminal whose input could be typed into: not behind the descriptors, nor as /dev/tty."""
    for descriptor in range(3):
        if os.isatty(descriptor):
            yield f"descriptor {descriptor} is a terminal"
    with contextlib.suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        yield "/dev/tty"


@item("syscall_filter")
def no_hold_of_others(bait: Bait) -> Iterator[str]:
    """Other processes cannot be traced, nor their memory or descriptors taken."""
    if bait.is_under_another_kernel:
        return
    here = (ctypes.c_void_p * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
    nowhere = (ctypes.c_void_p * 2)(8, 8)  # nothing is at this address, so nothing is read or written
    for pid in [os.getppid() or 1, *(int(name) for name in _others()[:3])]:
        where = (ctypes.c_long(pid), ctypes.byref(here), ctypes.c_ulong(1), ctypes.byref(nowhere), ctypes.c_ulong(1))
        yield from came_through(bait, "process_vm_readv", *where, ctypes.c_ulong(0))
        yield from came_through(bait, "process_vm_writev", *where, ctypes.c_ulong(0))
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(pid)
            yield from came_through(bait, "pidfd_getfd", handle, -1, 0)
            os.close(handle)
    yield from came_through(bait, "ptrace", 0, 0, 0, 0)  # PTRACE_TRACEME


@item("pid_hidden", terminal=False)
def no_score_of_others(bait: Bait) -> Iterator[str]:
    """Which process dies first for want of memory cannot be changed for others."""
    own = (os.getpid(), os.getppid())  # the latter runs the attempts
    for pid in [int(name) for name in _others()]:
        if pid not in own:
            with contextlib.suppress(OSError):
                os.close(os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY))
                yield f"/proc/{pid}/oom_score_adj"
