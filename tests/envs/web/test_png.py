"""Pictures are read as they were written, by every filter that there is."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from palestra.envs.web.png import pixels


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encoded(picture: np.ndarray, filters: list[int], depth: int = 8) -> bytes:
    """Write a picture, its rows filtered by these in turn."""
    height, width, channels = picture.shape
    padded = np.zeros((height + 1, width + 1, channels), int)
    padded[1:, 1:] = picture
    rows = b""
    for y in range(1, height + 1):
        now, left, up, corner = padded[y, 1:], padded[y, :-1], padded[y - 1, 1:], padded[y - 1, :-1]
        guess = left + up - corner
        near = np.stack([abs(guess - left), abs(guess - up), abs(guess - corner)]).argmin(axis=0)
        paeth = np.choose(near, [left, up, corner])
        number = filters[y % len(filters)]
        taken = now - [0 * now, left, up, (left + up) // 2, paeth][number]
        rows += bytes([number]) + (taken % 256).astype(np.uint8).tobytes()
    header = struct.pack(">IIBBBBB", width, height, depth, 2 if channels == 3 else 6, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([3, 4]))),
    st.lists(st.integers(0, 4), min_size=1, max_size=5),
)
def test_pictures_are_read_as_they_were_written(picture: np.ndarray, filters: list[int]) -> None:
    assert (pixels(encoded(picture, filters)) == picture[:, :, :3]).all()


def test_what_is_none_is_refused() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    for bad in (b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", encoded(picture, [0], depth=16)):
        with pytest.raises(ValueError, match="PNG"):
            pixels(bad)
