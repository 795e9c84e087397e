"""One optimiser step: micro-batches through the model, a token-mean loss, clipped gradients."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from palestra.agents.base import Loss, Row
from palestra.agents.batches import micro_batches
from palestra.agents.model import Learner
from palestra.agents.trees import TrainRow
from palestra.rewards.base import RecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSettings:
    """What an update needs besides rows and a loss."""

    lr: float
    token_budget: int
    max_grad_norm: float = 1.0
    temperature: float = 1.0


def train_rows(rows: Sequence[Row], advantages: Sequence[float]) -> list[TrainRow]:
    """Return an episode's rows with each turn's advantage on exactly the tokens sampled in that turn.

    Raises:
        RecordError: a row names a turn that has no advantage.
    """
    result = []
    for row in rows:
        if max(row.turns) >= len(advantages):
            raise RecordError(f"a row has tokens of turn {max(row.turns)}, but there are {len(advantages)} advantages")
        spread = tuple(advantages[turn] if turn >= 0 else 0.0 for turn in row.turns)
        result.append(TrainRow(row=row, advantages=spread))
    return result


def update(
    learner: Learner, optimizer: torch.optim.Optimizer, rows: Sequence[TrainRow], loss: Loss, settings: UpdateSettings
) -> dict[str, float]:
    """Do one optimiser step on the rows and return what to log, each a mean over the trained tokens.

    The loss is summed over tokens and divided by the number of tokens sampled in all rows, so long and
    short episodes weigh by their tokens and micro-batches do not matter. Rows without any advantage
    count there, but are not computed: their gradient is 0.
    """
    total = sum(sum(one.row.mask) for one in rows)
    useful = [one for one in rows if any(one.advantages)]
    if not useful:
        return {"tokens": float(total), "rows": 0.0}
    for group in optimizer.param_groups:
        group["lr"] = settings.lr
    optimizer.zero_grad(set_to_none=True)
    sums: dict[str, float] = {"loss": 0.0, "entropy": 0.0}
    trained = computed = 0
    for batch in micro_batches(useful, token_budget=settings.token_budget, share=learner.shares):
        logp, entropy = learner.logprobs(batch, temperature=settings.temperature)
        old_logp, advantage = _columns(batch.rows, logp)
        token_loss, stats = loss(logp, old_logp, advantage)
        summed = token_loss.sum()
        (summed / total).backward()
        trained += len(logp)
        computed += batch.tokens
        sums["loss"] += float(summed.detach())
        for name, value in {"entropy": entropy, **stats}.items():
            sums[name] = sums.get(name, 0.0) + float(value.sum())
    parameters = list(learner.trainable().values())
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm))
    if not math.isfinite(norm):
        raise FloatingPointError(
            f"the gradient norm is {norm}; the weights were left as they were. Lower the learning rate or "
            "train with autocast=false"
        )
    optimizer.step()
    means = {name: value / trained for name, value in sums.items()}
    means["loss"] = sums["loss"] / total
    return {
        **means,
        "grad_norm": norm,
        "tokens": float(total),
        "computed_tokens": float(computed),
        "rows": float(len(useful)),
    }


def _columns(rows: Sequence[TrainRow], like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return, for the rows' sampled tokens in order, log-probability at sampling and advantage."""
    sampled = [(one, i) for one in rows for i, is_sampled in enumerate(one.row.mask) if is_sampled]
    return (
        like.new_tensor([one.row.logprobs[i] for one, i in sampled]),
        like.new_tensor([one.advantages[i] for one, i in sampled]),
    )
