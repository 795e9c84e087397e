"""Differences between texts are found, counted and put in."""

from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.code.hunks import Hunk, are_apart, hunks, lines_changed, patched

TEXTS = st.lists(st.sampled_from("abc"), max_size=7)


@given(TEXTS, TEXTS)
def test_all_hunks_together_make_the_other_text(before: list[str], after: list[str]) -> None:
    assert patched(before, hunks(before, after)) == after


@given(TEXTS, TEXTS, st.integers(0, 8))
def test_the_fewest_changed_lines_are_counted(before: list[str], after: list[str], most: int) -> None:
    count = lines_changed(before, after, 99)
    assert count <= sum(max(len(hunk.old), len(hunk.new)) for hunk in hunks(before, after))
    assert (count == 0) == (before == after)
    assert count == lines_changed(after, before, 99)
    assert lines_changed(before, after, most) == min(count, most + 1)


def test_a_long_line_counts_as_several() -> None:
    assert lines_changed(["a"], ["b" * 100], 9) == 1
    assert lines_changed(["a"], ["b" * 101], 9) == 2
    assert lines_changed(["b" * 500], [], 9) == 1


def test_hunks_with_a_line_between_are_apart() -> None:
    hunk = Hunk(first=3, old=("x",), new=())
    assert are_apart([hunk, Hunk(first=5, old=(), new=("y",))])
    assert not are_apart([Hunk(first=4, old=("y",), new=()), hunk])
