"""What programs print: kept up to a limit, counted and dropped beyond it, never held up."""

import os
import select
import time
from collections.abc import Sequence
from typing import Self

_CHUNK_BYTES = 64 * 1024


class Capture:
    """A pipe whose first bytes are kept.

    A program that goes on writing beyond `stop_bytes` finds the pipe closed (SIGPIPE or EPIPE), so a
    flood costs neither memory nor the host's time.
    """

    def __init__(self, keep_bytes: int, stop_bytes: int) -> None:
        self._keep_bytes, self._stop_bytes = keep_bytes, max(keep_bytes, stop_bytes)
        self._kept, self._seen_bytes = bytearray(), 0
        self.read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.read_end, False)
        os.set_blocking(self.write_end, True)

    @property
    def data(self) -> bytes:
        """What was kept."""
        return bytes(self._kept)

    @property
    def truncated(self) -> bool:
        """True when more was written than kept."""
        return self._seen_bytes > self._keep_bytes

    @property
    def is_open(self) -> bool:
        """True while more may come."""
        return self.read_end >= 0

    def take(self) -> bool:
        """Read once; return whether there was anything to read."""
        if not self.is_open:
            return False
        try:
            chunk = os.read(self.read_end, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        self._seen_bytes += len(chunk)
        self._kept += chunk[: self._keep_bytes - len(self._kept)]
        if not chunk or self._seen_bytes > self._stop_bytes:
            self._close_read_end()
        return bool(chunk)

    def drain(self) -> None:
        """Take what is there already, once nobody writes any more."""
        while self.take():
            pass

    def close_write_end(self) -> None:
        """Leave the writing to the program."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def _close_read_end(self) -> None:
        os.close(self.read_end)
        self.read_end = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close_write_end()
        if self.is_open:
            self._close_read_end()


def take_until(ready: int, captures: Sequence[Capture], timeout_s: float) -> bool:
    """Take what programs print until a descriptor can be read; return False when it could not in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        poll = select.poll()
        poll.register(ready, select.POLLIN)
        by_descriptor = {capture.read_end: capture for capture in captures if capture.is_open}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        events = poll.poll(max(0, int((deadline - time.monotonic()) * 1000)) + 1)
        for descriptor, _ in events:
            if descriptor == ready:
                return True
            by_descriptor[descriptor].take()
        if time.monotonic() > deadline:
            return False
