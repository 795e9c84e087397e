"""Entropy control by covariance: the few tokens that make entropy collapse are held back.

Entropy falls where likely tokens have high advantages, and a very small share of the tokens makes most
of it. Both losses find them by ``(logp - mean) (A - mean)``, means over all tokens they are given, and
so in training over a micro-batch. Arguments and notation are those of `palestra.agents.losses.policy`.

Source: Cui et al. 2025, arXiv:2505.22617.
"""

import torch
from torch import Tensor

from palestra.agents.base import TokenLoss
from palestra.agents.losses.ratios import clipped_surrogate, log_ratio, masked


def covariances(logp: Tensor, advantage: Tensor, mask: Tensor) -> Tensor:
    """Return each token's part of the covariance of log-probability and advantage, without a gradient."""
    count = mask.sum().clamp(min=1)
    logp, advantage = masked(logp.detach(), mask), masked(advantage, mask)
    return masked((logp - logp.sum() / count) * (advantage - advantage.sum() / count), mask)


def clip_cov(
    logp: Tensor,
    old_logp: Tensor,
    advantage: Tensor,
    mask: Tensor,
    *,
    low: float = 0.2,
    high: float = 0.28,
    fraction: float = 2e-4,
    cov_low: float = 1.0,
    cov_high: float = 5.0,
    seed: int = 0,
) -> TokenLoss:
    """Return PPO's clipped loss, without some of the tokens whose covariance is within bounds (Clip-Cov).

    Args:
        low, high: PPO's bounds.
        fraction: of all sampled tokens, how many are left out; drawn at random where more qualify.
        cov_low, cov_high: the bounds of the covariance, exclusive.
        seed: of the draw; the same seed draws the same tokens.
    """
    advantage = masked(advantage, mask)
    inner = clipped_surrogate(log_ratio(logp, old_logp, mask).exp(), advantage, low, high)
    covariance = covariances(logp, advantage, mask)
    places = (mask & ~inner.cut & (covariance > cov_low) & (covariance < cov_high)).flatten().nonzero()[:, 0]
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(places), generator=draw)[: _how_many(fraction, mask, draw)]
    chosen = _at(places[order.to(places.device)], mask)
    return TokenLoss(torch.where(chosen, 0.0, inner.loss), inner.cut | chosen)


def kl_cov(
    logp: Tensor,
    old_logp: Tensor,
    advantage: Tensor,
    mask: Tensor,
    *,
    fraction: float = 2e-3,
    coef: float = 1.0,
    seed: int = 0,
) -> TokenLoss:
    """Return ``-r A``, plus ``coef (log r)**2 / 2`` for the tokens of the highest covariance (KL-Cov).

    The paper adds a KL divergence. Its released code takes ``|log r|``, whose gradient does not fade as r
    nears 1, so that rounding between sampler and learner would push; half the square has the
    divergence's gradient and fades.

    Args:
        fraction: of all sampled tokens, how many are pulled.
        coef: how strongly.
        seed: of the draw that rounds their number.
    """
    advantage = masked(advantage, mask)
    log = log_ratio(logp, old_logp, mask)
    ranked = covariances(logp, advantage, mask).masked_fill(~mask, -torch.inf).flatten()
    number = _how_many(fraction, mask, torch.Generator().manual_seed(seed))
    chosen = _at(ranked.topk(number).indices, mask)
    return TokenLoss(-log.exp() * advantage + torch.where(chosen, 0.5 * coef * log.square(), 0.0), chosen)


def _how_many(fraction: float, mask: Tensor, draw: torch.Generator) -> int:
    """Return the share of the tokens as a number, rounded up or down at random.

    Rounding up always would choose ten times too many when micro-batches are small.
    """
    return int(fraction * int(mask.sum()) + float(torch.rand((), generator=draw)))


def _at(places: Tensor, mask: Tensor) -> Tensor:
    """Return a mask that is True at these places of the flattened one."""
    chosen = torch.zeros_like(mask).flatten()
    chosen[places] = True
    return chosen.view_as(mask)
