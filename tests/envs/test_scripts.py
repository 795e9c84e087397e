"""Scripts act through the public step API; random calls must be valid, varied and reproducible."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from palestra.envs.actions import parse_action
from palestra.envs.registry import EnvEntry, make, register
from palestra.envs.scripts import SCRIPTS, Shown, draw_arguments, play, replay

SHOWN = Shown.of(
    [
        {"role": "system", "content": "never drawn: sekret"},
        {"role": "user", "content": 'Order 17 of "Blue Mug" for ann@example.org costs 4.50.'},
        {"role": "assistant", "content": "my own words: parrot"},
        {"role": "tool", "content": '{"customer_id":"C-204"}'},
    ]
)


@pytest.fixture
def env_id(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    register(EnvEntry(id="toy/Count-v0", entry_point="toygym.env:CountEnv", family="count", summary="a counter"))
    return "toy/Count-v0"


def test_values_come_from_what_was_shown_to_the_agent() -> None:
    assert {"Blue Mug", "ann@example.org", "C-204", "Order"} <= set(SHOWN.texts)
    assert not {"sekret", "parrot"} & set(SHOWN.texts)
    assert 17 in SHOWN.integers
    assert 4.5 in SHOWN.numbers


def schemas() -> st.SearchStrategy[dict[str, Any]]:
    bounds = st.tuples(st.integers(-1000, 1000), st.integers(1, 1000))
    leaves: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.just({"type": "string"}),
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        st.just({"type": ["string", "null"]}),
        st.just({"const": 4}),
        st.just({"type": "string", "default": "x"}),
        st.just({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        st.just({}),
        st.lists(st.sampled_from(["a", "b", 3, None]), min_size=1, max_size=3).map(lambda some: {"enum": some}),
        bounds.map(lambda b: {"type": "integer", "minimum": b[0], "maximum": b[0] + b[1]}),
        bounds.map(lambda b: {"type": "number", "minimum": b[0], "exclusiveMaximum": b[0] + b[1]}),
        st.integers(-(10**18), 10**18).map(lambda b: {"type": "integer", "maximum": b}),
        st.integers(-(10**18), 10**18).map(lambda b: {"type": "number", "minimum": b, "maximum": b + 1}),
        st.just({"type": "number", "minimum": 0.0001, "maximum": 0.0002}),
        st.just({"type": "number", "minimum": -1e308, "maximum": 1e308}),
    )

    def grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        arrays = st.tuples(inner, st.integers(0, 2)).map(
            lambda pair: {"type": "array", "items": pair[0], "minItems": pair[1], "maxItems": pair[1] + 1}
        )
        objects = st.dictionaries(st.sampled_from("pqr"), inner, max_size=3).map(_object)
        return arrays | objects

    return st.recursive(leaves, grown, max_leaves=6)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    required = sorted(properties)[:1]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


@example(schema=_object({"x": {"type": "integer", "maximum": -(2**53) - 1}}), seed=0)
@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from("xyz"), schemas(), max_size=3).map(_object), st.integers(0, 2**32))
def test_random_arguments_fit_their_schema(schema: dict[str, Any], seed: int) -> None:
    arguments = draw_arguments(schema, SHOWN, np.random.default_rng(seed))
    jsonschema.validate(arguments, schema)


def test_constraints_that_types_do_not_show_are_met_by_drawing_again() -> None:
    schema = _object({"email": {"type": "string", "pattern": "@"}})
    drawn = [draw_arguments(schema, SHOWN, np.random.default_rng(seed))["email"] for seed in range(20)]
    assert drawn.count("ann@example.org") > 10


def test_random_actions_parse_without_error_and_differ_by_seed(env_id: str) -> None:
    env = make(env_id)
    episodes = [play(env, SCRIPTS["random"], seed) for seed in range(4)]
    for episode in episodes:
        assert not any(parse_action(action, env.task.tools).error for action in episode.actions)
    assert len({episode.actions for episode in episodes}) == 4
    assert play(make(env_id), SCRIPTS["random"], 2) == episodes[2]


def test_the_oracle_solves_and_nop_never_calls_a_tool(env_id: str) -> None:
    env = make(env_id, render_mode="ansi")
    solved, idle = play(env, SCRIPTS["oracle"], 3), play(env, SCRIPTS["nop"], 3)
    assert (solved.reward, solved.is_success) == (1.0, True)
    assert (idle.reward, idle.is_success, len(idle.actions)) == (0.0, False, env.task.budget.turns)
    assert "tool_call" not in idle.transcript


def test_replaying_an_episode_gives_its_stream(env_id: str) -> None:
    env = make(env_id)
    episode = play(env, SCRIPTS["oracle"], 5)
    env.reset(seed=5)
    assert tuple(replay(env, episode.actions)) == episode.stream[1:]


def test_a_script_that_runs_out_of_moves_plays_to_the_end(env_id: str) -> None:
    env = make(env_id)
    episode = play(env, lambda env, rng: iter(["hello"]), 0)
    assert len(episode.actions) == env.task.budget.turns
    assert episode.reward == 0.0


def test_an_episode_that_is_not_watched_is_the_same_but_for_its_stream(env_id: str) -> None:
    watched, unwatched = (
        play(make(env_id), SCRIPTS["oracle"], 3, is_watched=is_watched) for is_watched in (True, False)
    )
    assert len(watched.stream) == len(watched.actions) + 1
    assert unwatched == replace(watched, stream=())
