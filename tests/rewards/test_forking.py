"""Step values by forking, held against the exact values of random decision processes."""

import math
from dataclasses import dataclass
from random import Random
from typing import Self

import pytest

from palestra.rewards.forking import Forks, interval, leave_one_out, step_advantages, tree, truncated_steps


@dataclass(frozen=True)
class Process:
    """A random Markov chain, as a policy makes of a decision process: rewards and next states, None being the end."""

    moves: tuple[tuple[tuple[float, float, int | None], ...], ...]  # of each state: probability, reward, next state

    @classmethod
    def drawn(cls, seed: int, states: int = 6) -> "Process":
        rng = Random(seed)
        rows = []
        for _ in range(states):
            weights = [rng.random() for _ in range(3)]
            targets = [rng.randrange(states), rng.randrange(states), None]
            rows.append(tuple((w / sum(weights), rng.uniform(-1, 1), t) for w, t in zip(weights, targets, strict=True)))
        return cls(tuple(rows))

    def exact(self) -> list[float]:
        values = [0.0] * len(self.moves)
        for _ in range(2000):
            values = [sum(p * (r + (0.0 if t is None else values[t])) for p, r, t in row) for row in self.moves]
        return values


@dataclass(frozen=True)
class At:
    process: Process
    state: int
    is_named: bool = True

    @property
    def key(self) -> str:
        return str(self.state) if self.is_named else ""

    def step(self, rng: Random) -> tuple[float, Self | None]:
        row = self.process.moves[self.state]
        (move,) = rng.choices(row, [chance for chance, _, _ in row])
        _, reward, target = move
        return reward, None if target is None else type(self)(self.process, target, self.is_named)


def test_values_lie_within_their_interval_of_the_exact_ones() -> None:
    inside = 0
    for seed in range(200):
        process, forks = Process.drawn(seed), Forks(samples=64, longest=1000)
        found = forks.value(At(process, 0), Random(seed + 10_000))
        inside += found.low <= process.exact()[0] <= found.high
    assert inside >= 186  # 93 % of 200


def test_values_are_unbiased() -> None:
    process = Process.drawn(7)
    means = [Forks(samples=2, longest=1000).value(At(process, 0), Random(seed)).mean for seed in range(4000)]
    mean = math.fsum(means) / len(means)
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in means) / (len(means) - 1) / len(means))
    assert abs(mean - process.exact()[0]) < 4 * error


def test_step_advantages_estimate_the_exact_ones_and_sum_to_what_the_episode_gained() -> None:
    process, rng = Process.drawn(3), Random(0)
    exact, forks = process.exact(), Forks(samples=4000, longest=1000)
    states, rewards = [At(process, 0), At(process, 4)], [0.25, -0.5]
    advantages = step_advantages(rewards, states, forks, rng)
    assert advantages[0] == pytest.approx(0.25 + exact[4] - exact[0], abs=0.15)
    assert advantages[1] == pytest.approx(-0.5 - exact[4], abs=0.1)
    assert math.fsum(advantages) == pytest.approx(math.fsum(rewards) - forks.value(states[0], rng).mean)


def test_segments_share_one_advantage_and_only_cuts_are_valued() -> None:
    process, forks = Process.drawn(3), Forks(samples=8)
    states = [At(process, k) for k in range(4)]
    advantages = step_advantages([0.0, 1.0, 0.0, 2.0], states, forks, Random(0), at=[0, 2])
    first, second = (forks.value(states[k], Random(0)).mean for k in (0, 2))
    assert advantages == pytest.approx([1.0 + second - first] * 2 + [2.0 - second] * 2)
    assert forks.saved == 2


def test_a_known_state_costs_nothing_until_it_is_forgotten_and_a_nameless_one_always() -> None:
    process, forks = Process.drawn(1), Forks(samples=4)
    first = forks.value(At(process, 2), Random(0))
    spent = forks.steps
    assert forks.value(At(process, 2), Random(1)) == first
    assert (forks.steps, forks.saved) == (spent, 1)
    forks.forget()
    forks.value(At(process, 2), Random(1))
    assert forks.steps > spent
    nameless = Forks(samples=4)
    for seed in range(2):
        nameless.value(At(process, 2, is_named=False), Random(seed))
    assert nameless.saved == 0


