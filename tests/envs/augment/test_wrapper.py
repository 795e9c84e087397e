"""An augmented environment is an environment like any other."""

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import palestra
from palestra.agents.opening import open_agent
from palestra.agents.rollout import RolloutConfig, Rollouts, episodes_for
from palestra.agents.runners import EnvRunner
from palestra.envs.actions import call_text
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.augment.prove import certify, prove
from palestra.envs.augment.wrapper import Augmented
from palestra.envs.base import EpisodeOver, Snapshot, SnapshotError, Task, TaskError
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.taskfile import TaskFile
from palestra.rewards.base import Truncated

ALL = list(OPERATORS)
SEED = 3  # "Please cancel the order of a round book by Frank Lopez."


def mini(*operators: Any, seed: int = 1, **kwargs: Any) -> Augmented:
    return Augmented(palestra.make("ToolUseMini-v0", **kwargs), operators or ALL, seed=seed)


@pytest.fixture
def env() -> Iterator[Augmented]:
    env = mini(render_mode="ansi")
    yield env
    env.close()


def told(env: AgentEnv, actions: list[str]) -> list[str]:
    return [
        json.dumps([*step[:4], {**step[4], "outcome": repr(step[4]["outcome"])}]) for step in map(env.step, actions)
    ]


def test_gymnasium_takes_it(env: Augmented) -> None:
    check_env(env)
    assert env.spec is not None
    made = gymnasium.make(env.spec)
    assert isinstance(made, Augmented)
    assert made.reset(seed=SEED)[0] == env.reset(seed=SEED)[0]
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.reset(seed=SEED)[0] == env.reset(seed=SEED)[0]
    assert env.unwrapped is env


def test_wrappers_of_gymnasium_may_stand_below() -> None:
    env = Augmented(gymnasium.make("palestra/ToolUseMini-v0"), ["rename"])
    assert play(env, SCRIPTS["oracle"], SEED).is_success
    with pytest.raises(TypeError, match="augmentations need an AgentEnv, not CartPoleEnv"):
        Augmented(gymnasium.make("CartPole-v1"), ["rename"])


def test_what_the_agent_reads_is_augmented(env: Augmented) -> None:
    observation, info = env.reset(seed=SEED)
    base = Task.from_dict(env.task.hidden["base"])
    assert info["messages"] == env.messages
    assert info["messages"][-1]["content"] == env.task.instruction != base.instruction
    assert base.instruction in observation
    assert info["messages"][0] == {"role": "system", "content": env.env.system_prompt}
    names = [tool["function"]["name"] for tool in info["tools"]]
    assert names == [tool["function"]["name"] for tool in env.task.tools]
    assert "list_orders" not in names
    assert "answer" in names  # which the system prompt mentions
    assert f"Tools: {', '.join(names)}" in observation
    env.step(next(env.oracle()))
    assert "[tool]" in env.render()


def test_a_seed_names_the_task_and_its_stack(env: Augmented) -> None:
    assert env.tasks.sample(SEED) == mini().tasks.sample(SEED)
    assert env.tasks.sample(SEED).digest != mini(seed=2).tasks.sample(SEED).digest
    base = env.env.tasks.sample(SEED)
    env.reset(options={"task": base})
    assert env.task == env.tasks.sample(SEED)
    written = Task.from_dict(json.loads(json.dumps(env.task.to_dict())))
    assert play(mini("noise"), SCRIPTS["oracle"], 0, written).is_success


def test_the_budget_holds_what_the_longer_oracle_needs(env: Augmented) -> None:
    for seed in range(10):
        task = env.tasks.sample(seed)
        base = Task.from_dict(task.hidden["base"])
        spare = base.budget.turns - len(list(env_oracle(base)))
        assert task.budget.turns - len(task.hidden["oracle"]) == spare


