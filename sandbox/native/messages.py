"""Small messages with file descriptors over a local socket, one JSON object each.

Both ends of a slot speak them: the host, and the fork-server inside.
"""

import contextlib
import json
import os
import socket
from collections.abc import Sequence
from typing import Any

_LARGEST_MESSAGE = 16 * 1024
_LONGEST_ERROR = 2000
_MOST_DESCRIPTORS = 8


def send(control: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message; raises OSError when the other end is gone."""
    if "error" in message:
        message = {**message, "error": message["error"][:_LONGEST_ERROR]}
    socket.send_fds(control, [json.dumps(message).encode()], list(descriptors))


def receive(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and its descriptors.

    Raises:
        EOFError: the other end is gone.
        ValueError: what came is no message.
    """
    data, descriptors, flags, _ = socket.recv_fds(control, _LARGEST_MESSAGE, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    if not data:
        raise EOFError("the other end is gone")
    try:
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise ValueError("the message was cut")
        message = json.loads(data)
        if not isinstance(message, dict):
            raise ValueError(f"not a message: {data[:100]!r}")
    except ValueError:
        close_all(descriptors)
        raise
    return message, descriptors


def close_all(descriptors: Sequence[int]) -> None:
    """Close descriptors, those that are closed already included."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
