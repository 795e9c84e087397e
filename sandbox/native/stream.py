"""Questions and answers with any amount of data over a local stream socket.

Each is a run of chunks, a length before every one and an empty one after the last, and then a JSON
object that says what the data was.
"""

import json
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from palestra.sandbox.base import SandboxFileError

LARGEST_CHUNK = 1 << 20
_LENGTH = struct.Struct("=I")


def send_chunk(connection: socket.socket, chunk: bytes) -> None:
    """Send one chunk, which must not be empty."""
    connection.sendall(_LENGTH.pack(len(chunk)))
    connection.sendall(chunk)


def send_end(connection: socket.socket, message: dict[str, Any]) -> None:
    """End the run of chunks and say what it was."""
    text = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(0) + _LENGTH.pack(len(text)) + text)


def split(data: bytes) -> Iterator[bytes]:
    """Yield data in chunks that `send_chunk` takes."""
    for start in range(0, len(data), LARGEST_CHUNK):
        yield data[start : start + LARGEST_CHUNK]


def receive_chunks(connection: socket.socket, limit_bytes: int | None = None) -> Iterator[bytes]:
    """Yield the chunks up to the empty one.

    Raises:
        EOFError: the other end is gone.
        ValueError: a chunk is too long, or all of them are longer than the limit.
    """
    received = 0
    while length := _receive_length(connection):
        received += length
        if limit_bytes is not None and received > limit_bytes:
            raise ValueError(f"more than the {limit_bytes} bytes that were expected")
        yield _receive_exactly(connection, length)


def receive_message(connection: socket.socket) -> dict[str, Any]:
    """Return the object that follows the chunks; raises as `receive_chunks`."""
    message = json.loads(_receive_exactly(connection, _receive_length(connection)))
    if not isinstance(message, dict):
        raise ValueError("what came is no message")
    return message


def refuse(error: SandboxFileError) -> dict[str, Any]:
    """Return the answer that carries an error; `accept` raises it again."""
    return {"refused": [error.errno, error.strerror]}


def accept(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer.

    Raises:
        SandboxFileError: it carries one.
    """
    if "refused" in answer:
        code, reason = answer["refused"]
        raise SandboxFileError(int(code or 0), str(reason))
    return answer


def drop(chunks: Iterable[bytes]) -> None:
    """Take what nobody needs any more."""
    for _ in chunks:
        pass


def _receive_length(connection: socket.socket) -> int:
    length = int(_LENGTH.unpack(_receive_exactly(connection, _LENGTH.size))[0])
    if length > LARGEST_CHUNK:
        raise ValueError(f"a chunk of {length} bytes")
    return length


def _receive_exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError("the other end is gone")
        data += part
    return bytes(data)
