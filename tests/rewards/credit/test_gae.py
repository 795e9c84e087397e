"""Generalised advantage estimation over turns and tokens: values worked out by hand."""

import pytest

from palestra.rewards.base import RecordError
from palestra.rewards.credit.gae import bilevel_gae, gae
from palestra.rewards.credit.returns import reward_to_go


def test_gae_between_one_step_and_the_whole_return() -> None:
    rewards, values = [0.0, 0.0, 1.0], [0.5, 0.25, 0.75]
    assert gae(rewards, values, lam=0.0) == [-0.25, 0.5, 0.25]  # temporal differences
    whole = [g - v for g, v in zip(reward_to_go(rewards), values, strict=True)]
    assert gae(rewards, values, lam=1.0) == whole == [0.5, 0.75, 0.25]
    # In the middle: 1/4; 1/2 + 1/2 * 1/4; -1/4 + 1/2 * 5/8.
    assert gae(rewards, values, lam=0.5) == [0.0625, 0.625, 0.25]
    assert gae([0.0], [0.0], last=2.0, gamma=0.5) == [1.0]
    assert gae([], []) == []


def test_inside_a_turn_tokens_share_what_the_turn_was_worth() -> None:
    # Turns end with the values 1/2 and 1/4 and pay 0 and 1: whole returns 1 and 1, advantages 1/2 and 3/4.
    # The last tokens' rewards are then 1 and 1, and with lam 1 each token's advantage is 1 less its value.
    rows = bilevel_gae([0.0, 1.0], [[0.0, 0.5], [0.125, 0.25]])
    assert rows == [[1.0, 0.5], [0.875, 0.75]]
    # With lam 0 in the turn, a token is worth the change of value to the next.
    assert bilevel_gae([0.0, 1.0], [[0.0, 0.5], [0.125, 0.25]], lam=0.0) == [[0.5, 0.5], [0.125, 0.75]]


def test_discounting_tokens_does_not_discount_turns() -> None:
    rows = bilevel_gae([0.0, 1.0], [[0.0, 0.0], [0.0, 0.0]], gamma=0.5)
    assert rows == [[0.5, 1.0], [0.5, 1.0]]
    assert bilevel_gae([0.0, 1.0], [[0.0, 0.0], [0.0, 0.0]], gamma_turn=0.5) == [[0.5, 0.5], [1.0, 1.0]]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(RecordError, match="2 rewards but 1 values"):
        gae([0.0, 1.0], [0.0])
    with pytest.raises(RecordError, match="values of"):
        bilevel_gae([0.0, 1.0], [[0.0], []])
