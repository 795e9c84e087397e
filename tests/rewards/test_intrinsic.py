"""Scores of searches worked by hand, with texts as given vectors, and what hostile texts can get."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.rewards.base import RecordError, Scored, StepReward, Trajectory, Turn
from palestra.rewards.intrinsic import Floats, Search, SearchReward, answerability, by_words, decomposition

PLACES = {"q": (1.0, 0.0), "same": (1.0, 0.0), "near": (0.8, 0.6), "far": (0.6, -0.8), "none": (0.0, 0.0)}


def placed(texts: Sequence[str]) -> Floats:
    return np.array([PLACES[text] for text in texts])


def test_one_query_is_a_rephrasing_that_is_neither_the_question_nor_far_from_it() -> None:
    assert decomposition("q", ["near"], placed) == pytest.approx(1 - 0.05 / 0.15)
    assert decomposition("q", ["same"], placed) == pytest.approx(0.0)
    assert decomposition("q", ["far"], placed) == 0.0
    assert decomposition("q", [], placed) == 0.0


def test_several_queries_cover_the_question_and_differ_from_each_other() -> None:
    # centroid (0.7, -0.1), of length sqrt(0.5); near . far = 0.48 - 0.48 = 0
    coverage = 0.7 / math.sqrt(0.5)
    assert decomposition("q", ["near", "far"], placed) == pytest.approx(0.5 * coverage + 0.5 * (0.8 + 0.6) / 2)
    assert decomposition("q", ["same", "same"], placed) == pytest.approx(0.5)  # covers, and does not differ


def test_replies_answer_queries_by_their_likeness() -> None:
    assert answerability([Search("q", "near"), Search("q", "none")], placed) == pytest.approx(0.4)
    assert answerability([], placed) == 0.0


def searched(reward: float, turns: int = 3) -> Trajectory:
    some = tuple(
        Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(0.0,), reward=reward if k == turns - 1 else 0.0)
        for k in range(turns)
    )
    return Trajectory(env_id="e", task_id="t", group="g", turns=some, outcome=Scored(reward, reward >= 1.0))


def reward_of(turns: Sequence[Sequence[Search]]) -> SearchReward:
    return SearchReward(question=lambda one: "q", searches=lambda one: turns, embed=placed)


def test_turns_that_search_are_paid_their_share_of_what_the_episode_lacks() -> None:
    turns = [[Search("near", "near")], [], [Search("far", "none")]]
    reward: StepReward = reward_of(turns)
    first = 0.5 * (1 - 0.05 / 0.15) + 0.5 * 1.0
    assert reward.score([searched(0.0)]) == [[pytest.approx(0.2 / 2 * first), 0.0, 0.0]]
    assert reward.score([searched(0.5)]) == [[pytest.approx(0.1 / 2 * first), 0.0, 0.0]]
    assert reward.score([searched(1.0)]) == [[0.0, 0.0, 0.0]]


def test_searches_of_other_turns_are_refused() -> None:
    with pytest.raises(RecordError, match="3 turns but searches of 1"):
        reward_of([[]]).score([searched(0.0)])
    with pytest.raises(RecordError, match="from 0 to below 1"):
        SearchReward(question=lambda one: "", searches=lambda one: [], weight=1.0)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=4), st.text(max_size=20))
def test_whatever_is_written_is_paid_at_most_the_weight(pairs: list[tuple[str, str]], question: str) -> None:
    turns = [[Search(*pair) for pair in pairs]] * 3
    reward = SearchReward(question=lambda one: question, searches=lambda one: turns)
    (paid,) = reward.score([searched(0.0)])
    assert all(one >= 0.0 for one in paid)
    assert math.fsum(paid) <= 0.2 + 1e-12


def test_words_are_compared_whatever_their_case_and_marks() -> None:
    rows = by_words(["Who paid?", "who PAID", "else", "", "\ud800 !"])
    assert rows[0] @ rows[1] == pytest.approx(1.0)
    assert rows[0] @ rows[2] == pytest.approx(0.0)
    assert not rows[3].any()
