"""What every loss is made of: ratios that stay finite, and sums over a row's sampled tokens.

Every tensor of this package is (rows, tokens); `mask` is True where a token was sampled. What stands
elsewhere, NaN included, reaches neither a value nor a gradient. Nothing here changes its input.
"""

import torch
from torch import Tensor

from palestra.agents.base import TokenLoss

MAX_LOG_RATIO = 20.0  # e**20 is 5e8; beyond it a ratio says no more, and e**89 is infinite in float32


def masked(values: Tensor, mask: Tensor) -> Tensor:
    """Return the values where tokens were sampled, and 0 elsewhere."""
    return torch.where(mask, values, values.new_zeros(()))


def log_ratio(logp: Tensor, other: Tensor, mask: Tensor) -> Tensor:
    """Return ``logp - other`` within +-20; a token beyond has a ratio of e**20 and no gradient."""
    return (masked(logp, mask) - masked(other, mask)).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO)


def row_counts(mask: Tensor) -> Tensor:
    """Return (rows, 1): the sampled tokens of each row, at least 1 so that it can divide."""
    return mask.sum(-1, keepdim=True).clamp(min=1)


def row_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Return (rows, 1): the sum over each row's sampled tokens."""
    return masked(values, mask).sum(-1, keepdim=True)


def row_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return (rows, 1): the mean over each row's sampled tokens; 0 for a row without any."""
    return row_sum(values, mask) / row_counts(mask)


def clipped_surrogate(ratio: Tensor, advantage: Tensor, low: float, high: float) -> TokenLoss:
    """Return ``-min(r A, clip(r, 1 - low, 1 + high) A)``, cut where the bound is the smaller one."""
    plain = ratio * advantage
    bounded = ratio.clamp(1.0 - low, 1.0 + high) * advantage
    return TokenLoss(-torch.minimum(plain, bounded), (bounded < plain).detach())
