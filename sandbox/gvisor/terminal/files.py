"""Reads and writes files of the machine for the host. Runs in the keeper, which is in the machine's root.

gVisor knows no openat2, and follows a link that is opened as a folder, whatever it is told. So each folder on
a path is opened as whatever it is, and then looked at.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.native.terminal.files import KERNELS, place_of
from palestra.sandbox.workspace import CHUNK_BYTES, Workspace, open_regular, split_path, told_as


class MachineFiles(Workspace):
    """The files of the whole machine, by the paths that `place_of` takes."""

    def __init__(self) -> None:
        super().__init__("/")

    @contextmanager
    def parent(self, path: str, make: bool = False) -> Iterator[tuple[int, str]]:
        """Give the descriptor of the folder that holds a path, and the last component."""
        *folders, name = split_path(_place(path))
        current = os.open("/", os.O_PATH | os.O_DIRECTORY)
        try:
            for part in folders:
                deeper = _open_inner(part, current, make=make)
                os.close(current)
                current = deeper
            yield current, name
        finally:
            os.close(current)

    def read(self, path: str, limit_bytes: int) -> Iterator[bytes]:
        """Yield a regular file's bytes.

        Raises:
            SandboxFileError: missing, not a regular file, one with several names, or larger than the limit.
        """
        with told_as(path), self.parent(path) as (folder, name):
            file = open_regular(name, folder)
            try:
                state = os.fstat(file)
                if state.st_nlink != 1:
                    raise SandboxFileError(
                        errno.EMLINK, f"{path!r} has {state.st_nlink} names; copy it and read the copy"
                    )
                if state.st_size > limit_bytes:
                    raise SandboxFileError(
                        errno.EFBIG, f"{path!r} has {state.st_size} bytes, more than the limit {limit_bytes}"
                    )
                while limit_bytes > 0 and (chunk := os.read(file, min(CHUNK_BYTES, limit_bytes))):
                    limit_bytes -= len(chunk)
                    yield chunk
            finally:
                os.close(file)


def open_folder(name: str, folder: int) -> int:
    """Return the descriptor of a folder in another; raises OSError for anything else, links among it."""
    found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        mode = os.fstat(found).st_mode
        if not stat.S_ISDIR(mode):
            code = errno.ELOOP if stat.S_ISLNK(mode) else errno.ENOTDIR
            raise OSError(code, os.strerror(code))
    except BaseException:
        os.close(found)
        raise
    return found


def _open_inner(name: str, folder: int, *, make: bool) -> int:
    try:
        return open_folder(name, folder)
    except FileNotFoundError:
        if not make:
            raise
    os.mkdir(name, 0o755, dir_fd=folder)
    return open_folder(name, folder)


def _place(path: str) -> str:
    """Return a path without a slash before it; raises SandboxFileError where it is the kernel's."""
    place = place_of(path)
    if place.partition("/")[0] in KERNELS:
        raise SandboxFileError(errno.EACCES, f"{path!r} is of the kernel and no file")
    return place
