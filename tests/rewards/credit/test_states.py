"""Credit by same states: values worked out by hand."""

from collections.abc import Sequence

import pytest

from palestra.rewards.base import Scored, Trajectory, Turn
from palestra.rewards.credit.group import dr_grpo
from palestra.rewards.credit.states import gigpo, gigpo_with


def played(told: Sequence[tuple[str, float]], group: str = "g") -> Trajectory:
    turns = tuple(Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(-0.5,), reward=r, state_key=key) for key, r in told)
    return Trajectory(env_id="e", task_id="t", group=group, turns=turns, outcome=Scored(0.0, False))


def test_turns_are_compared_with_those_of_the_same_state() -> None:
    group = [played([("s", 0.0), ("x", 1.0)]), played([("s", 0.0), ("y", 0.0)])]
    # Episodes: +-1/2. At s the sums to go are 1 and 0: +-1/2 again. x and y are visited once.
    assert gigpo(group) == [[1.0, 0.5], [-1.0, -0.5]]


def test_a_state_that_is_visited_twice_by_one_episode_counts_twice() -> None:
    group = [played([("s", 0.0), ("s", 1.0)]), played([("s", 0.0)])]
    # Sums to go at s: 1, 1, 0, with the mean 2/3.
    assert gigpo(group) == [pytest.approx([0.5 + 1 / 3, 0.5 + 1 / 3]), pytest.approx([-0.5 - 2 / 3])]


def test_without_keys_it_is_the_centred_return_and_other_groups_do_not_count() -> None:
    plain = [played([("", 1.0)]), played([("", 0.0)])]
    assert gigpo(plain) == dr_grpo(plain)
    two = [played([("s", 1.0)], "a"), played([("s", 0.0)], "a"), played([("s", 9.0)], "b"), played([("s", 9.0)], "b")]
    assert gigpo(two) == [[1.0], [-1.0], [0.0], [0.0]]


def test_weight_discount_and_scale() -> None:
    group = [played([("s", 0.0), ("x", 1.0)]), played([("s", 0.0), ("y", 0.0)])]
    assert gigpo_with(weight=0.0)(group) == dr_grpo(group)
    # Discounted by 1/2, the sums to go at s are 1/2 and 0.
    assert gigpo_with(gamma=0.5)(group)[0] == [0.75, 0.5]
    # Scaled by the unbiased deviation of two values, either part is 1/sqrt(2).
    assert gigpo_with(has_scale=True)(group)[0] == pytest.approx([2**0.5, 2**-0.5])
