"""The system call filter in Docker's form refuses what the native one refuses."""

import json
import socket
import termios
from typing import Any

import pytest

from palestra.sandbox.docker.profile import build_profile
from palestra.sandbox.native.seccomp import REFUSED


def refused(name: str, *arguments: int) -> bool:
    """Whether the profile refuses a call, by the meaning that libseccomp gives its rules."""
    profile = json.loads(build_profile("x86_64"))
    assert profile["defaultAction"] == "SCMP_ACT_ALLOW"
    return any(
        name in rule["names"] and all(_holds(test, arguments) for test in rule["args"]) for rule in profile["syscalls"]
    )


def _holds(test: dict[str, Any], arguments: tuple[int, ...]) -> bool:
    value, wanted = arguments[test["index"]], test["value"]
    holds: dict[str, bool] = {
        "SCMP_CMP_EQ": value == wanted,
        "SCMP_CMP_NE": value != wanted,
        "SCMP_CMP_GT": value > wanted,
        "SCMP_CMP_MASKED_EQ": value & wanted == test["valueTwo"],
    }
    return holds[test["op"]]


@pytest.mark.parametrize("name", REFUSED)
def test_the_native_list_is_refused(name: str) -> None:
    assert refused(name, 0, 0, 0)


@pytest.mark.parametrize("family", range(64))
def test_only_four_families_of_sockets_are_made(family: int) -> None:
    usual = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
    for call in ("socket", "socketpair"):
        assert refused(call, family, socket.SOCK_DGRAM, 0) == (family not in usual)


def test_of_netlink_only_the_routing_protocol() -> None:
    assert [protocol for protocol in range(32) if not refused("socket", socket.AF_NETLINK, 3, protocol)] == [0]
    assert refused("socket", 1 << 32, 1, 0)


def test_clone_makes_processes_and_no_namespaces() -> None:
    assert not refused("clone", 0x1200011)
    for bit in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert refused("clone", 0x11 | bit)
    assert refused("clone3", 0, 0)


def test_a_process_sets_its_own_limits_only() -> None:
    assert not refused("prlimit64", 0)
    assert refused("prlimit64", 1)


def test_nobody_types_into_a_terminal() -> None:
    assert refused("ioctl", 0, termios.TIOCSTI)
    assert not refused("ioctl", 0, termios.TIOCGWINSZ)


def test_each_machine_has_its_own_calls() -> None:
    assert json.loads(build_profile("x86_64"))["architectures"] == ["SCMP_ARCH_X86_64"]
    assert json.loads(build_profile("aarch64"))["architectures"] == ["SCMP_ARCH_AARCH64"]
