"""What several of this folder's tests share."""

from collections.abc import Iterator

import pytest

from palestra.envs.fuzz.env import FuzzEnv
from palestra.envs.fuzz.target import Target
from palestra.envs.fuzz.verify import Ground

PARSE = """
def parse():
    p = 0
    n = 0
    if data[p:p + 2] != b'AB':
        return 1
    p += 2
    while at(p) >= 48 and at(p) <= 57 and n < 1000:
        n = n * 10 + at(p) - 48
        p += 1
        if n > 500:
            return 2
    if n % 7 == 3 or not (n != 20):
        if p == size:
            return 100  # target
        else:
            n = 5
    return 3
"""


@pytest.fixture
def target() -> Target:
    """A little parser: AB, then digits that make a number up to 500 with a rest of 3, or 20, and nothing after it."""
    return Target(PARSE, 64)


@pytest.fixture
def env() -> Iterator[FuzzEnv]:
    made = FuzzEnv()
    yield made
    made.close()


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    """One sandbox for all tests that only need to run programs."""
    made = Ground()
    yield made
    made.close()
