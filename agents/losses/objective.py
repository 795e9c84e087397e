"""An objective: a policy loss, and around it importance weights, a penalty, weights of tokens, a denominator."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from palestra.agents.base import PolicyLoss
from palestra.agents.losses.distill import reverse_kl
from palestra.agents.losses.importance import ImportanceLevel, ImportanceMode, importance_weights
from palestra.agents.losses.kl import kl_estimate, kl_in_reward, kl_loss
from palestra.agents.losses.policy import likelihood
from palestra.agents.losses.ratios import log_ratio
from palestra.agents.losses.weights import Denominator, precision_weights
from palestra.rewards.base import RecordError

PenaltyKind = Literal["k1_reward", "k1", "k2", "k3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The sampled tokens of some rows, each tensor (rows, tokens), padded on the right."""

    logp: Tensor  # under the weights in training
    sampler_logp: Tensor  # as the sampler told
    advantage: Tensor
    mask: Tensor  # bool
    old_logp: Tensor | None = None  # by the learner at the weights that sampled
    ref_logp: Tensor | None = None  # under the weights to stay near
    teacher_logp: Tensor | None = None  # under a teacher that was told more; NaN where there is none
    is_numeric: Tensor | None = None  # bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How the loss is corrected for what sampler and learner see differently; see `importance_weights`."""

    level: ImportanceLevel = "token"
    mode: ImportanceMode = "truncate"
    low: float = 0.0
    high: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """How much a divergence from the reference costs; see `palestra.agents.losses.kl`."""

    coef: float
    kind: PenaltyKind = "k3"
    is_corrected: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How much more a numeric token counts; see `precision_weights`."""

    weight: float
    ids: frozenset[int]  # the tokens with a digit


@dataclass(frozen=True, slots=True, kw_only=True)
class Distill:
    """How much the divergence from a teacher costs; see `palestra.agents.losses.distill.reverse_kl`."""

    coef: float = 1.0
    cap: float = 2.0  # of the importance weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What an update minimises.

    With `importance` the ratio of the policy loss is of the learner to itself before its updates, else
    to the sampler.
    """

    loss: PolicyLoss
    denominator: Denominator = "token_mean"
    length: int = 1  # of the denominator "constant"
    is_idle_without_advantage: bool = True  # tokens whose advantage is 0 have no gradient
    has_ratio: bool = True  # the loss has one; supervised fine-tuning has none
    importance: Importance | None = None
    penalty: Penalty | None = None
    precision: Precision | None = None
    distill: Distill | None = None

    @property
    def skips_idle_rows(self) -> bool:
        """Whether rows without any advantage need not be computed."""
        return self.is_idle_without_advantage and self.penalty is None and self.distill is None

    def __call__(self, tokens: Tokens) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of each token and what to log of each, all (rows, tokens).

        Raises:
            RecordError: log-probabilities that the objective needs are missing.
        """
        stats = _ratio_stats(tokens) if self.has_ratio else {}
        advantage, mask = tokens.advantage, tokens.mask
        old = tokens.sampler_logp if self.importance is None else _needed(tokens.old_logp, "the learner before updates")
        penalty, ref = self.penalty, tokens.ref_logp
        if penalty is not None:
            ref = _needed(ref, "the reference")
            stats["kl_ref"] = kl_estimate(tokens.logp.detach(), ref, mask, kind="k3")
            if penalty.kind == "k1_reward":
                advantage = kl_in_reward(advantage, old, ref, mask, coef=penalty.coef)
        loss, cut = self.loss(tokens.logp, old, advantage, mask)
        if self.has_ratio:
            stats["clipped"] = cut.float()
        if self.importance is not None:
            kind = self.importance
            weights = importance_weights(
                old, tokens.sampler_logp, mask, level=kind.level, mode=kind.mode, low=kind.low, high=kind.high
            )
            loss, stats["importance"] = loss * weights, weights
        if self.precision is not None:
            is_numeric = _needed(tokens.is_numeric, "numeric tokens")
            loss = loss * precision_weights(is_numeric, mask, weight=self.precision.weight)
        if penalty is not None and penalty.kind != "k1_reward":
            ref = _needed(ref, "the reference")
            loss = loss + penalty.coef * kl_loss(
                tokens.logp, old, ref, mask, kind=penalty.kind, is_corrected=penalty.is_corrected
            )
        if self.distill is not None:
            teacher = _needed(tokens.teacher_logp, "the teacher")
            loss = loss + self.distill.coef * reverse_kl(tokens.logp, old, teacher, mask, cap=self.distill.cap)
        return loss, stats


IMITATION = Objective(loss=likelihood, has_ratio=False)  # supervised fine-tuning


def _needed(values: Tensor | None, whose: str) -> Tensor:
    if values is None:
        raise RecordError(f"the objective needs what the rows lack: {whose}; see palestra.agents.update.score")
    return values


@torch.no_grad()
def _ratio_stats(tokens: Tokens) -> dict[str, Tensor]:
    """Return, token by token, what shows how far the weights moved from the sampler's."""
    log = log_ratio(tokens.logp, tokens.sampler_logp, tokens.mask)
    ratio = log.exp()
    return {"kl_k3": ratio - 1.0 - log, "ratio": ratio, "ratio_off": (ratio - 1.0).abs()}
