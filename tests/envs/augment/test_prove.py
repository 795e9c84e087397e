"""What breaks the oracle, or means something that it must not, is rejected; what keeps it is not."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

import palestra
from palestra.envs.actions import ToolCall, compact_json, function_tool
from palestra.envs.augment.faults import FAULTS
from palestra.envs.augment.layer import Layer, Solving, Tool
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.augment.pages import Pages
from palestra.envs.augment.prove import certify, prove
from palestra.envs.augment.rename import Rename
from palestra.envs.augment.wrapper import Augmented
from palestra.envs.base import Json, Task
from palestra.envs.env import AgentEnv
from palestra.envs.reading import NOT_JSON, read_json

SEED = 3  # "Please cancel the order of a round book by Frank Lopez.": find_user, list_orders, cancel_order, answer
ASKED = 10


@pytest.fixture
def env() -> AgentEnv:
    return palestra.make("ToolUseMini-v0")


@pytest.fixture
def task(env: AgentEnv) -> Task:
    return env.tasks.sample(SEED)


def failed(env: AgentEnv, task: Task, *specs: Json, **layers: type[Layer]) -> dict[str, str]:
    """Return what is wrong, by the question that found it."""
    results = prove(env, task, specs, {**OPERATORS, **layers})
    return {result.name: result.detail for result in results if not result.ok}


@pytest.mark.parametrize("operator", list(OPERATORS))
def test_every_operator_is_proved(env: AgentEnv, operator: str) -> None:
    augmented = Augmented(env, [operator], seed=5)
    task = augmented.tasks.sample(SEED)
    results = prove(env, Task.from_dict(task.hidden["base"]), task.hidden["specs"])
    assert [result.name for result in results if result.status == "passed"] == [result.name for result in results]
    assert len(results) == ASKED


def test_the_empty_stack_is_proved(env: AgentEnv, task: Task) -> None:
    assert failed(env, task) == {}


def test_two_tools_of_one_name_are_rejected(env: AgentEnv, task: Task) -> None:
    spec = {"operator": "rename", "tools": {"find_user": "f", "get_order": "f"}, "arguments": {}, "values": {}}
    found = failed(env, task, spec)
    assert found["tools"] == "2 tools are named 'f'"
    assert "not renamed one to one" in found["layers"]


def test_two_arguments_of_one_name_are_rejected(env: AgentEnv, task: Task) -> None:
    name = next(tool["function"]["name"] for tool in task.tools if len(tool["function"]["parameters"]["required"]) > 1)
    keys = next(tool for tool in task.tools if tool["function"]["name"] == name)["function"]["parameters"]["required"]
    same = {name: dict.fromkeys(keys, "x")}
    found = failed(env, task, {"operator": "rename", "tools": {}, "arguments": same, "values": {}})
    assert f"the arguments of {name} are not renamed one to one" in found["layers"]


class Lossy(Layer):
    """CSV without types and without what is nested."""

    name: ClassVar[str] = "lossy"

    def reply(self, call: ToolCall, text: str) -> str:
        value = read_json(text)
        if not isinstance(value, list):
            return text
        out = io.StringIO()
        csv.writer(out).writerows([list(value[0]), *[list(row.values()) for row in value]])
        return out.getvalue()

    def solve(self, call: ToolCall) -> Solving:
        reply = yield call
        if read_json(reply) is not NOT_JSON:
            return reply
        head, *rows = list(csv.reader(io.StringIO(reply)))
        return compact_json([dict(zip(head, row, strict=True)) for row in rows])


def test_a_lossy_format_is_rejected(env: AgentEnv, task: Task) -> None:
    found = failed(env, task, {"operator": "lossy"}, lossy=Lossy)
    assert found["rehearsal"] == "the reply of list_orders is not what is understood of it"
    assert set(found) == {"rehearsal", "replies"}


class NoCursor(Pages):
    """Pages whose rest nobody can get."""

    def reply(self, call: ToolCall, text: str) -> str:
        value = read_json(super().reply(call, text))
        if isinstance(value, dict):
            value.pop(self._cursor, None)
        return compact_json(value)


def test_a_page_without_a_cursor_is_rejected(env: AgentEnv, task: Task) -> None:
    spec = {"tool": "next_page", "cursor": "cursor", "list": "page", "prefix": "zq", "size": 1, "chars": 100}
    assert failed(env, task, {"operator": "pages", **spec}) == {}
    found = failed(env, task, {"operator": "bad", **spec}, bad=NoCursor)
    assert found["rehearsal"] == "the reply of list_orders is not what is understood of it"


class Endless(Layer):
    """A fault that does not go away."""

    name: ClassVar[str] = "endless"

    def call(self, call: ToolCall) -> ToolCall | str:
        return compact_json(FAULTS["timeout"]) if call.name == "list_orders" else call

    def solve(self, call: ToolCall) -> Solving:
        reply = yield call
        while reply == compact_json(FAULTS["timeout"]):
            reply = yield call
        return reply


def test_a_fault_that_never_ends_is_rejected(env: AgentEnv, task: Task) -> None:
    found = failed(env, task, {"operator": "endless"}, endless=Endless)
    assert "turn 2 of the oracle does not end" in found["rehearsal"]
    assert "no tool reaches" in found["reach"] or "does not end" in found["reach"]
    assert "replay" in found


@pytest.mark.parametrize(
    ("key", "kind", "value", "wrong"),
    [
        ("price", "id", "zqkx", "the key 'price' is one that the oracle sees"),
        ("ref", "id", "Frank", "the value 'Frank' is one that the oracle sees"),
        ("ref", "text", "o799", "the value 'o799' is one that the oracle sees"),
        ("at", "time", 60, "a time from 60 on is a number that the oracle sees"),
    ],
)
def test_noise_that_the_oracle_sees_is_rejected(
    env: AgentEnv, task: Task, key: str, kind: str, value: Json, wrong: str
) -> None:
    spec = {"fields": [{"key": key, "kind": kind, "value": value}], "inner": "", "order": 0}
    assert wrong in failed(env, task, {"operator": "noise", **spec})["layers"]


def test_inner_noise_that_the_oracle_sees_is_rejected(env: AgentEnv, task: Task) -> None:
    found = failed(env, task, {"operator": "noise", "fields": [], "inner": "item", "order": 0})
    assert "the key 'item' is one that the oracle sees" in found["layers"]
    assert "rehearsal" in found


class Alias(Layer):
    """A tool that looks like another trade's and is an oracle's."""

    name: ClassVar[str] = "alias"

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        return [*tools, function_tool("weather", "Get the weather.", {"user_id": {"type": "string"}})]

    def call(self, call: ToolCall) -> ToolCall:
        return replace(call, name="list_orders") if call.name == "weather" else call


def test_an_alias_of_an_oracles_tool_is_rejected(env: AgentEnv, task: Task) -> None:
    found = failed(env, task, {"operator": "alias"}, alias=Alias)
    assert found["reach"] == "both list_orders and weather reach list_orders"


class Shorter(Layer):
    """An instruction without its last words."""

    name: ClassVar[str] = "shorter"

    def instruction(self, text: str) -> str:
        return text.rsplit(" by ", 1)[0]


def test_an_instruction_that_lost_something_is_rejected(env: AgentEnv, task: Task) -> None:
    assert failed(env, task, {"operator": "shorter"}, shorter=Shorter) == {
        "instruction": "shorter loses a part of the instruction"
    }


class Twice(Layer):
    """Every call is made twice above, so its effect comes twice below."""

    name: ClassVar[str] = "twice"

    def solve(self, call: ToolCall) -> Solving:
        yield call
        return (yield call)


class Changed(Layer):
    """Arguments arrive otherwise than they were meant."""

    name: ClassVar[str] = "changed"

    def call(self, call: ToolCall) -> ToolCall:
        return replace(call, arguments={key: f"{value} " for key, value in call.arguments.items()})


class Forgetful(Layer):
    """A tool is not there any more."""

    name: ClassVar[str] = "forgetful"

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        return list(tools)[1:]


class Unsteady(Layer):
    """Replies depend on what came before in other episodes."""

    name: ClassVar[str] = "unsteady"
    count: ClassVar[int] = 0

    def reply(self, call: ToolCall, text: str) -> str:
        Unsteady.count += 1
        return f"{text}\n{Unsteady.count}"

    def solve(self, call: ToolCall) -> Solving:
        return (yield call).rsplit("\n", 1)[0]


@pytest.mark.parametrize(
    ("layer", "question", "wrong"),
    [
        (Twice, "rehearsal", "made below more than once"),
        (Changed, "rehearsal", "or changed"),
        (Forgetful, "reach", "no tool reaches find_user"),
        (Unsteady, "replay", "sees something else"),
    ],
)
def test_layers_that_do_not_keep_to_their_calls_are_rejected(
    env: AgentEnv, task: Task, layer: type[Layer], question: str, wrong: str
) -> None:
    assert wrong in failed(env, task, {"operator": "bad"}, bad=layer)[question]


def test_faults_must_hit_and_must_not_look_like_replies(env: AgentEnv, task: Task) -> None:
    late = {"operator": "faults", "schedule": [{"at": 99, "kind": "timeout", "times": 1}]}
    found = failed(env, task, late)
    assert "does not hit the oracle" in found["layers"]
    assert "without calling again" in found["retries"]


def test_without_calling_again_a_fault_costs_the_episode(env: AgentEnv, task: Task) -> None:
    hit: dict[str, Any] = {"operator": "faults", "schedule": [{"at": 2, "kind": "timeout", "times": 1}]}
    results = {result.name: result for result in prove(env, task, [hit])}
    assert results["retries"].ok
    assert results["retries"].evidence["reward"] == 0.0


def test_a_spec_that_is_none_is_told(env: AgentEnv, task: Task) -> None:
    found = failed(env, task, {"operator": "pages"})
    assert list(found) == ["specs"]
    assert "malformed" in found["specs"]


def test_a_quoted_name_is_renamed_and_given_back(env: AgentEnv, task: Task) -> None:
    layer = Rename({"tools": {"find_user": "seek"}, "arguments": {}, "values": {}})
    text = "Use `find_user`, not find_user_by_mail."
    assert layer.instruction(text) == "Use `seek`, not find_user_by_mail."
    assert layer.keeps(text, layer.instruction(text))
    assert not layer.keeps(text, "Use `seek`.")


def test_an_augmented_task_is_certified(env: AgentEnv) -> None:
    augmented = Augmented(env, ["rename", "distract", "noise", "pages", "faults", "formats"], seed=1)
    entry = palestra.find("ToolUseMini-v0")
    certificate = certify(entry, augmented, augmented.tasks.sample(SEED), level="full")
    assert [result for result in certificate.results if not result.ok] == []
    assert {"oracle", "necessary", "nop", "spam", "mutants"} <= {result.name for result in certificate.results}
