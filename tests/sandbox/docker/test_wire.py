"""What host and keeper say to each other, and how dockerd passes it on."""

import io
import json
import socket
import struct
import threading
from collections.abc import Callable

import pytest

from palestra.sandbox import wire
from palestra.sandbox.docker.channel import Channel


def reader(data: bytes) -> Callable[[int], bytes]:
    stream = io.BytesIO(data)

    def read(count: int) -> bytes:
        part = stream.read(count)
        if len(part) < count:
            raise EOFError("the end")
        return part

    return read


def test_a_question_with_much_data_arrives() -> None:
    sent = bytearray()
    parts = [b"a" * 10, b"", bytes(3 * wire.LARGEST_PIECE + 1)]
    wire.send_question(sent.extend, {"do": "x", "path": "ü\ud800"}, parts)
    read = reader(bytes(sent))
    assert wire.receive_message(read) == {"do": "x", "path": "ü\ud800"}
    assert b"".join(wire.receive_data(read)) == b"".join(parts)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EOFError),
        (struct.pack("!I", 5) + b"{}", EOFError),
        (struct.pack("!I", wire.LARGEST_PIECE + 1), ValueError),
        (wire.piece(b"[]"), ValueError),
        (wire.piece(b"{"), ValueError),
        (wire.piece(b"\xff"), ValueError),
    ],
)
def test_what_is_no_message_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        wire.receive_message(reader(data))


def test_more_than_was_expected_is_refused() -> None:
    data = wire.piece(b"12345") + wire.piece(b"")
    assert list(wire.receive_data(reader(data), 5)) == [b"12345"]
    with pytest.raises(ValueError, match="more than the 4 bytes"):
        list(wire.receive_data(reader(data), 4))


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack("!BxxxI", stream, len(data)) + data


def test_output_and_complaints_are_told_apart_wherever_they_are_cut() -> None:
    text = wire.piece(json.dumps({"a": 1}).encode())
    raw = frame(1, text[:3]) + frame(2, b"oh ") + frame(1, b"") + frame(1, text[3:]) + frame(2, b"no")
    for size in (1, 2, 7, len(raw)):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            channel = Channel(ours)
            channel.allow(10.0)
            for start in range(0, len(raw), size):
                theirs.sendall(raw[start : start + size])
            theirs.shutdown(socket.SHUT_WR)
            assert wire.receive_message(channel.read) == {"a": 1}
            with pytest.raises(EOFError, match="container has ended"):
                channel.read(1)
            assert channel.complaint == b"oh no"


def test_an_answer_that_does_not_come_in_time_is_told() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours)
        channel.allow(0.05)
        with pytest.raises(TimeoutError):
            channel.read(1)


def test_another_thread_may_end_the_waiting() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours)
        channel.allow(60.0)
        timer = threading.Timer(0.05, channel.shut)
        timer.start()
        with pytest.raises(EOFError):
            channel.read(1)
        timer.join()
