"""Policy losses on sampled tokens: pure functions of log-probabilities and advantages."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class PpoClip:
    """Clipped policy gradient with separate bounds: ``-min(ratio * A, clip(ratio) * A)`` a token.

    The ratio is of the weights being trained to those that sampled. A wider upper bound lets unlikely
    tokens grow. Sources: Schulman et al. 2017, arXiv:1707.06347; Yu et al. 2025 (DAPO), arXiv:2503.14476.
    """

    low: float = 0.2
    high: float = 0.28

    def __call__(self, logp: Tensor, old_logp: Tensor, advantage: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """See `palestra.agents.base.Loss`."""
        log_ratio = logp - old_logp
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1.0 - self.low, 1.0 + self.high)
        loss = -torch.minimum(ratio * advantage, clipped * advantage)
        return loss, _ratio_stats(log_ratio, ratio, (clipped * advantage < ratio * advantage))


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Negative log-likelihood, weighted by the advantage: with 1 everywhere, supervised fine-tuning."""

    def __call__(self, logp: Tensor, old_logp: Tensor, advantage: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """See `palestra.agents.base.Loss`."""
        return -logp * advantage, {}


def _ratio_stats(log_ratio: Tensor, ratio: Tensor, is_clipped: Tensor) -> dict[str, Tensor]:
    """Return, token by token, what shows how far the weights moved from the sampler's."""
    with torch.no_grad():
        return {
            "kl_k3": ratio - 1.0 - log_ratio,
            "ratio": ratio.detach(),
            "ratio_off": (ratio - 1.0).abs(),
            "clipped": is_clipped.float(),
        }
