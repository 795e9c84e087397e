"""Every format gives back exactly what it was given, whatever the texts look like."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.actions import ToolCall, compact_json
from palestra.envs.augment.encodings import ENCODINGS, decode, encode
from palestra.envs.augment.formats import Formats
from palestra.envs.base import Json
from palestra.envs.reading import NOT_JSON

HOSTILE = (
    "a: b", "- x", "null", "5", "1e5", "-0", "true", "No", "\n", " a", "a ", "a|b", "\\", "\\n", "\\|", "&amp;", "]]>",
    "a=b", "[0].id=1", "\r\n", "\u2028", "\x85", "\x00", "\ufeff", "\ud800", "😀", '"', "'", "#", "~", "<a>", "x.y",
    "Content-Type: text/csv\n\na", "{}", "[]", '{"a":1}', "=1+1", "a,b", "---", "| a |", "`", "2024-01-01",
)  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=()), max_size=6)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
DEEP: Json = json.loads("[" * 60 + "1" + "]" * 60)
WORDS = st.sampled_from(["id", "name", "xml", "item", "x"])
ROWS = st.lists(st.fixed_dictionaries({"id": LEAVES, "name": LEAVES, "more": VALUES}), max_size=4)
NAMED = st.dictionaries(WORDS, VALUES | ROWS, max_size=4)


@pytest.mark.parametrize("name", list(ENCODINGS))
@settings(max_examples=80)
@given(VALUES | ROWS | NAMED)
def test_what_is_told_is_read_back(name: str, value: Json) -> None:
    assert compact_json(decode(encode(name, value))) == compact_json(value)


@pytest.mark.parametrize(
    ("name", "value", "body"),
    [
        ("json", {"a": [1]}, '{\n  "a": [\n    1\n  ]\n}'),
        ("csv", [{"id": "u1", "n": 5}, {"id": "7", "n": None}], 'id,n\nu1,5\n"""7""",null\n'),
        ("csv", {"rows": [{"a": "x|y"}]}, "a\nx|y\n"),
        ("markdown", [{"a": "x|y\nz"}], "| a |\n| --- |\n| x\\|y\\nz |"),
        ("lines", {"a": {"b": [1, []]}, "c": " d"}, 'a.b[0]=1\na.b[1]=[]\nc=" d"'),
        ("yaml", {"a": [{"b": "no", "c": "on time"}, []]}, 'a:\n  -\n    b: "no"\n    c: on time\n  - []'),
        ("xml", {"a": [1, None, "<b>"]}, None),
    ],
)
def test_formats_look_as_they_should(name: str, value: Json, body: str | None) -> None:
    text = encode(name, value)
    assert text.startswith(f"Content-Type: {ENCODINGS[name].media}")
    shown = text.split("\n\n", 1)[1]
    assert shown == (body or '<reply type="object"><a type="array"><item type="number">1</item>'
                     '<item type="null"></item><item>&lt;b&gt;</item></a></reply>')  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("csv", [1, 2]),
        ("csv", []),
        ("csv", "text"),
        ("markdown", [[]]),
        ("lines", 5),
        ("lines", {"a b": 1}),
        ("xml", {"a b": 1}),
        ("xml", {"a": "\x00"}),
        ("yaml", DEEP),
    ],
)
def test_what_a_format_does_not_carry_stays_json(name: str, value: Json) -> None:
    assert encode(name, value) == compact_json(value)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "{",
        "[NaN]",
        '{"a":1,"a":2}',
        "1" * 5000,
        "[" * 100_000,
        "Content-Type: text/csv\n\n",
        "Content-Type: application/xml\n\n<a",
        "Content-Type: image/png\n\n1",
    ],
)
def test_other_texts_are_no_values(text: str) -> None:
    assert decode(text) is NOT_JSON


def test_a_text_that_only_looks_like_a_format_passes() -> None:
    layer = Formats({"formats": {"t": "yaml"}})
    call = ToolCall("t", {})
    for text in ("plain words", "Content-Type: application/yaml\n\n   odd: 1", "Content-Type: text/csv\n\na"):
        solving = layer.solve(call)
        assert next(solving) == call
        with pytest.raises(StopIteration) as end:
            solving.send(layer.reply(call, text))
        assert end.value.value == text


def test_an_unknown_format_is_told() -> None:
    with pytest.raises(ValueError, match="unknown format 'toml'; known: json, csv"):
        Formats({"formats": {"t": "toml"}})
