"""The verifier: exact in state and answer, and no mutant of either passes."""

from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.base import SPLITS, Json, Split, Task
from palestra.envs.toolmini.generate import DOMAINS, ToolUseMiniSource
from palestra.envs.toolmini.tables import Tables, changes, copy_tables
from palestra.envs.toolmini.verify import is_answer, verify

TASK = ToolUseMiniSource().sample(2)


def expected(task: Task) -> Tables:
    """Return the tables that the oracle leaves."""
    tables = copy_tables(task.hidden["db"])
    for call in task.hidden["calls"]:
        DOMAINS[task.public["domain"]].schema.call(tables, call["name"], call["arguments"])
    return tables


@pytest.mark.parametrize("split", SPLITS)
def test_every_mutant_of_the_state_fails(split: Split) -> None:
    killed = 0
    for task in islice(ToolUseMiniSource(split), 45):
        tables, answer = expected(task), task.hidden["answer"]
        assert verify(task.hidden, tables, answer).passed
        for table in tables.values():
            for record in table.values():
                for name, value in list(record.items()):
                    for mutant in (value * 2, None, [value], True):
                        record[name] = mutant
                        assert not verify(task.hidden, tables, answer).passed
                        killed += 1
                    record[name] = value
        if task.hidden["changes"]:
            assert not verify(task.hidden, task.hidden["db"], answer).passed
    assert killed > 5_000


def test_records_that_appear_or_vanish_fail() -> None:
    task = ToolUseMiniSource().sample(0)
    name, table = next(iter(task.hidden["db"].items()))
    more, fewer, thinner = (expected(task) for _ in range(3))
    more[name]["x1"] = dict(next(iter(table.values())))
    fewer[name].pop(next(iter(table)))
    next(iter(thinner[name].values())).popitem()
    for tables in (more, fewer, thinner, {}):
        assert not verify(task.hidden, tables, task.hidden["answer"]).passed


@pytest.mark.parametrize(
    ("given_", "wanted", "right"),
    [
        ("Oslo", "Oslo", True),
        ("  oslo\n", "Oslo", True),
        ("Oslo.", "Oslo", False),
        ("the city is Oslo", "Oslo", False),
        ("Oslo Rome", "Oslo", False),
        ("Os lo", "Oslo", False),
        ("", "Oslo", False),
        (None, "Oslo", False),
        (["Oslo"], "Oslo", False),
        (40, 40, True),
        (40.0, 40, True),
        (40.5, 40, False),
        (-40, 40, False),
        ("40", 40, False),
        (True, 1, False),
        (1, 1, True),
        (False, 0, False),
        (10**400, 40, False),
        (float("nan"), 40, False),
        (40, "40", False),
    ],
)
def test_answers_are_compared_by_type_and_value(given_: Any, wanted: Json, right: bool) -> None:
    assert is_answer(given_, wanted) is right


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4))
def test_no_answer_makes_the_verifier_fail_and_only_the_right_one_passes(value: Json) -> None:
    verdict = verify(TASK.hidden, expected(TASK), value)
    assert verdict.passed is is_answer(value, TASK.hidden["answer"])
    assert [check.name for check in verdict.checks] == ["state", "answer"]
    assert all(len(check.evidence) < 1000 for check in verdict.checks)


def test_changes_tell_types_apart() -> None:
    assert changes({"t": {"a": {"n": 1}}}, {"t": {"a": {"n": True}}}) == [["t", "a", "n", True]]
    assert changes({"t": {"a": {"n": 1}}}, {"t": {"a": {"n": 1.0}}}) == [["t", "a", "n", 1.0]]
    assert changes({"t": {"a": {"n": 1}}}, {"t": {"a": {"n": 1}}}) == []
    assert changes({"t": {"a": {"n": None}}}, {"t": {"a": {}}}) == [["t", "a", "n", None]]
