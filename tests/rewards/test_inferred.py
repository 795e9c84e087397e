"""Qualities inferred from trees, worked by hand."""

import math

import pytest

from palestra.rewards.base import Scored, StepReward, Trajectory, Turn
from palestra.rewards.forking import Node
from palestra.rewards.inferred import Inferred, InferredReward, inferred


def end(value: float) -> Node:
    return Node(value, value, 0.0, ())


def inner(*children: Node) -> Node:
    return Node(0.0, 0.0, 0.0, children)


def is_right(step: Node) -> bool:
    return step.reward > 0.5


def test_a_right_way_gains_as_much_with_each_step_and_ends_at_1() -> None:
    (first,) = inferred([inner(inner(end(1.0)))], is_right)
    second = first.children[0]
    third = second.children[0]
    assert [one.to_go for one in (first, second, third)] == [3, 2, 1]
    assert [one.value for one in (first, second, third)] == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_wrong_steps_lose_by_the_distance_of_where_the_way_was_left() -> None:
    # first: m = 2, v = 1/2. Its right child: m = 1, v = 1. Its wrong one has m = 2 of the first: 1/2 - (1/2)/2 = 1/4,
    # and what follows that: 1/4 - (3/4)/2 < 0.
    (first,) = inferred([inner(end(1.0), inner(end(0.0)))], is_right)
    right, wrong = first.children
    assert (first.value, right.value, wrong.value) == pytest.approx((0.5, 1.0, 0.25))
    assert (wrong.to_go, wrong.is_right) == (2, False)
    assert wrong.reward == pytest.approx(-0.25)
    assert wrong.children[0].value == 0.0


def test_the_nearest_right_end_counts() -> None:
    (first,) = inferred([inner(inner(inner(end(1.0))), end(1.0))], is_right)
    assert first.to_go == 2
    assert [child.to_go for child in first.children] == [3, 1]


def test_without_a_right_end_nothing_is_known_and_nothing_is_worth_anything() -> None:
    (first,) = inferred([inner(end(0.0))], is_right)
    assert first == Inferred(0.0, 0.0, None, False, (Inferred(0.0, 0.0, None, False, ()),))


def attempt(*said: int, is_success: bool = False, group: str = "g") -> Trajectory:
    turns = tuple(
        Turn(prompt_ids=(0, *said[:depth]), output_ids=(token,), logprobs=(0.0,)) for depth, token in enumerate(said)
    )
    outcome = Scored(float(is_success), is_success)
    return Trajectory(env_id="e", task_id="t", group=group, turns=turns, outcome=outcome)


def test_attempts_that_begin_alike_are_one_tree() -> None:
    reward: StepReward = InferredReward()
    right, wrong, other, lone = reward.score(
        [attempt(1, 2, is_success=True), attempt(1, 3), attempt(1, 2, group="h"), attempt(4, 5, 6, 7, is_success=True)]
    )
    assert right == pytest.approx([0.5, 0.5])
    assert wrong == pytest.approx([0.5, -0.25])
    assert other == [0.0, 0.0]
    assert lone == pytest.approx([0.25] * 4)


def test_every_turn_is_scored_and_a_success_is_paid_1_in_all() -> None:
    some = [attempt(1, 2, is_success=True), attempt(1, 2, 3), attempt(1), attempt(), attempt(2, 1, 4, is_success=True)]
    scores = InferredReward().score(some)
    assert [len(row) for row in scores] == [len(one.turns) for one in some]
    for one, row in zip(some, scores, strict=True):
        if one.outcome.is_success:
            assert math.fsum(row) == pytest.approx(1.0)


def test_long_episodes_are_no_trouble() -> None:
    (row,) = InferredReward().score([attempt(*range(600), is_success=True)])
    assert row == pytest.approx([1 / 600] * 600)


def test_a_tree_of_attempts_is_valued_as_the_same_tree_of_steps() -> None:
    attempts = [attempt(1, 2, is_success=True), attempt(1, 3, 4), attempt(5), attempt(1, 3, 6, 7, is_success=True)]
    steps = inferred([inner(end(1.0), inner(end(0.0), inner(end(1.0)))), end(0.0)], is_right)
    first, lone = steps
    right, other = first.children
    wrong, last = other.children
    want = [
        [first.reward, right.reward],
        [first.reward, other.reward, wrong.reward],
        [lone.reward],
        [first.reward, other.reward, last.reward, last.children[0].reward],
    ]
    for row, expected in zip(InferredReward().score(attempts), want, strict=True):
        assert row == pytest.approx(expected)
