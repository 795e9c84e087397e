"""Random stacks on random tasks: the oracle stays at the maximum."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import palestra
from palestra.envs.actions import ToolCall, compact_json, function_tool
from palestra.envs.augment.layer import same_reply
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.augment.rehearse import Run, draw, rehearse
from palestra.envs.augment.stack import Stack
from palestra.envs.augment.wrapper import Augmented
from palestra.envs.base import TaskError
from palestra.envs.scripts import SCRIPTS, play

STACKS = st.lists(st.sampled_from(list(OPERATORS)), min_size=1, max_size=5)
TOOLS = [
    function_tool("find_user", "Find users by name.", {"name": {"type": "string"}}),
    function_tool(
        "set_state", "Set a state.", {"id": {"type": "string"}, "to": {"type": "string", "enum": ["a", "b_c"]}}
    ),
]
STEPS = [
    (ToolCall("find_user", {"name": "Ann"}), compact_json([{"id": f"u{n}", "name": "Ann"} for n in range(7)])),
    (ToolCall("set_state", {"id": "u3", "to": "b_c"}), compact_json({"ok": True})),
]
RUN = Run.of_calls("Set the state of 'set_state' user u3 to b c.", TOOLS, STEPS)


@settings(max_examples=40)
@given(STACKS, st.integers(0, 10_000))
def test_the_oracle_survives_every_stack(operators: list[str], seed: int) -> None:
    env = Augmented(palestra.make("ToolUseMini-v0"), operators, seed=seed)
    episode = play(env, SCRIPTS["oracle"], seed)
    assert (round(episode.reward, 9), episode.is_success) == (1.0, True)


@settings(max_examples=40)
@given(STACKS, st.integers(0, 10_000))
def test_a_stack_without_an_environment_replays_a_run(operators: list[str], seed: int) -> None:
    specs = draw(operators, RUN, seed, "key")
    assert draw(operators, RUN, seed, "key") == specs
    rehearsal = rehearse(Stack(specs), RUN)
    assert [len(replies) for replies in rehearsal.replies] == [1, 1]
    assert all(same_reply(told, reply) for (told,), (_, reply) in zip(rehearsal.replies, STEPS, strict=True))


def test_specs_are_json_and_name_their_operators() -> None:
    with pytest.raises(TaskError, match="unknown augmentation operator 'nothing'; known: rename"):
        Stack([{"operator": "nothing"}])
    with pytest.raises(TaskError, match="'rename' is malformed: KeyError"):
        Stack([{"operator": "rename"}])
    for choice in ({"operator": "pages", "length": 3}, {"operator": "rename", "style": "odd"}):
        with pytest.raises(TaskError, match="takes no such knobs"):
            draw([choice], RUN, 0, "")
