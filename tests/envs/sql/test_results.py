"""When two results are the same."""

from typing import Any

import pytest

from palestra.envs.sql.results import same_rows


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ([], [], True),
        ([(1, "a"), (2, "b")], [(2, "b"), (1, "a")], True),
        ([(1,), (1,)], [(1,)], False),
        ([(1,), (1,), (2,)], [(1,), (2,), (2,)], False),
        ([(1,)], [(1.0,)], True),
        ([("1",)], [(1,)], False),
        ([(b"a",)], [("a",)], False),
        ([(None,)], [(0,)], False),
        ([(None,)], [("",)], False),
        ([(None,), (3,)], [(3,), (None,)], True),
        ([(True,)], [(1,)], False),
        ([(0.1 + 0.2,)], [(0.3,)], True),
        ([(0.30001,)], [(0.3,)], False),
        ([(0.3 - 1e-16, "b"), (0.3, "a")], [(0.3, "b"), (0.3 + 1e-16, "a")], True),
        ([(2**53 + 1,)], [(2**53,)], False),
        ([(float("inf"),)], [(1e308,)], False),
        ([(float("inf"),)], [(2**62,)], False),
        ([("A",)], [("a",)], False),
        ([(1, 2)], [(2, 1)], False),
        ([(1, 2)], [(1,)], False),
        ([([],)], [(1,)], False),
    ],
)
def test_rows_are_compared_as_a_multiset(found: list[Any], wanted: list[Any], same: bool) -> None:
    assert same_rows(found, wanted, ordered=False) is same
    assert same_rows(wanted, found, ordered=False) is same


def test_an_order_counts_where_it_was_asked_for() -> None:
    assert same_rows([(1,), (2.0,)], [(1,), (2,)], ordered=True)
    assert not same_rows([(2,), (1,)], [(1,), (2,)], ordered=True)


def test_a_thousand_equal_rows_are_compared_at_once() -> None:
    rows = [(1.0, "a")] * 999
    assert same_rows([*rows, (2.0, "a")], [(2.0, "a"), *rows], ordered=False)
