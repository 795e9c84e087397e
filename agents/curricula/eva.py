"""eva: a creator that makes more of what the solver could do better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from palestra.agents.curricula.base import Arm, check_arms, check_size


@dataclass(slots=True)
class Eva:
    """The creator draws by regret and moves on to neighbouring settings; the solver is the policy that is trained.

    The regret of an arm is what the best of sibling attempts got more than the mean one: what the solver can do and
    does not do reliably. A share of tasks comes from neighbours of the arms of high regret - settings in which one
    knob is one value further - and the rest from these arms themselves. An arm that was never told has the largest
    regret.

    Source: eva, arXiv:2411.00062, where a model rewrites prompts; a generator's knobs do the same and keep the proof.
    """

    arms: Sequence[Arm]
    share: float = 0.25  # of tasks that are evolved
    memory: float = 0.7
    _regrets: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_arms(self.arms)
        self._regrets = self._regrets or [1.0] * len(self.arms)

    def draw(self, count: int, rng: Random) -> list[int]:
        """Return arms by regret, some of them evolved."""
        weights = [max(regret, 1e-3) for regret in self._regrets]
        drawn = rng.choices(range(len(self.arms)), weights, k=count)
        return [rng.choice(self.neighbours(arm)) if rng.random() < self.share else arm for arm in drawn]

    def neighbours(self, arm: int) -> list[int]:
        """Return the arms that differ in one knob, by one of the values; the arm itself if there are none."""
        found = [other for other in range(len(self.arms)) if self._is_beside(arm, other)]
        return found or [arm]

    def tell(self, arm: int, returns: Sequence[float]) -> None:
        """Move an arm's regret."""
        if returns:
            regret = max(returns) - sum(returns) / len(returns)
            self._regrets[arm] = self.memory * self._regrets[arm] + (1.0 - self.memory) * regret

    def state(self) -> dict[str, Any]:
        """Return the regrets."""
        return {"regrets": list(self._regrets)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on with regrets."""
        check_size(state["regrets"], self.arms)
        self._regrets = [float(regret) for regret in state["regrets"]]

    def _is_beside(self, arm: int, other: int) -> bool:
        mine, theirs = self.arms[arm], self.arms[other]
        differing = [knob for knob in {*mine, *theirs} if mine.get(knob) != theirs.get(knob)]
        if len(differing) != 1:
            return False
        values = list(dict.fromkeys(repr(one.get(differing[0])) for one in self.arms))
        return abs(values.index(repr(mine.get(differing[0]))) - values.index(repr(theirs.get(differing[0])))) == 1
