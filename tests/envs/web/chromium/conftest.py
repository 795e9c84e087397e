"""A browser for the tests that do not end theirs."""

from collections.abc import Iterator

import pytest

from palestra.envs.web.chromium import Chromium


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    chromium = Chromium()
    yield chromium
    chromium.close()
