"""What a loss is divided by, which rows count, and which tokens count more."""

import pytest
import torch

from palestra.agents.losses import aggregate, denominators, overlong_mask, precision_weights
from palestra.agents.losses.weights import Denominator

NAN = float("nan")
MASK = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
LOSS = torch.tensor([[1.0, 2.0, 3.0], [10.0, NAN, NAN], [NAN, NAN, NAN]])


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("token_mean", 16 / 4),
        ("sequence_mean", (2 + 10) / 2),
        ("sequence_sum", (6 + 10) / 2),
        ("constant", (6 + 10) / (2 * 8)),
    ],
)
def test_aggregate_by_hand(how: Denominator, wanted: float) -> None:
    assert float(aggregate(LOSS, MASK, how, length=8)) == pytest.approx(wanted)


@pytest.mark.parametrize("how", ["token_mean", "sequence_mean", "sequence_sum", "constant"])
def test_nothing_sampled_is_a_loss_of_0(how: Denominator) -> None:
    assert float(aggregate(LOSS, torch.zeros_like(MASK), how)) == 0.0


def test_rows_of_one_episode_count_as_one() -> None:
    counts, episode = torch.tensor([3, 1, 4]), torch.tensor([4, 4, 4])  # the first two are one episode
    own, scale = denominators(counts, "sequence_mean", episode=episode)
    assert (own.tolist(), scale) == ([4.0, 4.0, 4.0], 2.0)
    assert denominators(counts, "token_mean", episode=episode)[1] == 8.0
    assert denominators(counts, "constant", episode=episode, length=5)[1] == 10.0


def test_a_denominator_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no denominator named 'mean'; known: token_mean"):
        aggregate(LOSS, MASK, "mean")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="constant length must be at least 1, not 0"):
        aggregate(LOSS, MASK, "constant", length=0)


def test_overlong_rows_count_nowhere() -> None:
    kept = overlong_mask(MASK, torch.tensor([False, True, False]))
    assert kept.sum(-1).tolist() == [3, 0, 0]
    assert float(aggregate(LOSS, kept, "sequence_mean")) == pytest.approx(2.0)


def test_numeric_tokens_weigh_more_and_rows_do_not() -> None:
    is_numeric = torch.tensor([[True, False, False], [True, False, False], [False, False, False]])
    found = precision_weights(is_numeric, MASK, weight=4.0)
    # 4, 1, 1 with mean 2; a row of numbers only is as it was; nothing sampled weighs nothing.
    assert found.tolist() == [[2.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    with pytest.raises(ValueError, match="must be positive"):
        precision_weights(is_numeric, MASK, weight=0.0)
