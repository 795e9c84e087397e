"""Attempts at the host's files, devices and settings. Runs inside a sandbox."""

import contextlib
import itertools
import os
import stat
import sys
from collections.abc import Callable, Iterator
from functools import partial

from palestra.sandbox.battery.attempt import Bait, item, refuses

_MOST_FILES, _FEW = 20_000, 5
_PLAIN_DEVICES = {(1, minor) for minor in (3, 5, 7, 8, 9)} | {(5, minor) for minor in (0, 1, 2)}
_TERMINALS = range(136, 144)


def _opens(path: str, flags: int = os.O_WRONLY) -> bool:
    """Whether a file that exists can be opened; nothing is written to it."""
    return not refuses(lambda: os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)))


@item("read_only_root", terminal=False)
def no_change_of_the_system(bait: Bait) -> Iterator[str]:
    """Nothing can be created in or changed of the system; only /workspace and /tmp are written to."""
    python = os.path.dirname(os.path.realpath(sys.executable))
    for folder in dict.fromkeys(("/", "/usr", "/usr/bin", "/etc", "/dev", "/opt", "/var", python, sys.prefix)):
        path = os.path.join(folder, ".palestra-battery")
        if not refuses(partial(_create, path)):
            os.remove(path)
            yield f"a file in {folder}"
    for path in ("/etc/passwd", "/etc/ld.so.cache", os.path.realpath(sys.executable), "/usr/bin/env"):
        if os.path.exists(path) and _opens(path):
            yield path
    for path in ("/tmp/.palestra-battery", ".palestra-battery"):
        if refuses(partial(_create, path)):
            yield f"{path} cannot be created, and should be"
        else:
            os.remove(path)


def _create(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


@item("read_only_root")
def no_host_file(bait: Bait) -> Iterator[str]:
    """A file of the host, however open to everybody, is not there."""
    roots = [f"/proc/{name}/root" for name in os.listdir("/proc") if name.isdecimal()]
    for root in ["", *roots]:
        with contextlib.suppress(OSError):
            with open(root + bait.file) as file:
                content = file.read(len(bait.marker))
            if content == bait.marker:
                yield root + bait.file


@item("read_only_root")
def no_kernel_setting(bait: Bait) -> Iterator[str]:
    """No setting of the host's kernel can be written: nothing in /proc/sys and /sys, no trigger."""
    if bait.is_under_another_kernel:
        return
    files = itertools.chain(_files_below("/proc/sys"), _files_below("/sys"))
    found = (path for path in itertools.islice(files, _MOST_FILES) if _opens(path))
    yield from itertools.islice(found, _FEW)
    for path in ("/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/proc/acpi/wakeup", "/proc/mtrr"):
        if _opens(path):
            yield path


def _files_below(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)


@item("read_only_root")
def no_device(bait: Bait) -> Iterator[str]:
    """No disk, memory, virtual machine or tunnel is among the devices, and none can be made that opens."""
    if bait.is_under_another_kernel:
        return
    for path in _files_below("/dev"):
        with contextlib.suppress(OSError):
            state = os.lstat(path)
            number = (os.major(state.st_rdev), os.minor(state.st_rdev))
            plain = number in _PLAIN_DEVICES or number[0] in _TERMINALS
            if stat.S_ISBLK(state.st_mode) or (stat.S_ISCHR(state.st_mode) and not plain):
                yield f"{path} {number}"
    kinds = {"the first disk": (stat.S_IFBLK, 8, 0), "a virtual disk": (stat.S_IFBLK, 254, 0)}
    for what, (kind, major, minor) in (kinds | {"memory": (stat.S_IFCHR, 1, 1)}).items():
        for folder in ("/tmp", os.getcwd()):
            path = f"{folder}/.palestra-battery"
            made: Callable[[], None] = partial(os.mknod, path, kind | 0o600, os.makedev(major, minor))
            if not refuses(made):
                if _opens(path, os.O_RDONLY):
                    yield f"{what}, by mknod in {folder}"
                os.remove(path)
