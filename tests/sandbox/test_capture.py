"""Output is taken as it comes, kept up to a limit, and never holds a program up."""

import os
import threading

from palestra.sandbox.capture import Capture, take_until


def test_the_head_is_kept_and_the_rest_counted() -> None:
    with Capture(4, 100) as capture:
        os.write(capture.write_end, b"abcdefg")
        capture.close_write_end()
        capture.drain()
        assert (capture.data, capture.truncated, capture.is_open) == (b"abcd", True, False)


def test_a_flood_finds_the_pipe_closed() -> None:
    with Capture(4, 1000) as capture:
        os.write(capture.write_end, b"x" * 2000)
        capture.drain()
        assert not capture.is_open
        try:
            os.write(capture.write_end, b"x")
        except BrokenPipeError:
            pass
        else:
            raise AssertionError("the pipe is still open")


def test_taking_ends_when_the_other_descriptor_is_ready_and_not_before() -> None:
    ready, tell = os.pipe()
    with Capture(1 << 20, 1 << 30) as capture:

        def write() -> None:
            os.write(capture.write_end, b"y" * 300_000)  # more than a pipe holds
            os.write(tell, b"1")

        writer = threading.Thread(target=write)
        writer.start()
        assert take_until(ready, [capture], 30)
        writer.join()
        capture.drain()
        assert capture.data == b"y" * 300_000
        os.read(ready, 1)
        assert not take_until(ready, [capture], 0.05)
    os.close(ready)
    os.close(tell)
