"""The processes and the shell's files of a terminal sandbox, seen from inside. Runs in containers."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

START_FILE, REPORTS_FILE, TERMINAL_FILE = "/dev/palestra-start", "/dev/palestra-reports", "/dev/palestra-terminal"
_FIRST = 1
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Process:
    """One process; two with the same number and start are the same."""

    pid: int
    started: int  # in the kernel's ticks
    parent: int
    state: str
    words: str


class Machine:
    """What runs beside the keeper, and the files by which a shell is started."""

    def processes(self) -> dict[int, Process]:
        """Return every process but the keeper and what has ended already."""
        found = (self._look(int(name)) for name in os.listdir("/proc") if name.isdecimal())
        return {each.pid: each for each in found if each and each.pid != _FIRST and each.state not in "ZX"}

    def others(self, shell: bool) -> list[str]:
        """Return the processes that a snapshot would lose, as "12 sleep 60"; a shell and its helpers are none."""
        spared = self._shell() if shell else set()
        return [f"{each.pid} {each.words}" for pid, each in sorted(self.processes().items()) if pid not in spared]

    def end_others(self, shell: bool) -> None:
        """End every process that `others` lists."""
        spared = self._shell() if shell else set()
        self._end(lambda found: {pid for pid in found if pid not in spared})

    def end_below(self, ancestor: int) -> None:
        """End the descendants of a process, which takes in those whose parents have ended."""
        self._end(lambda found: {pid for pid in found if pid != ancestor and self._descends(pid, found, {ancestor})})

    def end_since(self, before: dict[int, Process]) -> None:
        """End what a program left: processes that were not there before it, nor come from one that was."""

        def doomed(found: dict[int, Process]) -> set[int]:
            old = {pid for pid, each in found.items() if pid in before and before[pid].started == each.started}
            return {pid for pid in found if not self._descends(pid, found, old)}

        self._end(doomed)

    def prepare_shell(self, start: bytes) -> None:
        """Put in place what a shell reads when it starts, and the FIFO that it reports to."""
        for path in (START_FILE, REPORTS_FILE, TERMINAL_FILE):
            with suppress(FileNotFoundError):
                os.unlink(path)
        os.mkfifo(REPORTS_FILE, 0o600)
        with open(os.open(START_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(start)

    def calm(self) -> None:
        """Put the shell's terminal back into the modes that a prompt expects, echo off."""
        import termios

        with suppress(OSError, termios.error, ValueError):
            with open(TERMINAL_FILE) as file:
                name = file.read(64).strip()
            if not name.startswith("/dev/pts/"):
                return
            terminal = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                modes = termios.tcgetattr(terminal)
                modes[0], modes[1] = termios.ICRNL | termios.IXON, termios.OPOST
                modes[3] = termios.ISIG | termios.ICANON | termios.IEXTEN
                termios.tcsetattr(terminal, termios.TCSANOW, modes)
            finally:
                os.close(terminal)

    def _end(self, choose: Callable[[dict[int, Process]], set[int]]) -> None:
        """End the chosen: stopped first until there is no new one, since what is stopped starts nothing."""
        deadline = time.monotonic() + _PATIENCE_S
        stopped: set[int] = set()
        while (doomed := choose(self.processes())) and time.monotonic() < deadline:
            _signal(doomed - stopped, signal.SIGSTOP)
            if doomed <= stopped:
                _signal(doomed, signal.SIGKILL)
                time.sleep(0.001)
            stopped |= doomed

    def _shell(self) -> set[int]:
        """Return the shell, what waits for it and what reads its reports: all came from dockerd, not from a program."""
        found = self.processes()
        outer = {pid for pid, each in found.items() if each.parent == 0}
        return outer | {pid for pid, each in found.items() if each.parent in outer}

    def _descends(self, pid: int, found: dict[int, Process], old: Iterable[int]) -> bool:
        while pid in found:
            if pid in old:
                return True
            pid = found[pid].parent
        return False

    def _look(self, pid: int) -> Process | None:
        try:
            with open(f"/proc/{pid}/stat", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read(200).replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:  # it has ended
            return None
        return Process(pid, int(fields[19]), int(fields[1]), fields[0], words or "?")


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, number)