def env_oracle(task: Task) -> Iterator[str]:
    env = palestra.make("ToolUseMini-v0")
    env.reset(options={"task": task})
    return env.oracle()


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ('{"name": "list_orders", "arguments": {}}', "no tool named 'list_orders'; tools: "),
        ("<tool_call>{", "not valid JSON"),
        (5, "an action is text or an assistant message, not int"),
        ('{"name": "answer", "arguments": {}}', "bad arguments for answer"),
    ],
)
def test_a_malformed_action_costs_a_turn_and_says_what_is_wrong(env: Augmented, action: Any, error: str) -> None:
    env.reset(seed=SEED)
    observation, reward, terminated, truncated, info = env.step(action)
    assert error in info["error"]
    assert f"error: {info['error']}" == observation
    assert (reward, terminated, truncated) == (0.0, False, False)
    for _ in range(env.task.budget.turns - 2):
        assert not env.step(action)[3]
    assert env.step(action)[3]


def test_the_first_end_is_the_last(env: Augmented) -> None:
    env.reset(seed=SEED)
    steps = [env.step(action) for action in env.oracle()]
    assert steps[-1][4]["is_success"]
    with pytest.raises(EpisodeOver):
        env.step("more")
    env.reset(seed=SEED)
    adjustment, info = env.cut("tokens")
    assert (adjustment, info["outcome"]) == (0.0, Truncated("tokens", 0.0))


def test_calls_of_one_turn_go_down_together() -> None:
    env = mini("distract", "pages")
    _, info = env.reset(seed=SEED)
    decoy = env.task.hidden["specs"][0]["tools"][0]
    schema = next(tool["function"] for tool in info["tools"] if tool["function"]["name"] == decoy)["parameters"]
    values = {"string": "x", "integer": 1}
    first = next(env.oracle())
    turner = env.task.hidden["specs"][1]["tool"]
    calls = [
        call_text(decoy, {key: values[part["type"]] for key, part in schema["properties"].items()}),
        first,
        call_text(turner, {"cursor": "made up"}),
        first,
    ]
    observation, *_, info = env.step("".join(calls))
    replies = [message["content"] for message in info["messages"] if message["role"] == "tool"]
    assert len(replies) == 4
    assert replies[1] == replies[3] != replies[0]
    assert "there is no page 'made up'" in replies[2]
    assert observation == "\n".join(replies)


def test_who_writes_what_nobody_asked_for_earns_nothing() -> None:
    env = mini({"operator": "distract", "count": 22})
    env.reset(seed=SEED)
    env.step(call_text("feed_aquarium", {"grams": 5}))
    assert env.stack.forbidden == 1
    steps = [env.step(action) for action in env.oracle()]
    _, _, terminated, truncated, info = steps[-1]
    assert (terminated, truncated, info["is_success"]) == (True, False, False)
    assert abs(sum(reward for _, reward, *_ in steps)) < 1e-9
    env.reset(seed=SEED)
    assert env.stack.forbidden == 0
    env.step(call_text("bird_of_the_day", {}))
    assert env.stack.forbidden == 0


def test_a_moment_with_open_pages_and_pending_faults_is_restored() -> None:
    env = mini({"operator": "pages", "size": 1}, {"operator": "faults", "times": 3}, "noise", "observation")
    for seed in range(6):
        env.reset(seed=seed)
        actions = list(env.oracle())
        for cut in range(len(actions)):
            env.reset(seed=seed)
            for action in actions[:cut]:
                env.step(action)
            snapshot = env.snapshot()
            written = Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict())))
            rest = told(env, actions[cut:])
            for moment in (snapshot, written):
                other = mini(
                    {"operator": "pages", "size": 1}, {"operator": "faults", "times": 3}, "noise", "observation"
                )
                other.restore(moment)
                assert told(other, actions[cut:]) == rest
            env.restore(written)
            assert told(env, actions[cut:]) == rest


def test_forks_go_their_own_ways(env: Augmented) -> None:
    for seed in range(4):
        env.reset(seed=seed)
        actions = list(env.oracle())
        env.step(actions[0])
        one, two = env.fork(2)
        assert one.snapshot() == env.snapshot() == two.snapshot()
        two.step("something else")
        assert one.snapshot() == env.snapshot() != two.snapshot()
        assert told(one, actions[1:]) == told(env, actions[1:])
        assert (one.spec, one.render_mode) == (env.spec, env.render_mode)


def test_snapshots_of_other_environments_are_refused(env: Augmented) -> None:
    below = palestra.make("ToolUseMini-v0")
    below.reset(seed=SEED)
    env.reset(seed=SEED)
    with pytest.raises(SnapshotError):
        env.restore(below.snapshot())
    with pytest.raises(SnapshotError):
        below.restore(env.snapshot())


