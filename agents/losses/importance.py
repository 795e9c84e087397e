"""Importance weights for what a sampler and a learner see differently, although they hold the same weights.

The weight is of the learner's own log-probabilities at the weights that sampled, `old_logp`, to the
sampler's, and multiplies the policy loss, whose ratio is then of the learner to itself.

Sources: Ionides 2008, "Truncated importance sampling"; Yao et al. 2025, "Your efficient RL framework
secretly brings you off-policy RL training" (token); Ling Team 2025, "IcePop" (mask); Liu et al. 2025,
"When speed kills stability" (sequence and geometric).
"""

from typing import Literal

import torch
from torch import Tensor

from palestra.agents.losses.ratios import MAX_LOG_RATIO, log_ratio, masked, row_mean, row_sum

ImportanceLevel = Literal["token", "sequence", "geometric"]
ImportanceMode = Literal["truncate", "mask"]


def importance_weights(
    old_logp: Tensor,
    sampler_logp: Tensor,
    mask: Tensor,
    *,
    level: ImportanceLevel = "token",
    mode: ImportanceMode = "truncate",
    low: float = 0.0,
    high: float = 2.0,
) -> Tensor:
    """Return (rows, tokens) weights without a gradient, 0 where nothing was sampled.

    Args:
        level: ``w = exp(old_logp - sampler_logp)`` of each token; its product over the row, which is
            unbiased and leaves [low, high] in long rows; or its geometric mean over the row.
        mode: "truncate" puts a weight outside [low, high] at the bound, "mask" at 0.

    Raises:
        ValueError: level or mode are not known, or low is above high.
    """
    if low > high:
        raise ValueError(f"low must be at most high, not {low!r} and {high!r}")
    log = log_ratio(old_logp, sampler_logp, mask).detach()
    if level == "sequence":
        log = row_sum(log, mask).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).expand_as(log)
    elif level == "geometric":
        log = row_mean(log, mask).expand_as(log)
    elif level != "token":
        raise ValueError(f"no level named {level!r}; known: token, sequence, geometric")
    weights = log.exp()
    if mode == "truncate":
        return masked(weights.clamp(low, high), mask)
    if mode == "mask":
        return masked(torch.where((weights >= low) & (weights <= high), weights, 0.0), mask)
    raise ValueError(f"no mode named {mode!r}; known: truncate, mask")
