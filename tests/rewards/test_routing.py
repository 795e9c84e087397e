"""Routing of comparisons: by hand, and against random routing at equal calls of the judge."""

import itertools
import math
from collections.abc import Sequence
from random import Random

import pytest

from palestra.rewards.base import RecordError
from palestra.rewards.routing import Pair, Router, most_uncertain, pairwise_advantages, uncertainty


def exact(worth: Sequence[float]) -> "Judging":
    return Judging(worth)


class Judging:
    """A judge that knows what siblings are worth, and counts."""

    def __init__(self, worth: Sequence[float]) -> None:
        self.worth = worth
        self.asked: list[Pair] = []

    def __call__(self, pairs: Sequence[Pair]) -> list[float | None]:
        self.asked += pairs
        return [float(self.worth[i] > self.worth[j]) for i, j in pairs]


def test_advantages_are_how_much_more_often_than_not_one_wins() -> None:
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert pairwise_advantages(3, pairs, [1.0, 1.0, 0.5]) == [0.5, -0.25, -0.25]
    assert pairwise_advantages(1, [], []) == [0.0]


def test_the_least_sure_pairs_are_judged_and_no_more_than_the_budget() -> None:
    judge = exact([3.0, 2.0, 1.0])
    routed = Router(budget=1).group([5.0, 0.1, 0.0], judge)
    assert judge.asked == [(1, 2)] == list(routed.judged)
    assert routed.advantages[1] > routed.advantages[2]
    assert routed.uncertainty[2] > 0.9 > routed.uncertainty[0]
    assert uncertainty(0.5) == 1.0 == max(uncertainty(p / 100) for p in range(101))
    assert uncertainty(0.0) == uncertainty(1.0) == 0.0


def test_what_is_sure_is_not_judged_though_the_budget_would_allow_it() -> None:
    judge = exact([1.0, 0.0])
    Router(budget=10, surest=0.5).group([9.0, 0.0], judge)
    assert judge.asked == []
    Router(budget=0).group([0.0, 0.0], judge)
    assert judge.asked == []


def test_the_judge_may_abstain_and_then_the_cheap_score_counts() -> None:
    router = Router(budget=1)
    routed = router.group([1.0, 0.0], lambda pairs: [None] * len(pairs))
    assert routed.abstained == 1
    assert routed.advantages[0] == pytest.approx(1 / (1 + math.exp(-1.0)) - 0.5)
    assert "agreement" not in router.report()


@pytest.mark.parametrize("said", [[], [2.0], [0.5, 0.5], [math.nan]])
def test_a_judge_that_answers_otherwise_is_refused(said: list[float]) -> None:
    with pytest.raises(RecordError, match="a chance from 0 to 1 or None"):
        Router(budget=1).group([0.0, 0.0], lambda pairs: said)


def test_odd_scores_and_budgets_are_refused_and_groups_of_one_cost_nothing() -> None:
    with pytest.raises(RecordError, match="must be finite"):
        Router(budget=1).group([math.inf, 0.0], exact([0.0, 0.0]))
    with pytest.raises(ValueError, match="budget is at least 0"):
        Router(budget=-1)
    assert Router(budget=5).group([1.0], exact([1.0])).advantages == (0.0,)
    assert Router(budget=5).group([], exact([])).advantages == ()


def test_at_equal_calls_it_beats_random_routing() -> None:
    rng, errors, calls = Random(0), {"routed": 0.0, "random": 0.0}, {"routed": 0, "random": 0}
    for _ in range(200):
        worth = [rng.gauss(0, 1) for _ in range(6)]
        cheap = [value + rng.gauss(0, 0.5) for value in worth]
        pairs = list(itertools.combinations(range(6), 2))
        truth = pairwise_advantages(6, pairs, [float(worth[i] > worth[j]) for i, j in pairs])
        router = Router(budget=5, temperature=0.4)
        found = list(router.group(cheap, exact(worth)).advantages)
        chosen = set(rng.sample(range(len(pairs)), 5))
        chances = [
            float(worth[i] > worth[j]) if n in chosen else router.chance(cheap[i] - cheap[j])
            for n, (i, j) in enumerate(pairs)
        ]
        by_chance = pairwise_advantages(6, pairs, chances)
        calls["routed"] += router.calls
        calls["random"] += len(chosen)
        for name, values in (("routed", found), ("random", by_chance)):
            errors[name] += sum((a - b) ** 2 for a, b in zip(values, truth, strict=True))
    assert calls["routed"] == calls["random"]
    assert errors["routed"] < 0.6 * errors["random"]


def test_judged_pairs_calibrate_the_scorer() -> None:
    rng, router = Random(1), Router(budget=3)
    assert router.calibrate() == 1.0  # nothing was judged
    for _ in range(300):
        worth = [rng.gauss(0, 1) for _ in range(3)]
        router.group([10 * value + rng.gauss(0, 10) for value in worth], exact(worth))
    before = router.report()
    assert router.calibrate() > 3.0
    after = router.report()
    assert after["calibration_error"] < before["calibration_error"] / 2
    assert after["judge_calls"] == 900.0
    assert 0.6 < after["agreement"] < 0.95
    assert most_uncertain([0.1, 0.9, 0.9], 2) == [1, 2]
