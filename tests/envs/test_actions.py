"""Actions: what is understood, what is explained, and that nothing makes the parser raise."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from palestra.envs.actions import (
    MAX_ACTION_CHARS,
    MAX_CALLS,
    MAX_ERROR_CHARS,
    Action,
    ToolCall,
    call_text,
    fits,
    function_tool,
    parse_action,
)
from palestra.envs.base import Json

TOOLS = [
    function_tool("add", "Add.", {"a": {"type": "integer"}, "b": {"type": "number"}}, ["a"]),
    function_tool("answer", "Answer.", {"value": {"type": "string"}}),
    function_tool("free", "Anything.", {"value": {}}),
]
ANSWER = ToolCall("answer", {"value": "x"})


def assistant(arguments: Any, name: Any = "answer", **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [{"function": {"name": name, "arguments": arguments}, **more}]}


@pytest.mark.parametrize(
    "action",
    [
        call_text("answer", {"value": "x"}),
        '{"name":"answer","arguments":{"value":"x"}}',
        '  {"tool":"answer","args":{"value":"x"}}\n',
        '[{"name":"answer","arguments":{"value":"x"}}]',
        '<tool_call>\n{"arguments": {"value": "x"}, "name": "answer"}\n',  # cut off before its end mark
        assistant({"value": "x"}),
        assistant('{"value": "x"}'),
        {"content": None, **assistant({"value": "x"})},
        {"content": call_text("answer", {"value": "x"})},
    ],
)
def test_forms_of_one_call(action: Any) -> None:
    assert parse_action(action, TOOLS) == Action("", (ANSWER,))


def test_words_around_calls_are_kept_as_content() -> None:
    text = f"First. {call_text('answer', {'value': 'x'})} then {call_text('add', {'a': 1})}"
    assert parse_action(text, TOOLS) == Action("First.  then", (ANSWER, ToolCall("add", {"a": 1})))
    assert parse_action("no call at all", TOOLS) == Action("no call at all")
    assert parse_action({"content": "just words", "tool_calls": []}, TOOLS) == Action("just words")


def test_a_message_is_read_back_as_it_was_written() -> None:
    action = parse_action("words " + call_text("add", {"a": 1, "b": 0.5}) * 2, TOOLS)
    message = action.message(7)
    assert [call["id"] for call in message["tool_calls"]] == ["call_7_0", "call_7_1"]
    read = parse_action(message, TOOLS)
    assert (read.content, [(c.name, c.arguments) for c in read.calls]) == ("words", [("add", {"a": 1, "b": 0.5})] * 2)
    assert read.message(9) == message  # ids that came with the message stay


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("{", "not valid JSON"),
        ("[" * 50_000, "not valid JSON"),
        ('{"name":"free","arguments":{"value":NaN}}', "NaN is not a JSON number"),
        ('{"name":"free","arguments":{"value":-Infinity}}', "-Infinity is not a JSON number"),
        ('{"name":"free","arguments":{"value":1e999}}', "1e999 is not a JSON number"),
        ('{"name":"free","arguments":{"value":' + "9" * 5000 + "}}", "not valid JSON"),
        ('{"name":"free","arguments":{"value":1,"value":2}}', "a key occurs twice"),
        ('{"name":"free","name":"free","arguments":{"value":1}}', "a key occurs twice"),
        ('{"name":"none","arguments":{}}', "no tool named 'none'; tools: add, answer, free"),
        ('{"arguments":{}}', "no tool named 'None'"),
        ('{"name":["add"],"arguments":{}}', "no tool named"),
        ('{"name":"add"}', "the arguments of add must be a JSON object"),
        ('{"name":"add","arguments":"{}"}', "the arguments of add must be a JSON object"),
        ('{"name":"add","arguments":{}}', "bad arguments for add: 'a' is a required property"),
        ('{"name":"add","arguments":{"a":"1"}}', "bad arguments for add.a: '1' is not of type 'integer'"),
        ('{"name":"add","arguments":{"a":true}}', "bad arguments for add.a: True is not of type 'integer'"),
        ('{"name":"add","arguments":{"a":1,"c":2}}', "bad arguments for add"),
        ('{"name":"add","arguments":{"a":1},"reward":1}', "unknown key 'reward'"),
        ("[1]", "not int"),
        (call_text("add", {"a": 1}) * (MAX_CALLS + 1), "17 calls in one turn"),
        ("x" * (MAX_ACTION_CHARS + 1), f"has {MAX_ACTION_CHARS + 1} characters"),
        ({"content": "x" * (MAX_ACTION_CHARS + 1), **assistant({"value": "x"})}, "characters"),
        (assistant("x" * (MAX_ACTION_CHARS + 1)), "characters"),
        (assistant("{"), "not valid JSON"),
        (assistant(None), "must be a JSON object"),
        (assistant({"value": float("nan")}), "not valid JSON"),
        (assistant({"value": object()}), "not valid JSON"),
        (assistant({"value": b"x"}), "not valid JSON"),
        (assistant({1: 2, "1": 3}), "a key occurs twice"),
        (assistant({"value": 10**5000}, "free"), "not valid JSON"),
        (assistant({}, name=object()), "no tool named"),
        ({"role": "tool", "content": "x"}, "role is 'assistant'"),
        ({"content": 3}, "content must be text, not int"),
        ({"content": ["x"]}, "content must be text, not list"),
        ({"tool_calls": "x"}, "tool_calls must be a list, not str"),
        ({"tool_calls": [3]}, "must be an object with a 'function'"),
        (None, "not NoneType"),
        (3.5, "not float"),
    ],
)
def test_what_cannot_be_read_is_explained(action: Any, told: str) -> None:
    parsed = parse_action(action, TOOLS)
    assert told in parsed.error
    assert len(parsed.error) <= MAX_ERROR_CHARS
    assert parsed.calls == ()
    assert len(parsed.content) <= MAX_ACTION_CHARS


def test_arguments_that_contain_themselves_are_refused() -> None:
    loop: dict[str, Any] = {}
    loop["value"] = loop
    assert "not valid JSON" in parse_action(assistant(loop, "free"), TOOLS).error
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert "not valid JSON" in parse_action(assistant({"value": deep}, "free"), TOOLS).error


def test_later_changes_to_a_message_do_not_reach_the_call() -> None:
    arguments = {"value": ["x"]}
    parsed = parse_action(assistant(arguments, "free"), TOOLS)
    arguments["value"].append("y")
    assert parsed.calls[0].arguments == {"value": ["x"]}


def test_without_tools_every_call_is_unknown() -> None:
    assert "no tool named 'add'" in parse_action(call_text("add", {}), ()).error


names = st.sampled_from(
    ["name", "arguments", "tool", "args", "id", "function", "tool_calls", "content", "role", "value"]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=8)
    | st.sampled_from(["add", "answer", "free", "assistant", "{}", "[]", '{"value":"x"}', "1e999", "\ud800"])
)
objects = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5), max_leaves=20
)
pieces = st.sampled_from(
    ["<tool_call>", "</tool_call>", *"{}[]:, \\", '"name"', '"add"', '"arguments"', "NaN", "1e400"]
)


def well_formed(parsed: Action) -> None:
    """Check what every parsed action promises, whatever it was made of."""
    assert isinstance(parsed.content, str)
    assert not (parsed.error and parsed.calls)
    assert len(parsed.error) <= MAX_ERROR_CHARS
    assert len(parsed.calls) <= MAX_CALLS
    message = parsed.message(1)
    for call in message.get("tool_calls", []):
        assert isinstance(json.loads(call["function"]["arguments"], parse_constant=pytest.fail), dict)
    if parsed.calls:
        again = parse_action(message, TOOLS).calls
        assert [(c.name, c.arguments) for c in again] == [(c.name, c.arguments) for c in parsed.calls]


@given(st.text(st.characters(exclude_categories=[])) | st.lists(pieces, max_size=30).map("".join))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    well_formed(parse_action(text, TOOLS))


@given(objects | objects.map(lambda value: {"tool_calls": value}) | objects.map(lambda value: {"tool_calls": [value]}))
def test_no_object_makes_the_parser_raise(value: Any) -> None:
    well_formed(parse_action(value, TOOLS))


@given(objects)
def test_no_json_makes_the_parser_raise(value: Any) -> None:
    well_formed(parse_action(json.dumps(value), TOOLS))
    well_formed(parse_action(assistant(value, "free"), TOOLS))


@given(st.dictionaries(st.text(max_size=5), objects, max_size=3))
def test_arguments_come_through_as_they_are(arguments: dict[str, Any]) -> None:
    tool = function_tool("any", "Any.", {}, [])
    tool["function"]["parameters"]["additionalProperties"] = True
    parsed = parse_action(call_text("any", arguments), [tool])
    if "nan" in repr(arguments) or "inf" in repr(arguments):
        assert parsed.error or parsed.calls  # as a number it is refused, as a text it is a text
    elif "tool_call>" not in json.dumps(arguments):
        assert parsed.calls == (ToolCall("any", arguments),)


values: st.SearchStrategy[Json] = st.sampled_from(
    ["", "a", "abc", "ab cd", 0, 1, 2.5, -3, 5, 5.0, True, False, None, 10**30, ["a"], {}]
)
properties: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "integer", "number", "boolean", "null"])},
    optional={
        "enum": st.lists(st.sampled_from(["a", "abc", "x", 1, 5, True, None]), min_size=1, max_size=3),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "minimum": st.sampled_from([0, 1, 2.5]),
        "maximum": st.sampled_from([0, 3, 2.5]),
        "format": st.just("date"),
    },
)


@given(values, properties)
def test_the_quick_look_lets_nothing_pass_that_the_validator_refuses(value: Json, part: dict[str, Json]) -> None:
    schema = {"type": "object", "properties": {"x": part}, "required": ["x"], "additionalProperties": False}
    assert fits({"x": value}, schema) is Draft202012Validator(schema).is_valid({"x": value})
