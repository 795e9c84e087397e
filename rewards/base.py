"""The rewards folder's nouns: verdicts, outcomes, and the record that credit is computed on.

A `Trajectory` is a list of `Turn`s; a turn holds exactly the tokens that were sampled in it, so
whatever is computed for a turn lands on those tokens and no others. Imports nothing heavy.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


class VerifierError(RuntimeError):
    """The verifier itself failed: the episode has no reward and is left out of training."""


class RecordError(ValueError):
    """Token ids, log-probabilities or rewards of a record do not fit together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One named thing a verifier looked at, with what it saw."""

    name: str
    passed: bool
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verifier found: a score in [0, 1] and the checks behind it."""

    score: float
    passed: bool
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.score) and 0.0 <= self.score <= 1.0):
            raise VerifierError(f"a verdict's score must be in [0, 1], not {self.score!r}")

    @classmethod
    def of(cls, checks: Sequence[Check]) -> "Verdict":
        """Return the all-or-nothing verdict: 1.0 when there is a check and every check passed."""
        passed = bool(checks) and all(check.passed for check in checks)
        return cls(score=float(passed), passed=passed, checks=tuple(checks))


@dataclass(frozen=True, slots=True)
class Scored:
    """The episode ended and was judged."""

    reward: float
    is_success: bool


@dataclass(frozen=True, slots=True)
class Truncated:
    """A budget ended the episode. `reward` is what it had earned until then.

    A time-out that the policy caused is scored like any other end; one that it could not have
    caused is an `InfraError` and produces no outcome at all.
    """

    kind: Literal["turns", "tokens", "deadline"]
    reward: float
    is_success: bool = False


Outcome = Scored | Truncated
FinishReason = Literal["stop", "length", "abort"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One thing the policy said, token by token, and what the environment paid for it."""

    prompt_ids: tuple[int, ...]
    output_ids: tuple[int, ...]  # exactly what was sampled, its stop token included
    logprobs: tuple[float, ...]  # of output_ids under the distribution that was sampled from
    version: int = 0  # of the policy's weights
    finish: FinishReason = "stop"
    reward: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)  # sum to `reward`
    state_key: str = ""  # names the environment's state in which the turn began

    def __post_init__(self) -> None:
        if len(self.output_ids) != len(self.logprobs):
            raise RecordError(
                f"{len(self.output_ids)} sampled tokens but {len(self.logprobs)} log-probabilities; "
                "a policy must return one for each token"
            )
        if not math.isfinite(self.reward):
            raise RecordError(f"a turn's reward must be finite, not {self.reward!r}")
        if self.parts and not math.isclose(sum(self.parts.values()), self.reward, abs_tol=1e-9):
            raise RecordError(f"reward parts {dict(self.parts)} do not sum to the reward {self.reward!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """One episode as it was played.

    Trajectories with the same `group` are siblings: attempts at one task from the same start.
    """

    env_id: str
    task_id: str
    group: str
    turns: tuple[Turn, ...]
    outcome: Outcome
    seed: int = 0
    messages: tuple[Mapping[str, Any], ...] = ()
    duration_s: float = 0.0

    @property
    def reward(self) -> float:
        """The episode's return: the sum of its turns' rewards."""
        return math.fsum(turn.reward for turn in self.turns)


class StepReward(Protocol):
    """A reward for each turn beyond what the environment paid."""

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return one reward a turn, in the trajectories' order."""
        ...


class Credit(Protocol):
    """Turns the rewards of sibling trajectories into one advantage a turn: pure, no randomness."""

    def __call__(self, group: Sequence[Trajectory]) -> list[list[float]]:
        """Return advantages shaped like the turns of `group`."""
        ...
