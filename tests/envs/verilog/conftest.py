"""What several of this folder's tests share."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.envs.code.judge.bench import Bench
from palestra.envs.verilog.verify import Examiner


@pytest.fixture(scope="session")
def examiner() -> Iterator[Examiner]:
    """One sandbox for all tests that only need to simulate."""
    with closing(Bench.open()) as bench:
        yield Examiner(bench)
