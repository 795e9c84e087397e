"""What turns lead to: sums, minima, softened minima."""

import pytest

from palestra.rewards.credit.returns import min_to_go, reward_to_go, softmin_to_go


def test_the_minimum_does_not_grow_with_padding() -> None:
    assert min_to_go([0.5, -0.25, 1.0]) == [-0.25, -0.25, 1.0]
    assert min_to_go([]) == []
    padded = [0.9] * 10 + [0.1]
    assert min_to_go(padded)[0] == 0.1 < reward_to_go(padded)[0]


def test_the_softened_minimum_weighs_the_worst_turns() -> None:
    # Weights of (0, ln 2) at temperature 1 are 2/3 and 1/3.
    log2 = 0.6931471805599453
    assert softmin_to_go([0.0, log2], temperature=1.0) == pytest.approx([log2 / 3, log2 / 3])
    assert softmin_to_go([0.5, -0.25, 1.0], temperature=1e-3) == pytest.approx([-0.25, -0.25, 0.0])
    assert softmin_to_go([]) == []
    assert softmin_to_go([1e6, -1e6]) == pytest.approx([-1e6, -1e6])  # no overflow


def test_a_temperature_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="min_to_go is the limit at 0"):
        softmin_to_go([1.0], temperature=0.0)
