"""What a machine's files are other than its image's: packed by the keeper, compared by the host, put in place again.

The daemon tells which paths differ. The keeper packs those into one archive, each folder with the names in
it, so that what was taken away needs no entry. The digest leaves out times and what is as in the image, so that
equal files give equal digests however they came to be. Sockets and extended attributes are not kept.
"""

import errno
import hashlib
import json
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, cast

from palestra.sandbox.archive import Reader, Writer, archive_limit
from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.workspace import CHUNK_BYTES, open_regular

# Not the machine's own: file systems of the kernel, what dockerd mounts, and the keeper's code.
_APART = {".dockerenv", "dev", "proc", "sys", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"}
_APART |= {"usr/lib/palestra-keeper"}
_NAMES = "PALESTRA.names"
_UNSPELLED = "\ufffd"

Entry = list[object]
_Files = dict[tuple[int, int], str]  # file system and number in it: the first name that was packed


def is_apart(path: str) -> bool:
    """Whether a path, given without a slash before it, belongs to the container and not to the machine."""
    return any(path == apart or path.startswith(f"{apart}/") for apart in _APART)


def pack(root: str, paths: Iterable[str], emit: Callable[[bytes], None], limit_bytes: int) -> None:
    """Write what there is at these paths below a root to `emit` as a tar archive.

    Raises:
        SandboxFileError: it is more than the limit.
    """
    first: _Files = {}
    sink = cast(IO[bytes], Writer(emit, archive_limit(limit_bytes)))
    with tarfile.open(fileobj=sink, mode="w|", bufsize=CHUNK_BYTES) as archive:
        for path in sorted(_spelled(root, paths), key=os.fsencode):
            try:
                state = os.lstat(os.path.join(root, path))
            except (FileNotFoundError, NotADirectoryError):
                continue
            if not is_apart(path) and not stat.S_ISSOCK(state.st_mode):
                limit_bytes -= _add(archive, root, path, state, first, limit_bytes)


def below(root: str, folders: Iterable[str]) -> Iterator[str]:
    """Yield folders, and all that is in them, as paths below a root: for file systems that the daemon does not see."""
    for folder in folders:
        yield folder
        for above, inner, files in os.walk(os.path.join(root, folder)):
            for name in (*inner, *files):
                yield os.path.relpath(os.path.join(above, name), root)


def unpack(root: str, chunks: Iterable[bytes]) -> None:
    """Make what `pack` was given out of an untouched image.

    Raises:
        SandboxFileError: this is no such archive, or there is no room.
    """
    folders: list[tarfile.TarInfo] = []
    try:
        with tarfile.open(fileobj=cast(IO[bytes], Reader(chunks)), mode="r|", bufsize=CHUNK_BYTES) as archive:
            for member in archive:
                if is_apart(member.name) or ".." in member.name.split("/") or member.name.startswith("/"):
                    raise ValueError(f"{member.name[:80]!r} has no place in a machine")
                place = os.path.join(root, member.name)
                _extract(archive, member, place, root)
                if member.isdir():
                    folders.append(member)
        for member in reversed(folders):  # after what is inside them
            _finish(member, os.path.join(root, member.name))
    except OSError as error:
        raise SandboxFileError(error.errno, f"the snapshot cannot be put in place: {error.strerror}") from error
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError) as error:
        raise SandboxFileError(errno.EINVAL, f"not a snapshot of a terminal sandbox: {error}") from error


def digest(archive: bytes, image_root: str) -> str:
    """Return the sha256 of what an archive changes in an image.

    Raises:
        SandboxFileError: this is no archive of `pack`.
    """
    hashed = hashlib.sha256()
    seen: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=cast(IO[bytes], Reader([archive])), mode="r|") as members:
            for member in members:
                said = ""
                if member.isreg():
                    said = seen[member.name] = _hash(cast(IO[bytes], members.extractfile(member)))
                elif member.islnk():
                    member.type, said = tarfile.REGTYPE, seen[member.linkname]
                entry = _entry_of(member, said)
                if entry != _in_image(image_root, member.name):
                    hashed.update(json.dumps([member.name, *entry]).encode() + b"\n")
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError) as error:
        raise SandboxFileError(errno.EINVAL, f"not a snapshot of a terminal sandbox: {error}") from error
    return hashed.hexdigest()


def _spelled(root: str, paths: Iterable[str]) -> set[str]:
    """Return the paths; where the daemon could not spell a name, which was not UTF-8, every such name there."""
    found = {path for path in paths if _UNSPELLED not in path}
    for path in set(paths) - found:
        folder = os.path.dirname(path.partition(_UNSPELLED)[0])
        names = os.listdir(os.path.join(root, folder)) if os.path.isdir(os.path.join(root, folder)) else []
        for name in names:
            if _UNSPELLED in name or any("\udc80" <= letter <= "\udcff" for letter in name):
                inner = os.path.join(folder, name)
                found |= set(below(root, [inner]))
    return found


