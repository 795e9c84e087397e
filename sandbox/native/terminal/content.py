"""What a stack of layers changes, as one archive: to join many layers, to cross to another process, to compare.

An archive holds the parts one after another, each entry with its owner, permissions, time and attributes.
What a layer took away from below is a character device 0,0, as overlayfs has it. The digest leaves out times
and whatever is as it was below, so that equal files give equal digests however they came to be.
"""

import errno
import hashlib
import json
import os
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from palestra.sandbox.archive import Reader, Writer, archive_limit
from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.native.terminal.layers import Layers, seen
from palestra.sandbox.workspace import CHUNK_BYTES, FOLDER_FLAGS, Workspace, open_regular, told_as

_DEEPEST = 200
_OPAQUE = "user.overlay.opaque"
_OVERLAY = "user.overlay."
_ATTRIBUTE, _EMPTY_BELOW = "PALESTRA.xattr.", "PALESTRA.opaque"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One thing that a stack changes; `folder` is open only until the walk goes on."""

    path: str  # the part's number, and the path in it
    name: str
    folder: int
    state: os.stat_result
    below: str | None  # where the same would be below the stack
    hides: tuple[str, ...] | None = None  # a folder that shows nothing from there: the names it has itself

    @property
    def is_gone(self) -> bool:
        return stat.S_ISCHR(self.state.st_mode) and self.state.st_rdev == 0


def limit(disk_bytes: int) -> int:
    """Return what the layers of a machine can hold together: each has a little room, however full the others are."""
    return 2 * disk_bytes + (16 << 20)


def save(layers: Layers, emit: Callable[[bytes], None], limit_bytes: int) -> str:
    """Write what the frozen layers change to `emit` and return the digest of it.

    Raises:
        SandboxFileError: it is more than the limit, or nested too deep.
    """
    hashed = hashlib.sha256()
    first: dict[tuple[int, int], str] = {}
    left = limit_bytes
    sink = cast(IO[bytes], Writer(emit, archive_limit(limit_bytes)))
    with told_as("the machine"), tarfile.open(fileobj=sink, mode="w|", bufsize=CHUNK_BYTES) as archive:
        for number, part in layers.written_parts():
            for entry in _walk_part(layers.folders(number), number, seen(number, part)):
                left -= _add(archive, entry, first, hashed.update, left)
    return hashed.hexdigest()


def load(folder: str, numbers: Iterable[int], chunks: Iterable[bytes]) -> None:
    """Fill an empty layer from what `save` wrote.

    Raises:
        SandboxFileError: this is no such archive, there is no room, or an owner does not exist here.
    """
    root = Workspace(folder)
    known = {str(number) for number in numbers}
    folders: list[tarfile.TarInfo] = []
    with told_as("the machine"):
        try:
            with tarfile.open(fileobj=cast(IO[bytes], Reader(chunks)), mode="r|", bufsize=CHUNK_BYTES) as archive:
                for member in archive:
                    if member.name.partition("/")[0] not in known:
                        raise ValueError(f"{member.name[:80]!r} belongs to no part of this machine")
                    member.name = f"files{member.name}"
                    _extract(root, archive, member)
                    if member.isdir():
                        folders.append(member)
            for member in reversed(folders):  # after what is inside them
                with root.parent(member.name) as (parent, name):
                    _finish(member, name, parent)
        except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError) as error:
            raise SandboxFileError(errno.EINVAL, f"not a snapshot of a terminal sandbox: {error}") from error


def _walk_part(folders: list[str], number: int, below: str) -> Iterator[_Entry]:
    opened = [os.open(folder, FOLDER_FLAGS) for folder in folders]
    try:
        if opened:
            top = os.open(os.path.dirname(folders[0]), FOLDER_FLAGS)
            try:
                name = os.path.basename(folders[0])
                yield _Entry(str(number), name, top, os.fstat(opened[0]), below)
            finally:
                os.close(top)
            yield from _walk(opened, f"{number}/", below, 0)
    finally:
        for folder in opened:
            os.close(folder)


def _walk(folders: list[int], prefix: str, below: str | None, depth: int) -> Iterator[_Entry]:
    """Yield what open folders, the highest first, hold together, each folder before what is in it."""
    if depth > _DEEPEST:
        raise SandboxFileError(
            errno.ENAMETOOLONG, f"/{prefix[2:80]!r}...: more than {_DEEPEST} folders inside each other"
        )
    names = sorted({name for folder in folders for name in os.listdir(folder)}, key=os.fsencode)
    for name in names:
        having = [(folder, state) for folder in folders if (state := _state(name, folder)) is not None]
        top, state = having[0]
        under = None if below is None else f"{below}/{name}"
        if not stat.S_ISDIR(state.st_mode):
            yield _Entry(prefix + name, name, top, state, under)
            continue
        inner, is_opaque = _open_together(name, having)
        try:
            hides = tuple(name for folder in inner for name in os.listdir(folder)) if is_opaque else None
            yield _Entry(prefix + name, name, top, state, under, hides)
            deeper = under if under is not None and _is_folder(under) else None
            yield from _walk(inner, f"{prefix}{name}/", deeper, depth + 1)
        finally:
            for folder in inner:
                os.close(folder)


def _open_together(name: str, having: list[tuple[int, os.stat_result]]) -> tuple[list[int], bool]:
    """Open the folders of a name as far down as they are seen; say whether the last one ends the view."""
    opened: list[int] = []
    for folder, state in having:
        if not stat.S_ISDIR(state.st_mode):
            return opened, True
        opened.append(os.open(name, FOLDER_FLAGS, dir_fd=folder))
        if _OPAQUE in os.listxattr(opened[-1]) and os.getxattr(opened[-1], _OPAQUE) == b"y":
            return opened, True
    return opened, False


def _state(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _add(
    archive: tarfile.TarFile,
    entry: _Entry,
    first: dict[tuple[int, int], str],
    count: Callable[[bytes], None],
    limit_bytes: int,
) -> int:
    """Add one entry to an archive; return the bytes of content that it took."""
    if entry.is_gone and not (entry.below is not None and os.path.lexists(entry.below)):
        return 0  # where nothing is below, what hides it would be listed as a name that leads nowhere
    member = _describe(entry, first)
    if member is None:
        return 0
    digest = ""
    if member.type in (tarfile.REGTYPE, tarfile.LNKTYPE):
        if entry.state.st_size > limit_bytes:
            raise SandboxFileError(errno.EFBIG, f"with {entry.path!r} the machine is larger than can be saved")
        hashed = hashlib.sha256()
        with os.fdopen(open_regular(entry.name, entry.folder), "rb") as file:
            chunks = _hashing(file, hashed.update)
            if member.type == tarfile.REGTYPE:
                archive.addfile(member, cast(IO[bytes], Reader(chunks)))
            else:
                archive.addfile(member)
                for _ in chunks:
                    pass
        digest = hashed.hexdigest()
    else:
        archive.addfile(member)
    for line in _changes(entry, member, digest):
        count(json.dumps(line).encode() + b"\n")
    return member.size


def _describe(entry: _Entry, first: dict[tuple[int, int], str]) -> tarfile.TarInfo | None:
    state, member = entry.state, tarfile.TarInfo(entry.path)
    member.mode, member.uid, member.gid = stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid
    member.pax_headers = {"mtime": f"{state.st_mtime_ns // 10**9}.{state.st_mtime_ns % 10**9:09}"}
    key = (state.st_dev, state.st_ino)
    if stat.S_ISSOCK(state.st_mode):
        return None
    if entry.is_gone:
        member.type = tarfile.CHRTYPE
    elif stat.S_ISDIR(state.st_mode):
        member.type = tarfile.DIRTYPE
        if entry.hides is not None:
            member.pax_headers[_EMPTY_BELOW] = "y"
    elif stat.S_ISLNK(state.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(entry.name, dir_fd=entry.folder)
    elif state.st_nlink > 1 and key in first:
        member.type, member.linkname = tarfile.LNKTYPE, first[key]
    elif stat.S_ISFIFO(state.st_mode):
        member.type = tarfile.FIFOTYPE
    elif not stat.S_ISREG(state.st_mode):
        raise SandboxFileError(errno.EINVAL, f"{entry.path!r} has a kind that cannot be saved")
    if not entry.is_gone:
        first.setdefault(key, entry.path)
    if member.type == tarfile.REGTYPE:
        member.size = state.st_size
    if member.type in (tarfile.REGTYPE, tarfile.DIRTYPE):
        path = f"/proc/self/fd/{entry.folder}/{entry.name}"
        for name in os.listxattr(path):
            if not name.startswith(_OVERLAY):
                member.pax_headers[_ATTRIBUTE + name] = os.getxattr(path, name).hex()
    return member


def _changes(entry: _Entry, member: tarfile.TarInfo, digest: str) -> Iterator[list[object]]:
    """Yield what an entry makes other than it is below."""
    below = entry.below
    if entry.is_gone:
        yield [entry.path, "gone"]
        return
    kind = stat.S_IFMT(entry.state.st_mode)
    is_link = kind == stat.S_IFLNK
    now: list[object] = [kind, 0 if is_link else member.mode, member.uid, member.gid]
    now += [digest, member.linkname if is_link else ""]
    if below is None or now != _as_below(below, kind):
        yield [entry.path, *now]
    if entry.hides is not None and below is not None and _is_folder(below):
        for name in sorted(set(os.listdir(below)) - set(entry.hides), key=os.fsencode):
            yield [f"{entry.path}/{name}", "gone"]


def _as_below(path: str, kind: int) -> list[object]:
    try:
        state = os.lstat(path)
    except OSError:
        return []
    link = os.readlink(path) if stat.S_ISLNK(state.st_mode) else ""
    digest = ""
    if kind == stat.S_IFREG == stat.S_IFMT(state.st_mode):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    mode = stat.S_IMODE(state.st_mode) if not link else 0
    return [stat.S_IFMT(state.st_mode), mode, state.st_uid, state.st_gid, digest, link]


def _extract(root: Workspace, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    with root.parent(member.name) as (folder, name):
        if member.isdir():
            if "/" in member.name:
                os.mkdir(name, 0o700, dir_fd=folder)
            return
        if member.type == tarfile.REGTYPE:
            file = cast(IO[bytes], archive.extractfile(member))
            root.create(name, 0o600, iter(lambda: file.read(CHUNK_BYTES), b""), folder)
        elif member.issym():
            os.symlink(member.linkname, name, dir_fd=folder)
        elif member.isfifo():
            os.mkfifo(name, dir_fd=folder)
        elif member.ischr() and (member.devmajor, member.devminor) == (0, 0):
            os.mknod(name, stat.S_IFCHR, 0, dir_fd=folder)
        elif member.islnk():
            with root.parent(f"files{member.linkname}") as (other, other_name):
                os.link(other_name, name, src_dir_fd=other, dst_dir_fd=folder, follow_symlinks=False)
            return
        else:
            raise ValueError(f"{member.name!r} has kind {member.type!r}")
        _finish(member, name, folder)


def _finish(member: tarfile.TarInfo, name: str, folder: int) -> None:
    """Give an entry its owner, permissions, attributes and time, in this order."""
    os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
    if not member.issym():
        os.chmod(name, member.mode & 0o7777, dir_fd=folder)
    path = f"/proc/self/fd/{folder}/{name}"
    for key, value in member.pax_headers.items():
        if key.startswith(_ATTRIBUTE):
            os.setxattr(path, key.removeprefix(_ATTRIBUTE), bytes.fromhex(value), follow_symlinks=False)
    if member.isdir() and member.pax_headers.get(_EMPTY_BELOW):
        os.setxattr(path, _OPAQUE, b"y")
    seconds, _, fraction = member.pax_headers.get("mtime", "0").partition(".")
    moment = int(seconds) * 10**9 + int((fraction + "0" * 9)[:9])
    os.utime(name, ns=(moment, moment), dir_fd=folder, follow_symlinks=False)


def _hashing(file: IO[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        update(chunk)
        yield chunk
