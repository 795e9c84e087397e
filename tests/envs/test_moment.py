"""What is held, kept or written late to be fast is what it would be if it were made anew each time."""

import copy
import json
import pickle
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import palestra
from palestra.envs.actions import fits
from palestra.envs.base import Snapshot, SnapshotError, canonical_json, copy_json, digest
from palestra.envs.env import AgentEnv
from palestra.envs.moment import Moment
from palestra.envs.scripts import SCRIPTS, play, replay


@pytest.fixture
def env() -> Iterator[AgentEnv]:
    with closing(palestra.make("palestra/ToolUseMini-v0")) as made:
        made.reset(seed=3)
        made.step(next(made.oracle()))
        yield made


@pytest.mark.parametrize("script", ["oracle", "random"])
def test_a_state_key_is_the_hash_of_the_task_and_the_whole_state(script: str) -> None:
    env = palestra.make("palestra/ToolUseMini-v0")
    for seed in range(30):
        _, info = env.reset(seed=seed)
        over, moves = False, SCRIPTS[script](env, np.random.default_rng(seed))
        while not over:
            assert env._state_text() == canonical_json(env._dump())
            assert info["state_key"] == digest([env.task.digest, env._dump()])[:16]
            _, _, terminated, truncated, info = env.step(next(moves))
            over = terminated or truncated


def test_a_stream_is_the_hash_of_what_was_shown_and_paid() -> None:
    env = palestra.make("palestra/ToolUseMini-v0")
    for seed in range(10):
        episode = play(env, SCRIPTS["random"], seed)
        observation, info = env.reset(seed=seed)
        stream, reward = [], 0.0
        for action in (*episode.actions, None):
            told = {key: value for key, value in info.items() if key not in ("task_id", "outcome")}
            stream.append(digest([observation, reward, told]))
            if action is not None:
                observation, reward, _, _, info = env.step(action)
        assert tuple(stream) == episode.stream
        env.reset(seed=seed)
        assert tuple(replay(env, episode.actions)) == episode.stream[1:]


def test_a_snapshot_is_written_late_and_is_the_same(env: AgentEnv) -> None:
    snapshot = env.snapshot()
    assert not {"state", "digest"} & set(vars(snapshot))
    state = {
        "task": env.task.to_dict(),
        "family": copy_json(env._dump()),
        "rng": env.np_random.bit_generator.state,
        "messages": env.messages,
        "turns": 1,
        "return": env._return,
        "phi": env._phi,
        "outcome": None,
    }
    written = Snapshot.take(env.env_id, state, {})
    for action in env.oracle():  # what comes later does not reach it
        env.step(action)
        if env._outcome:
            break
    assert snapshot.state == written.state
    assert (snapshot.digest, snapshot) == (written.digest, written)
    assert replace(snapshot, state="{}").state == "{}"
    assert not hasattr(snapshot, "colour")


def test_a_snapshot_restores_the_same_by_its_parts_and_by_its_text(env: AgentEnv) -> None:
    snapshot, actions = env.snapshot(), list(env.oracle())[1:]
    wanted = replay(env, actions)
    copies = [
        snapshot,
        pickle.loads(pickle.dumps(snapshot)),
        copy.copy(snapshot),
        Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict()))),
    ]
    assert [isinstance(one.moment(env.env_id), Moment) for one in copies] == [True, False, False, False]
    for one in copies:
        env.restore(one)
        assert env.snapshot() == snapshot
        assert replay(env, actions) == wanted
        with pytest.raises(SnapshotError, match="cannot be restored into 'a/B-v0'"):
            one.moment("a/B-v0")


def test_restoring_many_times_leaves_the_snapshot_as_it_was(env: AgentEnv) -> None:
    snapshot, actions = env.snapshot(), list(env.oracle())[1:]
    twin = env.fork()[0]
    streams = []
    for one in (env, twin, env, twin):
        one.restore(snapshot)
        streams.append(replay(one, actions))
    assert streams == [streams[0]] * 4


kinds = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
parts = st.fixed_dictionaries(
    {}, optional={"type": kinds, "enum": st.just(["a", 1]), "minimum": st.integers(-2, 2), "description": st.just("x")}
)
names = st.sampled_from(["a", "b", "c"])
schemas = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(names, st.one_of(parts, st.booleans()), max_size=3)},
    optional={
        "required": st.lists(names, unique=True, max_size=3),
        "additionalProperties": st.booleans(),
        "minProperties": st.integers(0, 2),
    },
)
values = st.one_of(
    st.text(max_size=2),
    st.integers(-3, 3),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    st.just([]),
    st.just({}),
)


@given(schemas, st.dictionaries(names, values, max_size=3))
def test_the_quick_look_at_arguments_agrees_with_the_validator(schema: dict[str, Any], given_: dict[str, Any]) -> None:
    assert fits(given_, schema) == jsonschema.Draft202012Validator(schema).is_valid(given_)


@given(st.recursive(values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)))
def test_a_copy_is_equal_to_the_letter_and_shares_nothing(value: Any) -> None:
    copied = copy_json(value)
    assert json.dumps(copied) == json.dumps(value)
    shared = {id(one) for one in _containers(value)} & {id(one) for one in _containers(copied)}
    assert not shared


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner)


def test_what_is_done_to_the_tools_that_were_told_does_not_come_back(env: AgentEnv) -> None:
    told = env._info({}, "")["tools"]
    told[0]["function"]["parameters"].clear()
    told.clear()
    assert env._info({}, "")["tools"] == [dict(tool) for tool in env.task.tools]
