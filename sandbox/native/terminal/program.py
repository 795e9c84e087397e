"""From a fork of the machine's first process to a program or a shell in it."""

import contextlib
import fcntl
import json
import os
import struct
import termios
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from palestra.sandbox.limits import lower_limit
from palestra.sandbox.native import linux
from palestra.sandbox.native.execution import close_all_but, execute
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.native.terminal import mounts

# What acts on the machine's own files, users and processes: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL,
# SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, SETFCAP.
CAPABILITIES = sum(1 << number for number in (0, 1, 3, 4, 5, 6, 7, 8, 10, 31))
_ROWS, _COLUMNS = 24, 80
_UNLOCK, _NUMBER = 0x40045431, 0x80045430  # TIOCSPTLCK, TIOCGPTN


class Child:
    """How this machine's processes give up what they must not have."""

    def __init__(self, rules: bytes, processes: int, group: Sequence[int], agent: int) -> None:
        """Say how.

        Args:
            rules: the system call filter.
            processes: an open folder with the machine's processes.
            group: the open files by which a process joins the control group.
            agent: the user that programs run as; another than 0 has no capability, and a /tmp of its own.
        """
        self._rules, self._processes, self._group, self._agent = rules, processes, group, agent
        self._capabilities = 0 if agent else CAPABILITIES
        self._last = linux.last_capability()

    def run(self, request: dict[str, Any], descriptors: list[int], trouble: int) -> NoReturn:
        """Be a program.

        Args:
            request: the limits, as numbers.
            descriptors: its description, its stdin, stdout and stderr, and its source if it has one.
            trouble: where to say its mark, and why there is no program; closed when there is one.
        """
        with self._or_trouble(trouble):
            linux.unshare(linux.NEWUTS)  # the mark of all that it starts: no program can change it
            os.write(trouble, os.readlink("self/ns/uts", dir_fd=self._processes).encode() + b"\n")
            description = json.loads(os.read(descriptors[0], os.fstat(descriptors[0]).st_size))
            for target, source in enumerate(descriptors[1:]):
                os.dup2(source, target)
            if self._agent:
                linux.unshare(linux.NEWNS | linux.NEWIPC)
                for place in ("/tmp", "/dev/shm"):
                    mounts.attach(mounts.new_tmpfs(request["disk_bytes"], "1777"), place)
            _enter_workspace()
            self._become(request, (3, trouble) if len(descriptors) > 4 else (trouble,))
        execute(description["argv"], description["env"])
        os._exit(1)

    def shell(
        self,
        request: dict[str, Any],
        argv: list[str],
        env: dict[str, str],
        terminal: int,
        trouble: int,
        *,
        kept: Sequence[int] = (),
        before: Callable[[], object] = lambda: None,
    ) -> NoReturn:
        """Be a shell on a terminal; `before` is called when all but the shell itself is there, with `kept` open."""
        with self._or_trouble(trouble):
            for target in range(3):
                os.dup2(terminal, target)
            _enter_workspace()
            self._become(request, (trouble, *kept))
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            before()
        execute(argv, env)
        os._exit(1)

    @contextlib.contextmanager
    def _or_trouble(self, trouble: int) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            os.write(trouble, f"{type(error).__name__}: {error}".encode()[:1000])
            os._exit(1)

    def _become(self, request: dict[str, Any], kept: Sequence[int]) -> None:
        for file in self._group:
            os.write(file, b"0")
        linux.prctl(linux.PR_SET_DUMPABLE, 1)  # or its own files in /proc belong to somebody else
        score = os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=self._processes)
        os.write(score, b"1000")  # the first process outlives a shortage of memory
        close_all_but(*kept)
        os.setsid()
        for name, value in request["rlimits"].items():
            lower_limit(0, name, tuple(value))
        for capability in range(self._last + 1):
            if not self._capabilities >> capability & 1:
                linux.prctl(linux.PR_CAPBSET_DROP, capability)
        if self._agent:
            os.setgroups([])
            os.setresgid(self._agent, self._agent, self._agent)
            os.setresuid(self._agent, self._agent, self._agent)
        linux.limit_capabilities(self._capabilities)
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.install_filter(self._rules)
        linux.prctl(linux.PR_SET_DUMPABLE, 1)


def _enter_workspace() -> None:
    """Go to the workspace, made anew where a program removed it; where something else is in its place, to the root."""
    os.chdir("/")
    with contextlib.suppress(OSError):
        os.mkdir(WORKSPACE)
    with contextlib.suppress(OSError):
        os.chdir(WORKSPACE)


def open_terminal() -> tuple[int, int]:
    """Return both ends of a new terminal, the first of which does not block."""
    master = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    fcntl.ioctl(master, _UNLOCK, struct.pack("i", 0))
    number = struct.unpack("I", fcntl.ioctl(master, _NUMBER, bytes(4)))[0]
    slave = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
    calm(slave)
    resize(slave)
    return master, slave


def calm(terminal: int) -> None:
    """Put a terminal's modes as a shell of ours expects them: lines, signals, no echo, plain line ends."""
    modes = termios.tcgetattr(terminal)
    modes[0] = termios.ICRNL | termios.IXON
    modes[1] = termios.OPOST
    modes[3] = termios.ICANON | termios.ISIG | termios.IEXTEN
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def resize(terminal: int, rows: int = _ROWS, columns: int = _COLUMNS) -> None:
    """Set a terminal's size."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
