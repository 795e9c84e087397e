"""Layers in a folder of a disk, for machines that need more room for files than there is memory.

    <scratch>/palestra-<random>/         of one process, which holds a lock on it
    <scratch>/palestra-<random>/<n>/     of one machine, whose root alone may enter it
    <scratch>/palestra-<random>/<n>/<l>/ a layer

The host makes the outer two and removes all three; a machine's first process makes layers, and reads others'.
"""

import contextlib
import errno
import fcntl
import itertools
import os
import tempfile
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from palestra.sandbox.base import InfraError
from palestra.sandbox.faults import advice
from palestra.sandbox.native.terminal.removal import remove_tree

_PREFIX = "palestra-"
_YOUNG_S = 60  # as old as a folder may be whose process has not locked it yet


class Scratch:
    """The folder of this process. Thread-safe."""

    def __init__(self, parent: Path) -> None:
        """Remove what others left there when they were killed; nothing is made yet.

        Raises:
            ValueError: it is no folder that this user may write to.
        """
        if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
            raise ValueError(
                f"scratch (or PALESTRA_SCRATCH) must be a folder that this user may write to, not {str(parent)!r}"
            )
        self._parent, self._lock = parent.resolve(), threading.Lock()
        self._folder: Path | None = None
        self._held = -1
        self._numbers = itertools.count(1)
        self._remover = ThreadPoolExecutor(1, "palestra-scratch")  # so that nobody waits for a large tree to go
        _remove_abandoned(self._parent)

    def machine_folder(self, ids: tuple[int, int] | None) -> "MachineFolder":
        """Return a new folder, which belongs to the machine's root.

        Raises:
            InfraError: there is no room, or the folder is gone.
        """
        with self._lock:
            try:
                if self._folder is None:
                    self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
                    self._held = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    fcntl.flock(self._held, fcntl.LOCK_EX)
                    self._folder.chmod(0o711)
                path = self._folder / str(next(self._numbers))
                path.mkdir(0o700)
                if ids:
                    os.chown(path, ids[0], ids[0])
            except OSError as error:
                raise InfraError(f"no room for a sandbox's files: {error}; {advice(error)}") from error
        return MachineFolder(path, self._remover)

    def remove(self) -> None:
        """Remove everything; no machine may be running any more. What is asked for next is made anew."""
        with self._lock:
            folder, self._folder = self._folder, None
            if folder is not None:
                self._remover.shutdown()
                self._remover = ThreadPoolExecutor(1, "palestra-scratch")
                remove_tree(folder)
                os.close(self._held)

    def forget(self) -> None:
        """After a fork, in the child: leave the parent's folder alone."""
        self._lock = threading.Lock()
        self._remover = ThreadPoolExecutor(1, "palestra-scratch")
        if self._folder is not None:
            self._folder = None
            os.close(self._held)


class MachineFolder:
    """Where one machine has its layers. It is removed with the last who refers to it: the machine, or a layer."""

    def __init__(self, path: Path, remover: ThreadPoolExecutor) -> None:
        self.path, self._remover = path, remover
        self.known: set[int] = set()  # the layers that somebody may want again
        self._owner_pid = os.getpid()
        self._end = weakref.finalize(self, _discard, path, remover, self._owner_pid)
        self._end.atexit = False  # the backend removes everything then

    def place_of(self, layer: int) -> str:
        """Return where a layer is, from the process's folder."""
        return f"{self.path.name}/{layer}"

    def is_beside(self, other: "MachineFolder | None") -> bool:
        """Whether a machine that has its layers there can see these."""
        return other is not None and other.path.parent == self.path.parent

    def drop(self, layer: int) -> None:
        """Remove a layer that nobody refers to any more."""
        self.known.discard(layer)
        _discard(self.path / str(layer), self._remover, self._owner_pid)

    def tidy(self) -> None:
        """Remove what the machine has written and nobody kept; it must not be writing."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.path):
                if int(name) not in self.known:
                    _discard(self.path / name, self._remover, self._owner_pid)


def _discard(folder: Path, remover: ThreadPoolExecutor, owner_pid: int) -> None:
    """Have a folder removed soon, unless this is a fork of the process that it belongs to."""
    if os.getpid() == owner_pid:
        with contextlib.suppress(RuntimeError):  # the interpreter is ending: the backend removes everything
            remover.submit(remove_tree, folder)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders whose processes are gone."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:  # another user's, or removed just now
            if error.errno not in (errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            state = os.fstat(held)
            if state.st_uid == os.geteuid() and time.time() - state.st_mtime > _YOUNG_S:
                remove_tree(folder)
        except BlockingIOError:  # its process lives
            pass
        finally:
            os.close(held)
