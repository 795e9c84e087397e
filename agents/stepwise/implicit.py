"""Implicit process rewards: how much likelier a model that learnt from outcomes says a turn than a reference does.

No step has a label. A turn's reward is ``beta * sum over its tokens of (log p - log p_ref)``; an episode's sum is
fitted to its outcome, and what each turn adds to it comes for free.

Sources: Yuan et al. 2024, arXiv:2412.01981; PRIME, arXiv:2502.01456 (cross-entropy); OPRL / iStar, arXiv:2509.19199
(preferences between episodes). PRIME's code pays ``log p - log p_ref`` without `beta`, this with it, as published.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

import torch
from torch import Tensor

from palestra.agents.batches import micro_batches
from palestra.agents.model import Learner, LoraSpec
from palestra.agents.rows import rows_from_turns
from palestra.agents.stepwise.adapters import Adapter, base_only
from palestra.agents.trees import TrainRow
from palestra.rewards.base import RecordError, Trajectory

SumLoss = Callable[[Tensor, Sequence[Trajectory]], Tensor]  # of each episode's sum of rewards
Reference = Literal["base", "recorded"]


def cross_entropy(sums: Tensor, trajectories: Sequence[Trajectory]) -> Tensor:
    """Return the mean of ``-log sigmoid(sum)`` over successes and ``-log sigmoid(-sum)`` over failures.

    Source: PRIME, arXiv:2502.01456.
    """
    signs = sums.new_tensor([1.0 if one.outcome.is_success else -1.0 for one in trajectories])
    return -torch.nn.functional.logsigmoid(signs * sums).mean()


def preference(sums: Tensor, trajectories: Sequence[Trajectory]) -> Tensor:
    """Return the mean of ``-log sigmoid(sum of the better - sum of the worse)`` over pairs of siblings.

    Within a group the best episode is paired with the worst, the second with the second but one, and so on, each being
    in one pair at most; pairs of equal reward are none. Without any pair it is 0.

    Source: OPRL / iStar, arXiv:2509.19199, whose pairs are of a success and a failure.
    """
    pairs = pairs_of(trajectories)
    if not pairs:
        return sums.sum() * 0.0
    better, worse = (torch.tensor(column, device=sums.device) for column in zip(*pairs, strict=True))
    return -torch.nn.functional.logsigmoid(sums[better] - sums[worse]).mean()


def pairs_of(trajectories: Sequence[Trajectory]) -> list[tuple[int, int]]:
    """Return the places of siblings of which the first was worth more, each in one pair at most."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(trajectories):
        groups.setdefault((one.env_id, one.group), []).append(place)
    pairs = []
    for places in groups.values():
        ordered = sorted(places, key=lambda at: -trajectories[at].reward)
        for better, worse in zip(ordered[: len(ordered) // 2], reversed(ordered), strict=False):
            if trajectories[better].reward > trajectories[worse].reward:
                pairs.append((better, worse))
    return pairs


LOSSES: Final[dict[str, SumLoss]] = {"cross_entropy": cross_entropy, "preference": preference}


class ImplicitReward:
    """A `StepReward` that learns: an adapter beside the policy's, on the same base model.

    Args:
        learner: the policy's; what it trains is not touched.
        loss: a name in `LOSSES`.
        reference: "base" is the model without adapters; "recorded" are the log-probabilities with which the turns were
            sampled, those of the policy as it was then (OPRL), and costs nothing.
        beta: of the log-ratio.
        lr: of AdamW.
        lora: the adapter's size.
        token_budget: tokens computed together.
        max_grad_norm: longer gradients are shortened to it.
        temperature: at which the turns were sampled.
        seed: of the adapter's first weights.

    Raises:
        ModelError: the learner has no low-rank adapter, or this name is taken.
    """

    def __init__(
        self,
        learner: Learner,
        *,
        loss: str = "cross_entropy",
        reference: Reference = "base",
        beta: float = 0.05,
        lr: float = 1e-4,
        lora: LoraSpec | None = None,
        token_budget: int = 8192,
        max_grad_norm: float = 1.0,
        temperature: float = 1.0,
        seed: int = 0,
        name: str = "process",
    ) -> None:
        if loss not in LOSSES:
            raise ValueError(f"no loss {loss!r}; known: {', '.join(LOSSES)}")
        self._learner, self._loss, self._reference = learner, LOSSES[loss], reference
        self._beta, self._budget, self._temperature, self._norm = beta, token_budget, temperature, max_grad_norm
        self.adapter = Adapter(learner, name, lora=lora or LoraSpec(), seed=seed)
        self._optimizer = torch.optim.AdamW(self.adapter.parameters(), lr=lr, weight_decay=0.0)

    @torch.no_grad()
    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return each turn's reward; it ranks turns, and its sign says little by itself.

        Tokens of a turn that a later prompt overwrote are left out.
        """
        found = self._turn_sums(trajectories, self.adapter.active())
        if self._reference == "base":
            before = self._turn_sums(trajectories, base_only(self._learner))
        else:
            before = [_recorded(one) for one in trajectories]
        return [
            [self._beta * (now - then) for now, then in zip(mine, theirs, strict=True)]
            for mine, theirs in zip(found, before, strict=True)
        ]

    def fit(self, trajectories: Sequence[Trajectory]) -> dict[str, float]:
        """Do one step on these episodes; return the loss before it, and how many successes lie above how many failures.

        The loss is of episodes' sums, so its gradient by a token's log-probability is the same for all tokens of an
        episode: it is found first, and the tokens go through the model with it, a micro-batch at a time.

        Raises:
            RecordError: there is no episode.
            RuntimeError: the gradient is not finite; the weights were left as they were.
        """
        if not trajectories:
            raise RecordError("a process reward is learnt from episodes; there is none")
        sums = torch.tensor([sum(row) for row in self.score(trajectories)], dtype=torch.float64, requires_grad=True)
        loss = self._loss(sums, trajectories)
        (slopes,) = torch.autograd.grad(loss, sums)
        self._optimizer.zero_grad(set_to_none=True)
        rows = _rows(trajectories)
        weights = {id(row): self._beta * float(slopes[place]) for place, row in rows}
        with self.adapter.active():
            useful = [row for _, row in rows if weights[id(row)]]
            for batch in micro_batches(useful, token_budget=self._budget, share=self._learner.shares):
                logp, _ = self._learner.logprobs(batch, temperature=self._temperature)
                spread = [weights[id(row)] for row in batch.rows for is_sampled in row.row.mask if is_sampled]
                (logp * logp.new_tensor(spread)).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.adapter.parameters(), self._norm, error_if_nonfinite=True)
        self._optimizer.step()
        return {"loss": float(loss.detach()), "ranked": _ranked(sums.tolist(), trajectories)}

    def _turn_sums(
        self, trajectories: Sequence[Trajectory], weights: contextlib.AbstractContextManager[None]
    ) -> list[list[float]]:
        """Return the sum of log-probabilities of each turn's tokens, under some weights."""
        sums = [[0.0] * len(one.turns) for one in trajectories]
        rows = _rows(trajectories)
        places = {id(row): place for place, row in rows}
        with weights:
            for batch in micro_batches([row for _, row in rows], token_budget=self._budget, share=self._learner.shares):
                logp, _ = self._learner.logprobs(batch, temperature=self._temperature)
                values = iter(logp.tolist())
                for row in batch.rows:
                    for turn in row.row.turns:
                        if turn >= 0:
                            sums[places[id(row)]][turn] += next(values)
        return sums


def _rows(trajectories: Sequence[Trajectory]) -> list[tuple[int, TrainRow]]:
    """Return the rows of all episodes, each with its episode's place."""
    return [
        (place, TrainRow(row=row, advantages=(0.0,) * len(row.ids)))
        for place, one in enumerate(trajectories)
        for row in rows_from_turns(one.turns)[0]
        if any(row.mask)
    ]


def _recorded(one: Trajectory) -> list[float]:
    """Return what was recorded when the turns were sampled, of the tokens that rows have."""
    sums = [0.0] * len(one.turns)
    for row in rows_from_turns(one.turns)[0]:
        for turn, logprob in zip(row.turns, row.logprobs, strict=True):
            if turn >= 0:
                sums[turn] += logprob
    return sums


def _ranked(sums: Sequence[float], trajectories: Sequence[Trajectory]) -> float:
    """Return the share of pairs of a success and a failure in which the success has the higher sum; 0.5 without any."""

    def of(is_success: bool) -> Iterator[float]:
        return (one for one, played in zip(sums, trajectories, strict=True) if played.outcome.is_success == is_success)

    failures = list(of(False))
    pairs = [(good > bad) + 0.5 * (good == bad) for good in of(True) for bad in failures]
    return sum(pairs) / len(pairs) if pairs else 0.5