def _add(archive: tarfile.TarFile, root: str, path: str, state: os.stat_result, first: _Files, limit_bytes: int) -> int:
    """Add one entry; return the bytes of content that it took."""
    place, member = os.path.join(root, path), tarfile.TarInfo(path)
    member.mode, member.uid, member.gid = stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid
    member.pax_headers = {"mtime": f"{state.st_mtime_ns // 10**9}.{state.st_mtime_ns % 10**9:09}"}
    if stat.S_ISDIR(state.st_mode):
        member.type = tarfile.DIRTYPE
        member.pax_headers[_NAMES] = json.dumps(_names(place, path))
    elif stat.S_ISLNK(state.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(place)
    elif stat.S_ISFIFO(state.st_mode):
        member.type = tarfile.FIFOTYPE
    elif not stat.S_ISREG(state.st_mode):
        raise SandboxFileError(errno.EINVAL, f"'/{path}' has a kind that cannot be saved")
    elif (state.st_dev, state.st_ino) in first:
        member.type, member.linkname = tarfile.LNKTYPE, first[state.st_dev, state.st_ino]
    else:
        return _add_file(archive, root, member, state, first, limit_bytes)
    archive.addfile(member)
    return 0


def _add_file(
    archive: tarfile.TarFile,
    root: str,
    member: tarfile.TarInfo,
    state: os.stat_result,
    first: _Files,
    limit_bytes: int,
) -> int:
    if state.st_size > limit_bytes:
        raise SandboxFileError(errno.EFBIG, f"with '/{member.name}' the machine is larger than can be saved")
    first[state.st_dev, state.st_ino] = member.name
    member.size = state.st_size
    parent = os.open(os.path.dirname(os.path.join(root, member.name)), os.O_PATH | os.O_DIRECTORY)
    try:
        file = open_regular(os.path.basename(member.name), parent)
    finally:
        os.close(parent)
    with os.fdopen(file, "rb") as source:
        archive.addfile(member, source)
    return member.size


def _names(place: str, path: str) -> list[str]:
    """Return the names in a folder, without what is not saved."""
    prefix = f"{path}/" if path else ""
    with os.scandir(place) as found:
        kept = [each for each in found if not _is_socket(each)]
    return sorted(each.name for each in kept if not is_apart(prefix + each.name))


def _is_socket(entry: "os.DirEntry[str]") -> bool:
    return stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode)


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, place: str, root: str) -> None:
    if member.isdir():
        if not os.path.isdir(place) or os.path.islink(place):
            _remove(place)
            os.mkdir(place, 0o700)
        kept = set(json.loads(member.pax_headers[_NAMES]))
        for name in set(os.listdir(place)) - kept:
            if not is_apart(os.path.join(member.name, name)):
                _remove(os.path.join(place, name))
        return
    _remove(place)
    if member.isreg():
        content = cast(IO[bytes], archive.extractfile(member))
        with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copyfileobj(content, file)
    elif member.issym():
        os.symlink(member.linkname, place)
    elif member.isfifo():
        os.mkfifo(place)
    elif member.islnk():
        os.link(os.path.join(root, member.linkname), place, follow_symlinks=False)
        return
    else:
        raise ValueError(f"{member.name!r} has kind {member.type!r}")
    _finish(member, place)


def _finish(member: tarfile.TarInfo, place: str) -> None:
    """Give an entry its owner, permissions and time, in this order."""
    os.chown(place, member.uid, member.gid, follow_symlinks=False)
    if not member.issym():
        os.chmod(place, member.mode & 0o7777)
    seconds, _, fraction = member.pax_headers.get("mtime", "0").partition(".")
    moment = int(seconds) * 10**9 + int((fraction + "0" * 9)[:9])
    os.utime(place, ns=(moment, moment), follow_symlinks=False)


def _remove(place: str) -> None:
    if os.path.isdir(place) and not os.path.islink(place):
        shutil.rmtree(place)
    elif os.path.lexists(place):
        os.unlink(place)


def _entry_of(member: tarfile.TarInfo, said: str) -> Entry:
    if member.isdir():
        said = hashlib.sha256(member.pax_headers[_NAMES].encode()).hexdigest()
    elif member.issym():
        return ["link", 0, member.uid, member.gid, member.linkname]
    kind = {tarfile.DIRTYPE: "folder", tarfile.REGTYPE: "file", tarfile.FIFOTYPE: "fifo"}[member.type]
    return [kind, member.mode, member.uid, member.gid, said]


def _in_image(image_root: str, path: str) -> Entry:
    """Return what an image has at a path; nothing that lies behind a link counts."""
    place = image_root
    for part in [part for part in path.split("/") if part][:-1]:
        place = os.path.join(place, part)
        if os.path.islink(place):
            return []
    place = os.path.join(image_root, path)
    try:
        state = os.lstat(place)
    except OSError:
        return []
    owner, mode = [state.st_uid, state.st_gid], stat.S_IMODE(state.st_mode)
    if stat.S_ISLNK(state.st_mode):
        return ["link", 0, *owner, os.readlink(place)]
    if stat.S_ISDIR(state.st_mode):
        names = json.dumps(_names(place, path)).encode()
        return ["folder", mode, *owner, hashlib.sha256(names).hexdigest()]
    if stat.S_ISREG(state.st_mode):
        with open(place, "rb") as file:
            return ["file", mode, *owner, _hash(file)]
    return []


def _hash(file: IO[bytes]) -> str:
    hashed = hashlib.sha256()
    for chunk in _chunks(file):
        hashed.update(chunk)
    return hashed.hexdigest()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK_BYTES), b"")
