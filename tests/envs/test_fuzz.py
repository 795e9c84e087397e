"""Odd texts: what the check's own fuzzing is made of, and the families' verifiers under hypothesis."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.envs.fuzz_atheris import one_action, solved

import palestra
from palestra.envs.actions import MAX_ACTION_CHARS, call_text, parse_action
from palestra.envs.base import EpisodeOver, Json
from palestra.envs.certify.fuzz import is_same, odd_actions
from palestra.envs.certify.oracle import Recording
from palestra.envs.code.judge.checkers import lines
from palestra.envs.toolmini.env import ToolUseMiniEnv
from palestra.envs.toolmini.generate import ToolUseMiniSource
from palestra.envs.toolmini.verify import is_answer, verify

TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
TASK = ToolUseMiniSource().sample(4)


@pytest.fixture(scope="module")
def recording() -> Recording:
    env = palestra.make("palestra/ToolUseMini-v0")
    return Recording.of(env, env.tasks.sample(3), 3)


def test_odd_actions_are_many_and_none_is_the_oracles(recording: Recording) -> None:
    last = len(recording.episode.actions) - 1
    odd = list(odd_actions(recording, last, np.random.default_rng(0)))
    tools, own = recording.task.tools, recording.episode.actions[last]
    assert len(odd) > 80
    assert not [action for action in odd if is_same(parse_action(own, tools), parse_action(action, tools))]
    parsed = [parse_action(action, tools) for action in odd]
    assert sum(bool(action.calls) for action in parsed) > 20, "some must come through to the verifier"
    assert max(len(action) for action in odd if isinstance(action, str)) > MAX_ACTION_CHARS


def test_odd_actions_are_drawn_from_the_seed_alone(recording: Recording) -> None:
    one, two = (repr(list(odd_actions(recording, 0, np.random.default_rng(5)))) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"value": "Oslo"}, {"value": " oslo."}, True),
        ({"value": 35}, {"value": 35.0}, True),
        ({"value": "Oslo"}, {"value": "Osl"}, False),
        ({"value": 35}, {"value": 35.00001}, False),
        ({"value": 35}, {"value": "35"}, False),
        ({"value": "x" * 100}, {"value": "y" * 100}, True),
    ],
)
def test_what_reads_as_the_same_is_left_out(one: Json, other: Json, same: bool) -> None:
    tool = {"function": {"name": "answer", "parameters": {"type": "object"}}}
    actions = [parse_action(call_text("answer", arguments), [tool]) for arguments in (one, other)]
    assert is_same(*actions) is same


@given(VALUES)
def test_no_odd_value_is_the_answer(value: Json) -> None:
    wanted = TASK.hidden["answer"]
    assume(not (isinstance(value, str) and value.strip().casefold() == str(wanted).casefold()) and value != wanted)
    assert not is_answer(value, wanted)
    assert not verify(TASK.hidden, TASK.hidden["db"], value).passed


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_odd_output_is_another(printed: bytes, wanted: bytes) -> None:
    assert lines(printed, wanted) <= (printed.split() == wanted.split())


@pytest.mark.parametrize("late", [True, False])
def test_the_program_for_atheris_plays_one_action(late: bool) -> None:
    _, solutions = solved()
    assert one_action(3, late, '<tool_call>{"name": "answer", "arguments": {"value": "\\ud800"}}</tool_call>') == 0
    assert one_action(3, late, solutions[3][-1]) == 0, "the oracle's own is not played"


@settings(max_examples=60)
@given(st.lists(TEXTS | st.dictionaries(st.sampled_from(["role", "content", "tool_calls"]), VALUES), max_size=5))
def test_no_odd_action_raises_or_pays(actions: list[Any]) -> None:
    env = ToolUseMiniEnv()
    env.reset(seed=3)
    total = 0.0
    for action in actions:
        try:
            _, reward, terminated, truncated, _ = env.step(action)
        except EpisodeOver:
            break
        total += reward
        if terminated or truncated:
            break
    else:
        total += env.cut("deadline")[0]
    assert total == pytest.approx(0.0)
