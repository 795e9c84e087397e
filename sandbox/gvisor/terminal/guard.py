"""Keeps the machine's memory within its limit: ends the largest process when all together hold more.

gVisor's kernel itself knows no such limit, and the host's would end the machine as a whole. Runs inside.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress

TICK_S, SLOW_TICK_S = 0.02, 0.1  # how often to look: while a program runs, and beside the shell
_COUNTED = (b"AnonPages:", b"Shmem:")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Guard:
    """Looks at the memory in use, and acts."""

    def __init__(self, memory: int, files: int) -> None:
        """Begin with what is held now, which is the keeper's own.

        Args:
            memory: the open /proc/meminfo.
            files: an open folder of the file system whose content counts for the disk, and not here.
        """
        self._memory, self._files = memory, files
        self.kills = 0
        self._own = self.held()
        self.limit_bytes = 0

    def held(self) -> int:
        """Return the bytes in use beside files."""
        lines = os.pread(self._memory, 4096, 0).splitlines()
        counted = sum(int(line.split()[1]) << 10 for line in lines if line.startswith(_COUNTED))
        state = os.fstatvfs(self._files)
        return counted - (state.f_blocks - state.f_bfree) * state.f_frsize

    @property
    def taken(self) -> int:
        """The bytes in use beside files and the keeper's own."""
        return self.held() - self._own

    def look(self, processes: int, find: Callable[[], list[int]]) -> None:
        """End the largest of some processes when more is in use than may be.

        Args:
            processes: an open folder with the processes.
            find: returns whom it may be.
        """
        if self.taken <= self.limit_bytes:
            return
        sizes = {pid: _size(processes, pid) for pid in find()}
        if sizes:
            with suppress(ProcessLookupError):
                os.kill(max(sizes, key=lambda pid: (sizes[pid], pid)), signal.SIGKILL)
                self.kills += 1


def _size(processes: int, pid: int) -> int:
    try:
        file = os.open(f"{pid}/statm", os.O_RDONLY, dir_fd=processes)
    except OSError:  # it has ended
        return 0
    try:
        return int(os.read(file, 200).split()[1]) * _PAGE
    finally:
        os.close(file)
