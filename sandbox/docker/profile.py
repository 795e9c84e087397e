"""The system call filter of containers, in Docker's own form, from the same list as the native backend's.

What is not refused is allowed, so a call younger than the list gets through; the native filter
stops those too. Programs in 32-bit form are killed.
"""

import errno
import json
import socket
import termios
from typing import Any

from palestra.sandbox.native.seccomp import REFUSED

_NAMESPACE_FLAGS = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)  # and the routing protocol of AF_NETLINK
_TYPING_FOR_OTHERS = (termios.TIOCSTI, 0x541C)  # the latter, TIOCLINUX, drives the console's selection
_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}


def build_profile(machine: str) -> str:
    """Return the filter for a machine as the JSON text that dockerd takes."""
    rules = [_refuse(errno.EPERM, *REFUSED), _refuse(errno.ENOSYS, "clone3")]  # clone3: libc falls back
    rules += [_refuse(errno.EPERM, "clone", args=[_compare(0, "MASKED_EQ", flag, flag)]) for flag in _NAMESPACE_FLAGS]
    refused_families = [family for family in range(socket.AF_NETLINK) if family not in _FAMILIES]
    tests = [_compare(0, "EQ", family) for family in refused_families] + [_compare(0, "GT", socket.AF_NETLINK)]
    rules += [_refuse(errno.EAFNOSUPPORT, "socket", "socketpair", args=[test]) for test in tests]
    other_protocol = [_compare(0, "EQ", socket.AF_NETLINK), _compare(2, "NE", 0)]
    rules.append(_refuse(errno.EPROTONOSUPPORT, "socket", "socketpair", args=other_protocol))
    rules += [_refuse(errno.EPERM, "ioctl", args=[_compare(1, "EQ", request)]) for request in _TYPING_FOR_OTHERS]
    # A process may set its own limits. The keeper has the same user as programs, and its limits could end it.
    rules.append(_refuse(errno.EPERM, "prlimit64", args=[_compare(0, "NE", 0)]))
    own = [_ARCHITECTURES[machine]]
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "architectures": own, "syscalls": rules})


def _refuse(error: int, *names: str, args: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": error, "args": args or []}


def _compare(index: int, how: str, value: int, second: int = 0) -> dict[str, Any]:
    return {"index": index, "op": f"SCMP_CMP_{how}", "value": int(value), "valueTwo": second}
