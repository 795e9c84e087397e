"""The host's end of a connection to a keeper."""

import socket
import time
from typing import ClassVar

_CHUNK_BYTES = 1 << 16


class Line:
    """Exact reads and writes with a deadline. Raises OSError, TimeoutError among them, and EOFError at the end."""

    ended: ClassVar[str] = "the machine has ended"  # what it means that nothing more comes

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._ready = connection, bytearray()
        self._deadline = time.monotonic()

    def allow(self, seconds: float) -> None:
        """Set the deadline of what follows."""
        self._deadline = time.monotonic() + seconds

    def write(self, data: bytes) -> None:
        """Send everything."""
        self._set_timeout()
        self._connection.sendall(data)

    def read(self, count: int) -> bytes:
        """Return exactly as many bytes."""
        while len(self._ready) < count:
            self._set_timeout()
            chunk = self._connection.recv(_CHUNK_BYTES)
            if not chunk:
                raise EOFError(self.ended)
            self._take(chunk)
        data = bytes(self._ready[:count])
        del self._ready[:count]
        return data

    def _take(self, chunk: bytes) -> None:
        """Make what came ready to be read."""
        self._ready += chunk

    def _set_timeout(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._connection.settimeout(left)
