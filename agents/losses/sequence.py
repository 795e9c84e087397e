"""Policy losses that look at a row as a whole: one ratio, or one log-probability, for all of its tokens.

A row is what the model saw as one context; where history was rewritten an episode is several. Arguments
and notation are those of `palestra.agents.losses.policy`; ``|o|`` is a row's number of sampled tokens.
"""

from typing import Literal

import torch
from torch import Tensor

from palestra.agents.base import TokenLoss
from palestra.agents.losses.ratios import (
    MAX_LOG_RATIO,
    clipped_surrogate,
    log_ratio,
    masked,
    row_counts,
    row_mean,
    row_sum,
)


def gspo(
    logp: Tensor, old_logp: Tensor, advantage: Tensor, mask: Tensor, *, low: float = 3e-4, high: float = 4e-4
) -> TokenLoss:
    """Return PPO's clipped loss with the row's geometric mean ratio ``s`` in place of each token's own.

    ``s = exp(mean over the row of logp - old_logp)``; a token's ratio is ``sg(s) exp(logp - sg(logp))``,
    so it has the value of s and a gradient of its own, and turns of a row may differ in advantage. The
    bounds are small because a mean over many tokens moves little.

    Source: Zheng et al. 2025 (GSPO, and GSPO-token), arXiv:2507.18071.
    """
    level = row_mean(log_ratio(logp, old_logp, mask), mask).detach()
    own = masked(logp, mask)
    return clipped_surrogate((level + own - own.detach()).exp(), masked(advantage, mask), low, high)


def topr(
    logp: Tensor,
    old_logp: Tensor,
    advantage: Tensor,
    mask: Tensor,
    *,
    cap: float = 1.0,
    level: Literal["sequence", "token"] = "sequence",
) -> TokenLoss:
    """Return ``-sg(w) A logp`` with ``w = 1`` where A >= 0 and ``w = min(ratio, cap)`` where A < 0.

    What was good is imitated however unlikely it has become; what was bad fades out as it becomes
    unlikely, instead of being pushed down for ever. Stable on samples of much older weights.

    Args:
        cap: the largest weight of a bad sample.
        level: the ratio is the row's, a product over its tokens as in the paper, or each token's own.

    Source: Le Roux et al. 2025 (TOPR), arXiv:2503.14286.
    """
    log = log_ratio(logp, old_logp, mask)
    if level == "sequence":
        log = row_sum(log, mask).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).expand_as(log)
    advantage, ratio = masked(advantage, mask), log.exp().detach()
    weight = torch.where(advantage < 0, ratio.clamp(max=cap), 1.0)
    return TokenLoss(-weight * advantage * masked(logp, mask), (advantage < 0) & (ratio > cap))


def pmd(logp: Tensor, old_logp: Tensor, advantage: Tensor, mask: Tensor, *, tau: float = 0.01) -> TokenLoss:
    """Return policy mirror descent as a regression: the row's log-ratio is drawn to ``A / tau``.

    ``L = tau / 2 (A / tau - sum over the row of logp - old_logp)**2``, spread evenly over the row's
    tokens; with the denominator ``sequence_mean`` it is divided by ``|o|`` once more, as published. A row
    whose advantage is 0 is still drawn back to the weights that sampled it. A is the mean over the row's
    tokens. With ``A = R - mean of the others`` (credit "rloo") this is PMD-mean; with ``A = R - tau log
    mean exp(R / tau)`` of the others (credit "log_partition") it is PMD-partition.

    Sources: Xu et al. 2026, arXiv:2602.05933; Kimi Team 2025 (Kimi k1.5), arXiv:2501.12599, equation 3.
    """
    gap = row_mean(advantage, mask) / tau - row_sum(log_ratio(logp, old_logp, mask), mask)
    return TokenLoss(masked(0.5 * tau * gap.square() / row_counts(mask), mask), torch.zeros_like(mask))
