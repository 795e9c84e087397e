"""Policy losses whose ratio is a token's own: each is one formula, its source and its bounds.

All take `logp` (rows, tokens) under the weights in training, `old_logp` under those that sampled,
`advantage` of the turn that sampled each token, and `mask`; they return a `TokenLoss`. Below,
``r = exp(logp - old_logp)``, ``A`` is the advantage and ``sg`` stops the gradient.
"""

import torch
from torch import Tensor

from palestra.agents.base import TokenLoss
from palestra.agents.losses.ratios import clipped_surrogate, log_ratio, masked


def likelihood(logp: Tensor, old_logp: Tensor, advantage: Tensor, mask: Tensor) -> TokenLoss:
    """Return ``-A logp``: with an advantage of 1 everywhere, supervised fine-tuning. `old_logp` is not used."""
    loss = -masked(logp, mask) * masked(advantage, mask)
    return TokenLoss(loss, torch.zeros_like(mask))


def ppo_clip(
    logp: Tensor, old_logp: Tensor, advantage: Tensor, mask: Tensor, *, low: float = 0.2, high: float = 0.28
) -> TokenLoss:
    """Return ``-min(r A, clip(r, 1 - low, 1 + high) A)``: no more is gained once a ratio left its bounds.

    A wider upper bound lets unlikely tokens grow. Bounds as wide as 0.6 to 1.8 are the trust-region
    stretch of CAD-RL, for rewards that are sparse and vary much.

    Sources: Schulman et al. 2017, arXiv:1707.06347; the two bounds, Yu et al. 2025 (DAPO),
    arXiv:2503.14476; the stretch, Niu et al. 2025 (CAD-RL), arXiv:2508.10118.
    """
    ratio = log_ratio(logp, old_logp, mask).exp()
    return clipped_surrogate(ratio, masked(advantage, mask), low, high)


def dual_clip(
    logp: Tensor,
    old_logp: Tensor,
    advantage: Tensor,
    mask: Tensor,
    *,
    low: float = 0.2,
    high: float = 0.28,
    cap: float = 3.0,
) -> TokenLoss:
    """Return PPO's loss, at most ``-cap A`` where A < 0: a bad token that became likely counts so much, no more.

    Source: Ye et al. 2019, arXiv:1912.09729.
    """
    advantage = masked(advantage, mask)
    inner = ppo_clip(logp, old_logp, advantage, mask, low=low, high=high)
    most = -cap * advantage
    is_capped = (advantage < 0) & (inner.loss > most)
    return TokenLoss(torch.where(is_capped, most, inner.loss), inner.cut | is_capped)


def cispo(
    logp: Tensor, old_logp: Tensor, advantage: Tensor, mask: Tensor, *, low: float = 1.0, high: float = 4.0
) -> TokenLoss:
    """Return ``-sg(clip(r, 1 - low, 1 + high)) A logp``: the weight is bounded, and every token keeps its gradient.

    With ``low = 1`` there is no lower bound, as in the paper; ``high = 4`` caps the weight at 5.

    Source: MiniMax 2025 (MiniMax-M1), arXiv:2506.13585.
    """
    ratio = log_ratio(logp, old_logp, mask).exp().detach()
    weight = ratio.clamp(1.0 - low, 1.0 + high)
    return TokenLoss(-weight * masked(advantage, mask) * masked(logp, mask), weight != ratio)


def dppo(
    logp: Tensor,
    old_logp: Tensor,
    advantage: Tensor,
    mask: Tensor,
    *,
    low: float = 0.2,
    high: float = 0.2,
    pull: float = 1e-3,
) -> TokenLoss:
    """Return ``-M r A + pull (log r)**2``, where M is 0 for tokens whose probability has moved too far their way.

    ``M = 0`` if A > 0 and ``p - p_old > high``, or if A <= 0 and ``p - p_old < -low``, with p the
    probability and not its ratio: unlikely tokens may grow many times over, likely ones may not fall far.

    Source: Qi et al. 2026, arXiv:2602.04879, with total variation over the sampled token and the rest;
    the quadratic term is that of prime-rl.
    """
    advantage = masked(advantage, mask)
    log = log_ratio(logp, old_logp, mask)
    moved = (masked(logp, mask).exp() - masked(old_logp, mask).exp()).detach()
    is_over = torch.where(advantage > 0, moved > high, moved < -low) & mask
    loss = torch.where(is_over, 0.0, -log.exp() * advantage) + pull * log.square()
    return TokenLoss(loss, is_over)


def w_reinforce(logp: Tensor, old_logp: Tensor, advantage: Tensor, mask: Tensor, *, positive: float = 0.1) -> TokenLoss:
    """Return ``-w r A`` with ``w = positive`` where A > 0 and 1 elsewhere: learn mostly from what failed.

    With ``positive = 0`` this is negative-sample reinforcement: bad samples lose probability, which goes
    to what the model finds likely otherwise, so that diversity stays. The paper's reward is 1 or -1 and
    has no baseline; here the sign is that of the advantage.

    Source: Zhu et al. 2025, arXiv:2506.01347, which recommends 0.1.
    """
    advantage = masked(advantage, mask)
    weight = torch.where(advantage > 0, positive, 1.0)
    loss = -weight * log_ratio(logp, old_logp, mask).exp() * advantage
    return TokenLoss(loss, weight == 0.0)
