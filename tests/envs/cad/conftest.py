"""What this folder's tests share: environments that are closed at the end. The kernel is the process's."""

from collections.abc import Callable, Iterator

import pytest

from palestra.envs.cad.env import CadDimsEnv, CadEditEnv, CadEnv, CadImageEnv, CadRepairEnv

KINDS: tuple[type[CadEnv], ...] = (CadEnv, CadDimsEnv, CadEditEnv, CadRepairEnv, CadImageEnv)


@pytest.fixture(scope="module")
def env() -> Iterator[CadEnv]:
    made = CadEnv(render_mode="ansi")
    yield made
    made.close()


@pytest.fixture(scope="module")
def exact() -> Iterator[CadEnv]:
    made = CadEnv(reward="exact", shaping="none")
    yield made
    made.close()


@pytest.fixture(params=KINDS, ids=lambda kind: kind.mode)
def kind(request: pytest.FixtureRequest) -> Callable[..., CadEnv]:
    chosen: type[CadEnv] = request.param
    return chosen
