"""Lines are scored by what is known of them, or by what a scorer has learnt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.rewards.lines import Example, KnownLines, LearntLines, distinct_lines, examples_of, program_score


def example(text: str, is_good: bool) -> Example:
    return Example(before="", text=text, after="", is_good=is_good)


def test_known_lines_have_the_share_of_their_good_labels() -> None:
    known = KnownLines.of([example("  x = 1", True), example("x = 1", False), example("y", True)])
    assert known.score(["x = 1", "    y", "z"]) == [0.5, 1.0, 0.5]
    asked = KnownLines.of([example("y", True)], otherwise=KnownLines({"z": 0.25}))
    assert asked.score(["y", "z"]) == [1.0, 0.25]


def test_a_right_line_written_again_is_worth_nothing() -> None:
    known = KnownLines({"good": 1.0, "bad": 0.0})
    assert program_score(known, "good\nbad\n") == 0.5
    assert program_score(known, "good\n\n  good\ngood\nbad\n") == 0.5
    assert program_score(known, "\n \n") == 0.0


def test_leaving_lines_out_pays_nothing() -> None:
    known = KnownLines({"good": 1.0, "fine": 1.0, "bad": 0.0})
    whole = program_score(known, "good\nfine\nbad\n", needed=distinct_lines("good\nfine\n\ngood\nbad\n"))
    assert whole == program_score(known, "good\nfine\n", needed=3) > program_score(known, "good\n", needed=3)


def test_what_sets_bad_lines_apart_is_learnt() -> None:
    names = [f"x{number}" for number in range(40)]
    lines = [example(f"while {name} < n:", True) for name in names] + [
        example(f"while {name}:", False) for name in names
    ]
    scorer = LearntLines.fit([one for at, one in enumerate(lines) if at % 4])
    held_out = [one for at, one in enumerate(lines) if not at % 4]
    assert [scorer.score([one.text])[0] > 0.5 for one in held_out] == [one.is_good for one in held_out]


def test_a_scorer_is_the_same_each_time_and_needs_both_labels() -> None:
    lines = [example("a + b", True), example("a - b", False)]
    assert np.array_equal(LearntLines.fit(lines).weights, LearntLines.fit(lines).weights)
    with pytest.raises(ValueError, match="of one kind"):
        LearntLines.fit(lines[:1])


@given(st.text(max_size=60))
def test_any_text_has_a_score(text: str) -> None:
    scorer = LearntLines(np.linspace(-9, 9, LearntLines.fit([example("a", True), example("b", False)]).weights.size))
    assert all(0.0 <= score <= 1.0 for score in scorer.score(text.splitlines()))
    assert 0.0 <= program_score(scorer, text) <= 1.0


def test_examples_are_a_program_s_lines_with_those_around_them() -> None:
    made = list(examples_of(["a", "", "b"], [True, True, False]))
    assert made == [
        Example(before="", text="a", after="", is_good=True),
        Example(before="", text="b", after="", is_good=False),
    ]
