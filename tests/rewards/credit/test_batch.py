"""Credit by statistics of the batch: values worked out by hand."""

import math
from collections.abc import Sequence

import pytest

from palestra.rewards.base import RecordError, Scored, Trajectory, Turn
from palestra.rewards.credit.batch import bnpo, reinforce_ada, reinforce_plus_plus, reinforce_plus_plus_baseline, risk


def played(rewards: Sequence[float], group: str = "g", tokens: int = 1) -> Trajectory:
    turns = tuple(Turn(prompt_ids=(1,), output_ids=(2,) * tokens, logprobs=(-0.5,) * tokens, reward=r) for r in rewards)
    return Trajectory(env_id="e", task_id="t", group=group, turns=turns, outcome=Scored(sum(rewards), False))


def test_reinforce_plus_plus_whitens_over_tokens() -> None:
    # One turn of three tokens worth 1, one of one token worth 0: mean 3/4, variance (3/16 + 9/16)/4 = 3/16.
    rows = reinforce_plus_plus([played([1.0], "a", tokens=3), played([0.0], "b")])
    std = math.sqrt(3 / 16)
    assert rows == [pytest.approx([0.25 / std]), pytest.approx([-0.75 / std])]


def test_reinforce_plus_plus_uses_what_is_still_to_come() -> None:
    rows = reinforce_plus_plus([played([0.0, 1.0], "a"), played([1.0, 0.0], "b")])
    # Sums to go 1, 1, 1, 0: mean 3/4, standard deviation sqrt(3)/4.
    high, low = 0.25 / (math.sqrt(3) / 4), -0.75 / (math.sqrt(3) / 4)
    assert rows == [pytest.approx([high, high]), pytest.approx([high, low])]


def test_the_baseline_variant_takes_the_groups_mean_first() -> None:
    batch = [played([1.0], "a"), played([0.0], "a"), played([5.0], "b"), played([5.0], "b")]
    # Centred: 0.5, -0.5, 0, 0; standard deviation sqrt(1/8).
    unit = 0.5 / math.sqrt(1 / 8)
    assert reinforce_plus_plus_baseline(batch) == [pytest.approx([v]) for v in (unit, -unit, 0.0, 0.0)]


def test_bnpo_divides_by_the_density_of_the_batch() -> None:
    batch = [played([r], name) for name, rs in (("a", (1, 0, 0, 0)), ("b", (1, 1, 1, 0))) for r in rs]
    # Means 1/4 and 3/4: mean 1/2, variance 1/8, so size 1/4 / (1/8) - 1 = 1, a = b = 1/2 and the density is that of
    # Beta(7/6, 7/6), the same at 1/4 and 3/4.
    density = (0.25 * 0.75) ** (1 / 6) * math.gamma(7 / 3) / math.gamma(7 / 6) ** 2
    want = [0.75, -0.25, -0.25, -0.25, 0.25, 0.25, 0.25, -0.75]
    assert [row[0] for row in bnpo(batch)] == pytest.approx([value / density for value in want])


def test_bnpo_without_a_spread_of_groups_only_centres_and_refuses_other_returns() -> None:
    assert bnpo([played([1.0]), played([0.0])]) == [[0.5], [-0.5]]
    with pytest.raises(RecordError, match=r"returns of 0 and 1, not 0\.5"):
        bnpo([played([0.5]), played([0.0])])


def test_risk_looks_at_the_worse_bundles() -> None:
    batch = [played([r], name) for name, rs in (("a", (0, 0, 1, 1)), ("b", (0, 1, 0, 1))) for r in rs]
    # Sums of the k-th attempts: 0, 1, 1, 2. At low = 1/4 the quantile is 0, at high = 3/4 it is 1.
    rows = risk(batch, low=0.25, high=0.75, weight=1.0, bundle=2)
    assert [row[0] for row in rows] == [-1.0, 0.0, 0.0, 0.0] * 2
    # With low = 1/2 the quantile is 1 as well, and the worst counts (1 + weight) times.
    assert risk(batch, low=0.5, high=0.75, weight=2.0, bundle=2)[0] == [-3.0]


def test_risk_gives_attempts_without_a_counterpart_nothing_and_refuses_odd_levels() -> None:
    batch = [played([0.0], "a"), played([1.0], "a"), played([0.0], "a"), played([1.0], "b"), played([0.0], "b")]
    assert risk(batch, bundle=2)[2] == [0.0]
    with pytest.raises(ValueError, match="0 < low < high <= 1"):
        risk(batch, low=0.9, high=0.5)


def test_risk_has_the_gradient_of_its_objective() -> None:
    """The lower part of a coin's mean falls with the advantage's product with the score, as calculus says."""
    # Two outcomes with P(1) = p, one group, bundle 1, level above 1 - p: the objective min(X - q, 0) has q = 1, so the
    # advantage is -(1 + weight) for 0 where both levels are beyond, else -1; here both are.
    group = [played([1.0])] * 6 + [played([0.0])] * 4
    rows = risk(group, low=0.5, high=0.9, weight=0.5, bundle=1)
    assert [row[0] for row in rows] == [0.0] * 6 + [-1.5] * 4


def test_reinforce_ada_knows_what_was_not_kept() -> None:
    kept = [played([1.0], "a"), played([0.0], "a")]
    drawn = {"a": [1.0, 0.0, 0.0, 0.0]}
    assert reinforce_ada(kept, drawn) == [[0.75], [-0.25]]
    std = math.sqrt(3 / 16)
    assert reinforce_ada(kept, drawn, has_scale=True) == [pytest.approx([0.75 / std]), pytest.approx([-0.25 / std])]
    assert reinforce_ada([kept[0]], {"a": [1.0]}) == [[0.0]]
    assert reinforce_ada([kept[0]], {"a": [1.0, 1.0]}, has_scale=True) == [[0.0]]
    with pytest.raises(RecordError, match="what was drawn for the group 'a'"):
        reinforce_ada(kept, {})
