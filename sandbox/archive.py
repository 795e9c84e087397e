"""Snapshots of a workspace: a tar archive, and a digest of what is in it.

The archive keeps names, kinds, permissions, links and times to the nanosecond; sockets are left out.
The digest leaves times out too, so that equal workspaces have equal digests.
"""

import errno
import hashlib
import json
import os
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.workspace import CHUNK_BYTES, FOLDER_FLAGS, Workspace, folder_in, open_regular, told_as

_DEEPEST = 64  # folders inside each other in a snapshot
_KINDS = {tarfile.DIRTYPE: "folder", tarfile.REGTYPE: "file", tarfile.SYMTYPE: "link"}
_KINDS |= {tarfile.LNKTYPE: "same file as", tarfile.FIFOTYPE: "fifo"}


@dataclass(frozen=True, slots=True)
class _Found:
    """One entry of a walk; `folder` is open only until the walk goes on."""

    path: str
    name: str
    folder: int
    state: os.stat_result


def archive_limit(content_bytes: int) -> int:
    """Return the largest archive that `save` writes for a limit: names, permissions and times take room too."""
    return 4 * content_bytes + (1 << 20)


def save(workspace: Workspace, emit: Callable[[bytes], None], limit_bytes: int) -> str:
    """Write a workspace to `emit` as a tar archive and return the digest of its content.

    Raises:
        SandboxFileError: the files or their names add up to more than the limit, or folders are nested too deep.
    """
    content = _Digest()
    seen: dict[int, str] = {}
    sink = cast(IO[bytes], Writer(emit, archive_limit(limit_bytes)))
    with told_as("the workspace"), tarfile.open(fileobj=sink, mode="w|", bufsize=CHUNK_BYTES) as archive:
        root = os.open(workspace.root, FOLDER_FLAGS)
        try:
            for found in _walk(root, "", 0):
                limit_bytes -= _add(archive, found, seen, content, limit_bytes)
        finally:
            os.close(root)
    return content.result()


def collect(workspace: Workspace, path: str, name: str, emit: Callable[[bytes], None], limit_bytes: int) -> None:
    """Write what is at a path, with all below it, to `emit` as a tar archive; owners are kept.

    Args:
        workspace: where the path begins.
        path: as `workspace.parent` takes it; "" for the workspace itself.
        name: what the archive calls it.
        emit: is given the archive.
        limit_bytes: of the files together.

    Raises:
        SandboxFileError: it is missing, its files add up to more than the limit, or folders are nested too deep.
    """
    seen: dict[int, str] = {}
    sink = cast(IO[bytes], Writer(emit, archive_limit(limit_bytes)))
    with told_as(path), tarfile.open(fileobj=sink, mode="w|", bufsize=CHUNK_BYTES) as archive:
        for found in _at(workspace, path, name):
            limit_bytes -= _add(archive, found, seen, None, limit_bytes)


def collect_inside(workspace: Workspace, path: str, emit: Callable[[bytes], None], limit_bytes: int) -> None:
    """Write what is at a path that callers give inside a workspace, as `collect`, under its name from the root."""
    place = folder_in(path)
    collect(workspace, place, f"workspace/{place}".rstrip("/"), emit, limit_bytes)


def _at(workspace: Workspace, path: str, name: str) -> Iterator[_Found]:
    """Yield what is at a path and below it."""
    if not path:
        root = os.open(workspace.root, FOLDER_FLAGS)
        try:
            yield from _walk(root, f"{name}/", 0)
        finally:
            os.close(root)
        return
    with workspace.parent(path) as (folder, last):
        yield from _one(_Found(name, last, folder, os.stat(last, dir_fd=folder, follow_symlinks=False)), 0)


def load(workspace: Workspace, chunks: Iterable[bytes]) -> str:
    """Fill an empty workspace from what `save` wrote and return the digest of its content.

    Raises:
        SandboxFileError: this is no such archive, or there is no room.
    """
    content = _Digest()
    folders: list[tarfile.TarInfo] = []
    with told_as("the workspace"):
        try:
            with tarfile.open(fileobj=_source(chunks), mode="r|", bufsize=CHUNK_BYTES) as archive:
                for member in archive:
                    content.add(member, _extract(workspace, archive, member))
                    if member.isdir():
                        folders.append(member)
            for member in reversed(folders):  # after what is inside them
                with workspace.parent(member.name) as (parent, name):
                    os.chmod(name, member.mode, dir_fd=parent)
                    os.utime(name, ns=_times(member), dir_fd=parent)
        except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError) as error:
            raise SandboxFileError(errno.EINVAL, f"not a snapshot of a workspace: {error}") from error
    return content.result()


