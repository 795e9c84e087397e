"""What verdicts owe to length: found by regression, and taken out."""

import math
from random import Random

import pytest

from palestra.rewards.judging.length import LengthControl, Seen


def drawn(rng: Random, n: int, *, length: float, quality: float, mixing: float = 0.0) -> list[Seen]:
    """Return comparisons of a judge that goes by length and quality with these weights; better ones may be longer."""
    seen = []
    for _ in range(n):
        better = rng.gauss(0, 1)
        longer = 100 * (rng.gauss(0, 1) + mixing * better)
        odds = length * math.tanh(longer / 100) + quality * better
        seen.append(Seen(chance=float(rng.random() < 1 / (1 + math.exp(-odds))), longer=longer, better=better))
    return seen


def test_a_judge_that_goes_by_length_is_found_out_and_levelled() -> None:
    found = LengthControl.of(drawn(Random(0), 2000, length=3.0, quality=0.0))
    assert found.weight == pytest.approx(3.0, abs=0.6)
    assert found.longer is not None
    assert found.longer > 0.75
    assert found.level(0.95, 300.0) < 0.7  # it was said because of the length
    assert found.level(0.5, -300.0) > 0.7  # an even verdict on a much shorter text speaks for it
    assert found.level(0.95, 0.0) == 0.95
    assert found.level(0.0, 300.0) == 0.0  # it lost although it was longer
    assert found.level(1.0, -300.0) == 1.0
    assert found.report() == {"length_weight": found.weight, "prefers_longer": found.longer}


def test_longer_texts_that_are_better_are_not_held_against_it() -> None:
    seen = drawn(Random(1), 3000, length=0.0, quality=2.0, mixing=1.0)
    assert abs(LengthControl.of(seen).weight) < 0.4
    blind = [Seen(chance=one.chance, longer=one.longer) for one in seen]
    assert LengthControl.of(blind).weight > 1.0  # without a cheap score it cannot be known


def test_turning_comparisons_changes_nothing() -> None:
    seen = drawn(Random(2), 200, length=1.0, quality=1.0)
    turned = [Seen(chance=1 - one.chance, longer=-one.longer, better=-one.better) for one in seen]
    a, b = LengthControl.of(seen), LengthControl.of(turned)
    assert a.weight == pytest.approx(b.weight)
    assert a.level(0.7, 50.0) == pytest.approx(1 - b.level(0.3, -50.0))


def test_a_verdict_is_levelled_as_worked_by_hand() -> None:
    one = LengthControl(weight=math.log(3), quality=math.log(2), scale=1e-9)
    assert one.level(1.0, 1.0) == pytest.approx((1 / 2) / (3 / 4))
    assert one.level(0.0, -1.0) == pytest.approx((1 / 2 - 1 / 4) / (3 / 4))
    assert one.level(1.0, 1.0, better=1.0) == pytest.approx((2 / 3) / (6 / 7))
    assert LengthControl(weight=30.0).level(1.0, 100.0) == pytest.approx(0.5)  # never turned around
    assert LengthControl(weight=1.0, quality=1.0).level(0.5, -9.0, better=1e9) == pytest.approx(0.5)


def test_little_is_said_of_few_and_nothing_of_equal_lengths() -> None:
    assert LengthControl.of([]).level(0.9, 100.0) == 0.9
    assert LengthControl.of([Seen(chance=1.0, longer=9.0)] * 31).weight == 0.0
    same = LengthControl.of([Seen(chance=1.0, longer=0.0, better=1.0)] * 40)
    assert (same.weight, same.longer, same.n) == (0.0, None, 40)
    sure = LengthControl.of([Seen(chance=1.0, longer=10.0)] * 1000)  # separable: the ridge keeps it finite
    assert 0.0 < sure.weight < 20.0


@pytest.mark.parametrize("one", [Seen(chance=2.0, longer=0.0), Seen(chance=math.nan, longer=0.0)])
def test_what_is_no_comparison_is_refused(one: Seen) -> None:
    with pytest.raises(ValueError, match="a chance from 0 to 1"):
        LengthControl.of([one])
