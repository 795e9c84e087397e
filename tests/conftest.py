"""Leaves out, and says so, the slow tests that a run's time budget has no room for."""

import os
import time

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    deadline = os.environ.get("PALESTRA_TEST_DEADLINE")  # seconds since the epoch; `.ci/run` sets it
    if deadline and item.get_closest_marker("slow") and time.time() > float(deadline):
        pytest.skip("left out: this run's time budget is spent")
