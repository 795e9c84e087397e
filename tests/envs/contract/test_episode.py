"""What an episode tells, pays and hides, in each of our environments."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest

from palestra.envs.actions import parse_action
from palestra.envs.base import SPLITS, Budget, EpisodeOver, Json, Split, Task
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import SCRIPTS, play
from palestra.rewards.base import Scored, Truncated

MakeEnv = Callable[..., AgentEnv]
Walk = Callable[[AgentEnv, Sequence[Any]], list[str]]
NOP = "I am done."


@pytest.mark.parametrize("split", SPLITS)
def test_the_oracle_earns_1_and_nothing_earns_0(make_env: MakeEnv, n_tasks: int, split: Split) -> None:
    env = make_env(split=split)
    for seed in range(n_tasks):
        solved, idle = play(env, SCRIPTS["oracle"], seed), play(env, SCRIPTS["nop"], seed)
        assert (round(solved.reward, 9), solved.is_success) == (1.0, True)
        assert (round(idle.reward, 9), idle.is_success) == (0.0, False)
        assert env.task.provenance["split"] == split


def test_actions_may_be_texts_or_assistant_messages(env: AgentEnv, make_env: MakeEnv) -> None:
    twin = make_env()
    for seed in range(3):
        env.reset(seed=seed)
        info = twin.reset(seed=seed)[1]
        for text in ["hello", *env.oracle()]:
            message = parse_action(text, info["tools"]).message(0)
            message.pop("id", None)
            for call in message.get("tool_calls", []):
                call.pop("id")
            by_text, by_message = env.step(text), twin.step(message)
            assert by_text == by_message
            info = by_text[4]


def test_the_conversation_is_told_as_chat_messages(env: AgentEnv) -> None:
    _, info = env.reset(seed=1)
    assert info["messages"] == env.messages
    assert [message["role"] for message in info["messages"]][-1] == "user"
    assert info["messages"][-1]["content"] == env.task.instruction
    observation, *_, info = env.step(next(iter(env.oracle())))
    *_, said, reply = info["messages"]
    assert said["role"] == "assistant"
    call = said["tool_calls"][0]
    assert call["function"]["name"] in [tool["function"]["name"] for tool in info["tools"]]
    assert isinstance(json.loads(call["function"]["arguments"]), dict)
    assert (reply["role"], reply["tool_call_id"], reply["content"]) == ("tool", call["id"], observation)


def test_what_a_caller_does_to_an_info_does_not_reach_the_episode(env: AgentEnv, make_env: MakeEnv) -> None:
    twin = make_env()
    infos = [one.reset(seed=2)[1] for one in (env, twin)]
    for action in list(env.oracle()):
        spoil(infos[0])
        steps = [one.step(action) for one in (env, twin)]
        assert steps[0] == steps[1]
        infos = [step[4] for step in steps]
    assert env.snapshot() == twin.snapshot()


def spoil(value: Any) -> None:
    """Empty everything that can be emptied, from the leaves up."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    for one in list(inner):
        spoil(one)
    if isinstance(value, (dict, list)):
        value.clear()


