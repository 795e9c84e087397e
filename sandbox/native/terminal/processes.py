"""The processes of a machine, as its first process sees them: all that lose their parent are its children."""

import contextlib
import os
import select
import signal
import time
from resource import struct_rusage

_PASSES_BEFORE_STOPPING = 5
_DYING_S = 1.0
_EXITING, _SIGNALED = 0x4, 0x400  # of a task's flags, as the kernel's sched.h numbers them


class Processes:
    """Waits for them, names them, ends them."""

    def __init__(self, proc: int, control: int) -> None:
        """Begin to be told of their ends.

        Args:
            proc: an open folder with the machine's processes.
            control: where the host asks; its end means that the host is gone.
        """
        self._proc, self._control = proc, control
        self._wake, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        self._expected: set[int] = set()
        self._ended: dict[int, tuple[int, struct_rusage]] = {}

    def expect(self, pid: int) -> None:
        """Keep the status of a child when it ends."""
        self._expected.add(pid)
        self._reap()

    def wait(self, descriptor: int, timeout_s: float | None) -> None:
        """Return when a child has ended, the descriptor can be read or the time is up."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        poll.poll(None if timeout_s is None else max(0, timeout_s) * 1000)
        self._reap()

    def is_asked(self) -> bool:
        """Whether the host has said something, or is gone."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        return bool(poll.poll(0))

    def wait_for(self, pid: int, timeout_s: float | None) -> bool:
        """Return whether a child has ended in time; goes with the host."""
        self.expect(pid)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while pid not in self._ended:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self.wait(self._control, left)
            if self.is_asked():  # nobody asks before the answer, so this is the end
                os._exit(0)
        return True

    def collect(self, pid: int) -> tuple[int, struct_rusage]:
        """Return the status of a child that has ended, and what it used."""
        self._expected.discard(pid)
        return self._ended.pop(pid)

    def take_ended(self, pid: int) -> int | None:
        """Return the status of a child if it has ended."""
        self._reap()
        return self.collect(pid)[0] if pid in self._ended else None

    def settle(self, pid: int) -> None:
        """Wait for a child that has been killed and has not ended yet."""
        deadline = time.monotonic() + _DYING_S
        while pid not in self._ended and self._is_dying(pid) and time.monotonic() < deadline:
            self.wait(self._control, 0.001)

    def end_marked(self, mark: str) -> None:
        """End everything with a mark, however fast it makes more of itself."""
        passes = 0
        while mark and (found := [pid for pid in self._all() if self._mark(pid) == mark]):
            passes += 1
            is_fast = passes > _PASSES_BEFORE_STOPPING
            if is_fast:
                _signal_all(signal.SIGSTOP)  # a fork in progress is not finished then
                found = [pid for pid in self._all() if self._mark(pid) == mark]
            for pid in found:
                _kill(pid)
            if is_fast:
                _signal_all(signal.SIGCONT)
            self._reap()
            time.sleep(0.0005)

    def end_all(self) -> None:
        """End everything; returns when nothing is left."""
        while True:
            _signal_all(signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        self._expected.clear()
        self._ended.clear()

    def end_all_but(self, kept: int | None) -> None:
        """End everything else."""
        while found := [pid for pid in self._all() if pid != kept]:
            for pid in found:
                _kill(pid)
            self._reap()
            time.sleep(0.0005)

    def names(self, besides: int | None) -> list[str]:
        """Return the command lines of what runs, with their numbers."""
        return [f"{self._command(pid)} ({pid})" for pid in self._all() if pid != besides]

    def threads(self) -> int:
        """Return how many threads all of them have."""
        count = 0
        for pid in self._all():
            with contextlib.suppress(OSError):
                count += int(self._read(f"{pid}/stat").rpartition(b")")[2].split()[17])
        return count

    def _all(self) -> list[int]:
        """Return every process but this one that has not ended."""
        self._reap()
        numbers = [int(name) for name in os.listdir(self._proc) if name.isdecimal() and name != "1"]
        return [pid for pid in numbers if self._state(pid) not in ("Z", "X", "")]

    def _state(self, pid: int) -> str:
        try:
            return self._read(f"{pid}/stat").rpartition(b")")[2].split()[0].decode()
        except OSError:
            return ""

    def _is_dying(self, pid: int) -> bool:
        """Whether a SIGKILL is on its way to a process or has arrived; looks twice, as it moves meanwhile."""
        for _ in range(2):
            try:
                fields = self._read(f"{pid}/stat").rpartition(b")")[2].split()
            except OSError:
                return False
            if int(fields[6]) & (_EXITING | _SIGNALED) or int(fields[28]) & 1 << (signal.SIGKILL - 1):
                return True
        return False

    def _command(self, pid: int) -> str:
        try:
            return self._read(f"{pid}/cmdline")[:100].replace(b"\0", b" ").decode(errors="replace").strip() or "?"
        except OSError:
            return "?"

    def _read(self, name: str) -> bytes:
        file = os.open(name, os.O_RDONLY, dir_fd=self._proc)
        try:
            return os.read(file, 4096)
        finally:
            os.close(file)

    def _mark(self, pid: int) -> str | None:
        try:
            return os.readlink(f"{pid}/ns/uts", dir_fd=self._proc)
        except OSError:
            return None

    def _reap(self) -> None:
        try:
            while os.read(self._wake, 4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._expected:
                self._ended[pid] = (status, usage)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _signal_all(number: signal.Signals) -> None:
    """Signal everybody but this process, or nobody if nobody is left."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, number)
