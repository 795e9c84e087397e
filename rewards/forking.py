"""Step values by trying: play on from a state many times, and see what it is worth.

A `Branch` is a state of an episode that can be copied. Values are of the policy that plays on, and so is the credit:
no critic, and no bias. What it costs is counted in steps of the environment.

Sources: VinePPO, arXiv:2410.01679 (a value at every step); SPO, arXiv:2505.23564 (values at cut points, and trees);
SLATE, arXiv:2602.23440 (several next steps from a shared prefix).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol, Self

_T_95: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131)
_T_MANY: Final = 2.0  # for more degrees of freedom than the table has: at most 3 % too wide


class Branch(Protocol):
    """A state of an episode, from which it can be played on as often as is wanted."""

    @property
    def key(self) -> str:
        """Names the state: equal keys are equal states, in which a policy is worth the same; "" names none."""
        ...

    def step(self, rng: Random) -> tuple[float, Self | None]:
        """Let the policy act once in a copy; return what that paid, and the state it led to or None at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """What a state is worth, with the 95 % interval of the mean."""

    mean: float
    low: float
    high: float
    samples: int
    steps: int  # of the environment, that finding out took


@dataclass(slots=True)
class Forks:
    """Values of states by playing on, kept by state.

    Attributes:
        samples: plays for a value, at most.
        least: plays before stopping early is thought of.
        width: stop when the interval is narrower than this; 0 never stops early. Stopping where a sample looks certain
            biases the values that are near a bound; without it they are unbiased.
        longest: steps of a play, at most; what comes after is not counted.
        gamma: discount of later rewards.
        steps: of the environment, so far.
        saved: values that were known already.
    """

    samples: int = 8
    least: int = 4
    width: float = 0.0
    longest: int = 64
    gamma: float = 1.0
    steps: int = 0
    saved: int = 0
    _known: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.samples < 2 or self.least < 2 or self.longest < 1:
            raise ValueError(
                f"a value takes 2 plays or more of 1 step or more, not samples={self.samples}, least={self.least}, "
                f"longest={self.longest}"
            )

    def value(self, branch: Branch | None, rng: Random) -> Value:
        """Return what a state is worth; the end of an episode is worth 0."""
        if branch is None:
            return Value(0.0, 0.0, 0.0, 0, 0)
        if branch.key and branch.key in self._known:
            self.saved += 1
            return self._known[branch.key]
        returns, before = list[float](), self.steps
        while len(returns) < self.samples:
            returns.append(self.play(branch, rng))
            if len(returns) >= self.least and self.width > 0.0:
                low, high = interval(returns)
                if high - low < self.width:
                    break
        low, high = interval(returns)
        found = Value(math.fsum(returns) / len(returns), low, high, len(returns), self.steps - before)
        if branch.key:
            self._known[branch.key] = found
        return found

    def play(self, branch: Branch, rng: Random) -> float:
        """Play on to the end once; return the discounted sum of what it paid."""
        total, weight, at = 0.0, 1.0, branch
        for _ in range(self.longest):
            reward, then = at.step(rng)
            self.steps += 1
            total += weight * reward
            weight *= self.gamma
            if then is None:
                break
            at = then
        return total

    def forget(self) -> None:
        """Drop what is known: it was of the policy as it was."""
        self._known.clear()


