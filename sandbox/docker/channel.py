"""The stream to and from a container's first process, as dockerd passes it on."""

import socket
import struct
from typing import ClassVar

from palestra.sandbox.line import Line

_HEADER = struct.Struct("!BxxxI")  # the stream's number and the length of what follows
_OUTPUT = 1
_LONGEST_COMPLAINT = 2000


class Channel(Line):
    """A line on which the keeper's output is read; what it printed as errors is kept apart."""

    ended: ClassVar[str] = "the container has ended, or the docker daemon has"

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self._left_in_frame, self._is_output, self._raw = 0, True, bytearray()
        self.complaint = b""

    def shut(self) -> None:
        """Have whoever waits for an answer find the end of it; from any thread."""
        self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the stream, which ends the keeper."""
        self._connection.close()

    def _take(self, chunk: bytes) -> None:
        """Take apart what came: headers, output and complaints."""
        self._raw += chunk
        while self._raw and (self._left_in_frame or len(self._raw) >= _HEADER.size):
            if not self._left_in_frame:
                number, self._left_in_frame = _HEADER.unpack(self._raw[: _HEADER.size])
                self._is_output = number == _OUTPUT
                del self._raw[: _HEADER.size]
                continue
            part = self._raw[: self._left_in_frame]
            del self._raw[: self._left_in_frame]
            self._left_in_frame -= len(part)
            if self._is_output:
                self._ready += part
            else:
                self.complaint = (self.complaint + part)[-_LONGEST_COMPLAINT:]
