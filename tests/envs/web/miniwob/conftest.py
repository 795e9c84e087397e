"""Pages of MiniWoB++ for tests, in the browser that this process shares."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import palestra
from palestra.envs.web.miniwob.env import MiniWobEnv

MakePage = Callable[..., MiniWobEnv]


@pytest.fixture
def make_page() -> Iterator[MakePage]:
    """Make environments by the names of their pages; every one is closed at the end."""
    made: list[MiniWobEnv] = []

    def make(page: str, **options: Any) -> MiniWobEnv:
        env = palestra.make(f"palestra/MiniWob-{page}-v0", **options)
        assert isinstance(env, MiniWobEnv)
        made.append(env)
        return env

    yield make
    for env in made:
        env.close()
