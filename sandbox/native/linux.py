"""The Linux calls that Python's `os` does not offer, by ctypes. Each raises OSError when refused.

Imported inside sandboxes too, so it needs the standard library only.
"""

import ctypes
import os
import signal
import struct

from palestra.sandbox.native.syscalls import machine, number

# PyDLL keeps the interpreter lock: a raw clone must not let another thread run in between.
_libc = ctypes.PyDLL(None, use_errno=True)
_MACHINE = machine()
_init_stack = ctypes.create_string_buffer(64 * 1024)

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    *(1, 2, 4, 8, 32, 4096, 16384),
    1 << 18,
)
_CLONE_VM = 0x100
MNT_DETACH = 2
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 4, 24, 38, 47
_AMBIENT_RAISE = 2
_CAPABILITY_VERSION = 0x20080522
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_MOUNT_FROM_EMPTY_PATH = 4


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _check(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _syscall(name: str, *arguments: object, what: str = "") -> int:
    value = number(name, _MACHINE)
    return _check(_libc.syscall(ctypes.c_long(value or -1), *arguments), what or name)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount a file system, as mount(2)."""
    arguments = (source.encode(), os.fsencode(target), kind.encode() or None, ctypes.c_ulong(flags), data.encode())
    _check(_libc.mount(*arguments), f"mount {kind or source} on {target}")


def unmount(target: str) -> None:
    """Take a mount away at once; it is freed when its last user has gone."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"unmount {target}")


def clone_tree(path: str, attributes: int) -> int:
    """Return a descriptor of a detached copy of the mounts at a path, with the attributes set on all of them."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE
    tree = _syscall("open_tree", _AT_FDCWD, os.fsencode(path), ctypes.c_uint(flags), what=f"open_tree {path}")
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)
    arguments = (tree, b"", ctypes.c_uint(_AT_EMPTY_PATH | _AT_RECURSIVE), wanted, ctypes.c_size_t(len(wanted)))
    _syscall("mount_setattr", *arguments, what=f"mount_setattr {path}")
    return tree


def attach_tree(tree: int, target: str) -> None:
    """Mount what `clone_tree` returned at a path, and close it."""
    arguments = (tree, b"", _AT_FDCWD, os.fsencode(target), ctypes.c_uint(_MOVE_MOUNT_FROM_EMPTY_PATH))
    _syscall("move_mount", *arguments, what=f"move_mount to {target}")
    os.close(tree)


def enter_root(new_root: str) -> None:
    """Make a mount the root and drop the old one, as pivot_root(2) advises."""
    os.chdir(new_root)
    _syscall("pivot_root", b".", b".")
    unmount(".")
    os.chdir("/")


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    _check(_libc.unshare(flags), "unshare")


def clone(flags: int) -> int:
    """Fork into new namespaces; return 0 in the child. The process must have one thread."""
    ctypes.pythonapi.PyOS_BeforeFork()
    result = _libc.syscall(
        ctypes.c_long(number("clone", _MACHINE) or -1), ctypes.c_ulong(flags | signal.SIGCHLD), 0, 0, 0, 0
    )
    code = ctypes.get_errno()
    if result == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if result < 0:
        raise OSError(code, f"clone: {os.strerror(code)}")
    return int(result)


def start_init() -> int:
    """Return the id of a process that is the init of a new process namespace, and does nothing.

    It shares this process's memory and only ever waits for its end, so it costs next to nothing; what is
    orphaned in the namespace is its child and vanishes when it ends. One may live at a time. It cannot
    run Python: it executes the C library's `pause`, on a stack of its own.
    """
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # it inherits this: ended children leave no trace
    pause, top = ctypes.cast(_libc.pause, ctypes.c_void_p), ctypes.addressof(_init_stack) + len(_init_stack) - 64
    try:
        flags = ctypes.c_int(_CLONE_VM | NEWPID | signal.SIGCHLD)
        return _check(_libc.clone(pause, ctypes.c_void_p(top & ~63), flags, None), "clone")
    finally:
        signal.signal(signal.SIGCHLD, before)


def is_exiting(pid: int) -> bool:
    """Whether a child of this process has begun to end."""
    with open(f"/proc/{pid}/stat") as file:
        flags = int(file.read().rpartition(")")[2].split()[6])
    return bool(flags & 0x4)  # PF_EXITING


def join(namespace: int, kind: int) -> None:
    """Enter the namespace of a kind that a descriptor, of a process or of the namespace itself, stands for."""
    _check(_libc.setns(namespace, kind), "setns")


def prctl(option: int, first: int = 0, second: int = 0) -> None:
    """Set an attribute of this process, as prctl(2)."""
    arguments = (ctypes.c_ulong(first), ctypes.c_ulong(second), ctypes.c_ulong(0), ctypes.c_ulong(0))
    _check(_libc.prctl(option, *arguments), f"prctl {option}")


def last_capability() -> int:
    """Return the number of the highest capability that the kernel knows."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        return int(file.read())


def keep_capabilities_over_exec(last: int) -> None:
    """Let a process whose user id is not 0 keep all its capabilities when it executes a program."""
    every = (1 << (last + 1)) - 1
    _set_capabilities(every, every)
    for capability in range(last + 1):
        prctl(PR_CAP_AMBIENT, _AMBIENT_RAISE, capability)


def limit_capabilities(held: int) -> None:
    """Keep the capabilities of a bit mask, and hand none of them on but by being user 0."""
    _set_capabilities(held, 0)


def drop_capabilities() -> None:
    """Give up every capability, the ambient ones included; the bounding set is dropped apart."""
    _set_capabilities(0, 0)


def _set_capabilities(held: int, inheritable: int) -> None:
    low, high = 0xFFFFFFFF, 32
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    data = struct.pack(
        "=6I",
        *(held & low, held & low, inheritable & low),
        *(held >> high, held >> high, inheritable >> high),
    )
    _syscall("capset", header, data)


def install_filter(program: bytes) -> None:
    """Put a system call filter on this process and its descendants, for good."""
    buffer = ctypes.create_string_buffer(program, len(program))
    argument = _FilterProgram(len(program) // 8, ctypes.addressof(buffer))
    _syscall("seccomp", ctypes.c_uint(1), ctypes.c_uint(0), ctypes.byref(argument))
