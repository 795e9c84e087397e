"""Bounds on step rewards, their sum with outcomes, and the watch for steps that are paid for nothing."""

from collections.abc import Sequence

import pytest

from palestra.rewards.base import RecordError, Scored, Trajectory, Turn
from palestra.rewards.combine import HackingWatch, clipped, correlation, delta, mixed, renormalised, with_steps
from palestra.rewards.credit.group import rloo
from palestra.rewards.credit.returns import reward_to_go


def played(rewards: Sequence[float], group: str = "g") -> Trajectory:
    turns = tuple(Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(-0.5,), reward=r) for r in rewards)
    return Trajectory(env_id="e", task_id="t", group=group, turns=turns, outcome=Scored(sum(rewards), False))


def test_clipped_steps_never_pay_and_delta_steps_pay_the_first_score() -> None:
    assert clipped([0.9, 0.25, 0.5], threshold=0.5) == [0.0, -0.25, 0.0]
    scores = [0.5, 0.75, 0.25]
    assert reward_to_go(delta(scores)) == scores
    assert delta([]) == []


def test_repeating_a_good_step_pays_only_in_the_sum() -> None:
    once, often = [0.75], [0.75] * 20
    assert sum(often) > sum(once)
    assert sum(delta(often)) == sum(delta(once))
    assert sum(clipped(often, threshold=0.8)) < sum(clipped(once, threshold=0.8))


def test_renormalised_scores_sum_to_the_outcome_and_keep_their_differences() -> None:
    moved = renormalised([0.5, 1.0], outcome=0.0)
    assert moved == [-0.25, 0.25]
    assert sum(renormalised([3.0, 4.0, 5.0], outcome=1.0)) == pytest.approx(1.0)
    assert renormalised([], outcome=1.0) == []


def test_mixed_advantages_have_one_value_a_turn() -> None:
    assert mixed([[1.0, 1.0], [-1.0]], [[0.5, 0.0], [0.25]], weight=2.0) == [[2.0, 1.0], [-0.5]]
    with pytest.raises(RecordError, match="step advantages of"):
        mixed([[1.0]], [[1.0, 2.0]])


def test_step_scores_are_compared_with_siblings_beside_the_outcome() -> None:
    group = [played([0.0, 1.0]), played([0.0, 0.0])]
    scores = [[0.5, 0.0], [0.0, 0.0]]
    # Outcomes by leaving oneself out: +-1; sums to go of the scores: 0.5 against 0, then 0 against 0.
    assert with_steps(group, scores, rloo) == [[1.5, 1.0], [-1.5, -1.0]]
    assert with_steps(group[:1], scores[:1], rloo) == [[0.0, 0.0]]
    assert group[0].turns[1].reward == 1.0
    with pytest.raises(RecordError, match="step scores of"):
        with_steps(group, [[0.5], [0.0]], rloo)


def test_correlation_by_hand_and_where_there_is_none() -> None:
    assert correlation([0.0, 1.0, 2.0], [1.0, 3.0, 5.0]) == pytest.approx(1.0)
    assert correlation([0.0, 1.0, 2.0], [0.0, 1.0, 0.0]) == pytest.approx(0.0)
    assert correlation([1.0, 1.0, 1.0], [0.0, 1.0, 0.0]) is None
    assert correlation([1.0, 2.0], [0.0, 1.0]) is None
    with pytest.raises(RecordError, match="have no correlation"):
        correlation([1.0], [1.0, 2.0])


def test_the_alarm_is_raised_by_steps_that_pay_for_failing_and_not_by_honest_ones() -> None:
    honest, hacked = HackingWatch(), HackingWatch()
    fair = [honest.see([0.1, 0.5, 0.9], [0.0, 0.0, 1.0]) for _ in range(5)][-1]
    foul = [hacked.see([0.9, 0.5, 0.1], [0.0, 0.0, 1.0]) for _ in range(5)][-1]
    assert fair["hacking_alarm"] == 0.0
    assert fair["step_outcome_correlation"] > 0.8
    assert foul["hacking_alarm"] == 1.0
    assert foul["step_outcome_correlation"] < -0.8


def test_the_alarm_is_raised_when_step_rewards_rise_while_outcomes_fall() -> None:
    watch, alarms = HackingWatch(patience=3), []
    for batch in range(6):  # all episodes of a batch alike: no correlation to see
        alarms.append(watch.see([0.1 * batch] * 4, [1.0 - 0.1 * batch] * 4)["hacking_alarm"])
    assert alarms == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]


def test_one_bad_batch_is_no_alarm_and_an_empty_one_changes_nothing() -> None:
    watch = HackingWatch(patience=2)
    assert watch.see([0.9, 0.5, 0.1], [0.0, 0.0, 1.0])["hacking_alarm"] == 0.0
    assert watch.see([], [])["hacking_alarm"] == 0.0
    assert watch.see([0.1, 0.5, 0.9], [0.0, 0.0, 1.0])["hacking_alarm"] == 0.0
    assert watch.see([0.9, 0.5, 0.1], [0.0, 0.0, 1.0])["hacking_alarm"] == 0.0
