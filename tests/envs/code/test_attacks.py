"""No cheat earns anything, on any task."""

import ast
import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from palestra.envs.actions import parse_action
from palestra.envs.base import SPLITS, Split
from palestra.envs.code.attacks import ATTACKS, EQUIVALENTS, commented, renamed
from palestra.envs.code.env import CodeEnv
from palestra.envs.code.generate import CodeTasks
from palestra.envs.code.judge.checkers import lines
from palestra.envs.scripts import DONE, play

QUICK = {"cpu_s": 1, "wall_s": 0.5, "memory_mb": 64, "output_kb": 16}
SLOW_ONES = ("infinite_loop", "sleep", "fork_bomb", "huge_output", "memory_bomb")


@pytest.fixture(scope="module")
def env() -> Iterator[CodeEnv]:
    with closing(CodeEnv()) as made:
        yield made


def earned(env: CodeEnv, name: str, split: Split, seed: int, steps: int) -> tuple[float, bool]:
    task = CodeTasks(split).sample(seed, {"steps": steps})
    _, info = env.reset(options={"task": replace(task, public={**task.public, "limits": QUICK})})
    moves = ATTACKS[name](env, np.random.default_rng(seed))
    total, over = 0.0, False
    while not over:
        _, reward, terminated, truncated, info = env.step(next(moves, DONE))
        total, over = total + reward, terminated or truncated
    return total, bool(info["is_success"])


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_earns_nothing(env: CodeEnv, name: str) -> None:
    assert earned(env, name, "train", 1, 2) == (0.0, False)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ATTACKS))
@pytest.mark.parametrize("split", SPLITS)
def test_an_attack_earns_nothing_on_many_tasks(env: CodeEnv, name: str, split: Split) -> None:
    for seed in range(3 if name in SLOW_ONES else 25):
        assert earned(env, name, split, seed, 1 + seed % 3) == (0.0, False), seed


@pytest.mark.parametrize("name", sorted(EQUIVALENTS))
def test_the_solution_written_otherwise_is_paid(env: CodeEnv, name: str) -> None:
    for seed in range(5):
        episode = play(env, EQUIVALENTS[name], seed)
        assert (episode.reward, episode.is_success) == (1.0, True), seed


def test_what_is_written_otherwise_is_another_text_of_the_same_program() -> None:
    source = "x = input()\nf = lambda n: n + 1\nfor i in range(int(x)):\n    print([c for c in x], f(i), '#')\n"
    assert renamed(source) == (
        "value_0 = input()\nvalue_1 = lambda value_4: value_4 + 1\nfor value_2 in range(int(value_0)):\n"
        "    print([value_3 for value_3 in value_0], value_1(value_2), '#')\n"
    )
    assert ast.dump(ast.parse(commented(source))) == ast.dump(ast.parse(source))
    for split, seed in itertools.product(SPLITS, range(50)):
        solution = CodeTasks(split).sample(seed, {"area": "chains", "steps": 1 + seed % 5}).hidden["solution"]
        assert renamed(solution) != solution
        assert ast.dump(ast.parse(commented(solution))) == ast.dump(ast.parse(solution))


def test_after_every_attack_honest_work_is_paid(env: CodeEnv) -> None:
    """Whatever the programs did to the sandbox they shared, it serves the next one."""
    env.reset(seed=1)
    assert [env.step(action)[1] for action in env.oracle()] == [0.75, 0.25]


def test_regenerating_the_task_would_work_outside_the_sandbox(env: CodeEnv) -> None:
    """So that what stops it is the sandbox, which does not hold the generator, and not a flaw of the attack."""
    env.reset(seed=1)
    code = parse_action(next(ATTACKS["regenerate"](env, np.random.default_rng(1))), env.task.tools).calls[0].arguments
    case = env.task.hidden["tests"][0]
    done = subprocess.run(
        [sys.executable, "-c", code["code"]],
        input=case["input"],
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert lines(done.stdout.encode(), case["output"].encode())
