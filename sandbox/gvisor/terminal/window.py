"""The inside end of the shell's terminal: passes on what it shows, what the shell reports, and what is typed."""

import os
import re
import select
import signal
import termios
from contextlib import suppress

from palestra.sandbox.gvisor.terminal.attendant import Attendant
from palestra.sandbox.gvisor.terminal.frames import REPORT, SCREEN, SMALL, frame

_CHUNK_BYTES = SMALL
_MOST_KEYS = 1 << 16  # that wait for a program to read them; what is more is lost, as with any terminal
_MOST_WAITING = 64
_SIGNALS = {termios.VINTR: signal.SIGINT, termios.VQUIT: signal.SIGQUIT, termios.VSUSP: signal.SIGTSTP}
_BY_SIGNAL = re.compile(rb"([\x01-\x1f\x7f])")  # any of the keys that may stand for one


class Window:
    """Holds the terminal and the reports of one shell at a time. Never waits."""

    def __init__(self, output: int) -> None:
        """Say where frames are written to, a pipe that does not block."""
        self._output = output
        self._waiting: list[bytes] = []  # frames
        self._keys = bytearray()
        self.terminal: int | None = None
        self._reports: int | None = None
        self._attendant: Attendant | None = None
        self._is_still = self._is_hung_up = False

    def open(self, terminal: int, reports: int, attendant: Attendant) -> None:
        """Begin with a new shell."""
        self.close()
        self.terminal, self._reports, self._attendant = terminal, reports, attendant

    def close(self) -> None:
        """Let go of a shell; what it showed and nobody took yet is lost."""
        for descriptor in (self.terminal, self._reports):
            if descriptor is not None:
                os.close(descriptor)
        if self._attendant is not None:
            self._attendant.close()
        self.terminal = self._reports = self._attendant = None
        self._keys.clear()
        self._waiting.clear()

    def type(self, keys: bytes) -> None:
        """Take keys."""
        if self.terminal is not None:
            for part in _BY_SIGNAL.split(keys):
                if len(part) != 1 or not self._signal(part):
                    self._keys += part[: _MOST_KEYS - len(self._keys)]
                    self._pass_keys()

    def tell_end(self, code: int) -> None:
        """Report the end of the shell, after all that it has shown and reported."""
        while self._take(self.terminal, SCREEN) or self._take(self._reports, REPORT):
            pass
        waiting, self._waiting = self._waiting, []
        self.close()
        self._waiting = [*waiting, frame(REPORT, f"\0E{code}\0".encode())]
        self._flush()

    def hold_still(self, mark: str) -> None:
        """Pass on nothing more until `go_on`; the mark is reported after all that was passed on before."""
        self._is_still = False
        self._waiting.append(frame(REPORT, f"\0M{mark}\0".encode()))
        while self._waiting:
            poll = select.poll()
            poll.register(self._output, select.POLLOUT)
            poll.poll()
            self._flush()
        self._is_still = True

    def go_on(self) -> None:
        """Pass on again."""
        self._is_still = False

    def wanted(self) -> dict[int, int]:
        """Return what to wait for, by descriptor."""
        wanted: dict[int, int] = {}
        if self._is_still:
            return wanted
        if self._waiting:
            wanted[self._output] = select.POLLOUT
        if self.terminal is not None and self._keys:
            wanted[self.terminal] = select.POLLOUT
        is_hung_up, self._is_hung_up = self._is_hung_up, False  # a shell may close its terminal: it is looked at rarely
        if is_hung_up and self.terminal is not None:
            wanted.pop(self.terminal, None)
        if len(self._waiting) < _MOST_WAITING:
            for descriptor in (None if is_hung_up else self.terminal, self._reports):
                if descriptor is not None:
                    wanted[descriptor] = wanted.get(descriptor, 0) | select.POLLIN
        return wanted

    def handle(self, descriptor: int, event: int) -> None:
        """Do what an event of a wanted descriptor asks for."""
        if event & select.POLLOUT and descriptor == self.terminal:
            self._pass_keys()
        if event & ~select.POLLOUT:
            if descriptor == self._reports:
                self._take(descriptor, REPORT)
            elif descriptor == self.terminal:
                self._is_hung_up = not self._take(descriptor, SCREEN) and bool(event & select.POLLHUP)
        self._flush()

    def _take(self, descriptor: int | None, kind: bytes) -> bool:
        """Read once; return whether there was anything."""
        if descriptor is None:
            return False
        try:
            data = os.read(descriptor, _CHUNK_BYTES)
        except OSError:  # nothing there, or nobody has the terminal open any more
            return False
        if data:
            self._waiting.append(frame(kind, data))
        return bool(data)

    def _signal(self, key: bytes) -> bool:
        """Send the signal that a key stands for; return whether it stands for one now.

        gVisor's terminals send it, too, but leave the key to be read then, which Linux's do not.
        """
        if self.terminal is None:
            return False
        modes = termios.tcgetattr(self.terminal)
        meant = [number for at, number in _SIGNALS.items() if modes[6][at] == key]
        if not (meant and modes[3] & termios.ISIG):
            return False
        self._keys.clear()
        return self.signal(meant[0])

    def signal(self, number: int) -> bool:
        """Send a signal to whoever has the terminal; return whether that could be done."""
        return self._attendant is not None and self._attendant.signal(number)

    def _pass_keys(self) -> None:
        with suppress(OSError):
            while self._keys and self.terminal is not None:
                del self._keys[: os.write(self.terminal, self._keys[:1024])]

    def _flush(self) -> None:
        with suppress(BlockingIOError):
            while self._waiting:
                os.write(self._output, self._waiting[0])
                del self._waiting[0]