def texts(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("split", SPLITS)
def test_nothing_hidden_is_told(make_env: MakeEnv, n_tasks: int, split: Split) -> None:
    """Texts of the hidden part that the public part does not hold are not told at the start."""
    env = make_env(split=split)
    checked = 0
    for seed in range(n_tasks):
        observation, info = env.reset(seed=seed)
        task = env.task
        public = [task.id, task.instruction, env.system_prompt, *texts(list(task.tools)), *texts(dict(task.public))]
        told = observation + json.dumps({**info, "outcome": None}, ensure_ascii=False)
        for text in set(texts(dict(env.task.hidden))):
            if len(text) >= 4 and text not in ("null", "true", "false") and not any(text in one for one in public):
                checked += 1
                assert not re.search(rf"(?<!\w){re.escape(text)}(?!\w)", told), (env.task.id, text)
    assert checked > n_tasks


def test_a_canary_in_the_hidden_part_is_never_told(env: AgentEnv) -> None:
    canary = "c4n4ry-7f3a"
    for seed in range(3):
        env.reset(seed=seed)
        task = replace(env.task, hidden={**env.task.hidden, "canary": canary})
        observation, info = env.reset(options={"task": task})
        told = [observation, repr(info)]
        for action in ["hello", '{"name":"no","arguments":{}}', *env.oracle()]:
            observation, *_, info = env.step(action)
            told += [observation, repr(info)]
        assert canary not in "".join(told)
        assert canary in env.snapshot().state  # but forks keep all of the task


def test_the_end_is_the_end(env: AgentEnv) -> None:
    for script in ("oracle", "nop"):
        play(env, SCRIPTS[script], 0)
        before = env.snapshot()
        for action in ("more", *env.oracle()):
            with pytest.raises(EpisodeOver, match=r"call reset\(\)"):
                env.step(action)
        assert env.snapshot() == before
        env.reset(seed=1)
        assert env.step("hello")[2] is False


def test_a_spent_budget_truncates(env: AgentEnv) -> None:
    env.reset(seed=0)
    turns = env.task.budget.turns
    ends = [env.step(NOP)[2:4] for _ in range(turns)]
    assert ends == [(False, False)] * (turns - 1) + [(False, True)]
    outcome = json.loads(env.snapshot().state)["outcome"]
    assert (outcome["kind"], outcome["is_success"]) == ("turns", False)


def test_a_task_that_ends_on_the_last_turn_is_terminated(env: AgentEnv) -> None:
    env.reset(seed=0)
    actions = list(env.oracle())
    env.reset(options={"task": replace(env.task, budget=Budget(turns=len(actions)))})
    *_, (_, _, terminated, truncated, info) = [env.step(action) for action in actions]
    assert (terminated, truncated) == (True, False)
    assert isinstance(info["outcome"], Scored)
    assert info["outcome"].is_success
    assert info["outcome"].reward == pytest.approx(1.0)
    if len(actions) > 1:
        env.reset(options={"task": replace(env.task, budget=Budget(turns=len(actions) - 1))})
        *_, (_, _, terminated, truncated, info) = [env.step(action) for action in actions[:-1]]
        assert (terminated, truncated, info["is_success"]) == (False, True, False)
        assert isinstance(info["outcome"], Truncated)
        assert info["outcome"].kind == "turns"
        assert info["outcome"].reward == pytest.approx(0.0)


@pytest.mark.parametrize("script", ["oracle", "nop", "random"])
def test_the_potential_is_paid_back_over_an_episode(make_env: MakeEnv, n_tasks: int, script: str) -> None:
    env, bare, greedy = make_env(), make_env(shaping="none"), make_env(shaping="progress")
    for seed in range(n_tasks):
        episode = play(env, SCRIPTS[script], seed)
        parts = [replayed(one, seed, episode.actions) for one in (env, bare, greedy)]
        assert sum(part["potential"] for part in parts[0]) == pytest.approx(0.0)
        assert sum(sum(part.values()) for part in parts[1]) == pytest.approx(episode.reward)
        assert not any(set(part) & {"potential", "progress"} for part in parts[1])
        assert 0.0 <= sum(part["progress"] for part in parts[2]) <= 1.0
        assert [part["progress"] for part in parts[2][:-1]] == [part["potential"] for part in parts[0][:-1]]


def replayed(env: AgentEnv, seed: int, actions: Sequence[str]) -> list[dict[str, float]]:
    env.reset(seed=seed)
    return [env.step(action)[4]["reward_parts"] for action in actions]


def test_a_cut_takes_the_potential_back_and_ends_the_episode(env: AgentEnv) -> None:
    env.reset(seed=0)
    paid = env.step(next(iter(env.oracle())))[1]
    adjustment, info = env.cut("deadline")
    assert paid + adjustment == pytest.approx(0.0)
    assert isinstance(info["outcome"], Truncated)
    assert info["outcome"].kind == "deadline"
    assert info["outcome"].reward == pytest.approx(0.0)
    with pytest.raises(EpisodeOver):
        env.step("hello")
    with pytest.raises(EpisodeOver):
        env.cut("tokens")


ODD: list[Any] = [
    "",
    " ",
    "\x00",
    "\ud800",
    "{",
    "[" * 5000,
    "9" * 70_000,
    "<tool_call>",
    {},
    {"role": "user"},
    None,
    3,
    [],
]


@pytest.mark.parametrize("action", ODD)
def test_no_action_is_too_odd(env: AgentEnv, action: Any) -> None:
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(action)
    assert observation in env.observation_space
    assert (reward, terminated, truncated, info["is_success"]) == (0.0, False, False, False)
    env.restore(env.snapshot())
    *_, (_, _, terminated, _, info) = [env.step(action) for action in env.oracle()]
    assert terminated
    assert info["is_success"]


def test_state_keys_name_states(env: AgentEnv, make_env: MakeEnv) -> None:
    twin = make_env()
    keys = [one.reset(seed=0)[1]["state_key"] for one in (env, twin)]
    assert keys[0] == keys[1]
    assert env.step("hello")[4]["state_key"] == keys[0]  # nothing was done
    assert env.reset(seed=1)[1]["state_key"] != keys[0]
    other = replace(twin.task, instruction=f"{twin.task.instruction} Now.")
    assert env.reset(options={"task": other})[1]["state_key"] != keys[0]  # another task, standing alike
    first, *_ = twin.oracle()
    assert twin.step(first)[4]["state_key"] != keys[0]


def test_random_actions_are_paid_within_bounds(env: AgentEnv, n_tasks: int, walk: Walk) -> None:
    for seed in range(n_tasks):
        env.reset(seed=seed)
        actions = SCRIPTS["random"](env, np.random.default_rng(seed))
        total, over, info = 0.0, False, dict[str, Any]()
        while not over:
            _, reward, terminated, truncated, info = env.step(next(actions))
            total, over = total + reward, terminated or truncated
            assert -1.0 <= reward <= 1.0
        assert total == pytest.approx(float(info["is_success"]))
        assert info["outcome"].reward == total


def test_tasks_survive_json_and_name_their_origin(env: AgentEnv, n_tasks: int) -> None:
    for seed in range(n_tasks):
        task = env.tasks.sample(seed)
        assert Task.from_dict(json.loads(json.dumps(task.to_dict()))).digest == task.digest
        assert {"template", "split", "generator"} <= set(task.provenance)
        assert task.seed == seed
    first = [task.digest for task in islice(env.tasks, 3)]
    assert first == [env.tasks.sample(seed).digest for seed in range(3)]
