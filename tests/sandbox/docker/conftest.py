"""What several tests of containers look at."""

import contextlib
import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def sockets() -> Callable[[], set[str]]:
    """A function that returns this process's open sockets, those aside that nobody refers to any more."""
    return _sockets


def _sockets() -> set[str]:
    gc.collect()
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(os.readlink(link))
    return {name for name in found if name.startswith("socket:")}
