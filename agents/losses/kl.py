"""Staying near a reference: estimates of the divergence, as a loss or in the reward.

The divergence is KL(policy || reference), estimated at the sampled tokens with ``k1 = logp - ref_logp``.
What is a good estimate of its value need not have its gradient: the gradient of k1 has mean 0, that of
k2 and of ``r k3`` is the divergence's, that of k3 alone is so only to first order.

Sources: Schulman 2020, "Approximating KL divergence"; Liu et al. 2025, arXiv:2510.01555; the correction
of k3 also DeepSeek-AI 2025 (DeepSeek-V3.2), arXiv:2512.02556.
"""

from typing import Literal

import torch
from torch import Tensor

from palestra.agents.losses.ratios import log_ratio, masked

KlKind = Literal["k1", "k2", "k3"]


def kl_estimate(logp: Tensor, ref_logp: Tensor, mask: Tensor, *, kind: KlKind = "k3") -> Tensor:
    """Return a token's estimate of the divergence from the reference, (rows, tokens).

    ``k1 = logp - ref_logp`` is unbiased and may be negative, ``k2 = k1**2 / 2`` is biased with little
    variance, ``k3 = exp(-k1) - 1 + k1`` is unbiased and never negative.

    Raises:
        ValueError: there is no such kind.
    """
    k1 = log_ratio(logp, ref_logp, mask)
    if kind == "k1":
        return k1
    if kind == "k2":
        return 0.5 * k1.square()
    if kind == "k3":
        return torch.expm1(-k1) + k1
    raise ValueError(f"no estimate named {kind!r}; known: k1, k2, k3")


def kl_loss(
    logp: Tensor,
    old_logp: Tensor,
    ref_logp: Tensor,
    mask: Tensor,
    *,
    kind: KlKind = "k3",
    is_corrected: bool = True,
) -> Tensor:
    """Return the divergence as a loss of each token, (rows, tokens), to be added with a coefficient.

    Corrected, the estimate is weighted by ``r = exp(logp - old_logp)``, because the tokens were sampled
    by other weights. The gradients are then ``r k1`` times that of logp for k2 (whose r carries no
    gradient) and k3, and ``r (k1 + 1)`` for k1.

    Raises:
        ValueError: k1 without the correction, whose gradient is noise of mean 0.
    """
    estimate = kl_estimate(logp, ref_logp, mask, kind=kind)
    if not is_corrected:
        if kind == "k1":
            raise ValueError("k1 as a loss has a gradient of mean 0; use k2 or k3, correct it, or put k1 in the reward")
        return estimate
    ratio = log_ratio(logp, old_logp, mask).exp()
    return estimate * (ratio.detach() if kind == "k2" else ratio)


def kl_in_reward(advantage: Tensor, old_logp: Tensor, ref_logp: Tensor, mask: Tensor, *, coef: float) -> Tensor:
    """Return ``A - coef k1`` of the weights that sampled: each token pays for its own distance.

    This is the divergence in the reward, as PPO for language models has it, without the part that later
    tokens pay; it carries no gradient and goes through whatever bounds the policy loss has.
    """
    return masked(advantage, mask) - coef * kl_estimate(old_logp, ref_logp, mask, kind="k1").detach()
