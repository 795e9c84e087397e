"""Sandboxes for the tests: one of each backend, or the native one alone."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.sandbox import BACKENDS, create
from palestra.sandbox.base import Sandbox


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest) -> str:
    """Every backend's name."""
    return str(request.param)


@pytest.fixture
def sandbox(backend: str) -> Iterator[Sandbox]:
    """A sandbox of every backend."""
    with closing(create(backend=backend, unsafe=True)) as made:
        yield made


@pytest.fixture
def native() -> Iterator[Sandbox]:
    """A native sandbox."""
    with closing(create()) as made:
        yield made
