"""Branches of real episodes: values against exact ones, and that the episode itself is not touched."""

from collections.abc import Sequence
from contextlib import closing
from random import Random
from typing import Any

import pytest

import palestra
from palestra.agents.base import Sample, Sampling
from palestra.agents.chat import ByteChat
from palestra.agents.stepwise.branch import EpisodeBranch, Info, Spent, branching, sampling
from palestra.rewards.forking import Forks, step_advantages, tree

CHANCE = 0.75


class Follower:
    """Says the oracle's next action with a chance, and else its last one, which ends the episode too early."""

    def __init__(self, script: Sequence[Any]) -> None:
        self.script = list(script)

    def __call__(self, info: Info, rng: Random) -> Any:
        turn = sum(message["role"] == "assistant" for message in info["messages"])
        return self.script[turn] if rng.random() < CHANCE else self.script[-1]


def begun(env_id: str, seed: int = 3, **options: Any) -> tuple[Any, Info, list[Any]]:
    env = palestra.make(env_id, shaping="none", **options)
    _, info = env.reset(seed=seed)
    with closing(env.fork()[0]) as copy:
        script = []
        for action in copy.oracle():
            script.append(action)
            copy.step(action)
    return env, info, script


@pytest.mark.parametrize("env_id", ["palestra/ToolUseMini-v0", "palestra/Web-v0"])
def test_values_of_real_episodes_are_the_chance_to_follow_the_oracle_to_its_end(env_id: str) -> None:
    env, info, script = begun(env_id)
    assert len(script) >= 2
    with closing(env), branching(env, info, Follower(script)) as branch:
        found = Forks(samples=200).value(branch, Random(0))
    assert found.low <= CHANCE ** (len(script) - 1) <= found.high
    assert found.steps >= 200


def test_the_episode_stays_where_it_is_and_ends_as_it_would_have() -> None:
    env, info, script = begun("palestra/ToolUseMini-v0")
    with closing(env):
        before = env.snapshot().digest
        with branching(env, info, Follower(script)) as branch:
            Forks(samples=8).value(branch, Random(0))
            tree(branch, [2, 2], Forks(), Random(1))
        assert env.snapshot().digest == before
        for action in script:
            *_, info = env.step(action)
        assert info["is_success"]


def test_a_step_that_keeps_the_way_open_is_credited_and_one_that_closes_it_is_not() -> None:
    env, info, script = begun("palestra/ToolUseMini-v0")
    assert len(script) >= 2
    follower, branches, rewards = Follower(script), [], []
    with closing(env), branching(env, info, follower) as branch:
        at: EpisodeBranch | None = branch
        for action in script:
            assert at is not None
            branches.append(at)
            env.restore(at.moment)
            *_, reward, terminated, _, told = env.step(action)
            rewards.append(float(reward))
            at = None if terminated else EpisodeBranch(branch.env, env.snapshot(), told, follower)
        good = step_advantages(rewards, branches, Forks(samples=100), Random(0))
        bad = step_advantages([0.0], branches[:1], Forks(samples=100), Random(0))
    assert sum(good) == pytest.approx(1.0 - CHANCE ** (len(script) - 1), abs=0.2)
    assert good[0] > 0.0 > bad[0]
    assert bad[0] == pytest.approx(-(CHANCE ** (len(script) - 1)), abs=0.2)


def test_keys_are_for_actors_that_look_at_the_state_alone() -> None:
    env, info, script = begun("palestra/ToolUseMini-v0")
    with closing(env), branching(env, info, Follower(script)) as branch:
        assert branch.key == ""
    with closing(env), branching(env, info, Follower(script), is_markov=True) as branch:
        assert branch.key == f"{info['state_key']}/0"
        forks = Forks(samples=4)
        forks.value(branch, Random(0))
        forks.value(branch, Random(1))
        assert forks.saved == 1


class Saying:
    """A policy that says one thing."""

    async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
        ids = ByteChat().encode_reply(f"I was asked {len(prompt_ids)} bytes")
        return Sample(output_ids=ids, logprobs=(0.0,) * len(ids), finish="stop")

    async def close(self) -> None:
        """Nothing to give back."""


def test_a_policy_of_tokens_acts_in_branches() -> None:
    env, info, _ = begun("palestra/ToolUseMini-v0")
    spent = Spent()
    with closing(env), sampling(Saying(), ByteChat(), spent=spent) as actor, branching(env, info, actor) as branch:
        reward, then = branch.step(Random(0))
    assert reward == 0.0
    asked = len(ByteChat().render(info["messages"], info["tools"]))
    assert spent == Spent(1, asked, len(ByteChat().encode_reply(f"I was asked {asked} bytes")))
    assert then is None or "I was asked" in str(then.info["messages"])
