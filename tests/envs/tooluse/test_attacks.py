"""Attacks earn nothing, and guessing no more than its declared share."""

import numpy as np
import pytest

from palestra.envs.base import SPLITS, EpisodeOver, Split
from palestra.envs.scripts import Script
from palestra.envs.tooluse.attacks import ATTACKS, GUESSES
from palestra.envs.tooluse.env import ToolUseEnv


def paid(env: ToolUseEnv, script: Script, seed: int) -> float:
    """Return what a script is paid when it goes on after the end, where every step is refused."""
    env.reset(seed=seed)
    total, over = 0.0, False
    for action, _ in zip(script(env, np.random.default_rng(seed)), range(2 * env.task.budget.turns), strict=False):
        if over:
            with pytest.raises(EpisodeOver):
                env.step(action)
            continue
        _, reward, terminated, truncated, _ = env.step(action)
        total, over = total + reward, terminated or truncated
    return total if over else 0.0


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_attacks_earn_nothing(name: str, split: Split) -> None:
    env = ToolUseEnv(split=split)
    for seed in range(60):
        assert paid(env, ATTACKS[name], seed) == pytest.approx(0.0), (name, seed)


@pytest.mark.parametrize("name", sorted(GUESSES))
def test_guessing_wins_no_more_than_its_declared_share(name: str) -> None:
    script, share = GUESSES[name]
    env = ToolUseEnv()
    won = [paid(env, script, seed) for seed in range(150)]
    assert sum(won) / len(won) <= share


def test_the_attack_after_the_end_gets_there() -> None:
    env = ToolUseEnv()
    env.reset(seed=0)
    script = ATTACKS["after_the_end"](env, np.random.default_rng(0))
    assert env.step(next(script))[2]
    assert next(script)


def test_the_reading_attack_makes_the_oracles_reads() -> None:
    """It must be able to reach what it guesses from, or its share would say nothing."""
    env, reached = ToolUseEnv(shaping="progress"), []
    for seed in range(30):
        env.reset(seed=seed)
        if env.task.hidden["changes"]:
            continue
        script = GUESSES["read_and_guess"][0](env, np.random.default_rng(seed))
        total = 0.0
        for action in script:
            _, _, terminated, truncated, info = env.step(action)
            total += info["reward_parts"]["progress"]
            if terminated or truncated:
                break
        reached.append(total)
    assert np.mean(reached) > 0.5
