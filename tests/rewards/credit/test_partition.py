"""The log-partition of a group's rewards as its baseline."""

import math

import pytest

from palestra.rewards.base import Scored, Trajectory, Turn
from palestra.rewards.credit.group import rloo
from palestra.rewards.credit.partition import log_partition


def group(*returns: float, turns: int = 1, name: str = "g") -> list[Trajectory]:
    made = []
    for reward in returns:
        parts = [reward, *[0.0] * (turns - 1)]
        its = tuple(Turn(prompt_ids=(1,), output_ids=(2,), logprobs=(0.0,), reward=part) for part in parts)
        made.append(Trajectory(env_id="e", task_id="t", group=name, turns=its, outcome=Scored(reward, False)))
    return made


def test_by_hand() -> None:
    found = log_partition(group(1.0, 0.0, 0.0, turns=2), tau=0.5)
    # The first's siblings both have 0, the others' have 1 and 0.
    baseline = 0.5 * math.log((math.e**2 + 1) / 2)
    assert found[0] == pytest.approx([1.0, 1.0])
    assert found[1] == found[2] == pytest.approx([-baseline, -baseline])


def test_a_large_temperature_compares_with_the_mean_and_a_small_one_with_the_best() -> None:
    played = group(0.7, 0.1, -0.4, 1.0)
    flat = [row[0] for row in log_partition(played, tau=1e5)]
    assert flat == pytest.approx([row[0] for row in rloo(played)], abs=1e-4)
    best = [row[0] for row in log_partition(played, tau=1e-4)]
    assert best == pytest.approx([0.7 - 1.0, 0.1 - 1.0, -0.4 - 1.0, 1.0 - 0.7], abs=1e-3)


def test_singletons_and_equals_have_no_advantage() -> None:
    assert log_partition(group(5.0, turns=3)) == [[0.0, 0.0, 0.0]]
    assert log_partition(group(2.0, 2.0)) == [[0.0], [0.0]]
    assert log_partition([]) == []


def test_groups_are_credited_by_themselves() -> None:
    assert log_partition([*group(1.0, name="a"), *group(0.0, name="b")]) == [[0.0], [0.0]]


def test_rewards_far_apart_do_not_overflow() -> None:
    found = log_partition(group(1e6, -1e6), tau=0.01)
    assert [row[0] for row in found] == [2e6, -2e6]


def test_a_temperature_must_be_positive() -> None:
    with pytest.raises(ValueError, match="tau must be positive, not 0"):
        log_partition(group(1.0, 0.0), tau=0)
