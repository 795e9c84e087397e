"""Process scores order what failed; they never lift it over what passed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.rewards.base import RecordError
from palestra.rewards.process import ranked

SCORES = st.lists(st.none() | st.floats(0.0, 1.0), min_size=1, max_size=6)
WEIGHT = st.floats(0.0, 0.99)


def combined(earned: float, scores: list[float | None], is_success: bool, weight: float, passing: float) -> float:
    return earned + math.fsum(ranked(earned, scores, is_success=is_success, weight=weight, passing=passing))


@given(SCORES, SCORES, WEIGHT, st.floats(0.1, 10.0), st.floats(-2.0, 1.0), st.floats(1.0, 3.0))
def test_no_failing_episode_gets_as_much_as_a_passing_one(
    bad: list[float | None], good: list[float | None], weight: float, passing: float, less: float, more: float
) -> None:
    failed = combined(less * passing, bad, False, weight, passing)
    passed = combined(more * passing, good, True, weight, passing)
    assert failed <= passed + 1e-9
    assert failed <= passing + 1e-9
    assert passed >= more * passing - 1e-9


@given(SCORES, WEIGHT)
def test_an_episode_is_paid_for_its_last_score(scores: list[float | None], weight: float) -> None:
    last = next((score for score in reversed(scores) if score is not None), 0.0)
    assert math.fsum(ranked(0.0, scores, is_success=False, weight=weight)) == pytest.approx(weight * last, abs=1e-12)
    assert math.fsum(ranked(1.0, scores, is_success=True, weight=weight)) == pytest.approx(weight, abs=1e-12)


def test_turns_are_paid_for_what_they_changed() -> None:
    assert ranked(0.0, [0.5, None, 1.0, 0.75], is_success=False) == [0.25, 0.0, 0.25, -0.125]
    assert ranked(1.0, [0.5, 0.25], is_success=True) == [0.25, 0.25]
    assert ranked(0.0, [], is_success=False) == []
    assert ranked(0.5, [1.0], is_success=False) == [0.25]  # half of the half that it lacks


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan, math.inf])
def test_a_score_out_of_range_is_refused(score: float) -> None:
    with pytest.raises(RecordError, match="a process score must be"):
        ranked(0.0, [score, 0.5], is_success=False)


@pytest.mark.parametrize(("weight", "passing"), [(1.0, 1.0), (-0.1, 1.0), (math.nan, 1.0), (0.5, 0.0), (0.5, math.inf)])
def test_a_weight_that_could_outweigh_the_outcome_is_refused(weight: float, passing: float) -> None:
    with pytest.raises(RecordError, match="weight is from 0 to below 1"):
        ranked(0.0, [0.5], is_success=False, weight=weight, passing=passing)
