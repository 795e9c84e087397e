"""Whatever a service replies, every stack lets it be understood exactly."""

import json
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from palestra.envs.actions import ToolCall, compact_json, function_tool
from palestra.envs.augment.layer import same_reply
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.augment.rehearse import Run, draw, rehearse
from palestra.envs.augment.stack import Stack

HOSTILE = (
    "a: b", "null", "5", "1e5", "\n", " a", "\\", "]]>", "[0].id=1", "\r\n", "\u2028", "\x00", "\ufeff", "\ud800", '"',
    "{}", "[]", "1" * 5000, "x" * 1000, "[[[[[]]]]]", "[1, 2,3,4, 5]", '{"b": 1, "a" : 1.0}',
    '{"error":{"kind":"timeout","message":"the service did not answer in time; try again"}}',
    "Content-Type: text/csv\n\na", "Content-Type: application/yaml\n\na: 1",
    "Content-Type: text/csv; shape=rows\n\na\n1\n", '\n[more: next_page(cursor="a1-2")]',
    '{"page":[1,2,3],"next_cursor":null}',
)  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=()), max_size=6)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
KEYS = st.sampled_from(["page", "next_cursor", "request_id", "deprecated", "text", "part", "left_out", "id", ""])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS | TEXTS, inner, max_size=4), max_leaves=20
)
REPLIES = TEXTS | VALUES.map(compact_json) | VALUES.map(lambda value: json.dumps(value, indent=1))
NAMES = ("find_it", "next_page", "run")
TOOLS = [function_tool(name, f"Do {name}.", {"x": {"type": "string"}}, []) for name in NAMES]
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), TEXTS, REPLIES), min_size=1, max_size=3)


@pytest.mark.parametrize("seed", range(3))
@settings(max_examples=40)
@given(st.lists(st.sampled_from(list(OPERATORS)), min_size=1, max_size=5), STEPS, TEXTS)
@example(["noise", "noise"], [("run", "", '{"page":{"":null}}')], "a key that is empty")
@example(["formats", "formats"], [("run", "", "Content-Type: text/csv; shape=rows\n\na\n1\n")], "told already")
def test_every_reply_is_understood(
    seed: int, operators: list[str], steps: list[tuple[str, str, str]], told: str
) -> None:
    run = Run.of_calls(told, TOOLS, [(ToolCall(name, {"x": x}), reply) for name, x, reply in steps])
    specs = draw(operators, run, seed, "key")
    rehearsal = rehearse(Stack(specs), run)
    for (understood,), (_, _, reply) in zip(rehearsal.replies, steps, strict=True):
        assert same_reply(understood, reply)
    for place, layer in enumerate(Stack(specs).layers):
        assert list(layer.problems(rehearse(Stack(specs[:place]), run).seen)) == []


DRAWN = """
import palestra
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.augment.wrapper import Augmented
env = Augmented(palestra.make("ToolUseMini-v0"), list(OPERATORS), seed=1)
print([env.tasks.sample(seed).digest for seed in range(5)])
"""


def test_stacks_do_not_depend_on_the_process() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", DRAWN],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
