"""Files of a folder that somebody hostile may write to, and snapshots of it.

Every path is opened one component after another without following links, and only regular files are
read or written. In the native backend this runs inside the sandbox, as the programs' user.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from palestra.sandbox.base import SandboxFileError

CHUNK_BYTES = 64 * 1024
_PREFIX, _LONGEST_PATH = "/workspace/", 1 << 15
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def split_path(path: str) -> list[str]:
    """Return the components of a path inside a workspace, given relative to it or below ``/workspace/``.

    Raises:
        SandboxFileError: the path is empty, leaves the workspace or cannot be a file name.
    """
    if len(path) > _LONGEST_PATH:
        raise SandboxFileError(errno.ENAMETOOLONG, f"{path[:80]!r}...: a path of {len(path)} characters")
    inner = path.removeprefix(_PREFIX)
    parts = [part for part in inner.split("/") if part not in ("", ".")]
    if inner.startswith("/") or ".." in parts:
        raise SandboxFileError(errno.EACCES, f"{path!r} is outside the workspace; use a path relative to it")
    try:
        names = [os.fsencode(part) for part in parts]
    except UnicodeEncodeError as error:
        raise SandboxFileError(errno.EINVAL, f"{path!r} is no file name: {error.reason}") from error
    if not parts or any(b"\0" in name for name in names):
        raise SandboxFileError(errno.EINVAL, f"{path!r} names no file")
    return parts


def folder_in(path: str) -> str:
    """Return a path inside a workspace, without a slash before it, "" for the workspace; raises as `split_path`."""
    return "/".join(split_path(f"{path}/-")[:-1])


@contextmanager
def told_as(path: str) -> Iterator[None]:
    """Raise every refusal of the kernel as a SandboxFileError that names the path."""
    try:
        yield
    except SandboxFileError:
        raise
    except OSError as error:
        reason = "it is a link or has one on its way" if error.errno == errno.ELOOP else os.strerror(error.errno or 0)
        raise SandboxFileError(error.errno, f"{path!r}: {reason}") from error


class Workspace:
    """The files below one folder."""

    def __init__(self, root: str) -> None:
        self.root = root

    def read(self, path: str, limit_bytes: int) -> Iterator[bytes]:
        """Yield a regular file's bytes.

        Raises:
            SandboxFileError: missing, not a regular file, larger than the limit, or outside.
        """
        with told_as(path), self.parent(path) as (folder, name):
            file = open_regular(name, folder)
            try:
                size = os.fstat(file).st_size
                if size > limit_bytes:
                    raise SandboxFileError(errno.EFBIG, f"{path!r} has {size} bytes, more than the limit {limit_bytes}")
                left = limit_bytes
                while chunk := os.read(file, min(CHUNK_BYTES, left)):
                    left -= len(chunk)
                    yield chunk
            finally:
                os.close(file)

    def write(self, path: str, chunks: Iterable[bytes], mode: int | None = None) -> None:
        """Create or replace a regular file, in one step: a failure leaves the old one.

        Args:
            path: the file.
            chunks: its content.
            mode: its permissions; None keeps those of the file that is replaced, or is 0o644.

        Raises:
            SandboxFileError: something else has the name, or there is no room.
        """
        with told_as(path), self.parent(path, make=True) as (folder, name):
            kept = 0o644
            with suppress(FileNotFoundError):
                kept = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
                if not stat.S_ISREG(kept):
                    raise SandboxFileError(errno.EEXIST, f"{path!r} is not a regular file")
            temporary = f".{secrets.token_hex(8)}"
            try:
                self.create(temporary, stat.S_IMODE(kept) if mode is None else mode, chunks, folder)
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    @staticmethod
    def create(name: str, mode: int, chunks: Iterable[bytes], folder: int) -> None:
        """Create a file in an open folder, with holes for zeros; raises OSError if the name is taken or no room."""
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o600, dir_fd=folder)
        try:
            size_bytes = 0
            for chunk in chunks:
                view = memoryview(b"" if chunk == bytes(len(chunk)) else chunk)
                while view:
                    view = view[os.pwrite(file, view, size_bytes + len(chunk) - len(view)) :]
                size_bytes += len(chunk)
            os.ftruncate(file, size_bytes)
            os.fchmod(file, mode)
        finally:
            os.close(file)

    @contextmanager
    def parent(self, path: str, make: bool = False) -> Iterator[tuple[int, str]]:
        """Give the descriptor of the folder that holds a path, and the last component."""
        *folders, name = split_path(path)
        current = os.open(self.root, FOLDER_FLAGS)
        try:
            for part in folders:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o755, dir_fd=current)
                deeper = os.open(part, FOLDER_FLAGS, dir_fd=current)
                os.close(current)
                current = deeper
            yield current, name
        finally:
            os.close(current)


def open_regular(name: str, folder: int) -> int:
    """Return the descriptor of a regular file in an open folder, for reading; never waits and follows no link."""
    file = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise SandboxFileError(errno.EINVAL, f"{name!r} is not a regular file")
    return file
