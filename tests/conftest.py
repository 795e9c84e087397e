"""What holds for every test: how long slow ones may begin, and which failures are looked at twice.

Both are told of in the run's summary: what was left out as skipped, what passed the second time as rerun.
"""

import os
import time
from pathlib import Path

import pytest

# Tests that race with a kernel, a daemon and a loaded machine: one failure of theirs is tried again, once.
_RACING = tuple(Path(__file__).parent / name for name in ("sandbox", "end_to_end", "envs/cad"))
_CLOCKED = "[palestra/Cad"  # contract tests of parts: a program has five seconds, and its kernel starts beside others


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _CLOCKED in item.name or any(item.path.is_relative_to(folder) for folder in _RACING):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_runtest_setup(item: pytest.Item) -> None:
    deadline = os.environ.get("PALESTRA_TEST_DEADLINE")  # seconds since the epoch; `.ci/run` sets it
    if deadline and item.get_closest_marker("slow") and time.time() > float(deadline):
        pytest.skip("left out: this run's time budget is spent")
