"""PNG of pixels, without a library."""

import struct
import zlib

from palestra.envs.cad.drawing.raster import Pixels


def png(pixels: Pixels) -> bytes:
    """Return pixels (height, width, 3) as a PNG, the same bytes for the same pixels and the same zlib."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + pixels[row].tobytes() for row in range(height))  # no filter: areas are plain
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
