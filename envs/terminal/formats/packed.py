"""Archives in a task's folder that are unpacked where they are added."""

import bz2
import lzma
import posixpath
import zlib
from typing import Final

from palestra.envs.base import TaskError
from palestra.envs.terminal.formats.folders import MOST_BYTES
from palestra.envs.terminal.tree import Tree

_TAR: Final = slice(257, 262)  # where a tar archive says that it is one


def members(data: bytes, where: str) -> Tree | None:
    """Return what is in a tar archive, plain or packed by gzip, bzip2 or xz; None if it is none.

    Raises:
        TaskError: it is damaged, or too large when it is unpacked.
    """
    unpacked = _unpacked(data, where)
    if unpacked[_TAR] != b"ustar":
        return None
    try:
        tree = Tree.from_tar(unpacked)
    except (ValueError, EOFError) as error:
        raise TaskError(f"{where}: cannot be unpacked: {error}") from error
    if any(posixpath.normpath(path) != path for path in tree):
        raise TaskError(f"{where}: has a member whose name leaves the archive")
    return tree


def _unpacked(data: bytes, where: str) -> bytes:
    try:
        if data.startswith(b"\x1f\x8b"):
            told = zlib.decompressobj(31).decompress(data, 4 * MOST_BYTES)
        elif data.startswith(b"BZh"):
            told = bz2.BZ2Decompressor().decompress(data, 4 * MOST_BYTES)
        elif data.startswith(b"\xfd7zXZ"):
            told = lzma.LZMADecompressor().decompress(data, 4 * MOST_BYTES)
        else:
            return data
    except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
        raise TaskError(f"{where}: cannot be unpacked: {error}") from error
    if len(told) >= 4 * MOST_BYTES:
        raise TaskError(f"{where}: has more than {4 * MOST_BYTES:,} bytes when it is unpacked")
    return told
