"""The stream to and from a container's first process, as dockerd passes it on."""

import socket
import struct
import time

_HEADER = struct.Struct("!BxxxI")  # the stream's number and the length of what follows
_OUTPUT = 1
_LONGEST_COMPLAINT = 2000
_CHUNK_BYTES = 1 << 16


class Channel:
    """Exact reads and writes with a deadline. Raises OSError, TimeoutError among them, and EOFError at the end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline = time.monotonic()
        self._left_in_frame, self._is_output = 0, True
        self._raw, self._ready = bytearray(), bytearray()
        self.complaint = b""  # what the keeper printed as errors

    def allow(self, seconds: float) -> None:
        """Set the deadline of what follows."""
        self._deadline = time.monotonic() + seconds

    def write(self, data: bytes) -> None:
        """Send everything."""
        self._set_timeout()
        self._connection.sendall(data)

    def read(self, count: int) -> bytes:
        """Return exactly as many bytes of the keeper's output."""
        while len(self._ready) < count:
            self._set_timeout()
            chunk = self._connection.recv(_CHUNK_BYTES)
            if not chunk:
                raise EOFError("the container has ended, or the docker daemon has")
            self._raw += chunk
            self._sort()
        data = bytes(self._ready[:count])
        del self._ready[:count]
        return data

    def shut(self) -> None:
        """Have whoever waits for an answer find the end of it; from any thread."""
        self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the stream, which ends the keeper."""
        self._connection.close()

    def _sort(self) -> None:
        """Take apart what came: headers, output and complaints."""
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

    def _set_timeout(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._connection.settimeout(left)
