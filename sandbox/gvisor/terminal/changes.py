"""The digest of what a machine's files are other than at first: equal files give equal digests.

Times are left out, and whatever is as it is below, however it came to be written. Runs inside.
"""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator

from palestra.sandbox.base import SandboxFileError
from palestra.sandbox.gvisor.terminal.files import open_folder
from palestra.sandbox.workspace import open_regular

_OPAQUE = "trusted.overlay.opaque"
_DEEPEST = 200

Line = list[object]


def digest(written: int, below: int) -> str:
    """Return the sha256 of what lies in an overlay's upper folder, over what is below it.

    Raises:
        SandboxFileError: folders are nested too deep.
    """
    hashed = hashlib.sha256()
    root = [_line(".", os.fstat(folder), folder, "") for folder in (written, below)]
    if root[0] != root[1]:
        hashed.update(json.dumps(root[0]).encode() + b"\n")
    for line in _walk(written, below, "", is_opaque=False, depth=0):
        hashed.update(json.dumps(line).encode() + b"\n")
    return hashed.hexdigest()


def _walk(written: int, below: int | None, prefix: str, *, is_opaque: bool, depth: int) -> Iterator[Line]:
    if depth > _DEEPEST:
        raise SandboxFileError(
            errno.ENAMETOOLONG, f"{'/' + prefix[:80]!r}...: more than {_DEEPEST} folders inside each other"
        )
    names = set(os.listdir(written))
    if is_opaque and below is not None:
        for name in sorted(set(os.listdir(below)) - names, key=os.fsencode):
            yield [prefix + name, "gone"]
    for name in sorted(names, key=os.fsencode):
        state, path = os.stat(name, dir_fd=written, follow_symlinks=False), prefix + name
        under = _state(name, below)
        if stat.S_ISCHR(state.st_mode) and state.st_rdev == 0:
            if under is not None:
                yield [path, "gone"]
            continue
        if stat.S_ISSOCK(state.st_mode):
            continue
        line = _line(path, state, written, name)
        if under is None or below is None or not _is_same(line, under, below, name):
            yield line
        if stat.S_ISDIR(state.st_mode):
            yield from _walk_inner(written, below, name, path, is_opaque=is_opaque, depth=depth)


def _walk_inner(
    written: int, below: int | None, name: str, path: str, *, is_opaque: bool, depth: int
) -> Iterator[Line]:
    inner = _open(name, written)
    under = _state(name, below)
    deeper = _open(name, below) if below is not None and under and stat.S_ISDIR(under.st_mode) else None
    try:
        is_opaque = is_opaque or _OPAQUE in os.listxattr(inner)
        yield from _walk(inner, deeper, f"{path}/", is_opaque=is_opaque, depth=depth + 1)
    finally:
        for folder in (inner, deeper):
            if folder is not None:
                os.close(folder)


def _open(name: str, folder: int) -> int:
    """Return a folder that can be listed, through one that was seen to be no link."""
    found = open_folder(name, folder)
    try:
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=found)
    finally:
        os.close(found)


def _state(name: str, folder: int | None) -> os.stat_result | None:
    if folder is None:
        return None
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_same(line: Line, under: os.stat_result, below: int, name: str) -> bool:
    """Whether a line says what is so below; a file's content is only read there when all else is the same."""
    is_link = stat.S_ISLNK(under.st_mode)
    return (is_link or under.st_mode == line[1]) and line == _line(str(line[0]), under, below, name)


def _line(path: str, state: os.stat_result, folder: int, name: str) -> Line:
    """Return all that counts of an entry: its kind and permissions, its owners, and its content."""
    content = ""
    if stat.S_ISLNK(state.st_mode):
        content = os.readlink(name, dir_fd=folder)
    elif stat.S_ISREG(state.st_mode):
        with os.fdopen(open_regular(name, folder), "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    mode = stat.S_IFLNK if stat.S_ISLNK(state.st_mode) else state.st_mode
    return [path, mode, state.st_uid, state.st_gid, content]
