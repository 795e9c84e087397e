"""The relay between a machine's keeper and the host, with pipes in the keeper's place."""

import os
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from palestra.sandbox.gvisor.terminal.frames import KEYS, QUESTION, REPORT, SCREEN, SMALL, Frames, frame
from palestra.sandbox.gvisor.terminal.relay import Relay


class Ends:
    """What the keeper and the host hold, while a relay runs between them."""

    def __init__(self, held: ExitStack) -> None:
        pipes = [os.pipe() for _ in range(4)]
        (self.given, asks), (answers, self.output), (shows, self.errors), (self.reports, reported) = pipes
        (self.ask, asked), (self.screen, shown) = socket.socketpair(), socket.socketpair()
        self.part, part = os.pipe()  # its end stands for the end of what is watched
        self.pid = os.fork()
        if self.pid == 0:
            for end in (self.given, self.output, self.errors, self.reports, self.ask.detach(), self.screen.detach()):
                os.close(end)
            os.close(part)
            try:
                Relay((asks, answers, shows), (asked.fileno(), shown.fileno(), reported), (self.part,)).run()
            finally:
                os._exit(1)
        for end in (asks, answers, shows, reported):
            os.close(end)
        asked.close()
        shown.close()
        self.watched = part
        for end in (self.given, self.output, self.errors, self.reports, self.part, self.watched):
            held.callback(_close, end)
        held.enter_context(self.ask)
        held.enter_context(self.screen)
        self.ask.settimeout(20.0)
        self.screen.settimeout(20.0)


@pytest.fixture
def ends() -> Iterator[Ends]:
    with ExitStack() as held:
        made = Ends(held)
        yield made
        held.close()
        os.waitpid(made.pid, 0)


def _close(end: int) -> None:
    try:
        os.close(end)
    except OSError:  # the test has closed it
        return


def test_frames_are_taken_apart_however_they_were_cut() -> None:
    whole = frame(SCREEN, b"shown") + frame(REPORT, b"") + frame(KEYS, bytes(range(256)))
    for size in (1, 3, len(whole)):
        frames = Frames()
        got = [each for start in range(0, len(whole), size) for each in frames.feed(whole[start : start + size])]
        assert got == [(SCREEN, b"shown"), (REPORT, b""), (KEYS, bytes(range(256)))]
    assert len(frame(SCREEN, bytes(SMALL))) <= select.PIPE_BUF
    with pytest.raises(ValueError, match="Traceback"):
        list(Frames().feed(b"Traceback (most recent call last)"))


def test_everything_reaches_its_place(ends: Ends) -> None:
    ends.screen.send(b"typed")
    ends.ask.send(b"asked")
    frames, got = Frames(), list[tuple[bytes, bytes]]()
    while len(got) < 2:
        got += frames.feed(os.read(ends.given, 100))
    assert got == [(KEYS, b"typed"), (QUESTION, b"asked")]
    os.write(ends.output, b"answered")
    os.write(ends.errors, frame(SCREEN, b"shown") + frame(REPORT, b"reported"))
    assert ends.ask.recv(100) == b"answered"
    assert ends.screen.recv(100) == b"shown"
    assert os.read(ends.reports, 100) == b"reported"


def test_a_screen_that_nobody_reads_holds_no_answer_up(ends: Ends) -> None:
    os.set_blocking(ends.errors, False)
    written = 0
    while select.select([], [ends.errors], [], 1.0)[1]:
        written += os.write(ends.errors, frame(SCREEN, bytes(SMALL)))
        assert written < 10_000_000, "it takes no end of it"
    os.write(ends.output, b"answered")
    assert ends.ask.recv(100) == b"answered"


@pytest.mark.parametrize("end", ["watched", "output", "given"])
def test_the_host_is_told_of_every_end(ends: Ends, end: str) -> None:
    os.close(getattr(ends, end))
    if end == "given":
        ends.ask.send(b"asked")
    assert ends.ask.recv(100) == b""
    assert ends.screen.recv(100) == b""
    assert os.read(ends.reports, 100) == b""
