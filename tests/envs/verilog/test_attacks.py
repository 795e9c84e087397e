"""No cheat earns anything, whatever it says to the simulator."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from palestra.envs.base import SPLITS, Split
from palestra.envs.scripts import play
from palestra.envs.verilog.attacks import ATTACKS, EQUIVALENTS
from palestra.envs.verilog.env import VerilogEnv
from palestra.envs.verilog.generate import VerilogTasks


@pytest.fixture(scope="module")
def env() -> Iterator[VerilogEnv]:
    with closing(VerilogEnv()) as made:
        yield made


def earned(env: VerilogEnv, name: str, split: Split, seed: int) -> tuple[float, bool]:
    _, info = env.reset(options={"task": VerilogTasks(split).sample(seed)})
    moves = ATTACKS[name](env, np.random.default_rng(seed))
    total, over = 0.0, False
    while not over:
        _, reward, terminated, truncated, info = env.step(next(moves))
        total, over = total + reward, terminated or truncated
    return total, bool(info["is_success"])


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_earns_nothing(env: VerilogEnv, name: str) -> None:
    assert earned(env, name, "train", 1) == (0.0, False)


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_earns_nothing_on_many_tasks(env: VerilogEnv, name: str, split: Split) -> None:
    for seed in range(2, 4 if name.startswith(("giant", "spin", "oscillate")) else 12):
        assert earned(env, name, split, seed) == (0.0, False), seed


@pytest.mark.parametrize("name", sorted(EQUIVALENTS))
def test_the_golden_module_written_otherwise_is_paid(env: VerilogEnv, name: str) -> None:
    for seed in range(4):
        episode = play(env, EQUIVALENTS[name], seed)
        assert (episode.reward, episode.is_success) == (1.0, True), seed


def test_after_every_attack_honest_work_is_paid(env: VerilogEnv) -> None:
    env.reset(seed=1)
    assert [env.step(action)[1] for action in env.oracle()] == [0.5, 0.5]
