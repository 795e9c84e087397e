"""Reinforce-Ada: as many attempts at a task as it takes until they tell something."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal


@dataclass(frozen=True, slots=True)
class AdaptiveAttempts:
    """Draws attempts at a task in rounds until there is signal, and keeps a group of fixed size.

    With the rule "balanced" a task is done when there are `keep` / 2 successes and as many failures; with "positive" at
    the first success. A task without signal after `rounds` rounds is given up, and what was drawn is kept at random.
    Credit must use the mean of everything that was drawn: see `palestra.rewards.credit.batch.reinforce_ada`.

    Source: Reinforce-Ada, arXiv:2510.04996.
    """

    attempts: int = 8  # a round
    rounds: int = 4
    keep: int = 8
    rule: Literal["balanced", "positive"] = "balanced"
    success: float = 0.7  # a return above it is one

    def __post_init__(self) -> None:
        if min(self.attempts, self.rounds) < 1 or self.keep < 2:
            told = (self.attempts, self.rounds, self.keep)
            raise ValueError(f"attempts and rounds are at least 1 and keep at least 2, not {told}")

    def wants_more(self, returns: Sequence[float]) -> bool:
        """Return whether another round is to be drawn, after the returns of all rounds so far."""
        if len(returns) >= self.attempts * self.rounds:
            return False
        good = sum(value > self.success for value in returns)
        if self.rule == "positive":
            return good == 0
        return min(good, len(returns) - good) < self.keep // 2

    def kept(self, returns: Sequence[float], rng: Random) -> list[int]:
        """Return which attempts are trained on: as even a mix of successes and failures as there is, in their order."""
        good = [i for i, value in enumerate(returns) if value > self.success]
        bad = [i for i, value in enumerate(returns) if value <= self.success]
        half = self.keep // 2
        chosen_good = rng.sample(good, min(len(good), max(half, self.keep - len(bad))))
        chosen_bad = rng.sample(bad, min(len(bad), self.keep - len(chosen_good)))
        return sorted(chosen_good + chosen_bad)
