"""What shares the pipes between a machine's keeper and the relay outside: frames, each with a kind and a length.

On the keeper's input come its questions' bytes and the keys that are typed, on its errors what the shell's
terminal shows and what the shell reports. Its output holds answers only, and needs no frames.
"""

import struct
from collections.abc import Iterator

QUESTION, KEYS, SCREEN, REPORT = _KINDS = b"\1", b"\2", b"\3", b"\4"
SMALL = 4000
"""The most that a frame of the keeper holds: with its header, a pipe takes it whole or not at all.

So a machine is never saved with half a frame in a pipe, which its copy would go on with.
"""

_HEADER = struct.Struct("!cI")
_LARGEST = 1 << 16


def frame(kind: bytes, data: bytes) -> bytes:
    """Return one frame."""
    return _HEADER.pack(kind, len(data)) + data


class Frames:
    """Takes frames apart, however they were cut."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the kind and the content of each frame that is complete now.

        Raises:
            ValueError: what came is none.
        """
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._rest)
            if kind not in _KINDS or length > _LARGEST:
                raise ValueError(f"no frame begins with {bytes(self._rest[:20])!r}")
            end = _HEADER.size + length
            if len(self._rest) < end:
                return
            content = bytes(self._rest[_HEADER.size : end])
            del self._rest[:end]
            yield kind, content
