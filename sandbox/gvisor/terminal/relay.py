"""Between a machine's keeper, which has three pipes, and the host, which has a connection for each purpose.

Runs in the slot, as a process of its own. It ends when anything that the machine is made of ends, and with
it the host's connections, so that whoever waits for an answer is told at once.
"""

import os
import select
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from palestra.sandbox.gvisor.terminal.bundle import SAID
from palestra.sandbox.gvisor.terminal.frames import KEYS, QUESTION, SCREEN, Frames, frame

_CHUNK_BYTES, _MOST_HELD = 1 << 16, 1 << 18


class Relay:
    """Passes bytes on, in both directions, and holds back whoever writes more than is read."""

    def __init__(self, keeper: Sequence[int], host: Sequence[int], watched: Sequence[int]) -> None:
        """Say between whom.

        Args:
            keeper: its input, its output and its errors.
            host: where it asks, where it types and looks, and where it reads reports.
            watched: pidfds of what the machine is made of.
        """
        self._input, self._output, self._errors = keeper
        self._ask, self._screen, self._reports = host
        self._watched = set(watched)
        self._held = {descriptor: bytearray() for descriptor in (self._input, *host)}  # to be written
        self._frames = Frames()

    def run(self) -> NoReturn:
        """Relay until something ends."""
        for descriptor in (self._input, self._output, self._errors, self._ask, self._screen, self._reports):
            os.set_blocking(descriptor, False)
        while True:
            poll = select.poll()
            for descriptor, events in self._wanted().items():
                poll.register(descriptor, events)
            for descriptor, event in poll.poll():
                if event & select.POLLOUT:
                    self._write(descriptor)
                if event & ~select.POLLOUT:
                    self._take(descriptor)

    def _wanted(self) -> dict[int, int]:
        wanted = dict.fromkeys(self._watched, select.POLLIN)
        wanted |= {descriptor: select.POLLOUT for descriptor, held in self._held.items() if held}
        if len(self._held[self._input]) < _MOST_HELD:
            for source in (self._ask, self._screen):
                wanted[source] = wanted.get(source, 0) | select.POLLIN
        if len(self._held[self._ask]) < _MOST_HELD:
            wanted[self._output] = select.POLLIN
        if max(len(self._held[self._screen]), len(self._held[self._reports])) < _MOST_HELD:
            wanted[self._errors] = select.POLLIN
        return wanted

    def _write(self, descriptor: int) -> None:
        held = self._held[descriptor]
        with suppress(BlockingIOError):
            del held[: os.write(descriptor, held[:_CHUNK_BYTES])]

    def _take(self, descriptor: int) -> None:
        if descriptor in self._watched or descriptor == self._reports:
            self._end()
        if descriptor == self._ask:
            self._take_keys()  # which were typed before it was asked
            self._held[self._input] += frame(QUESTION, self._read(self._ask))
        elif descriptor == self._screen:
            self._take_keys()
        elif descriptor == self._output:
            self._held[self._ask] += self._read(self._output)
        elif descriptor == self._errors:
            self._take_frames(self._read(self._errors))

    def _take_frames(self, data: bytes) -> None:
        try:
            for kind, content in self._frames.feed(data):
                self._held[self._screen if kind == SCREEN else self._reports] += content
        except ValueError:  # somebody's last words
            SAID.write_bytes(data)
            os._exit(1)

    def _take_keys(self) -> None:
        with suppress(BlockingIOError):
            if keys := os.read(self._screen, _CHUNK_BYTES):
                self._held[self._input] += frame(KEYS, keys)
                return
            self._end()

    def _read(self, descriptor: int) -> bytes:
        data = os.read(descriptor, _CHUNK_BYTES)
        if not data:
            self._end()
        return data

    def _end(self) -> NoReturn:
        with suppress(OSError):
            self._take_frames(os.read(self._errors, _CHUNK_BYTES))
        os._exit(0)