def step_advantages(
    rewards: Sequence[float], branches: Sequence[Branch], forks: Forks, rng: Random, *, at: Sequence[int] = ()
) -> list[float]:
    """Return each step's advantage, from values at every step or only at cut points.

    Between two cuts all steps share ``sum of rewards + V(next cut) - V(this cut)``; with a cut at every step this is
    ``r + V(s') - V(s)``, and the advantages sum to the return less the value of the start.

    Args:
        rewards: what each step paid.
        branches: the state in which each step began.
        forks: finds the values.
        rng: of the plays.
        at: the steps at which a segment begins, ascending, the first 0; all if not told.

    Raises:
        ValueError: there is not one state a step, or the cuts are none.
    """
    if len(rewards) != len(branches):
        raise ValueError(f"{len(rewards)} rewards but {len(branches)} states; there is one in which each step began")
    if not rewards:
        return []
    cuts = list(at) or list(range(len(rewards)))
    if cuts[0] != 0 or cuts != sorted(set(cuts)) or cuts[-1] >= len(rewards):
        raise ValueError(f"cuts are ascending steps from 0 to below {len(rewards)}, not {cuts}")
    values = [forks.value(branches[cut], rng).mean for cut in cuts] + [0.0]
    advantages = list[float]()
    for number, (start, end) in enumerate(zip(cuts, [*cuts[1:], len(rewards)], strict=True)):
        paid = math.fsum(forks.gamma**k * reward for k, reward in enumerate(rewards[start:end]))
        gained = paid + forks.gamma ** (end - start) * values[number + 1] - values[number]
        advantages += [gained] * (end - start)
    return advantages


@dataclass(frozen=True, slots=True)
class Node:
    """A step in a tree of attempts, with what it was worth beside the other steps from the same state."""

    reward: float
    value: float  # of the step: its reward and the mean of what follows
    advantage: float  # value less the mean of its siblings' values, leaving it out
    children: tuple["Node", ...]


def tree(branch: Branch, widths: Sequence[int], forks: Forks, rng: Random) -> tuple[Node, ...]:
    """Return the steps from a state: `widths[0]` of them, each followed by `widths[1]`, and so on.

    A step's value is its reward plus the mean of its children's values; below the last width one play to the end is the
    value. Every step of the tree is a sample of the policy, so all of them can be trained on.

    Raises:
        ValueError: a width is below 1.

    Source: SPO-tree, arXiv:2505.23564; siblings are compared leaving oneself out.
    """
    if not widths or min(widths) < 1:
        raise ValueError(f"a tree has a width of 1 or more at each depth, not {list(widths)}")
    grown = [_grow(branch, widths[1:], forks, rng) for _ in range(widths[0])]
    values = [value for _, value, _ in grown]
    return tuple(
        Node(reward, value, advantage, children)
        for (reward, value, children), advantage in zip(grown, leave_one_out(values), strict=True)
    )


def _grow(branch: Branch, widths: Sequence[int], forks: Forks, rng: Random) -> tuple[float, float, tuple[Node, ...]]:
    reward, then = branch.step(rng)
    forks.steps += 1
    if then is None:
        return reward, reward, ()
    if not widths:
        return reward, reward + forks.gamma * forks.play(then, rng), ()
    children = tree(then, widths, forks, rng)
    return reward, reward + forks.gamma * math.fsum(child.value for child in children) / len(children), children


def truncated_steps(
    branch: Branch, count: int, score: Callable[[float, Branch | None], float], rng: Random
) -> list[float]:
    """Return the advantages of `count` next steps from one state, by a dense score of the step alone.

    Attempts share all that came before and nothing that comes later, so what the others' luck adds to a whole
    episode's return is not in it; the score must say what the step is worth, or this is biased towards what it says.

    Args:
        score: of what a step paid and of the state it led to, such as a judge's or an exact distance's.

    Source: SLATE, arXiv:2602.23440.
    """
    return leave_one_out([score(*branch.step(rng)) for _ in range(count)])


def leave_one_out(values: Sequence[float]) -> list[float]:
    """Return each value less the mean of the others; 0 for a single one."""
    if len(values) < 2:
        return [0.0] * len(values)
    total = math.fsum(values)
    return [value - (total - value) / (len(values) - 1) for value in values]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return Student's 95 % interval of the mean of two or more values.

    Equal values are given the width that one more, which differs by as much as they are from 0 or by 1, would bring:
    a state that failed in eight of eight plays is not known to be hopeless.
    """
    count, mean = len(values), math.fsum(values) / len(values)
    square = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    if square <= 1e-18:
        step = max(1.0, abs(mean)) / (count + 1)
        return mean - 2.0 * step, mean + 2.0 * step
    width = (_T_95[count - 2] if count - 2 < len(_T_95) else _T_MANY) * math.sqrt(square / count)
    return mean - width, mean + width
