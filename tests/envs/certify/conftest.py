"""An order of tasks from the misbehaving maker."""

from collections.abc import Callable
from pathlib import Path

import pytest

from palestra.envs.certify.factory import Order
from palestra.envs.registry import EnvEntry, register

OrderOf = Callable[[str], Order]


@pytest.fixture
def order_of(monkeypatch: pytest.MonkeyPatch) -> OrderOf:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))

    def order(name: str) -> Order:
        env_id = f"maker/{name}-v0"
        register(EnvEntry(id=env_id, entry_point=f"makergym.env:{name}Env", family="tooluse", summary="a maker"))
        return Order(env_id=env_id, level="quick")

    return order
