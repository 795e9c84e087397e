"""What counts as right: typed answers, exact worlds, endings that name what they must, and nothing beside the goal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.actions import ToolCall
from palestra.envs.base import Json
from palestra.envs.tooluse.case import Goal
from palestra.envs.tooluse.closing import End
from palestra.envs.tooluse.verify import Final, Target, changes_of, same, verify

CELL = ["orders", "ord_1", "status", "cancelled"]
WANTED = changes_of([CELL])
SURE = Target(
    goal=Goal(answer=12.5),
    named={},
    start=frozenset(),
    changes=WANTED,
    cells=frozenset({("orders", "ord_1", "status")}),
)
RIGHT = Final(end=End("solve", 12.5), changes=WANTED, touched=())


@pytest.mark.parametrize(
    ("wanted", "given_", "is_same"),
    [
        (12.5, 12.5, True),
        (12.5, 12.500000001, True),
        (12.5, 12.504, False),
        (0.3, 0.1 + 0.2, True),
        (12.5, 12.51, False),
        (12.5, "12.5", False),
        (12.5, True, False),
        (12.5, 10**400, False),
        (1, 1, True),
        (1, 1.0, True),
        (1, 1.001, False),
        (1, True, False),
        (True, 1, False),
        (True, True, True),
        (None, None, True),
        (None, "", False),
        (53, -5.3, False),
        ("Ana Baker", " ana  BAKER ", True),
        ("Ana Baker", "Ana Baker or Ben Clark", False),
        ("Ana Baker", "AnaBaker", False),
        ("-5.3", "53", False),
        ("Málaga", "Ma\u0301laga", True),
        ("2025-03-02", "2 March 2025", False),
        (["a", 2], ["A", 2.0], True),
        (["a", 2], [2, "a"], False),
        (["a"], ["a", "b"], False),
        (["a"], "a", False),
        ("a", ["a"], False),
    ],
)
def test_answers_are_compared_by_type(wanted: Json, given_: Json, is_same: bool) -> None:
    assert same(wanted, given_) is is_same


def test_all_has_to_be_right() -> None:
    assert verify(SURE, RIGHT).score == 1.0
    spoilt = {
        "ending": replace(RIGHT, end=End("refuse", 12.5)),
        "answer": replace(RIGHT, end=End("solve", 12.6)),
        "state": replace(RIGHT, changes=frozenset()),
        "writes": replace(RIGHT, touched={("orders", "ord_2", "status")}),
    }
    for name, final in spoilt.items():
        verdict = verify(SURE, final)
        assert (verdict.score, verdict.passed) == (0.0, False)
        assert [check.name for check in verdict.checks if not check.passed] == [name]
        assert all(check.evidence for check in verdict.checks if not check.passed)
    assert not verify(SURE, replace(RIGHT, forbidden=1)).passed
    assert not verify(SURE, replace(RIGHT, end=None)).passed


def test_one_cell_too_many_or_of_another_type_is_another_world() -> None:
    order, status = CELL[:2], CELL[:3]
    diffs: list[list[list[Json]]] = [[CELL, [*order, "fee", 1]], [[*status, None]], [[*status, "Cancelled"]]]
    for diff in diffs:
        assert not verify(SURE, replace(RIGHT, changes=changes_of(diff))).passed
    numbers = [changes_of([["a", "b", "c", value]]) for value in (5, 5.0, 5.00000001, "5", True, None, 5.001)]
    assert numbers[0] == numbers[1] == numbers[2]
    assert len(set(numbers)) == 5


@pytest.mark.parametrize(
    ("named", "is_right"),
    [
        ({"code": "not_found", "tool": "get_order", "parameter": "order_id"}, True),
        ({"code": "not_found", "tool": "GET_ORDER ", "parameter": "order_id"}, True),
        ({"code": "not_found", "tool": "get_order"}, False),
        ({"code": "not_found", "tool": "get_order", "parameter": "order_id, name"}, False),
        ({"code": "not_allowed", "tool": "get_order", "parameter": "order_id"}, False),
        ({}, False),
    ],
)
def test_a_report_names_exactly_what_is_wrong(named: dict[str, str], is_right: bool) -> None:
    told = {"code": "not_found", "tool": "get_order", "parameter": "order_id"}
    target = replace(SURE, goal=Goal(ending="report", told=told), named=told, changes=frozenset())
    final = Final(end=End("report", None, named), changes=frozenset(), touched=())
    assert verify(target, final).passed is is_right


def test_what_must_not_be_named_is_not_named() -> None:
    told = {"code": "unavailable", "tool": "get_order"}
    target = replace(SURE, goal=Goal(ending="report", told=told), named=told, changes=frozenset())
    for named, is_right in (
        (told, True),
        ({**told, "parameter": ""}, True),
        ({**told, "parameter": "order_id"}, False),
    ):
        assert verify(target, Final(end=End("report", None, named), changes=frozenset(), touched=())).passed is is_right


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from([12.5, 3, "Ana", True, None, ["Ana", 3], []]))
def test_arbitrary_answers_never_raise_and_earn_nothing(answer: Json, wanted: Json) -> None:
    target = replace(SURE, goal=Goal(answer=wanted))
    verdict = verify(target, replace(RIGHT, end=End("solve", answer)))
    assert verdict.passed is same(wanted, answer)
    if verdict.passed:
        assert type(answer) is type(wanted) or {type(answer), type(wanted)} <= {int, float}


@given(st.dictionaries(st.sampled_from(["code", "tool", "parameter", "reason", "x"]), st.text(), max_size=4))
def test_arbitrary_endings_never_raise_and_earn_nothing(named: dict[str, str]) -> None:
    told = {"code": "not_found", "tool": "get_order"}
    target = replace(SURE, goal=Goal(ending="report", told=told), named=told)
    assert not verify(target, replace(RIGHT, end=End("report", None, named))).passed
    assert not verify(target, replace(RIGHT, end=End("refuse", None, named))).passed


@pytest.mark.parametrize("place", range(8))
def test_what_is_no_answer_is_told_of(place: int) -> None:
    answer = [10**5000, [[[[]]]], {"a": {}}, float("nan"), float("inf"), "\ud800", b"x", object()][place]
    verdict = verify(SURE, replace(RIGHT, end=End("solve", answer)))
    assert not verdict.passed
    assert verdict.checks[1].evidence.encode()


def test_an_end_says_what_the_call_says() -> None:
    assert End.of(ToolCall("finish", {})) == End("solve")
    assert End.of(ToolCall("finish", {"answer": [1]})) == End("solve", [1])
    assert End.of(ToolCall("decline", {"reason": "no_tool"})) == End("refuse", None, {"reason": "no_tool"})
