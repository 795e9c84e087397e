"""BFCL's rules as we wrote them anew, beside the package's own checker."""

from collections import Counter
from typing import Any

import pytest

from palestra.envs.bfcl import package
from palestra.envs.bfcl.agreement.checkers import evaluated, multi_turn, single_turn, source
from palestra.envs.bfcl.agreement.compare import AS_SOURCE, COMPARED, KEPT_QUOTES, judge_all
from palestra.envs.bfcl.agreement.literals import literal
from palestra.envs.bfcl.multiturn import load as multi
from palestra.envs.bfcl.singleturn.compatible import compatible


@pytest.mark.parametrize("every", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_every_difference_from_the_package_has_a_known_reason(every: int) -> None:
    judged = list(judge_all(every))
    assert {one.category for one in judged} == set(COMPARED)
    reasons = Counter(one.reason for one in judged if not one.agrees)
    assert set(reasons) <= {AS_SOURCE, KEPT_QUOTES}
    assert sum(reasons.values()) <= len(judged) / 200
    assert all(one.agrees for one in judged if one.category not in ("simple_java", "simple_javascript"))
    assert sum(bool(one.theirs) for one in judged) > len(judged) / 20  # both answers are common
    if every == 1:
        assert (len(judged), dict(reasons)) == (82_045, {AS_SOURCE: 63, KEPT_QUOTES: 58})


FUNCTION = {
    "name": "f",
    "parameters": {
        "type": "dict",
        "properties": {
            "text": {"type": "string"},
            "number": {"type": "integer"},
            "part": {"type": "float"},
            "many": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["text"],
    },
}
WANTED: list[dict[str, Any]] = [{"f": {"text": ["-5.3"], "number": [5, ""], "part": [2.0, ""], "many": [[1], ""]}}]


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ({"text": "-5.3"}, True),
        ({"text": "53"}, True),
        ({"text": "- 5,3"}, True),
        ({"text": "54"}, False),
        ({}, False),
        ({"text": "-5.3", "number": 5.0}, False),
        ({"text": "-5.3", "number": True}, False),
        ({"text": "-5.3", "part": 2}, True),
        ({"text": "-5.3", "many": []}, True),
        ({"text": "-5.3", "many": [True]}, True),
        ({"text": "-5.3", "other": 1}, False),
    ],
)
def test_the_compatible_rules_keep_what_is_lax_and_what_is_strict(arguments: dict[str, Any], want: bool) -> None:
    assert compatible([("f", arguments)], WANTED, [FUNCTION], "simple_python") is want


def test_the_compatible_rules_pair_calls_as_they_come() -> None:
    wanted = [{"f": {"text": ["a", "b"]}}, {"f": {"text": ["a"]}}]
    one, two = ("f", {"text": "a"}), ("f", {"text": "b"})
    assert not compatible([one, two], wanted, [FUNCTION], "parallel")
    assert compatible([two, one], wanted, [FUNCTION], "parallel")


@pytest.mark.parametrize(
    ("value", "schema", "language", "want"),
    [
        (True, {"type": "boolean"}, "java", "true"),
        (5, {"type": "long"}, "java", "5L"),
        (5.5, {"type": "float"}, "java", "5.5f"),
        (5, {"type": "Bigint"}, "javascript", "5n"),
        ("name", {"type": "any"}, "java", "name"),
        ([1, 2], {"type": "Array", "items": {"type": "integer"}}, "java", "new integer[]{1, 2}"),
        (
            ["a"],
            {"type": "ArrayList", "items": {"type": "String"}},
            "java",
            'new ArrayList<String>(Arrays.asList("a"))',
        ),
        ({"a": 1}, {"type": "HashMap"}, "java", 'new HashMap<String, Object>() {{ put("a", 1); }}'),
        ([1, "a"], {"type": "array"}, "javascript", '[1, "a"]'),
        ({"a": True}, {"type": "dict"}, "javascript", '{"a": true}'),
    ],
)
def test_values_become_literals(value: Any, schema: dict[str, Any], language: Any, want: str) -> None:
    assert literal(value, schema, language) == want


def test_the_holes_of_the_packages_checkers_are_there() -> None:
    """What docs/bfcl.md tells of them is true of the version that we read."""
    entry = package.entries("simple_python")[0]
    right = [("calculate_triangle_area", {"base": 10, "height": 5})]
    assert single_turn(entry, "simple_python", right)
    assert single_turn(entry, "simple_python", right, beside="delete_everything")
    assert evaluated("echo(content=str(6*7))") == '{"terminal_output": "42"}'


def test_the_package_pays_for_calls_that_nobody_asked_for() -> None:
    item = next(item for item in multi.items("train", "base"))
    turns = multi.task(item, 0, "train", {}).hidden["turns"]
    wanted = [[source(call) for call in turn["calls"]] for turn in turns]
    surplus = ["mean(numbers=[1])"] * 50
    assert multi_turn(item.entry, "base", [[turn] for turn in wanted])
    assert multi_turn(item.entry, "base", [[turn, surplus] for turn in wanted])
    assert not multi_turn(item.entry, "base", [[] for _ in wanted])