def test_a_sure_thing_is_found_out_early_and_the_end_is_worth_nothing() -> None:
    sure = Process((((1.0, 0.5, None),),))
    patient, brief = Forks(samples=40), Forks(samples=40, least=4, width=0.5)
    assert patient.value(At(sure, 0), Random(0)).samples == 40
    found = brief.value(At(sure, 0), Random(0))
    assert found.samples < 12
    assert found.mean == 0.5
    assert brief.value(None, Random(0)).mean == 0.0


def test_an_endless_process_is_cut_off() -> None:
    endless = Process((((1.0, 1.0, 0),),))
    assert Forks(samples=2, longest=10).value(At(endless, 0), Random(0)).mean == 10.0
    assert Forks(samples=2, longest=200, gamma=0.5).value(At(endless, 0), Random(0)).mean == pytest.approx(2.0)


def test_a_tree_compares_steps_from_the_same_state() -> None:
    process, forks = Process.drawn(5), Forks(longest=1000)
    nodes = tree(At(process, 0), [4, 3], forks, Random(0))
    assert len(nodes) == 4
    for node in nodes:
        if node.children:
            want = node.reward + math.fsum(child.value for child in node.children) / len(node.children)
            assert node.value == pytest.approx(want)
            assert [child.advantage for child in node.children] == leave_one_out([c.value for c in node.children])
    assert [node.advantage for node in nodes] == leave_one_out([node.value for node in nodes])
    assert forks.steps >= 4


def test_a_trees_values_are_unbiased() -> None:
    process = Process.drawn(5)
    means = [
        math.fsum(node.value for node in tree(At(process, 0), [2, 2], Forks(longest=1000), Random(seed))) / 2
        for seed in range(3000)
    ]
    mean = math.fsum(means) / len(means)
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in means) / (len(means) - 1) / len(means))
    assert abs(mean - process.exact()[0]) < 4 * error


def test_truncated_steps_vary_less_than_whole_episodes() -> None:
    """With the exact values as scores, what later steps draw is not in a step's advantage."""
    process = Process.drawn(11)
    exact, rng = process.exact(), Random(0)

    def worth(reward: float, then: At | None) -> float:
        return reward + (0.0 if then is None else exact[then.state])

    short, whole = list[float](), list[float]()
    for _ in range(400):
        short += truncated_steps(At(process, 0), 4, worth, rng)  # type: ignore[arg-type]
        whole += leave_one_out([Forks(longest=1000).play(At(process, 0), rng) for _ in range(4)])
    assert math.fsum(a * a for a in short) < 0.7 * math.fsum(a * a for a in whole)


def test_intervals_of_equal_values_are_not_certain() -> None:
    low, high = interval([0.0] * 8)
    assert low < 0.0 < high
    assert interval([1.0, 3.0]) == pytest.approx((2.0 - 12.706, 2.0 + 12.706))
    wide, narrow = interval([0.0] * 4), interval([0.0] * 40)
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_what_does_not_fit_is_refused() -> None:
    process = Process.drawn(0)
    with pytest.raises(ValueError, match="2 plays or more"):
        Forks(samples=1)
    with pytest.raises(ValueError, match="2 rewards but 1 states"):
        step_advantages([0.0, 0.0], [At(process, 0)], Forks(), Random(0))
    with pytest.raises(ValueError, match="ascending steps from 0"):
        step_advantages([0.0, 0.0], [At(process, 0)] * 2, Forks(), Random(0), at=[1])
    with pytest.raises(ValueError, match="width of 1 or more"):
        tree(At(process, 0), [2, 0], Forks(), Random(0))
    assert step_advantages([], [], Forks(), Random(0)) == []
