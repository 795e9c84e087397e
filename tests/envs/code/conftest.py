"""What several of this folder's tests share."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from palestra import sandbox
from palestra.envs.code.judge.bench import NEEDS, Bench
from palestra.sandbox.base import Spec


def run_in_process(source: str, given: str) -> str:
    lines = iter(given.splitlines())
    printed = io.StringIO()

    def show(*values: Any) -> None:
        print(*values, file=printed)

    exec(compile(source, "solution", "exec"), {"input": lambda: next(lines), "print": show})
    return printed.getvalue()


@pytest.fixture
def run_source() -> Callable[[str, str], str]:
    """Run one of our own solutions, quickly, in this process: never a text of an agent."""
    return run_in_process


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """One sandbox for all tests that only need to run programs."""
    made = Bench(sandbox.create(Spec(needs=NEEDS)))
    yield made
    made.close()
