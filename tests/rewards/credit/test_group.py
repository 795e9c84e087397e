"""Credit: values worked out by hand, and the bias that normalising per turn index would bring."""

import random
from collections.abc import Sequence

import pytest

from palestra.rewards.base import Scored, Trajectory, Turn
from palestra.rewards.credit import CREDITS, Estimator, credit_named
from palestra.rewards.credit.group import dr_grpo, grpo, grpo_with, maxrl, rloo, turn_loo
from palestra.rewards.credit.returns import reward_to_go


def played(rewards: Sequence[float], group: str = "g") -> Trajectory:
    turns = tuple(Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(-0.5,), reward=r) for r in rewards)
    return Trajectory(env_id="e", task_id="t", group=group, turns=turns, outcome=Scored(sum(rewards), False))


def test_reward_to_go_sums_what_is_still_to_come() -> None:
    assert reward_to_go([1.0, 0.0, 2.0]) == [3.0, 2.0, 2.0]
    assert reward_to_go([1.0, 0.0, 2.0], gamma=0.5) == [1.5, 1.0, 2.0]
    assert reward_to_go([]) == []


def test_turn_loo_compares_with_siblings_that_reached_the_turn() -> None:
    group = [played([0.0, 1.0]), played([0.0]), played([0.5, 0.0, 0.25])]
    # Rewards to go: [1, 1], [0], [.75, .25, .25]. Turn 2 has no sibling: its baseline is 0.
    want = [[1 - 0.375, 1 - 0.25], [0 - 0.875], [0.75 - 0.5, 0.25 - 1.0, 0.25]]
    assert turn_loo(group) == pytest.approx([pytest.approx(row) for row in want])


def test_rloo_leaves_oneself_out() -> None:
    group = [played([0.0, 1.0]), played([0.0]), played([0.5])]
    assert rloo(group) == [pytest.approx([0.75, 0.75]), pytest.approx([-0.75]), pytest.approx([0.0])]


def test_grpo_divides_by_the_unbiased_deviation() -> None:
    group = [played([1.0]), played([0.0])]
    spread = 0.5**0.5  # of 1 and 0, unbiased
    assert grpo(group) == [pytest.approx([0.5 / spread], rel=1e-5), pytest.approx([-0.5 / spread], rel=1e-5)]
    assert grpo_with(0.0)(group) == [pytest.approx([0.5 / spread]), pytest.approx([-0.5 / spread])]


def test_dr_grpo_only_centres_and_maxrl_divides_by_the_mean() -> None:
    group = [played([1.0]), played([0.0, 0.0]), played([0.0]), played([1.0])]
    assert dr_grpo(group) == [[0.5], [-0.5, -0.5], [-0.5], [0.5]]
    seldom = [played([1.0]), played([0.0]), played([0.0]), played([0.0])]
    assert maxrl(seldom) == [[3.0], [-1.0], [-1.0], [-1.0]]
    assert maxrl([played([-1.0]), played([0.0])]) == [[0.0], [0.0]]  # a mean that is not positive says nothing


@pytest.mark.parametrize("credit", CREDITS.values(), ids=CREDITS)
def test_a_group_of_one_and_equal_siblings_teach_nothing(credit: Estimator) -> None:
    assert credit([played([1.0, 0.0])]) == [[0.0, 0.0]]
    equal = credit([played([0.0, 1.0]) for _ in range(4)])
    assert [row[0] for row in equal] == pytest.approx([0.0] * 4)


@pytest.mark.parametrize("credit", CREDITS.values(), ids=CREDITS)
def test_every_estimator_keeps_shapes_takes_odd_turn_counts_and_changes_nothing(credit: Estimator) -> None:
    group = [played([0.0, 0.0, 1.0]), played([0.0]), played([]), played([1.0]), played([0.0, 0.0], "other")]
    before = repr(group)
    assert [len(row) for row in credit(group)] == [3, 1, 0, 1, 2]
    assert repr(group) == before
    assert credit([]) == []


@pytest.mark.parametrize("credit", CREDITS.values(), ids=CREDITS)
def test_who_succeeds_is_credited_above_who_fails(credit: Estimator) -> None:
    rows = credit([played([1.0]), played([0.0]), played([0.0]), played([1.0])])
    assert rows[0][0] == rows[3][0] > rows[1][0] == rows[2][0]


def test_each_group_is_credited_by_itself_and_order_is_kept() -> None:
    mixed = [played([1.0], "a"), played([7.0], "b"), played([0.0], "a"), played([7.0], "b")]
    assert rloo(mixed) == [[1.0], [0.0], [-1.0], [0.0]]


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    assert credit_named("turn_loo") is turn_loo
    with pytest.raises(ValueError, match="no credit is called 'ppo'; there are turn_loo, rloo, grpo"):
        credit_named("ppo")


def _gradient(credit: Estimator, p: float, groups: int, seed: int) -> tuple[float, float]:
    """Estimate d(return)/d(logit of going on) of a policy that may stop each turn, with its standard error.

    Each of at most four turns pays 1 or, after a bad draw, 0.5; the policy goes on with probability p.
    """
    rng = random.Random(seed)
    estimates = []
    for _ in range(groups):
        group, scores = [], []
        for _ in range(8):
            rewards, score = [], []
            for _ in range(4):
                goes_on = rng.random() < p
                rewards.append((1.0 + rng.choice([-0.5, 0.5])) if goes_on else 0.0)
                score.append((1.0 - p) if goes_on else -p)
                if not goes_on:
                    break
            group.append(played(rewards))
            scores.append(score)
        rows = credit(group)
        estimates.append(
            sum(a * s for row, ss in zip(rows, scores, strict=True) for a, s in zip(row, ss, strict=True)) / 8
        )
    mean = sum(estimates) / groups
    error = (sum((e - mean) ** 2 for e in estimates) / (groups - 1) / groups) ** 0.5
    return mean, error


def _per_turn_index(group: Sequence[Trajectory]) -> list[list[float]]:
    """The tempting wrong estimator: center each turn index over its survivors, then sum what is to come."""
    longest = max(len(one.turns) for one in group)
    means = []
    for k in range(longest):
        alive = [one.turns[k].reward for one in group if len(one.turns) > k]
        means.append(sum(alive) / len(alive))
    return [reward_to_go([turn.reward - means[k] for k, turn in enumerate(one.turns)]) for one in group]


def _exact(p: float) -> float:
    """The true derivative: with V_k = p (1 + V_{k+1}), dJ/dlogit = p (1 - p) dJ/dp."""
    value, slope = 0.0, 0.0
    for _ in range(4):
        value, slope = p * (1.0 + value), (1.0 + value) + p * slope
    return p * (1.0 - p) * slope


@pytest.mark.parametrize("p", [0.27, 0.5, 0.73])
@pytest.mark.parametrize("name", ["turn_loo", "rloo"])
def test_the_policy_gradient_is_unbiased_although_the_policy_decides_when_it_stops(name: str, p: float) -> None:
    mean, error = _gradient(CREDITS[name], p, groups=800, seed=1)
    assert abs(mean - _exact(p)) < 4 * error, f"{mean:.3f} +- {error:.3f}, truly {_exact(p):.3f}"


def test_normalising_each_turn_index_over_survivors_is_biased_so_the_test_above_can_fail() -> None:
    mean, error = _gradient(_per_turn_index, 0.5, groups=800, seed=1)
    assert _exact(0.5) - mean > 10 * error


def test_turn_loo_is_less_noisy_than_the_episode_total() -> None:
    assert _gradient(turn_loo, 0.5, 800, 2)[1] < 0.8 * _gradient(rloo, 0.5, 800, 2)[1]
