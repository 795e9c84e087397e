"""Data handed to a program as a file that nobody can change."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

_ADD_SEALS, _EVERY_SEAL = 1033, 0xF  # fcntl(2): against sealing, shrinking, growing and writing


@contextmanager
def sealed_file(data: bytes) -> Iterator[int]:
    """Give the descriptor of an unnamed file with this content, at its start. However large, it needs no reader."""
    file = os.memfd_create("palestra", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        os.lseek(file, 0, os.SEEK_SET)
        fcntl.fcntl(file, _ADD_SEALS, _EVERY_SEAL)
        yield file
    finally:
        os.close(file)
