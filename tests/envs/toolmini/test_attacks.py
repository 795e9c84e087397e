"""Attacks earn nothing, guessing no more than its declared share, and other names are worth the same."""

import json
import re

import numpy as np
import pytest

from palestra.envs.base import SPLITS, EpisodeOver, Split
from palestra.envs.scripts import SCRIPTS, Script, play
from palestra.envs.toolmini.attacks import ATTACKS, GUESSES, VARIANTS
from palestra.envs.toolmini.env import ToolUseMiniEnv


def paid(env: ToolUseMiniEnv, script: Script, seed: int) -> float:
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
    env = ToolUseMiniEnv(split=split)
    for seed in range(60):
        assert paid(env, ATTACKS[name], seed) == pytest.approx(0.0), (name, seed)


@pytest.mark.parametrize("name", sorted(GUESSES))
def test_guessing_wins_no_more_than_its_declared_share(name: str) -> None:
    script, share = GUESSES[name]
    env = ToolUseMiniEnv()
    won = [paid(env, script, seed) for seed in range(150)]
    assert sum(won) / len(won) <= share


def test_the_attack_after_the_end_gets_there() -> None:
    env = ToolUseMiniEnv()
    env.reset(seed=0)
    script = ATTACKS["after_the_end"](env, np.random.default_rng(0))
    assert env.step(next(script))[2]
    assert next(script)


def test_the_reading_attack_makes_the_oracles_reads() -> None:
    """It must be able to reach what it guesses from, or its share would say nothing."""
    env, reached = ToolUseMiniEnv(shaping="progress"), []
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


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_a_variant_is_worth_the_same(name: str, split: Split) -> None:
    env = ToolUseMiniEnv(split=split)
    for seed in range(40):
        plain = play(env, SCRIPTS["oracle"], seed)
        variant = VARIANTS[name](env.task, np.random.default_rng(seed))
        assert variant != env.task
        assert play(env, SCRIPTS["oracle"], seed, variant).rewards == plain.rewards
        assert not play(env, SCRIPTS["nop"], seed, variant).is_success


@pytest.mark.parametrize("split", SPLITS)
def test_other_ids_leave_none_of_the_old_ones(split: Split) -> None:
    env, in_prompts = ToolUseMiniEnv(split=split), 0
    for seed in range(40):
        task = env.tasks.sample(seed)
        variant = VARIANTS["other ids"](task, np.random.default_rng(seed))
        old = {id_ for table in task.hidden["db"].values() for id_ in table}
        parts = [variant.instruction, *(variant.hidden[name] for name in ("db", "calls", "changes"))]
        told = set(re.findall(r"\b[a-z]\d{3}\b", json.dumps(parts)))
        new = {id_ for table in variant.hidden["db"].values() for id_ in table}
        assert (len(new), told & old, told - new) == (len(old), set(), set())
        assert variant.hidden["answer"] == task.hidden["answer"]
        in_prompts += bool(new & set(variant.instruction.replace(".", " ").replace("?", " ").split()))
    assert in_prompts > 5
