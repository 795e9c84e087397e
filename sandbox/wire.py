"""Questions and answers between the host and a keeper inside a container or machine, over one stream each way.

A question is a JSON object followed by data, an answer is data followed by a JSON object. Data is a run
of pieces, a length before every one, and an empty one after the last. Imported inside containers too.
"""

import json
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

LARGEST_PIECE = 1 << 20
_LENGTH = struct.Struct("!I")

Read = Callable[[int], bytes]
"""Returns exactly as many bytes; raises EOFError at the end."""
Write = Callable[[bytes], object]


def send_question(write: Write, message: dict[str, Any], data: Iterable[bytes] = ()) -> None:
    """Send a question with data."""
    write(piece(json.dumps(message).encode()))
    send_data(write, data)


def send_answer(write: Write, message: dict[str, Any]) -> None:
    """End an answer, whose data was sent before."""
    write(piece(json.dumps(message).encode()))


def send_data(write: Write, data: Iterable[bytes]) -> None:
    """Send data and the empty piece after it."""
    for part in data:
        for start in range(0, len(part), LARGEST_PIECE):
            write(piece(part[start : start + LARGEST_PIECE]))
    write(piece(b""))


def receive_message(read: Read) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        EOFError: the other end is gone.
        ValueError: what came is none.
    """
    message = json.loads(_receive_piece(read))
    if not isinstance(message, dict):
        raise ValueError("what came is no message")
    return message


def receive_data(read: Read, limit_bytes: int | None = None) -> Iterator[bytes]:
    """Yield the pieces up to the empty one; raises as `receive_message`, also for more data than the limit."""
    received = 0
    while part := _receive_piece(read):
        received += len(part)
        if limit_bytes is not None and received > limit_bytes:
            raise ValueError(f"more than the {limit_bytes} bytes that were expected")
        yield part


def piece(data: bytes) -> bytes:
    """Return data of at most `LARGEST_PIECE` bytes as it is sent."""
    return _LENGTH.pack(len(data)) + data


def _receive_piece(read: Read) -> bytes:
    length = int(_LENGTH.unpack(read(_LENGTH.size))[0])
    if length > LARGEST_PIECE:
        raise ValueError(f"a piece of {length} bytes")
    return read(length)
