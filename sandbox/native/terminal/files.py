"""Reads and writes files of the machine, in its first process, which is the machine's root and sees nothing else."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator

from palestra.sandbox import archive
from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.copyout import open_to_read
from palestra.sandbox.native.plan import WORKSPACE
from palestra.sandbox.workspace import CHUNK_BYTES, Workspace, told_as

_LONGEST = 4096
KERNELS = ("proc", "sys", "dev")  # folders that hold no files


def place_of(path: str) -> str:
    """Return where a path leads, without a slash before it: absolute in the machine, or below its workspace.

    Raises:
        SandboxFileError: it goes upwards, is no file name or names no file.
    """
    whole = path if path.startswith("/") else f"{WORKSPACE}/{path}"
    parts = [part for part in whole.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise SandboxFileError(errno.EACCES, f"{path!r} goes upwards; write the path without '..'")
    if "\0" in path or not path or (len(parts) == 1 and f"/{parts[0]}" == WORKSPACE) or not parts:
        raise SandboxFileError(errno.EINVAL, f"{path!r} names no file")
    if len(path) > _LONGEST:
        raise SandboxFileError(errno.ENAMETOOLONG, f"{path[:80]!r}...: a path of {len(path)} characters")
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise SandboxFileError(errno.EINVAL, f"{path!r} is no file name: {error.reason}") from error
    return "/".join(parts)


def read(path: str, limit_bytes: int) -> Iterator[bytes]:
    """Yield a regular file's bytes; raises SandboxFileError as `open_to_read` does."""
    with told_as(path):
        root = os.open("/", os.O_PATH | os.O_DIRECTORY)
        try:
            file = open_to_read(root, place_of(path), limit_bytes, path)
        finally:
            os.close(root)
        try:
            left = limit_bytes
            while left > 0 and (chunk := os.read(file, min(CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk
        finally:
            os.close(file)


def collect(path: str, emit: Callable[[bytes], None], limit_bytes: int) -> None:
    """Write what is at a path to `emit`, as `archive.collect`; raises SandboxFileError."""
    place = folder_of(path)
    archive.collect(Workspace("/"), place, place, emit, limit_bytes)


def folder_of(path: str) -> str:
    """Return where a path leads, as `place_of`; it may be the workspace itself.

    Raises:
        SandboxFileError: as `place_of`, or it is the whole machine or what its kernel makes.
    """
    parts = place_of(f"{path}/-").split("/")[:-1]
    if not parts or parts[0] in KERNELS:
        raise SandboxFileError(errno.EACCES, f"{path!r} is the machine or its kernel's; name a folder of files")
    return "/".join(parts)


def write(path: str, chunks: Iterable[bytes], mode: int | None = None) -> None:
    """Create or replace a regular file with its parent folders, as `Workspace.write`; raises SandboxFileError."""
    place = place_of(path)
    try:
        Workspace("/").write(place, chunks, mode)
    except SandboxFileError as error:
        raise SandboxFileError(error.errno, str(error.strerror).replace(repr(place), repr(path), 1)) from error
