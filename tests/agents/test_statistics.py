"""Intervals and estimates against values from textbooks and against simulation."""

import math
import random

import pytest

from palestra.agents.statistics import mean_interval, paired_gain, wilson


def test_wilson_matches_published_values() -> None:
    low, high = wilson(15, 148)  # Newcombe 1998, table I
    assert (round(low, 4), round(high, 4)) == (0.0624, 0.1605)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_what_is_no_proportion(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="give no proportion"):
        wilson(successes, n)


def test_the_paired_interval_covers_the_true_gain_about_as_often_as_it_says() -> None:
    rng, covered = random.Random(0), 0
    for trial in range(200):
        before = [float(rng.random() < 0.4) for _ in range(100)]
        after = [b if rng.random() < 0.6 else float(rng.random() < 0.7) for b in before]
        _, (low, high) = paired_gain(before, after, draws=400, seed=trial)
        covered += low <= 0.4 * (0.7 - 0.4) <= high
    assert 180 <= covered <= 199


def test_pairs_must_match() -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_gain([1.0], [1.0, 0.0])


def test_mean_interval_of_one_value_is_itself() -> None:
    assert mean_interval([2.0]) == (2.0, 2.0)
    low, high = mean_interval([0.0, 1.0, 2.0])
    assert high - 1.0 == pytest.approx(1.959964 / math.sqrt(3))
    assert low + high == pytest.approx(2.0)
