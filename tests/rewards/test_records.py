"""Verdicts and turns refuse what does not fit together."""

import itertools
import math
import pickle

import pytest

from palestra.rewards.base import Check, RecordError, Turn, Verdict, VerifierError
from palestra.rewards.shaping import shaping_reward


def test_a_turn_has_one_logprob_for_each_token() -> None:
    with pytest.raises(RecordError, match="2 sampled tokens but 1"):
        Turn(prompt_ids=(1,), output_ids=(2, 3), logprobs=(-1.0,))


@pytest.mark.parametrize("reward", [math.nan, math.inf])
def test_a_reward_is_finite(reward: float) -> None:
    with pytest.raises(RecordError, match="finite"):
        Turn(prompt_ids=(), output_ids=(), logprobs=(), reward=reward)


def test_reward_parts_sum_to_the_reward() -> None:
    Turn(prompt_ids=(), output_ids=(), logprobs=(), reward=0.3, parts={"a": 0.1, "b": 0.2})
    with pytest.raises(RecordError, match="do not sum"):
        Turn(prompt_ids=(), output_ids=(), logprobs=(), reward=0.5, parts={"a": 0.1})


def test_no_check_is_no_pass() -> None:
    assert Verdict.of([]).score == 0.0
    assert Verdict.of([Check(name="a", passed=True)]).passed
    assert not Verdict.of([Check(name="a", passed=True), Check(name="b", passed=False)]).passed


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan])
def test_a_score_outside_0_to_1_is_the_verifiers_fault(score: float) -> None:
    with pytest.raises(VerifierError, match=r"in \[0, 1\]"):
        Verdict(score=score, passed=False)


def test_errors_cross_processes() -> None:
    assert str(pickle.loads(pickle.dumps(VerifierError("broken")))) == "broken"


def test_shaping_with_a_potential_of_0_at_both_ends_sums_to_0() -> None:
    potentials = [0.0, 0.25, 0.75, 0.5, 0.0]
    assert sum(shaping_reward(a, b) for a, b in itertools.pairwise(potentials)) == 0.0
