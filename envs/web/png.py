"""PNG as Chromium writes it, read without a library."""

import struct
import zlib
from typing import Final

import numpy as np

from palestra.envs.web.driver import Pixels

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {2: 3, 6: 4}  # of the colour types that are read: without and with transparency


def pixels(png: bytes) -> Pixels:
    """Return a picture of 8 bits a colour, not interlaced, as (height, width, 3); what is transparent is left out.

    Raises:
        ValueError: it is no such picture.
    """
    if not png.startswith(_SIGNATURE):
        raise ValueError("not a PNG")
    header, data, place = b"", b"", len(_SIGNATURE)
    while place + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        chunk = png[place + 8 : place + 8 + length]
        header = chunk if kind == b"IHDR" else header
        data += chunk if kind == b"IDAT" else b""
        place += 12 + length
    if len(header) != 13:
        raise ValueError("a PNG without a header")
    width, height, depth, kind_of_colour, _, _, is_interlaced = struct.unpack(">IIBBBBB", header)
    if depth != 8 or kind_of_colour not in _CHANNELS or is_interlaced:
        raise ValueError(f"a PNG of {depth} bits, colour type {kind_of_colour}, interlaced {is_interlaced}")
    return _rows(zlib.decompress(data), width, height, _CHANNELS[kind_of_colour])[:, :, :3].copy()


def _rows(data: bytes, width: int, height: int, channels: int) -> Pixels:
    """Undo the filter of every row (PNG specification, section 9.2)."""
    lines = np.frombuffer(data, np.uint8).reshape(height, 1 + width * channels)
    rows = np.zeros((height + 1, width + 1, channels), np.uint8)  # with a border above and to the left
    for number, line in enumerate(lines):
        given = line[1:].reshape(width, channels)
        above, row = rows[number], rows[number + 1]
        match line[0]:
            case 0:
                row[1:] = given
            case 1:
                row[1:] = np.cumsum(given, axis=0, dtype=np.uint8)
            case 2:
                row[1:] = given + above[1:]
            case 3 | 4:
                _one_by_one(row, above, given, is_paeth=line[0] == 4)
            case other:
                raise ValueError(f"a PNG with the filter {other}")
    return rows[1:, 1:]


def _one_by_one(row: Pixels, above: Pixels, given: Pixels, *, is_paeth: bool) -> None:
    """Undo a filter in which every pixel depends on the one before."""
    up = above.astype(int).tolist()
    before = [0] * given.shape[1]
    for place, pixel in enumerate(given.tolist(), start=1):
        for channel, value in enumerate(pixel):
            left, over, corner = before[channel], up[place][channel], up[place - 1][channel]
            guess = _paeth(left, over, corner) if is_paeth else (left + over) // 2
            pixel[channel] = (value + guess) & 255
        row[place] = before = pixel


def _paeth(left: int, over: int, corner: int) -> int:
    guess = left + over - corner
    return min((left, over, corner), key=lambda one: abs(guess - one))  # the first of equals, in this order
