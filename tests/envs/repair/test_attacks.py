"""No cheat earns anything; the same mended program by other edits does."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from palestra.envs.base import SPLITS
from palestra.envs.repair.attacks import ATTACKS, EQUIVALENTS, near
from palestra.envs.repair.env import CodeRepairEnv
from palestra.envs.repair.generate import RepairTasks
from palestra.envs.scripts import DONE, Script

QUICK = {"cpu_s": 1, "wall_s": 0.5, "memory_mb": 64, "output_kb": 16}


@pytest.fixture(scope="module")
def env() -> Iterator[CodeRepairEnv]:
    with closing(CodeRepairEnv()) as made:
        yield made


def earned(env: CodeRepairEnv, script: Script, split: Any, seed: int, **limits: object) -> tuple[float, bool]:
    task = RepairTasks(split).sample(seed, {"area": "chains", "faults": 1 + seed % 2})
    if limits:
        task = replace(task, public={**task.public, "limits": limits})
    env.reset(options={"task": task})
    moves, total, over = script(env, np.random.default_rng(seed)), 0.0, False
    info: dict[str, Any] = {}
    while not over:
        _, reward, terminated, truncated, info = env.step(next(moves, DONE))
        total, over = total + reward, terminated or truncated
    return total, bool(info["is_success"])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_earns_nothing(env: CodeRepairEnv, name: str) -> None:
    for split in SPLITS:
        assert earned(env, ATTACKS[name], split, 1, **QUICK) == (0.0, False), split


@pytest.mark.parametrize("name", ["unedited", "undone", "emptied", "example_table", "delete_tests", "farm_examples"])
def test_editing_without_mending_earns_nothing(env: CodeRepairEnv, name: str) -> None:
    assert earned(env, ATTACKS[name], "train", 1) == (0.0, False)


@pytest.mark.parametrize("name", sorted(EQUIVALENTS))
def test_the_same_program_by_other_edits_is_paid(env: CodeRepairEnv, name: str) -> None:
    for seed in range(3):
        total, is_success = earned(env, EQUIVALENTS[name], "train", seed)
        assert is_success, seed
        assert total == pytest.approx(1.0)


def test_programs_that_are_nearly_right_fail(env: CodeRepairEnv) -> None:
    task = RepairTasks().sample(2, {"area": "chains", "faults": 2, "steps": 3})
    programs = task.hidden["mutants"]
    assert len(list(near(task))) == len(programs) > 2
    assert not any(env.judge(task, program).passed for program in programs)
