"""Each of our environments is a Gymnasium environment, made and seeded in every way that Gymnasium knows."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode

from palestra.envs.base import EpisodeOver, TaskError
from palestra.envs.env import AgentEnv

MakeEnv = Callable[..., AgentEnv]


def test_check_env_passes_without_a_warning(make_env: MakeEnv) -> None:
    env = make_env(render_mode="ansi")
    check_env(env)
    assert env.render().startswith("[")


def test_gymnasium_makes_what_palestra_makes(env_id: str, env: AgentEnv) -> None:
    made = gymnasium.make(env_id, render_mode="ansi")
    try:
        assert type(made.unwrapped) is type(env)
        assert made.reset(seed=3)[0] == env.reset(seed=3)[0]
        assert made.step("hello")[0] == env.step("hello")[0]
        assert "hello" in str(made.render())
    finally:
        made.close()


def test_gymnasium_imports_palestra_by_the_name(env_id: str) -> None:
    program = (
        f"import gymnasium; env = gymnasium.make('palestra:{env_id}', split='heldout'); env.reset(seed=1); "
        "print(env.unwrapped.env_id, env.unwrapped.task.provenance['split'])"
    )
    command = [sys.executable, "-W", "error", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == [env_id, "heldout"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_see_and_do_what_single_ones_do(env_id: str, env: AgentEnv, mode: str) -> None:
    singles, actions = [], []
    for seed in (5, 6, 7):
        singles.append(env.reset(seed=seed)[0])
        actions.append(next(iter(env.oracle())))
    actions[1] = "no call, ünïcödé 🙂"
    vector = gymnasium.make_vec(env_id, num_envs=3, vectorization_mode=mode)
    try:
        observations, _ = vector.reset(seed=5)
        assert observations == tuple(singles)
        assert observations in vector.observation_space
        stepped, rewards, terminated, truncated, infos = vector.step(tuple(actions))
        for number, seed in enumerate((5, 6, 7)):
            env.reset(seed=seed)
            one = env.step(actions[number])
            found = (stepped[number], rewards[number], terminated[number], truncated[number])
            assert found == one[:4]
            assert infos["messages"][number] == one[4]["messages"]
            assert infos["state_key"][number] == one[4]["state_key"]
        assert observations == tuple(singles)  # what was returned earlier is not written over
        assert vector.action_space.sample() in vector.action_space
    finally:
        vector.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_vector_environment_goes_on_after_an_end(env_id: str, env: AgentEnv, mode: AutoresetMode) -> None:
    env.reset(seed=5)
    actions = list(env.oracle())
    vector = gymnasium.make_vec(
        env_id, num_envs=1, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}, split="train"
    )
    try:
        vector.reset(seed=5)
        *_, (observations, _, terminated, _, infos) = [vector.step((action,)) for action in actions]
        ended = infos["final_info"] if mode is AutoresetMode.SAME_STEP else infos
        assert list(terminated) == [True]
        assert list(ended["is_success"]) == [True]
        if mode is AutoresetMode.NEXT_STEP:
            observations, *_ = vector.step(("ignored",))
        elif mode is AutoresetMode.DISABLED:
            observations, _ = vector.reset(options={"reset_mask": np.array([True])})
        assert observations == (env.reset()[0],)  # the same next task as the single one's
    finally:
        vector.close()


def test_workers_that_import_nothing_of_ours_beforehand(env_id: str, env: AgentEnv) -> None:
    vector = gymnasium.make_vec(env_id, num_envs=2, vectorization_mode="async", vector_kwargs={"context": "spawn"})
    try:
        assert isinstance(vector, AsyncVectorEnv)
        observations, _ = vector.reset(seed=5)
        assert observations == (env.reset(seed=5)[0], env.reset(seed=6)[0])
    finally:
        vector.close()


def test_a_step_returns_the_five_things(env: AgentEnv) -> None:
    observation, info = env.reset(seed=0)
    assert (type(observation), type(info)) == (str, dict)
    observation, reward, terminated, truncated, info = env.step("hello")
    assert [type(x) for x in (observation, reward, terminated, truncated, info)] == [str, float, bool, bool, dict]
    assert observation in env.observation_space
    wanted = {"task_id", "messages", "tools", "reward_parts", "state_key", "is_success", "outcome", "error"}
    assert set(info) == wanted
    assert info["task_id"] == env.task.id
    assert sum(info["reward_parts"].values()) == reward


def test_the_same_seed_gives_the_same_task_and_moves_every_later_one(env: AgentEnv, make_env: MakeEnv) -> None:
    six = [(env.reset(seed=11), env.task.digest) for _ in range(6)]
    assert all(one == six[0] for one in six)
    later = [(env.reset()[0], env.task.digest) for _ in range(4)]
    twin = make_env()
    twin.reset(seed=11)
    assert [(twin.reset()[0], twin.task.digest) for _ in range(4)] == later
    assert len({task for _, task in later}) == 4
    assert env.reset(seed=12)[0] != six[0][0][0]


def test_a_reset_takes_a_task_or_knobs(env: AgentEnv, make_env: MakeEnv) -> None:
    env.reset(seed=4)
    task, first = env.task, env.step("hello")
    twin = make_env(split="heldout")
    for given in (task, task.to_dict(), json.loads(json.dumps(task.to_dict()))):
        twin.reset(options={"task": given})
        assert twin.task == task
        assert twin.step("hello") == first
    knobs = dict(env.tasks.knobs)
    env.reset(seed=4, options={"difficulty": knobs})
    assert env.task.difficulty == knobs
    assert make_env(difficulty=knobs).reset(seed=4)[0] == env.reset(seed=4)[0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"taks": {}}, "unknown reset option 'taks'"),
        ({"task": {}}, "task field 'family' is missing"),
        ({"task": 3}, "a task must be a JSON object"),
        ({"difficulty": {"no such knob": 1}}, "unknown difficulty knob 'no such knob'"),
        ({"difficulty": 3}, "must be a mapping"),
        ({"difficulty": {}, "task": {}}, "not both"),
    ],
)
def test_wrong_options_are_named(env: AgentEnv, options: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        env.reset(options=options)


@pytest.mark.parametrize("kwargs", [{"shaping": "sparse"}, {"render_mode": "human"}, {"split": "test"}])
def test_wrong_arguments_are_named(make_env: MakeEnv, kwargs: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=repr(next(iter(kwargs.values())))):
        make_env(**kwargs)


def test_nothing_works_before_the_first_reset(env: AgentEnv) -> None:
    for use in (lambda: env.step("hello"), lambda: env.task, env.snapshot, env.fork, lambda: env.cut("tokens")):
        with pytest.raises(EpisodeOver, match=r"reset\(\)"):
            use()


def test_closing_twice_is_closing_once(env: AgentEnv) -> None:
    env.close()
    env.reset(seed=0)
    env.step(next(iter(env.oracle())))
    env.close()
    env.close()
    assert env.task.id


def test_render_shows_the_conversation_when_asked_to(make_env: MakeEnv) -> None:
    env = make_env(render_mode="ansi")
    env.reset(seed=0)
    env.step("some words of mine")
    text = env.render()
    assert env.task.instruction[:80] in text
    assert "[assistant] some words of mine" in text
    quiet = make_env()
    quiet.reset(seed=0)
    assert quiet.render() is None


def test_the_spec_travels(env_id: str, make_env: MakeEnv) -> None:
    env = make_env(split="heldout", shaping="none")
    first = env.reset(seed=9)[0]
    assert env.spec is not None
    for spec in (pickle.loads(pickle.dumps(env.spec)), EnvSpec.from_json(env.spec.to_json())):
        assert spec == env.spec
        again = gymnasium.make(spec)
        assert again.reset(seed=9)[0] == first
        again.close()
    assert gymnasium.spec(env_id).kwargs == {}  # making one did not change what the name means
