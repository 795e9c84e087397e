"""Step rewards from what the environment told, and that potentials leave every optimum where it was."""

import itertools
import math
from random import Random

import pytest

from palestra.rewards.base import RecordError, Scored, StepReward, Trajectory, Turn
from palestra.rewards.potential import KnownStates, Milestones, PartsReward, PotentialReward
from palestra.rewards.shaping import shaping_reward

STATES, ACTIONS, END = 4, 2, 4
GAMMA = 0.9
Process = list[list[tuple[float, list[float]]]]  # of each state and action: the reward, and the chance of each state


def played(*turns: Turn) -> Trajectory:
    return Trajectory(env_id="e", task_id="t", group="g", turns=turns, outcome=Scored(0.0, False))


def turn(state: str = "", **parts: float) -> Turn:
    return Turn(
        prompt_ids=(1,), output_ids=(2,), logprobs=(0.0,), reward=sum(parts.values()), parts=parts, state_key=state
    )


def drawn(rng: Random) -> Process:
    rows: Process = []
    for _ in range(STATES):
        row = []
        for _ in range(ACTIONS):
            weights = [rng.random() for _ in range(STATES + 1)]
            row.append((rng.uniform(-1, 1), [w / sum(weights) for w in weights]))
        rows.append(row)
    return rows


def best(process: Process, bonus: list[float] | None = None, potential: list[float] | None = None) -> tuple[int, ...]:
    """The optimal action of each state, by value iteration; what is paid besides is a bonus or a potential's change."""

    def worth(state: int, action: int, values: list[float]) -> float:
        reward, chances = process[state][action]
        total = reward
        for target, chance in enumerate(chances):
            total += chance * GAMMA * values[target]
            if potential:
                total += chance * shaping_reward(potential[state], potential[target], gamma=GAMMA)
            if bonus:
                total += chance * bonus[target]
        return total

    values = [0.0] * (STATES + 1)
    for _ in range(400):
        values = [max(worth(s, a, values) for a in range(ACTIONS)) for s in range(STATES)] + [0.0]
    return tuple(max(range(ACTIONS), key=lambda a: worth(s, a, values)) for s in range(STATES))


def test_a_potential_leaves_the_optimal_policy_of_random_processes_as_it_is_and_a_bonus_does_not() -> None:
    moved = 0
    for seed in range(60):
        rng = Random(seed)
        process = drawn(rng)
        extra = [rng.uniform(-3, 3) for _ in range(STATES)] + [0.0]
        assert best(process, potential=extra) == best(process), seed
        moved += best(process, bonus=extra) != best(process)
    assert moved > 20  # so the test would see it


def test_what_a_potential_pays_depends_on_the_start_alone() -> None:
    rng = Random(1)
    potential = {str(state): rng.uniform(-3, 3) for state in range(STATES)}
    reward: StepReward = PotentialReward(potential=KnownStates(potential), gamma=GAMMA)
    for length in range(1, 8):
        states = ["0", *(str(rng.randrange(STATES)) for _ in range(length - 1))]
        (paid,) = reward.score([played(*map(turn, states))])
        assert math.fsum(GAMMA**k * one for k, one in enumerate(paid)) == pytest.approx(-potential["0"])


def test_a_potential_is_paid_by_its_change_and_given_back_at_the_end() -> None:
    reward = PotentialReward(potential=KnownStates({"a": 0.0, "b": 0.5, "c": 0.75}), weight=2.0)
    assert reward.score([played(turn("a"), turn("b"), turn("c"))]) == [[1.0, 0.5, -1.5]]
    assert reward.score([played()]) == [[]]


def test_a_potential_of_another_shape_is_refused() -> None:
    with pytest.raises(RecordError, match="2 turns have as many finite potentials"):
        PotentialReward(potential=lambda one: [0.0]).score([played(turn(), turn())])
    with pytest.raises(RecordError, match="finite"):
        PotentialReward(potential=lambda one: [math.nan]).score([played(turn())])


def test_parts_are_paid_by_their_weights() -> None:
    reward: StepReward = PartsReward(weights={"format": 0.5, "potential": 1.0})
    assert reward.score([played(turn(outcome=1.0, format=-0.2), turn(potential=0.3), turn())]) == [[-0.1, 0.3, 0.0]]


def test_milestones_stay_reached_and_count_after_those_they_need() -> None:
    holding = [set[str](), {"opened"}, {"paid"}, {"paid", "found"}]
    milestones = Milestones(
        weights={"found": 1.0, "opened": 1.0, "paid": 2.0},
        reached=lambda one: holding,
        after={"paid": ["found", "opened"]},
    )
    one = played(*(turn() for _ in holding))
    assert milestones(one) == [0.0, 0.25, 0.25, 1.0]
    assert PotentialReward(potential=milestones).score([one]) == [[0.25, 0.0, 0.75, -1.0]]


def test_the_order_of_names_in_a_set_changes_nothing() -> None:
    names = ["a", "b", "c"]
    for order in itertools.permutations(names):
        milestones = Milestones(
            weights=dict.fromkeys(order, 0.1), reached=lambda one: [names], after={"b": ["a"], "c": ["b"]}
        )
        assert milestones(played(turn())) == [1.0]


def test_milestones_without_a_weight_are_refused() -> None:
    with pytest.raises(RecordError, match="without a weight: \\['b'\\]"):
        Milestones(weights={"a": 1.0}, reached=lambda one: [], after={"a": ["b"]})
    with pytest.raises(RecordError, match="positive"):
        Milestones(weights={"a": 0.0}, reached=lambda one: [])
