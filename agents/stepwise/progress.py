"""Progress attribution: contributions of turns that sum to the outcome, from a head on a frozen model.

Source: SPA-RL, arXiv:2505.20732: ``c_t`` is a head's value at the last token of turn t, fitted so that ``sum_t c_t`` is
the outcome (mean square error), and a turn is paid ``alpha * c_t + beta * g_t``, where ``g_t`` is 1 if its action could
be carried out. There the model learns as well, by gradient; here it is frozen and the head linear, so the fit is exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from palestra.agents.base import ModelError
from palestra.agents.model import Learner
from palestra.agents.stepwise.hidden import turn_states
from palestra.rewards.base import RecordError, Trajectory
from palestra.rewards.combine import renormalised

Grounded = Callable[[Trajectory], Sequence[float]]  # of each turn, 1 if its action could be carried out, else 0


@dataclass(slots=True, kw_only=True)
class ProgressReward:
    """A `StepReward` that learns how much of an outcome each turn brought about.

    Attributes:
        learner: holds the model, of which only the base is used.
        alpha: weight of contributions.
        beta: weight of grounding.
        grounded: tells which actions could be carried out; None pays no grounding.
        decay: ridge penalty, relative to the mean square of the features.
        balances: share what a contribution sum lacks of the episode's own reward equally among its turns, so that the
            contributions sum to it exactly (`renormalised`), also for episodes that the fit has not seen.
        limit: tokens before the end of a turn that are seen.
    """

    learner: Learner
    alpha: float = 1.0
    beta: float = 0.5
    grounded: Grounded | None = None
    decay: float = 1e-3
    balances: bool = False
    limit: int = 4096
    _head: Tensor | None = field(default=None, repr=False)  # (width + 1,), float64; the last is added to every turn

    def fit(self, trajectories: Sequence[Trajectory]) -> dict[str, float]:
        """Fit contributions to the episodes' rewards, from scratch; return the mean square error before and after.

        Raises:
            RecordError: there is no episode with a turn.
        """
        some = [one for one in trajectories if one.turns]
        if not some:
            raise RecordError("contributions are learnt from episodes with turns; there is none")
        sums = torch.stack([_features(states).sum(0) for states in self._states(some)])
        wanted = torch.tensor([one.reward for one in some], dtype=torch.float64)
        self._head = ridge(sums, wanted, self.decay)
        left = sums @ self._head - wanted
        return {"mse_before": float((wanted**2).mean()), "mse": float((left**2).mean())}

    def contributions(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return what each turn contributed to its episode's reward.

        Raises:
            ModelError: nothing was fitted yet.
        """
        if self._head is None:
            raise ModelError("the progress estimator knows nothing yet; call fit() with episodes and their rewards")
        found: list[list[float]] = [(_features(states) @ self._head).tolist() for states in self._states(trajectories)]
        if not self.balances:
            return found
        return [renormalised(row, one.reward) for row, one in zip(found, trajectories, strict=True)]

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return ``alpha * contribution + beta * grounding`` of each turn.

        Raises:
            ModelError: nothing was fitted yet.
            RecordError: the grounding is not of as many turns.
        """
        return [
            [self.alpha * part + self.beta * ground for part, ground in zip(row, self._grounds(one), strict=True)]
            for row, one in zip(self.contributions(trajectories), trajectories, strict=True)
        ]

    def _grounds(self, one: Trajectory) -> Sequence[float]:
        grounds = [0.0] * len(one.turns) if self.grounded is None else self.grounded(one)
        if len(grounds) != len(one.turns):
            raise RecordError(f"{len(one.turns)} turns but the grounding of {len(grounds)}; there is one for each turn")
        return grounds

    def _states(self, trajectories: Sequence[Trajectory]) -> list[Tensor]:
        return turn_states(self.learner, trajectories, limit=self.limit)


def carried_out(is_error: Callable[[str], bool]) -> Grounded:
    """Return the grounding that an environment's replies tell: 1 for a turn unless a reply to it is an error.

    Args:
        is_error: whether what an environment replied says that the action could not be carried out.
    """

    def grounds(one: Trajectory) -> list[float]:
        found = list[float]()
        for message in one.messages:
            if message.get("role") == "assistant":
                found.append(1.0)
            elif found and is_error(str(message.get("content", ""))):
                found[-1] = 0.0
        return (found + [1.0] * len(one.turns))[: len(one.turns)]

    return grounds


def ridge(rows: Tensor, wanted: Tensor, decay: float) -> Tensor:
    """Return the weights that minimise ``|rows @ w - wanted|^2 + decay * mean square of rows * n * |w|^2``."""
    gram = rows @ rows.T
    penalty = decay * gram.diagonal().mean().clamp_min(1e-12)
    if len(rows) <= rows.shape[1]:
        dual: Tensor = torch.linalg.solve(gram + penalty * torch.eye(len(rows), dtype=rows.dtype), wanted)
        return rows.T @ dual
    square = rows.T @ rows
    found: Tensor = torch.linalg.solve(square + penalty * torch.eye(rows.shape[1], dtype=rows.dtype), rows.T @ wanted)
    return found


def _features(states: Tensor) -> Tensor:
    return torch.cat([states.double(), torch.ones(len(states), 1, dtype=torch.float64)], dim=1)
