"""What our matcher takes for equal, and what it does not; every pair is written out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.bfcl.singleturn.match import equal, matches, takes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("given", "wanted", "want"),
    [
        (5, 5, True),
        (5.0, 5, True),
        (5, 5.0, True),
        (True, 1, False),
        (1, True, False),
        ("5", 5, False),
        (None, 0, False),
        ("New York, NY", "new york ny", True),
        ("e-mail", "E_mail", True),
        ("April 1, 2024", "April 1 2024", True),
        ("it's", 'it"s', True),
        ("-5.3", "53", False),
        ("5.3", "53", False),
        ("2024-01-01", "20240101", False),
        ("NewYork", "New York", False),
        ("---", "", False),
        ("", "", True),
        ("/", ".", False),
        ("/", "/", True),
        ([1, 2], [1, 2], True),
        ([2, 1], [1, 2], False),
        ([1], [1, 2], False),
        ([True], [1], False),
        (["A"], ["a"], True),
        ({"a": 1}, {"a": [1, 2]}, True),
        ({"a": 3}, {"a": [1, 2]}, False),
        ({}, {"a": [1, ""]}, True),
        ({}, {"a": [1]}, False),
        ({"a": 1, "b": 2}, {"a": [1]}, False),
        ({"a": {"b": 10.5}}, {"a": [{"b": 10.5}]}, True),
        ([{"a": 1}], [{"a": [1]}], True),
        ("[1]", [1], False),
    ],
)
def test_equal(given: Any, wanted: Any, want: bool) -> None:
    assert equal(given, wanted) is want


@pytest.mark.parametrize(
    ("accepted", "given", "want"),
    [
        (["a", ""], None, True),
        (["a", None], None, True),
        (["a"], None, False),
        (["a", ""], "", True),
        (["a", ""], "---", False),
        ([[1], ""], [], False),
        ([], None, False),
    ],
)
def test_a_value_is_left_out_where_that_is_accepted(accepted: list[Any], given: Any, want: bool) -> None:
    assert takes(accepted, given) is want


def test_calls_are_paired_so_that_all_fit_where_the_first_fit_would_not() -> None:
    wanted = [{"f": {"x": [1, 2]}}, {"f": {"x": [1]}}]
    assert matches([("f", {"x": 1}), ("f", {"x": 2})], wanted)
    assert matches([("f", {"x": 2}), ("f", {"x": 1})], wanted)
    assert not matches([("f", {"x": 2}), ("f", {"x": 2})], wanted)


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [("f", {"x": 1}), ("f", {"x": 1})],
        [("g", {"x": 1})],
        [("f", {})],
        [("f", {"x": 1, "y": 2})],
        [("f", {"x": [1]})],
    ],
)
def test_calls_too_few_too_many_or_other_are_not_the_wanted_one(calls: list[tuple[str, dict[str, Any]]]) -> None:
    assert not matches(calls, [{"f": {"x": [1]}}])
    assert matches([("f", {"x": 1, "y": None})], [{"f": {"x": [1]}}])


@given(JSON, JSON)
def test_no_value_makes_the_matcher_raise(one: Any, other: Any) -> None:
    assert equal(one, other) in (True, False)
    assert takes([other], one) in (True, False)
