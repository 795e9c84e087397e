"""The host's end of a connection to a machine's keeper."""

import socket
import time

_CHUNK_BYTES = 1 << 16


class Line:
    """Exact reads and writes with a deadline. Raises OSError, TimeoutError among them, and EOFError at the end."""

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
                raise EOFError("the machine has ended")
            self._ready += chunk
        data = bytes(self._ready[:count])
        del self._ready[:count]
        return data

    def _set_timeout(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self._connection.settimeout(left)
