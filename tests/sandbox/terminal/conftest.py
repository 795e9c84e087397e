"""Native terminal sandboxes for the tests."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.sandbox import create
from palestra.sandbox.base import MIB, Limits, Sandbox, Spec

SPEC = Spec(terminal=True, limits=Limits(wall_s=10.0, memory_bytes=128 * MIB, processes=24, disk_bytes=16 * MIB))


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A terminal sandbox."""
    with closing(create(SPEC)) as made:
        yield made
