"""Predicates on archives: their members are unpacked in memory, up to a bound, whatever they claim to be."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from palestra.envs.terminal.predicates.content import (
    MOST_BYTES,
    Predicate,
    UnmetError,
    check_content,
    regular,
    shown,
)
from palestra.envs.terminal.tree import Tree

MOST_MEMBERS: Final = 5_000
_PACKED: Final = frozenset({"gz", "bz2", "xz"})
_BROKEN: Final = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)
_UNREADABLE: Final = (*_BROKEN, RuntimeError, NotImplementedError, LookupError, OverflowError)


class Readable(Protocol):
    """What of a file is needed here."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive, or a link."""

    data: bytes
    mode: int
    link: str | None = None


def archive(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless an archive is of the format that is asked and holds what is asked."""
    path, kind = asked["path"], asked["format"]
    data = regular(tree, path)
    try:
        if kind in _PACKED:
            check_content(f"{path}, unpacked,", _unpacked(data, kind), asked["content"])
            return
        members = _of_zip(data) if kind == "zip" else _of_tar(data, kind.removeprefix("tar").removeprefix("."))
    except _UNREADABLE as error:
        raise UnmetError(f"{path} is no {kind} archive that can be read: {error!s:.160}") from error
    _check(path, members, asked)


def _check(path: str, members: Mapping[str, Member], asked: Predicate) -> None:
    wanted = asked.get("members", {})
    names = list(wanted) if "members" in asked else asked.get("names")
    if names is not None:
        if lacking := [name for name in names if name not in members]:
            raise UnmetError(f"{path} lacks the member {shown(lacking[0])}; it holds {shown(sorted(members))}")
        if more := sorted(set(members) - set(names)):
            raise UnmetError(f"{path} holds the member {shown(more[0])}, which was not wanted")
    for name, content in wanted.items():
        member, what = members[name], f"{path}, member {shown(name)}"
        if isinstance(content, Mapping) and "link" in content:
            if member.link != content["link"]:
                raise UnmetError(f"{what} is no link to {shown(content['link'])}")
        elif member.link is not None:
            raise UnmetError(f"{what} is a link to {shown(member.link)}, no file")
        else:
            check_content(what, member.data, content)
    for name, mode in asked.get("modes", {}).items():
        if name not in members:
            raise UnmetError(f"{path} lacks the member {shown(name)}")
        if (got := f"{members[name].mode:04o}") != mode:
            raise UnmetError(f"{path}, member {shown(name)} has the permissions {got}, not {mode}")


def _unpacked(data: bytes, kind: str) -> bytes:
    packed = io.BytesIO(data)
    if kind == "gz":
        with gzip.GzipFile(fileobj=packed) as file:
            return _read(file, MOST_BYTES)
    if kind == "bz2":
        with bz2.BZ2File(packed) as file:
            return _read(file, MOST_BYTES)
    with lzma.LZMAFile(packed, format=lzma.FORMAT_XZ) as file:
        return _read(file, MOST_BYTES)


def _read(file: Readable, limit_bytes: int) -> bytes:
    data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise ValueError(f"unpacked it has more than {MOST_BYTES} bytes")
    return data


def _of_tar(data: bytes, packing: str) -> dict[str, Member]:
    plain = _unpacked(data, packing) if packing else data
    members: dict[str, Member] = {}
    left = MOST_BYTES
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as opened:
        for count, one in enumerate(opened):
            if count >= MOST_MEMBERS:
                raise ValueError(f"it has more than {MOST_MEMBERS} members")
            name = _name(one.name)
            if one.isfile():
                file = opened.extractfile(one)
                content = _read(file, min(left, one.size)) if file else b""
                left -= len(content)
                members[name] = Member(content, one.mode & 0o7777)
            elif one.islnk() and (first := members.get(_name(one.linkname))):
                members[name] = first
            elif one.issym():
                members[name] = Member(b"", 0o777, one.linkname)
            elif not one.isdir():
                raise ValueError(f"{one.name!r:.80} is neither file, folder nor link")
    return members


def _of_zip(data: bytes) -> dict[str, Member]:
    members: dict[str, Member] = {}
    left = MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        if len(opened.infolist()) > MOST_MEMBERS:
            raise ValueError(f"it has more than {MOST_MEMBERS} members")
        for one in opened.infolist():
            if one.is_dir():
                continue
            with opened.open(one) as file:
                content = _read(file, left)
            left -= len(content)
            mode = one.external_attr >> 16
            is_link = stat.S_ISLNK(mode)
            link = content.decode(errors="surrogateescape") if is_link else None
            members[_name(one.filename)] = Member(content, stat.S_IMODE(mode), link)
    return members


def _name(name: str) -> str:
    while name.startswith("./"):
        name = name[2:]
    return name
