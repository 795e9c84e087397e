"""Whatever an agent hands in without having understood the program earns nothing."""

from contextlib import closing

import numpy as np
import pytest

from palestra.envs.actions import call_text
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.fuzz.attacks import ATTACKS, EQUIVALENTS, GUESSES, MUTANTS
from palestra.envs.fuzz.env import FuzzEnv, Reward
from palestra.envs.scripts import play

LANGUAGES = ("c", "python")


@pytest.mark.parametrize("language", ["python", pytest.param("c", marks=pytest.mark.slow)])
def test_attacks_earn_nothing_and_honest_work_after_them_is_paid(env: FuzzEnv, language: str) -> None:
    env.difficulty = {"language": language, "depth": 2}
    for name, attack in {**ATTACKS, **{name: guess for name, (guess, _) in GUESSES.items()}}.items():
        episode = play(env, attack, 3)
        assert (episode.reward, episode.is_success) == (0.0, False), name
    env.reset(seed=3)
    assert sum(env.step(action)[1] for action in env.oracle()) == 1.0


@pytest.mark.parametrize("reward", ["outcome", "distance"])
def test_giant_and_broken_inputs_earn_nothing_whatever_is_paid(reward: Reward) -> None:
    names = [
        name for name in ATTACKS if name.startswith(("giant", "one_too", "unknown", "half", "lone", "not_", "surr"))
    ]
    assert len(names) == 8
    with closing(FuzzEnv(reward=reward)) as env:
        for name in [*names, "start", "nothing", "farm"]:
            assert play(env, ATTACKS[name], 1).reward == 0.0, name


def test_farming_the_distance_comes_nearer_and_is_taken_back(env: FuzzEnv) -> None:
    env.reset(seed=1)
    rewards = []
    for action in ATTACKS["farm"](env, np.random.default_rng(4)):
        _, reward, terminated, truncated, _ = env.step(action)
        rewards.append(reward)
        if terminated or truncated:
            break
    assert len(rewards) == env.task.budget.turns
    assert sum(rewards) == pytest.approx(0.0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_spoilt_witnesses_fail_and_others_ways_to_write_it_do_not(env: FuzzEnv, language: str) -> None:
    env.difficulty = {"language": language}
    env.reset(seed=2)
    task = env.task
    mutants = list(MUTANTS(task))
    assert len(mutants) >= 5
    for mutant in mutants:
        env.reset(options={"task": task})
        assert [env.step(action)[1] for action in mutant.actions] == [0.0], mutant.name
    for name, script in EQUIVALENTS.items():
        assert play(env, script, 2, task).reward == 1.0, name


def test_a_hundred_submissions_in_a_turn_are_one(env: FuzzEnv) -> None:
    env.reset(seed=2)
    wrong = call_text("submit", {"input": ""})
    _, reward, terminated, *_ = env.step(wrong + call_text("submit", {"input": env.task.hidden["witness"]}))
    assert (reward, terminated) == (0.0, True)


def test_where_the_distance_is_paid_luck_earns_next_to_nothing() -> None:
    with closing(FuzzEnv(reward="distance", difficulty={"language": "python"})) as env:
        for name, script in NEGATIVES.items():
            earned = [play(env, script, seed).reward for seed in (0, 2, 4)]
            assert sum(earned) / len(earned) < 0.05, (name, earned)
            assert max(earned) < 0.25, (name, earned)
