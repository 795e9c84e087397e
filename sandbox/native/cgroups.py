"""Control groups of slots: memory, processes and processor time of everything in one of them.

Written for version 1, where each controller has its own tree, and version 2, which has one.
"""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from palestra.sandbox.native.watcher import remove_folders

_PREFIX = "palestra-"
_STALE_S = 60.0
_MARGIN_BYTES = 1 << 20  # the kernel takes memory in batches
_PERIOD_US = 100_000  # of processor time per period: a slot gets one processor


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where control groups can be made: the folder of each controller."""

    version: int
    folders: Mapping[str, Path]


def find_hierarchy(mounts: str, is_writable: bool) -> Hierarchy | None:
    """Return where slots' control groups go, or None where memory and processes cannot be limited.

    Args:
        mounts: the text of /proc/self/mountinfo.
        is_writable: whether this process may make control groups at all.
    """
    first: dict[str, Path] = {}
    second: Path | None = None
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        place = Path(fields.split()[4])
        if kind == "cgroup":
            first |= {name: place for name in ("memory", "pids", "cpu") if name in options.split(",")}
        elif kind == "cgroup2":
            second = place
    if not is_writable:
        return None
    if {"memory", "pids"} <= set(first) and all(os.access(place, os.W_OK) for place in first.values()):
        return Hierarchy(1, first)
    if second is not None and _enables(second, ("memory", "pids", "cpu")):
        return Hierarchy(2, dict.fromkeys(("memory", "pids", "cpu"), second))
    return None


def _enables(root: Path, controllers: tuple[str, ...]) -> bool:
    """Return whether children of a version 2 group have the controllers, turning them on if need be."""
    try:
        control = root / "cgroup.subtree_control"
        if not set(controllers) <= set(control.read_text().split()):
            control.write_text(" ".join(f"+{name}" for name in controllers))
        return set(controllers) <= set(control.read_text().split())
    except OSError:
        return False


class ControlGroup:
    """The control group of one slot. Its files raise OSError when the kernel refuses."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self._version = hierarchy.version
        name = f"{_PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
        self._folders = {controller: folder / name for controller, folder in hierarchy.folders.items()}
        self._memory_bytes, self._processes = 0, 0
        self._times_full = 0
        try:
            self._make()
        except OSError:
            self.remove()
            raise

    def _make(self) -> None:
        for folder in dict.fromkeys(self._folders.values()):
            folder.mkdir()
        if self._version == 2:
            self._write("cpu", "cpu.max", f"{_PERIOD_US} {_PERIOD_US}")
            if self._has("memory", "memory.swap.max"):  # a kernel may not account for swap
                self._write("memory", "memory.swap.max", "0")
        elif "cpu" in self._folders:
            self._write("cpu", "cpu.cfs_period_us", str(_PERIOD_US))
            self._write("cpu", "cpu.cfs_quota_us", str(_PERIOD_US))

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders to remove when the slot has ended."""
        return tuple(str(folder) for folder in dict.fromkeys(self._folders.values()))

    @property
    def procs_files(self) -> tuple[str, ...]:
        """The files that a process is written to, to put it in."""
        return tuple(f"{folder}/cgroup.procs" for folder in self.folders)

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Set the limits; cheap when they are as they were."""
        if processes != self._processes:
            self._write("pids", "pids.max", str(processes))
            self._processes = processes
        if memory_bytes != self._memory_bytes:
            self._limit_memory(memory_bytes)
            self._memory_bytes = memory_bytes

    def held_bytes(self) -> int:
        """Return the memory in use that the kernel could not take back at once."""
        usage = self._read("memory", "memory.usage_in_bytes" if self._version == 1 else "memory.current")
        state = self._table("memory.stat")
        files = state["cache" if self._version == 1 else "file"] - state["shmem"]
        return int(usage) - files

    def processes(self) -> int:
        """Return how many processes and threads there are."""
        return int(self._read("pids", "pids.current"))

    def kills(self) -> int:
        """Return how many processes were killed for want of memory."""
        return self._table("memory.oom_control" if self._version == 1 else "memory.events")["oom_kill"]

    def refusals(self) -> int:
        """Return how often a process or thread was refused for the limit of their number."""
        return self._table("pids.events", "pids")["max"]

    def was_full(self) -> bool:
        """Return whether the group has come up against its own limit since this was last asked.

        If not, whoever was killed in it paid for a shortage elsewhere.
        """
        if self._version == 1:
            most = int(self._read("memory", "memory.max_usage_in_bytes"))
            self._write("memory", "memory.max_usage_in_bytes", "0")
            return most > self._memory_bytes - _MARGIN_BYTES
        before, self._times_full = self._times_full, self._table("memory.events")["oom"]
        return self._times_full > before

    def remove(self) -> None:
        """Remove the group, which must be empty; does nothing when it is gone."""
        remove_folders(self.folders)

    def _limit_memory(self, size: int) -> None:
        if self._version == 2:
            self._write("memory", "memory.max", str(size))
            return
        files = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]  # the second is never below the first
        if size > self._memory_bytes > 0:
            files.reverse()
        for file in files:
            if self._has("memory", file):
                self._write("memory", file, str(size))

    def _table(self, file: str, controller: str = "memory") -> dict[str, int]:
        lines = (line.split() for line in self._read(controller, file).splitlines())
        return {line[0]: int(line[1]) for line in lines}

    def _read(self, controller: str, file: str) -> str:
        return (self._folders[controller] / file).read_text()

    def _write(self, controller: str, file: str, text: str) -> None:
        (self._folders[controller] / file).write_text(text)

    def _has(self, controller: str, file: str) -> bool:
        return (self._folders[controller] / file).exists()


def remove_stale(hierarchy: Hierarchy) -> None:
    """Remove the groups of processes that ended without doing so, such as by SIGKILL with their launchers."""
    for folder in set(hierarchy.folders.values()):
        for group in folder.glob(f"{_PREFIX}*"):
            owner = group.name.removeprefix(_PREFIX).partition("-")[0]
            with contextlib.suppress(OSError):
                if not Path("/proc", owner).exists() and time.time() - group.stat().st_mtime > _STALE_S:
                    group.rmdir()  # refused while it has processes
