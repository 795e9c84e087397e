"""The system call filter, run by an interpreter of its instructions: every machine's, on any machine."""

import errno
import struct

import pytest

from palestra.sandbox.native.seccomp import REFUSED, build_filter
from palestra.sandbox.native.syscalls import MACHINES, NEWEST_KNOWN, number

ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL = 0x7FFF0000, 0x80000000


def judge(machine: str, call: int, *arguments: int, architecture: int | None = None) -> int:
    """Return what the filter returns for a system call."""
    data = struct.pack("=iIQ6Q", call, architecture or ARCHITECTURE[machine], 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    program = list(struct.iter_unpack("=HBBI", build_filter(machine)))
    loaded, at = 0, 0
    while True:
        code, if_true, if_false, constant = program[at]
        at += 1
        if code == 0x20:
            loaded = struct.unpack_from("=I", data, constant)[0]
        elif code == 0x06:
            return int(constant)
        else:
            holds = {0x15: loaded == constant, 0x25: loaded > constant, 0x45: bool(loaded & constant)}[code]
            at += if_true if holds else if_false


def refusal(code: int) -> int:
    """Return the filter's value for an error."""
    return 0x00050000 | code


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    """Every machine's name."""
    return str(request.param)


def test_exactly_the_refused_calls_are_refused(machine: str) -> None:
    refused = {number(call, machine) for call in REFUSED}
    special = {number(call, machine) for call in ("clone", "clone3", "socket", "socketpair")}
    for call in range(NEWEST_KNOWN + 1):
        if call not in special:
            assert judge(machine, call) == (refusal(errno.EPERM) if call in refused else ALLOW), call


def test_calls_that_nobody_judged_do_not_exist(machine: str) -> None:
    for call in (NEWEST_KNOWN + 1, 1000, 0x3FFFFFFF, number("clone3", machine) or 0):
        assert judge(machine, call) == refusal(errno.ENOSYS)


def test_forks_are_allowed_and_namespaces_are_not(machine: str) -> None:
    clone = number("clone", machine) or 0
    assert judge(machine, clone, 17) == ALLOW
    assert judge(machine, clone, 0x3D0F00) == ALLOW  # what pthread_create passes
    for bit in (0x80, 0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert judge(machine, clone, bit | 17) == refusal(errno.EPERM)


@pytest.mark.parametrize("call", ["socket", "socketpair"])
def test_only_known_socket_families_pass(machine: str, call: str) -> None:
    for family in range(64):
        allowed = family in (1, 2, 10, 16)
        assert (judge(machine, number(call, machine) or 0, family, 1, 0) == ALLOW) == allowed, family
    assert judge(machine, number(call, machine) or 0, 40) == refusal(errno.EAFNOSUPPORT)
    assert judge(machine, number(call, machine) or 0, 16, 3, 9) == refusal(errno.EPROTONOSUPPORT)


def test_other_architectures_doors_are_shut(machine: str) -> None:
    for architecture in (0x40000003, 0x40000028, 0xC000003E, 0xC00000B7):
        if architecture != ARCHITECTURE[machine]:
            assert judge(machine, 1, architecture=architecture) == KILL


def test_the_x32_door_is_shut() -> None:
    assert judge("x86_64", 0x40000000 + 1) == KILL
    assert judge("x86_64", -1 & 0x7FFFFFFF) == KILL
