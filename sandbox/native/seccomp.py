"""The system call filter of sandboxed programs: a deny list, assembled into classic BPF.

Refused calls fail with an error instead of killing the program, so that libraries which only try
them go on. What is refused is what reaches beyond namespaces (AF_VSOCK, the kernel keyring), what
makes new ones, and what is mostly attack surface (io_uring, bpf, ptrace, userfaultfd).

Source: the instruction set is described in Documentation/networking/filter.rst of Linux, the data it
reads (`struct seccomp_data`) in seccomp(2).
"""

import errno
import socket
import struct
import termios

from palestra.sandbox.native.syscalls import NEWEST_KNOWN, number

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*
_LOAD, _IF_EQUAL, _IF_GREATER, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _FAIL_WITH, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_X32_BIT = 0x40000000
_LINEAR = 4  # as many numbers are compared one after another
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_TIOCLINUX = 0x541C
_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag, time included
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)  # and the routing protocol of AF_NETLINK

REFUSED = (
    *("acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module"),
    *("fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module"),
    *("io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load"),
    *("kexec_load", "keyctl", "lookup_dcookie", "mbind", "memfd_secret", "migrate_pages", "modify_ldt"),
    *("mount", "mount_setattr", "move_mount", "move_pages", "name_to_handle_at", "nfsservctl"),
    *("open_by_handle_at", "open_tree", "perf_event_open", "personality", "pidfd_getfd", "pivot_root"),
    *("process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "quotactl_fd"),
    *("reboot", "request_key", "set_mempolicy", "set_mempolicy_home_node", "setdomainname", "sethostname"),
    *("setns", "settimeofday", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd"),
    *("uselib", "vhangup"),
)

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def build_filter(machine: str) -> bytes:
    """Return the filter program for a machine, as an array of `struct sock_filter`."""
    program = [
        _load(_ARCHITECTURE_AT),
        (_IF_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        _return(_KILL_PROCESS),  # a 32-bit call through the compatibility door
        _load(_NUMBER_AT),
    ]
    if machine == "x86_64":
        program += [(_IF_GREATER, 0, 1, _X32_BIT - 1), _return(_KILL_PROCESS)]
    program += [(_IF_GREATER, 0, 1, NEWEST_KNOWN), _fail(errno.ENOSYS)]
    blocks = {call: [_fail(errno.EPERM)] for call in REFUSED}
    blocks["clone3"] = [_fail(errno.ENOSYS)]  # its flags cannot be read; libc falls back
    blocks["clone"] = [_load_argument(0), (_IF_ANY_BIT, 0, 1, _NEW_NAMESPACES), _fail(errno.EPERM), _return(_ALLOW)]
    blocks["ioctl"] = _no_typing_for_others()
    blocks |= {call: _only_known_families() for call in ("socket", "socketpair")}
    blocks["prlimit64"] = _only_own_limits()
    numbered = {number(call, machine): block for call, block in blocks.items()}
    program += _search(sorted((value, block) for value, block in numbered.items() if value is not None))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _only_known_families() -> list[Instruction]:
    block = [_load_argument(0)]
    for family in _FAMILIES:
        block += [(_IF_EQUAL, 0, 1, family), _return(_ALLOW)]
    block += [
        (_IF_EQUAL, 0, 4, socket.AF_NETLINK),
        _load_argument(2),
        (_IF_EQUAL, 0, 1, 0),
        _return(_ALLOW),
        _fail(errno.EPROTONOSUPPORT),
    ]
    return [*block, _fail(errno.EAFNOSUPPORT)]


def _only_own_limits() -> list[Instruction]:
    """Let a program read any process's resource limits and set its own: its init has the same user."""
    return [
        *(_load_argument(0), (_IF_EQUAL, 0, 1, 0), _return(_ALLOW)),  # 0 is the caller
        *(_load_argument(2), (_IF_EQUAL, 0, 3, 0)),  # no new limit is given: both halves are 0
        *(_load(16 + 8 * 2 + 4), (_IF_EQUAL, 0, 1, 0), _return(_ALLOW)),
        _fail(errno.EPERM),
    ]


def _no_typing_for_others() -> list[Instruction]:
    """Refuse to put keys into a terminal, or to drive the console's selection, which does the same."""
    block = [_load_argument(1)]
    for request in (termios.TIOCSTI, _TIOCLINUX):
        block += [(_IF_EQUAL, 0, 1, request), _fail(errno.EPERM)]
    return [*block, _return(_ALLOW)]


def _search(cases: list[tuple[int, list[Instruction]]]) -> list[Instruction]:
    """Run the block, which must return, of the loaded number; allow a number that has none.

    By halving, since the kernel tries a new filter on every number there is.
    """
    if len(cases) > _LINEAR:
        half = len(cases) // 2
        low, high = _search(cases[:half]), _search(cases[half:])
        return [(_IF_GREATER, len(low), 0, cases[half][0] - 1), *low, *high]
    program: list[Instruction] = []
    for value, block in cases:
        program += [(_IF_EQUAL, 0, len(block), value), *block]
    return [*program, _return(_ALLOW)]


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _load_argument(index: int) -> Instruction:
    return _load(16 + 8 * index)  # the low half: both machines are little-endian


def _return(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _fail(error: int) -> Instruction:
    return _return(_FAIL_WITH | error)