@pytest.mark.parametrize("name", list(NEGATIVES))
def test_the_panel_earns_nothing(name: str) -> None:
    for seed in range(6):
        env = mini(seed=seed)
        episode = play(env, NEGATIVES[name], seed)
        assert episode.reward <= 1e-9
        assert not episode.is_success


def test_rollouts_play_it() -> None:
    env = mini()
    agent = open_agent("oracle")
    rollouts = Rollouts(env.env_id, lambda: EnvRunner(mini), agent.policy, agent.chat)
    episodes = episodes_for([env.tasks.sample(seed) for seed in range(4)])
    result = asyncio.run(rollouts.play(episodes, RolloutConfig(max_context=10**6, max_tokens=2048)))
    asyncio.run(rollouts.close())
    assert not result.faults
    assert [round(trajectory.outcome.reward, 9) for trajectory in result.trajectories] == [1.0] * 4


def test_it_may_be_augmented_again() -> None:
    env = Augmented(mini("rename", "noise"), ["formats", "faults"], seed=4)
    assert env.env_id == "palestra/ToolUseMini-v0+augmented+augmented"
    for seed in range(3):
        assert play(env, SCRIPTS["oracle"], seed).is_success
        assert env.fork()[0].snapshot() == env.snapshot()
        twice = env.task
        for task in (twice, env.env.tasks.sample(seed)):
            env.reset(options={"task": task})
            assert env.task == twice


def test_tasks_from_a_file_are_played_as_they_are(tmp_path: Path) -> None:
    first, path = mini(), tmp_path / "tasks.jsonl"
    with path.open("w") as file:
        for seed in range(3):
            task = first.tasks.sample(seed)
            certificate = certify(palestra.find("ToolUseMini-v0"), first, task, level="quick")
            assert certificate.ok
            file.write(json.dumps({"task": task.to_dict(), "certificate": certificate.to_dict()}) + "\n")
    env = mini("noise", tasks=TaskFile(path))
    for seed in range(3):
        assert play(env, SCRIPTS["oracle"], seed).is_success
        assert env.task == first.tasks.sample(seed)


def test_errors_say_what_is_wrong(env: Augmented) -> None:
    with pytest.raises(TaskError, match="unknown augmentation operator 'renaming'; known: rename, schema"):
        mini("renaming")
    base = env.env.tasks.sample(SEED).to_dict()
    unsolved = Task.from_dict({**base, "id": "broken", "hidden": {**base["hidden"], "changes": []}})
    with pytest.raises(TaskError, match="'broken' cannot be augmented: its oracle earned 0"):
        env.reset(options={"task": unsolved})


@settings(max_examples=4)
@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=5), st.integers(0, 10))
def test_the_oracle_survives_every_stack_on_tasks_of_several_turns(operators: list[str], seed: int) -> None:
    survives("BFCLMultiTurn-v0", operators, seed)


@settings(max_examples=2)
@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=5), st.integers(0, 3))
def test_the_oracle_survives_every_stack_on_programs(operators: list[str], seed: int) -> None:
    survives("Code-v0", operators, seed)


def survives(env_id: str, operators: list[str], seed: int) -> None:
    env = Augmented(palestra.make(env_id), operators, seed=seed)
    try:
        episode = play(env, SCRIPTS["oracle"], seed)
        assert (round(episode.reward, 9), episode.is_success) == (1.0, True)
    finally:
        env.close()


@pytest.mark.slow
@pytest.mark.parametrize(("env_id", "count"), [("ToolUseMini-v0", 1000), ("BFCLMultiTurn-v0", 60), ("Code-v0", 10)])
def test_a_thousand_random_stacks_are_proved(env_id: str, count: int) -> None:
    rng = random.Random(7)
    below = palestra.make(env_id)
    for seed in range(count):
        env = Augmented(below, [rng.choice(ALL) for _ in range(rng.randint(1, 5))], seed=seed)
        task = env.tasks.sample(seed)
        results = prove(below, Task.from_dict(task.hidden["base"]), task.hidden["specs"])
        assert [result for result in results if not result.ok] == []
    below.close()
