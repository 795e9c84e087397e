"""The contract's tests run once for each of our environments; here is what they share."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

import palestra
from palestra.envs.env import AgentEnv

# The pages of MiniWoB++ pay from -1 to 1, have no held-out templates, and are slow: tests/envs/web/miniwob is theirs.
OURS = [entry for entry in palestra.list_envs() if entry.id.startswith("palestra/") and not entry.collection]
MakeEnv = Callable[..., AgentEnv]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "env_id" in metafunc.fixturenames:
        metafunc.parametrize("env_id", [entry.id for entry in OURS])


@pytest.fixture
def make_env(env_id: str) -> Iterator[MakeEnv]:
    """Make environments of the id under test; every one, and its forks, is closed at the end."""
    made: list[AgentEnv] = []

    def make(*args: Any, **kwargs: Any) -> AgentEnv:
        made.append(palestra.make(env_id, **kwargs))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.fixture
def env(make_env: MakeEnv) -> AgentEnv:
    return make_env()


@pytest.fixture
def n_tasks(env_id: str) -> int:
    """How many tasks a test plays: fewer where every call starts a program."""
    return 3 if palestra.find(env_id).needs else 40


@pytest.fixture
def walk() -> Callable[[AgentEnv, Sequence[Any]], list[str]]:
    """Take actions until the episode is over, and return all that was told, as JSON texts."""

    def told(env: AgentEnv, actions: Sequence[Any]) -> list[str]:
        stream = []
        for action in actions:
            observation, reward, terminated, truncated, info = env.step(action)
            seen = {**info, "outcome": repr(info["outcome"])}
            stream.append(json.dumps([observation, reward, terminated, truncated, seen]))
            if terminated or truncated:
                break
        return stream

    return told
