"""Episodes advance alone; what breaks is typed, and never a reward."""

import asyncio
import multiprocessing
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from palestra.agents.base import Sample, Sampling
from palestra.agents.chat import ByteChat, TemplateChat
from palestra.agents.evaluate import summarise
from palestra.agents.local import LocalPolicy
from palestra.agents.metrics import episode_record
from palestra.agents.rollout import Episode, RolloutConfig, RolloutResult, Rollouts, episodes_for, is_success
from palestra.agents.rows import rows_from_turns
from palestra.agents.runners import RUNNERS, EnvMaker, EnvRunner, RunnerKind
from palestra.agents.sampler import Sampler
from palestra.agents.scripted import ScriptedPolicy
from palestra.envs.registry import find, make
from palestra.envs.scripts import SCRIPTS
from palestra.rewards.base import Scored, Truncated
from palestra.sandbox.base import InfraError


def oracle(runner: EnvRunner, episode: Episode) -> ScriptedPolicy:
    return ScriptedPolicy(SCRIPTS["oracle"](runner.env, np.random.default_rng(episode.seed)))


def say_a(runner: EnvRunner, episode: Episode) -> ScriptedPolicy:
    return ScriptedPolicy(iter("aaaa"))


def play(
    env_id: str,
    policy: Any,
    *,
    n: int = 6,
    kind: RunnerKind = "inline",
    chat: Any = None,
    attempts: int = 1,
    **settings: Any,
) -> tuple[RolloutResult, list[Episode]]:
    env = make(env_id)
    episodes = episodes_for([env.tasks.sample(seed) for seed in range(n)], attempts=attempts)
    rollouts = Rollouts(env_id, lambda: RUNNERS[kind](EnvMaker(find(env_id), {})), policy, chat or ByteChat())

    async def all_of_it() -> RolloutResult:
        try:
            return await rollouts.play(episodes, RolloutConfig(**settings))
        finally:
            await rollouts.close()

    return asyncio.run(all_of_it()), episodes


@pytest.mark.parametrize("env_id", ["palestra/ToolUseMini-v0", "toy/Pair-v0"])
def test_the_oracle_solves_and_turn_rewards_sum_to_the_return(env_id: str, toys: None) -> None:
    result, episodes = play(env_id, oracle)
    assert len(result.trajectories) == 6
    for one in result.trajectories:
        assert one.outcome == Scored(one.reward, True)
        assert one.reward == pytest.approx(1.0)
    assert summarise(result, episodes).success_rate == 1.0


def test_recorded_tokens_are_one_clean_row(toys: None) -> None:
    result, _ = play("palestra/ToolUseMini-v0", oracle, n=3)
    for one in result.trajectories:
        rows, stats = rows_from_turns(one.turns)
        assert (len(rows), stats.fork, stats.realign) == (1, 0, 0)
        assert stats.trained == sum(len(turn.output_ids) for turn in one.turns)


class SayA:
    """A policy for environments in other processes: always the same letter."""

    async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
        ids = ByteChat().encode_reply("a")
        return Sample(output_ids=ids, logprobs=(0.0,) * len(ids), finish="stop")

    async def close(self) -> None:
        """Nothing to give back."""


def test_a_hanging_environment_is_lost_at_its_deadline_and_the_others_are_not(toys: None) -> None:
    result, _ = play("toy/Hanging-v0", SayA(), n=4, kind="process", step_s=25.0, retries=0)
    assert sorted(one.task_id for one in result.trajectories) == ["pair/train/0", "pair/train/2"]
    assert [(fault.kind, fault.episode.task.seed) for fault in result.faults] == [("infra", 1), ("infra", 3)]
    assert "longer than its deadline of 25 s" in result.faults[0].message


def test_an_environment_that_dies_is_an_infrastructure_fault(toys: None) -> None:
    async def killed() -> None:
        runner = RUNNERS["process"](EnvMaker(find("toy/Pair-v0"), {}))
        task = make("toy/Pair-v0").tasks.sample(0)
        await runner.reset(task)
        (process,) = multiprocessing.active_children()
        process.kill()
        process.join()
        try:
            with pytest.raises(InfraError, match="process was killed by signal 9"):
                await runner.step("a")
        finally:
            await runner.close()

    asyncio.run(killed())


def test_faults_are_typed_retried_when_it_may_help_and_have_no_reward(toys: None) -> None:
    result, episodes = play("toy/Faulty-v0", say_a, n=10)
    assert sorted(one.task_id for one in result.trajectories) == [f"pair/train/{i}" for i in (0, 1, 5, 6)]
    kinds = {fault.episode.task.seed % 5: fault.kind for fault in result.faults}
    assert kinds == {2: "infra", 3: "verifier", 4: "environment"}
    evaluation = summarise(result, episodes)
    assert (evaluation.n, evaluation.faults) == (4, 6)


