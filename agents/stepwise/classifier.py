"""A discriminative step scorer: is a step good or bad, by a logistic head on a frozen model's last hidden state.

Its labels are exact where an environment has them: whether a program's beginning can still become right
(`palestra.envs.code.labels`), whether an action comes nearer to the goal (`palestra.envs.web.labels`). A step's reward
is ``p(good) - p(bad)``, in [-1, 1], as in PURE, arXiv:2504.15275.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from palestra.agents.base import ModelError
from palestra.agents.model import Learner
from palestra.agents.stepwise.hidden import last_states, turn_states
from palestra.rewards.base import RecordError, Trajectory


@dataclass(frozen=True, slots=True)
class Head:
    """A logistic regression on standardised states."""

    mean: Tensor  # (width,)
    scale: Tensor  # (width,)
    weights: Tensor  # (width,)
    bias: float

    @classmethod
    def fit(cls, states: Tensor, is_good: Sequence[bool], *, decay: float = 1.0, steps: int = 100) -> "Head":
        """Return the regression that L-BFGS finds, good and bad examples weighing the same in all.

        Args:
            states: (examples, width).
            is_good: of each example.
            decay: of the squared weights, beside the sum over examples.
            steps: of L-BFGS, at most.

        Raises:
            RecordError: all examples have one label.
        """
        truth = torch.tensor(list(is_good), dtype=torch.float64)
        good = float(truth.sum())
        if not 0 < good < len(truth):
            raise RecordError(f"a scorer is learnt from good and bad steps, not from {len(truth)} of one kind")
        rows = states.double()
        mean, scale = rows.mean(0), rows.std(0).clamp_min(1e-6)
        rows = (rows - mean) / scale
        share = torch.where(truth > 0.5, 0.5 / good, 0.5 / (len(truth) - good)) * len(truth)
        weights = torch.zeros(rows.shape[1] + 1, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([weights], max_iter=steps, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            logits = rows @ weights[:-1] + weights[-1]
            errors = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth, weight=share, reduction="sum")
            total = errors + 0.5 * decay * (weights[:-1] ** 2).sum()
            total.backward()
            return total

        optimizer.step(loss)
        found = weights.detach()
        return cls(mean, scale, found[:-1], float(found[-1]))

    def probabilities(self, states: Tensor) -> Tensor:
        """Return how probable it is that each is good."""
        return torch.sigmoid(((states.double() - self.mean) / self.scale) @ self.weights + self.bias)


@dataclass(slots=True, kw_only=True)
class ClassifierReward:
    """A `StepReward` that learns from labelled steps.

    Attributes:
        learner: holds the model, of which only the base is used.
        decay: of the head's squared weights.
        limit: tokens before the end of a step that are seen.
    """

    learner: Learner
    decay: float = 1.0
    limit: int = 4096
    _head: Head | None = field(default=None, repr=False)

    def fit_steps(self, steps: Sequence[Sequence[int]], is_good: Sequence[bool]) -> dict[str, float]:
        """Learn from steps as token ids, all that came before included; return the accuracy on them.

        Raises:
            RecordError: there is not a label a step, or all labels are the same.
        """
        if len(steps) != len(is_good):
            raise RecordError(f"{len(steps)} steps but {len(is_good)} labels; there is one for each step")
        states = last_states(self.learner, steps, limit=self.limit)
        self._head = Head.fit(states, is_good, decay=self.decay)
        said = (self._head.probabilities(states) > 0.5).tolist()
        return {"accuracy": sum(a == b for a, b in zip(said, is_good, strict=True)) / len(said)}

    def fit(self, trajectories: Sequence[Trajectory], is_good: Sequence[Sequence[bool]]) -> dict[str, float]:
        """Learn from episodes whose turns have labels; as `fit_steps`."""
        if [len(row) for row in is_good] != [len(one.turns) for one in trajectories]:
            raise RecordError("there is not one label for each turn")
        steps = [(*turn.prompt_ids, *turn.output_ids) for one in trajectories for turn in one.turns]
        return self.fit_steps(steps, [label for row in is_good for label in row])

    def probabilities(self, steps: Sequence[Sequence[int]]) -> list[float]:
        """Return how probable it is that each step is good; same errors as `score`."""
        found: list[float] = self._known().probabilities(last_states(self.learner, steps, limit=self.limit)).tolist()
        return found

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return ``p(good) - p(bad)`` of each turn.

        Raises:
            ModelError: nothing was fitted yet.
        """
        head = self._known()
        return [
            (2.0 * head.probabilities(states) - 1.0).tolist()
            for states in turn_states(self.learner, trajectories, limit=self.limit)
        ]

    def _known(self) -> Head:
        if self._head is None:
            raise ModelError("the step scorer knows nothing yet; call fit() with labelled steps")
        return self._head
