"""The binary formats of git: trees, indexes, deltas, and the indexes of packs.

Source: gitformat-pack(5), gitformat-index(5).
"""

import hashlib
import struct
from collections.abc import Iterator
from typing import Final

from palestra.envs.terminal.predicates.content import UnmetError, shown

MOST_OBJECTS: Final = 20_000
_LARGE: Final = 1 << 31


def blob_name(data: bytes) -> str:
    """Return the name that git gives to a content."""
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


def tree_entries(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield what a tree object lists: modes in octal, names, and names of objects; raises ValueError."""
    place = 0
    while place < len(data):
        end = data.index(b"\0", place)
        mode, _, name = data[place:end].partition(b" ")
        yield mode.decode("ascii"), name.decode("utf-8", "surrogateescape"), data[end + 1 : end + 21].hex()
        place = end + 21


def pack_places(data: bytes) -> Iterator[tuple[str, int]]:
    """Yield the names of a pack's objects and where they are in it, from the pack's index; raises UnmetError."""
    if data[:8] != b"\xfftOc\0\0\0\2":
        raise UnmetError("an index of a git pack has another version than 2")
    try:
        (count,) = struct.unpack_from(">I", data, 8 + 255 * 4)
        names, places = 8 + 256 * 4, 8 + 256 * 4 + count * 24
        large = places + count * 4
        for number in range(min(count, MOST_OBJECTS)):
            (place,) = struct.unpack_from(">I", data, places + number * 4)
            if place & _LARGE:
                (place,) = struct.unpack_from(">Q", data, large + (place ^ _LARGE) * 8)
            yield data[names + number * 20 : names + number * 20 + 20].hex(), place
    except struct.error as error:
        raise UnmetError(f"an index of a git pack is broken: {error}") from error


def patched(base: bytes, delta: bytes, limit_bytes: int) -> bytes:
    """Return what a delta makes of an object's data; raises ValueError and IndexError."""
    place = 0
    for _ in range(2):  # the sizes before and after
        while delta[place] & 128:
            place += 1
        place += 1
    made: list[bytes] = []
    size = 0
    while place < len(delta):
        code = delta[place]
        place += 1
        if code & 128:
            values = [0] * 7
            for bit in range(7):
                if code >> bit & 1:
                    values[bit] = delta[place]
                    place += 1
            start = int.from_bytes(bytes(values[:4]), "little")
            made.append(base[start : start + (int.from_bytes(bytes(values[4:]), "little") or 0x10000)])
        elif code:
            made.append(delta[place : place + code])
            place += code
        else:
            raise ValueError("its delta is broken")
        size += len(made[-1])
        if size > limit_bytes:
            raise ValueError("it is larger than can be read")
    return b"".join(made)


def index_entries(data: bytes) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what the index tracks: paths with modes in octal and names of contents; raises struct.error, ValueError."""
    magic, version, count = struct.unpack_from(">4sII", data)
    if magic != b"DIRC" or version not in (2, 3):
        raise ValueError(f"it has the version {version}, not 2 or 3")
    place = 12
    for _ in range(count):
        (mode,), (flags,) = struct.unpack_from(">I", data, place + 24), struct.unpack_from(">H", data, place + 60)
        start = place + 62 + 2 * bool(flags & 0x4000)
        end = data.index(b"\0", start)
        path = data[start:end].decode("utf-8", "surrogateescape")
        if flags >> 12 & 3:
            raise UnmetError(f"{shown(path)} is in conflict in the git index")
        yield path, (f"{mode:o}", data[place + 40 : place + 60].hex())
        place += (end - place + 8) & ~7