def test_a_reply_that_was_broken_off_is_a_fault_and_is_asked_for_again(toys: None) -> None:
    class BrokenOff(SayA):
        calls = 0

        async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
            self.calls += 1
            sample = await super().generate(prompt_ids, sampling)
            return replace(sample, finish="abort") if self.calls == 3 else sample

    result, _ = play("toy/Pair-v0", BrokenOff(), n=4, retries=0)
    assert [fault.kind for fault in result.faults] == ["infra"]
    assert len(result.trajectories) == 3
    result, _ = play("toy/Pair-v0", BrokenOff(), n=4)
    assert (len(result.trajectories), result.faults) == (4, [])


def test_when_every_episode_is_lost_there_is_no_rate(toys: None) -> None:
    env = make("toy/Faulty-v0")
    episodes = episodes_for([env.tasks.sample(seed) for seed in (2, 7)])
    rollouts = Rollouts("toy/Faulty-v0", lambda: RUNNERS["inline"](lambda: make("toy/Faulty-v0")), say_a, ByteChat())
    result = asyncio.run(rollouts.play(episodes, RolloutConfig()))
    with pytest.raises(InfraError, match="nothing to evaluate: the kernel lacks a feature"):
        summarise(result, episodes)


def test_slow_episodes_do_not_hold_up_others(toys: None) -> None:
    """With one slow policy call among many, the rest end first."""
    ended: list[str] = []

    class Slow(SayA):
        async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
            if sampling.seed < 1_000_003:  # the first episode
                await asyncio.sleep(0.3)
            return await super().generate(prompt_ids, sampling)

    env = make("toy/Pair-v0")
    episodes = episodes_for([env.tasks.sample(seed) for seed in range(5)])
    rollouts = Rollouts("toy/Pair-v0", lambda: RUNNERS["inline"](lambda: make("toy/Pair-v0")), Slow(), ByteChat())
    asyncio.run(rollouts.play(episodes, RolloutConfig(), lambda one: ended.append(getattr(one, "task_id", ""))))
    assert ended[-1] == "pair/train/0"
    assert len(ended) == 5


def test_a_context_that_is_full_truncates_and_takes_the_potential_back() -> None:
    result, _ = play("palestra/ToolUseMini-v0", oracle, n=8, max_context=700, max_tokens=100)
    cut = [one for one in result.trajectories if isinstance(one.outcome, Truncated)]
    assert cut
    for one in cut:
        assert isinstance(one.outcome, Truncated)
        assert one.outcome.kind == "tokens"
        assert one.reward == pytest.approx(0.0)
        assert one.outcome.reward == pytest.approx(one.reward)


@pytest.mark.parametrize("kind", ["inline", "thread"])
def test_a_model_plays_in_batches_and_the_same_run_gives_the_same_tokens(
    kind: RunnerKind, tiny_model: Any, tiny_tokenizer: Any, toys: None
) -> None:
    chat = TemplateChat(tiny_tokenizer)
    runs = []
    for _ in range(2):
        policy = LocalPolicy(Sampler(tiny_model), max_batch=8)
        result, _ = play("toy/Pair-v0", policy, n=5, kind=kind, chat=chat, attempts=2, max_tokens=4)
        runs.append([[turn.output_ids for turn in one.turns] for one in result.trajectories])
    assert runs[0] == runs[1]
    assert len(runs[0]) == 10
    assert runs[0][0] != runs[0][1]  # siblings differ by their seeds


def test_cancelling_a_rollout_ends_it_and_its_environments(toys: None) -> None:
    class Never(SayA):
        async def generate(self, prompt_ids: Sequence[int], sampling: Sampling) -> Sample:
            await asyncio.sleep(3600)
            raise AssertionError

    async def cancelled() -> None:
        env = make("toy/Pair-v0")
        rollouts = Rollouts("toy/Pair-v0", lambda: RUNNERS["inline"](lambda: make("toy/Pair-v0")), Never(), ByteChat())
        work = asyncio.create_task(rollouts.play(episodes_for([env.tasks.sample(0)]), RolloutConfig()))
        await asyncio.sleep(0.05)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancelled())


def test_an_episode_record_tells_what_happened_and_holds_tokens_on_demand(toys: None) -> None:
    (one, *_), _ = (play("toy/Pair-v0", oracle, n=1)[0].trajectories, None)
    record = episode_record(one)
    assert record["is_success"] is is_success(one) is True
    assert [turn["reward"] for turn in record["turns"]] == [0.5, 0.5]
    assert "output_ids" not in record["turns"][0]
    assert episode_record(one, tokens=True)["turns"][0]["output_ids"] == one.turns[0].output_ids
