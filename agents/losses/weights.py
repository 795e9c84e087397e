"""What a token's loss is divided by, which rows count at all, and which tokens count more."""

from typing import Literal

import torch
from torch import Tensor

from palestra.agents.losses.ratios import masked, row_mean

Denominator = Literal["token_mean", "sequence_mean", "sequence_sum", "constant"]


def denominators(
    counts: Tensor, how: Denominator, *, length: int = 1, episode: Tensor | None = None
) -> tuple[Tensor, float]:
    """Return what each row's summed loss is divided by: a part of its own, and a part of the whole batch.

    ``L = 1 / scale * sum over rows of 1 / own * sum over tokens of the loss``. Of N rows with n tokens each,

    - ``token_mean``: own 1, scale ``sum of n``; every token weighs the same (DAPO, arXiv:2503.14476).
    - ``sequence_mean``: own n, scale N; every row weighs the same (GRPO, arXiv:2402.03300), so that a
      token of a long row weighs less.
    - ``sequence_sum``: own 1, scale N; a row weighs by its tokens, a batch does not.
    - ``constant``: own 1, scale ``N * length``; the same without a length that varies (Dr.GRPO,
      arXiv:2503.20783).

    Args:
        counts: (rows,) sampled tokens; a row without any is no row.
        length: the constant, in tokens.
        episode: (rows,) sampled tokens of the whole episode whose part a row is, where history was
            rewritten: its rows are then one. By default every row is an episode.

    Returns:
        (rows,) the rows' own part, and the batch's; neither is 0.

    Raises:
        ValueError: there is no such denominator, or the constant is below 1.
    """
    if length < 1:
        raise ValueError(f"the constant length must be at least 1, not {length!r}")
    ones = torch.ones_like(counts, dtype=torch.float32)
    whole = (counts if episode is None else episode).clamp(min=1)
    rows = float((counts.double() / whole).sum()) or 1.0
    if how == "token_mean":
        return ones, float(counts.sum()) or 1.0
    if how == "sequence_mean":
        return whole.to(ones.dtype), rows
    if how == "sequence_sum":
        return ones, rows
    if how == "constant":
        return ones, rows * length
    raise ValueError(f"no denominator named {how!r}; known: token_mean, sequence_mean, sequence_sum, constant")


def aggregate(loss: Tensor, mask: Tensor, how: Denominator = "token_mean", *, length: int = 1) -> Tensor:
    """Return the scalar loss of a whole batch from (rows, tokens); see `denominators`."""
    own, scale = denominators(mask.sum(-1), how, length=length)
    return (masked(loss, mask) / own[:, None]).sum() / scale


def overlong_mask(mask: Tensor, is_overlong: Tensor) -> Tensor:
    """Return the mask without the rows that a limit cut off, which then count in no loss and no denominator.

    Their reward says that they were too long, not that what they say is wrong. Baselines keep them.

    Args:
        is_overlong: (rows,) bool.

    Sources: Yu et al. 2025 (DAPO), arXiv:2503.14476; Niu et al. 2025 (CAD-RL), arXiv:2508.10118.
    """
    return mask & ~is_overlong[:, None]


def precision_weights(is_numeric: Tensor, mask: Tensor, *, weight: float) -> Tensor:
    """Return (rows, tokens) weights: `weight` to 1 for numeric tokens, with mean 1 over each row.

    A wrong digit in a dimension costs the whole part, and digits are few among the tokens. Since each
    row's weights have mean 1, rows with many numbers weigh no more than others.

    Args:
        is_numeric: (rows, tokens) bool.
        weight: of a numeric token, relative to any other; positive.

    Source: Niu et al. 2025 (CAD-RL, precision token loss), arXiv:2508.10118, which names the idea; the
    normalisation is ours.

    Raises:
        ValueError: the weight is not positive.
    """
    if not weight > 0:
        raise ValueError(f"the weight of numeric tokens must be positive, not {weight!r}")
    raw = torch.where(is_numeric, weight, 1.0)
    mean = row_mean(raw, mask)
    return masked(raw / torch.where(mean > 0, mean, 1.0), mask)
