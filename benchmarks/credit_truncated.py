"""(c) Several next steps from a shared prefix against several whole trajectories, at equal steps of the environment.

Two processes of T steps, each a choice between two actions by even chances. In "apart" a step is paid its action and
noise, and nothing of it stays. In "led" a step is paid what the step before it chose, and noise: what a choice is
worth is paid one step later, so a score that looks at what the step was paid sees nothing of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from statistics import fmean, variance
from typing import Any, Final, Literal

from seeds import Estimate, over, ratio

from palestra.rewards.credit.returns import reward_to_go
from palestra.rewards.forking import Branch, leave_one_out, truncated_steps

Process = Literal["apart", "led"]
SIBLINGS: Final = 8
NOISE: Final = 0.5
LENGTHS: Final = (2, 4, 8, 16, 32)
_SLOPE: Final = 0.5  # of the log-chance of an action in its logit, at even chances: up for one, down for the other


@dataclass(slots=True)
class Walk:
    """A state of a process, as `palestra.rewards.forking` takes it; what was chosen last is in `chosen`."""

    process: Process
    left: int  # steps
    chosen: int = 0

    @property
    def key(self) -> str:
        return f"{self.process}/{self.left}/{self.chosen}"

    def step(self, rng: Random) -> "tuple[float, Walk]":
        """Choose; return what it paid and where it led, at the end too, so that its choice can be seen."""
        action = rng.randrange(2)
        paid = (action if self.process == "apart" else self.chosen) + rng.gauss(0.0, NOISE)
        return paid, Walk(self.process, self.left - 1, action)


@dataclass(frozen=True, slots=True)
class Estimates:
    """What one way of sampling says of each step: advantages of the actions, and gradients of the step's logit."""

    advantages: list[float]
    gradients: list[float]
    steps: int  # of the environment


def whole(process: Process, length: int, rng: Random, *, is_to_go: bool) -> Estimates:
    """Compare whole trajectories: by their returns, or by their rewards to go."""
    rows, actions = [], []
    for _ in range(SIBLINGS):
        at, paid, chosen = Walk(process, length), list[float](), list[int]()
        for _ in range(length):
            reward, at = at.step(rng)
            paid.append(reward)
            chosen.append(at.chosen)
        going = reward_to_go(paid)
        rows.append(going if is_to_go else [going[0]] * length)
        actions.append(chosen)
    advantages, gradients = list[float](), list[float]()
    for k in range(length):
        found = leave_one_out([row[k] for row in rows])
        advantages += found
        gradients.append(fmean((_SLOPE if c[k] else -_SLOPE) * a for c, a in zip(actions, found, strict=True)))
    return Estimates(advantages, gradients, SIBLINGS * length)


def truncated(process: Process, length: int, rng: Random, *, is_exact: bool) -> Estimates:
    """Compare next steps from each state of one trajectory: by what they were paid, or by their exact worth as well."""
    at, advantages, gradients = Walk(process, length), list[float](), list[float]()
    for _ in range(length):
        chosen = list[int]()

        def score(paid: float, then: Branch | None, chosen: list[int] = chosen) -> float:
            if not isinstance(then, Walk):
                raise TypeError("a walk leads to a walk, at its end as well")
            chosen.append(then.chosen)
            return paid + (worth(then) if is_exact else 0.0)

        found = truncated_steps(at, SIBLINGS, score, rng)
        advantages += found
        gradients.append(fmean((_SLOPE if c else -_SLOPE) * a for c, a in zip(chosen, found, strict=True)))
        _, at = at.step(rng)
    return Estimates(advantages, gradients, (SIBLINGS + 1) * length)


def worth(at: Walk) -> float:
    """Return what is to come from a state, exactly."""
    if at.left == 0:
        return 0.0
    return 0.5 * at.left if at.process == "apart" else at.chosen + 0.5 * (at.left - 1)


def true_gradient(process: Process, length: int) -> float:
    """Return the gradient of the return in a step's logit, on average over the steps."""
    return 0.25 if process == "apart" else 0.25 * (length - 1) / length


WAYS: Final[Mapping[str, Callable[[Process, int, Random], Estimates]]] = {
    "whole, return": lambda process, length, rng: whole(process, length, rng, is_to_go=False),
    "whole, reward to go": lambda process, length, rng: whole(process, length, rng, is_to_go=True),
    "next step, by its reward": lambda process, length, rng: truncated(process, length, rng, is_exact=False),
    "next step, by its exact worth": lambda process, length, rng: truncated(process, length, rng, is_exact=True),
}


def run(seeds: int, repeats: int) -> dict[str, Any]:
    """Return, by process and length, how much smaller the variance of next steps is, and the gradients' means.

    Returns:
        ``table`` with the factors, ``gradients`` with means beside the true ones, ``factors`` by length.
    """
    factors: dict[str, dict[str, Estimate | float | str | None]] = {}
    means: dict[str, dict[str, Estimate | float | str | None]] = {}
    process: Process
    for process in ("apart", "led"):
        for length in LENGTHS:
            found = {
                name: [_one(way, process, length, seed, repeats) for seed in range(seeds)] for name, way in WAYS.items()
            }
            base = found["whole, return"]
            fair = "next step, by its reward" if process == "apart" else "next step, by its exact worth"
            factors[f"{process}, T={length}"] = {
                "advantages": ratio([one[0] for one in base], [one[0] for one in found[fair]]),
                "gradients": ratio([one[1] for one in base], [one[1] for one in found[fair]]),
                "gradients, of reward to go": ratio(
                    [one[1] for one in base], [one[1] for one in found["whole, reward to go"]]
                ),
            }
            row: dict[str, Estimate | float | str | None] = {"true": true_gradient(process, length)}
            row.update({name: over([one[2] for one in rows]) for name, rows in found.items()})
            means[f"{process}, T={length}"] = row
    return {"table": factors, "gradients": means}


def _one(
    way: Callable[[Process, int, Random], Estimates], process: Process, length: int, seed: int, repeats: int
) -> tuple[float, float, float]:
    """Return the variance of advantages, the mean variance of a step's gradient, and the gradients' mean."""
    rng = Random(f"{process}/{length}/{seed}")
    found = [way(process, length, rng) for _ in range(repeats)]
    advantages = variance([value for one in found for value in one.advantages])
    gradients = fmean(variance([one.gradients[k] for one in found]) for k in range(length))
    return advantages, gradients, fmean(value for one in found for value in one.gradients)
