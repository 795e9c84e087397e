"""What every attempt is written with. Imported inside sandboxes too: the standard library only."""

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Attempt = Callable[["Bait"], Iterator[str]]
ITEMS: "dict[str, Item]" = {}
"""Every item by its name, in the order in which they are tried."""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bait:
    """What the host has set out to be found, and what tells its things from the sandbox's own."""

    marker: str  # in the command line and the environment of a process of the host
    pid: int  # that process, as the host numbers it
    file: str  # a file of the host that everybody may read and write
    port: int  # on which the host listens, of 127.0.0.1
    unix_name: str  # on which the host listens, of the abstract UNIX sockets
    shared_memory_key: int  # of System V; 0: none could be made
    queue: str  # of POSIX messages; "": none could be made
    namespaces: dict[str, str]  # the host's, as the links in /proc/PID/ns show them
    salt: str
    environment: tuple[str, ...]  # the host's variables, each salted and hashed
    kernel: str  # the host's release
    calls: dict[str, int]  # the numbers of system calls
    terminal: bool  # whether the sandbox is one machine to work in, where much is root's to do

    @property
    def is_under_another_kernel(self) -> bool:
        """Whether what answers here is not the host's kernel, so that its own settings and calls are its own."""
        return os.uname().release != self.kernel


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that must not work."""

    name: str
    capability: str  # the name in `Capabilities` that is not to be claimed when something came through
    terminal: bool  # whether it must not work in a terminal sandbox either
    attempt: Attempt

    @property
    def claim(self) -> str:
        """The sentence that is true of a sandbox which holds."""
        return (self.attempt.__doc__ or "").partition("\n")[0]


def item(capability: str, *, terminal: bool = True) -> Callable[[Attempt], Attempt]:
    """Register a generator of what came through; its docstring says what must be true instead."""

    def register(attempt: Attempt) -> Attempt:
        name = attempt.__name__
        ITEMS[name] = Item(name, capability, terminal, attempt)
        return attempt

    return register


def refuses(action: Callable[[], object], *codes: int) -> bool:
    """Return whether an action fails, with one of the codes if any are given."""
    try:
        action()
    except OSError as error:
        return not codes or error.errno in codes
    return False


def call(bait: Bait, name: str, *arguments: object) -> tuple[int, int]:
    """Make a system call by its number; return its result and the error."""
    ctypes.set_errno(0)
    result = _libc.syscall(ctypes.c_long(bait.calls[name]), *arguments)
    return int(result), ctypes.get_errno()


def came_through(bait: Bait, name: str, *arguments: object, also_refused: tuple[int, ...] = ()) -> Iterator[str]:
    """Yield a line when a system call was not refused as such, whatever else was wrong with its arguments."""
    result, code = call(bait, name, *arguments)
    if result != -1 or code not in (errno.EPERM, errno.ENOSYS, *also_refused):
        yield f"{name} returned {result} ({errno.errorcode.get(code, code)})"