def _extract(workspace: Workspace, archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    """Create one member; return the sha256 of a file's content."""
    with workspace.parent(member.name) as (folder, name):
        hashed = hashlib.sha256()
        if member.type == tarfile.REGTYPE:
            file = cast(IO[bytes], archive.extractfile(member))
            workspace.create(name, member.mode, _hashing(_chunks(file), hashed.update), folder)
        elif member.isdir():
            os.mkdir(name, 0o700, dir_fd=folder)
        elif member.issym():
            os.symlink(member.linkname, name, dir_fd=folder)
        elif member.isfifo():
            os.mkfifo(name, dir_fd=folder)
            os.chmod(name, member.mode, dir_fd=folder)
        elif member.islnk():
            with workspace.parent(member.linkname) as (other, other_name):
                os.link(other_name, name, src_dir_fd=other, dst_dir_fd=folder, follow_symlinks=False)
        else:
            raise ValueError(f"{member.name!r} has kind {member.type!r}")
        if not member.islnk():
            os.utime(name, ns=_times(member), dir_fd=folder, follow_symlinks=False)
        return hashed.hexdigest() if member.type == tarfile.REGTYPE else ""


def _walk(folder: int, prefix: str, depth: int) -> Iterator[_Found]:
    """Yield what is below a folder, each folder before what it holds, in the order of the names' bytes."""
    if depth > _DEEPEST:
        raise SandboxFileError(
            errno.ENAMETOOLONG, f"{prefix[:80]!r}...: more than {_DEEPEST} folders inside each other"
        )
    for name in sorted(os.listdir(folder), key=os.fsencode):
        state = os.stat(name, dir_fd=folder, follow_symlinks=False)
        yield from _one(_Found(prefix + name, name, folder, state), depth)


def _one(found: _Found, depth: int) -> Iterator[_Found]:
    """Yield an entry, and what it holds if it is a folder."""
    yield found
    if stat.S_ISDIR(found.state.st_mode):
        with _readable(found.name, found.folder, found.state.st_mode, 0o500):
            inner = os.open(found.name, FOLDER_FLAGS, dir_fd=found.folder)
            try:
                yield from _walk(inner, f"{found.path}/", depth + 1)
            finally:
                os.close(inner)


@contextmanager
def _readable(name: str, folder: int, mode: int, wanted: int) -> Iterator[None]:
    """Lend a file or folder of ours the permissions that its owner took from himself. No program is running."""
    if mode & wanted == wanted:
        yield
        return
    os.chmod(name, stat.S_IMODE(mode) | wanted, dir_fd=folder)
    try:
        yield
    finally:
        os.chmod(name, stat.S_IMODE(mode), dir_fd=folder)


def _add(archive: tarfile.TarFile, found: _Found, seen: dict[int, str], content: "_Digest | None", limit: int) -> int:
    """Add one entry to an archive, and to a digest if there is one; return the bytes of content that it took."""
    state, member = found.state, tarfile.TarInfo(found.path)
    member.mode, member.uid, member.gid = stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid
    if content is None:  # whole seconds are enough where nothing is put back, and every header costs time
        member.mtime = state.st_mtime_ns // 10**9
    else:
        member.pax_headers = {"mtime": f"{state.st_mtime_ns // 10**9}.{state.st_mtime_ns % 10**9:09}"}
    if stat.S_ISSOCK(state.st_mode):
        return 0
    if stat.S_ISDIR(state.st_mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(state.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(found.name, dir_fd=found.folder)
    elif state.st_nlink > 1 and state.st_ino in seen:
        member.type, member.linkname = tarfile.LNKTYPE, seen[state.st_ino]
    elif stat.S_ISFIFO(state.st_mode):
        member.type = tarfile.FIFOTYPE
    elif not stat.S_ISREG(state.st_mode):
        raise SandboxFileError(errno.EINVAL, f"{found.path!r} has a kind that cannot be saved")
    seen.setdefault(state.st_ino, found.path)
    if member.type == tarfile.REGTYPE:
        return _add_file(archive, found, member, content, limit)
    archive.addfile(member)
    if content is not None:
        content.add(member, "")
    return 0


def _add_file(
    archive: tarfile.TarFile, found: _Found, member: tarfile.TarInfo, content: "_Digest | None", limit: int
) -> int:
    member.size = found.state.st_size
    if member.size > limit:
        raise SandboxFileError(errno.EFBIG, f"with {found.path!r} the workspace is larger than can be saved")
    with _readable(found.name, found.folder, found.state.st_mode, 0o400):
        file = open_regular(found.name, found.folder)
    with os.fdopen(file, "rb") as source:
        if content is None:
            archive.addfile(member, source)
        else:
            hashed = hashlib.sha256()
            archive.addfile(member, _source(_hashing(_chunks(source), hashed.update)))
            content.add(member, hashed.hexdigest())
    return member.size


class _Digest:
    """The hash of a workspace's content, entry by entry."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, member: tarfile.TarInfo, content: str) -> None:
        """Count an entry in; `content` is the hash of a file's bytes."""
        # A link has no permissions of its own, and a second name has those of the first.
        mode = 0 if member.issym() or member.islnk() else stat.S_IMODE(member.mode)
        entry = [member.name, _KINDS[member.type], mode, member.linkname, content]
        self._hash.update(json.dumps(entry).encode() + b"\n")

    def result(self) -> str:
        """Return the digest in hex."""
        return self._hash.hexdigest()


def _times(member: tarfile.TarInfo) -> tuple[int, int]:
    seconds, _, fraction = member.pax_headers.get("mtime", "0").partition(".")
    nanoseconds = int(seconds) * 10**9 + int((fraction + "0" * 9)[:9])
    return nanoseconds, nanoseconds


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def _hashing(chunks: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


class Reader:
    """An iterator of bytes as the file that `tarfile` reads."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._left = iter(chunks), b""

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        parts: list[bytes] = []
        while size > 0 and (chunk := self._left or next(self._chunks, b"")):
            parts.append(chunk[:size])
            self._left, size = chunk[size:], size - len(parts[-1])
        return b"".join(parts)


class Writer:
    """A function as the file that `tarfile` writes."""

    def __init__(self, emit: Callable[[bytes], None], limit_bytes: int) -> None:
        self._emit, self._left_bytes = emit, limit_bytes

    def write(self, chunk: bytes) -> None:
        """Pass a chunk on."""
        self._left_bytes -= len(chunk)
        if self._left_bytes < 0:
            raise SandboxFileError(errno.EFBIG, "the workspace has more names than can be saved")
        self._emit(chunk)


def _source(chunks: Iterable[bytes]) -> IO[bytes]:
    return cast(IO[bytes], Reader(chunks))
