"""One optimiser step: micro-batches through the model, an objective, clipped gradients."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from palestra.agents.base import Row
from palestra.agents.batches import micro_batches
from palestra.agents.losses.objective import Objective, Tokens
from palestra.agents.losses.weights import denominators
from palestra.agents.model import Learner
from palestra.agents.trees import TrainRow
from palestra.rewards.base import RecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSettings:
    """What an update needs besides rows and an objective."""

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
    tokens = sum(sum(row.mask) for row in rows)
    for row in rows:
        if max(row.turns) >= len(advantages):
            raise RecordError(f"a row has tokens of turn {max(row.turns)}, but there are {len(advantages)} advantages")
        spread = tuple(advantages[turn] if turn >= 0 else 0.0 for turn in row.turns)
        result.append(TrainRow(row=row, advantages=spread, episode_tokens=tokens))
    return result


@torch.no_grad()
def score(learner: Learner, rows: Sequence[TrainRow], settings: UpdateSettings) -> list[tuple[float, ...]]:
    """Return, row by row, the learner's log-probabilities of the sampled tokens as its weights are now."""
    found: dict[int, tuple[float, ...]] = {}
    for batch in micro_batches(rows, token_budget=settings.token_budget, share=learner.shares):
        logp, _ = learner.logprobs(batch, temperature=settings.temperature)
        for one, part in zip(batch.rows, logp.split([sum(one.row.mask) for one in batch.rows]), strict=True):
            found[id(one)] = tuple(part.tolist())
    return [found[id(one)] for one in rows]


def update(
    learner: Learner,
    optimizer: torch.optim.Optimizer,
    rows: Sequence[TrainRow],
    objective: Objective,
    settings: UpdateSettings,
) -> dict[str, float]:
    """Do one optimiser step on the rows and return what to log, each a mean over the trained tokens.

    What the loss is divided by is that of all rows together, so micro-batches do not matter. Rows
    without any advantage count there, but are not computed where their gradient is 0.
    """
    total = sum(sum(one.row.mask) for one in rows)
    useful = [one for one in rows if any(one.advantages)] if objective.skips_idle_rows else list(rows)
    if not useful:
        return {"tokens": float(total), "rows": 0.0}
    for group in optimizer.param_groups:
        group["lr"] = settings.lr
    optimizer.zero_grad(set_to_none=True)
    sums: dict[str, float] = {"loss": 0.0, "entropy": 0.0}
    trained = computed = 0
    scale = _denominators(rows, objective)[1]
    for batch in micro_batches(useful, token_budget=settings.token_budget, share=learner.shares):
        logp, entropy = learner.logprobs(batch, temperature=settings.temperature)
        tokens = _tokens(batch.rows, logp, objective)
        token_loss, stats = objective(tokens)
        own = _denominators(batch.rows, objective)[0].to(logp.device)
        summed = (token_loss / own[:, None])[tokens.mask].sum()
        (summed / scale).backward()
        trained += len(logp)
        computed += batch.tokens
        sums["loss"] += float(summed.detach())
        sums["entropy"] += float(entropy.sum())
        for name, value in stats.items():
            sums[name] = sums.get(name, 0.0) + float(value[tokens.mask].sum())
    parameters = list(learner.trainable().values())
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm))
    if not math.isfinite(norm):
        raise FloatingPointError(
            f"the gradient norm is {norm}; the weights were left as they were. Lower the learning rate or "
            "train with autocast=false"
        )
    optimizer.step()
    means = {name: value / trained for name, value in sums.items()}
    means["loss"] = sums["loss"] / scale
    return {
        **means,
        "grad_norm": norm,
        "tokens": float(total),
        "computed_tokens": float(computed),
        "rows": float(len(useful)),
    }


def _denominators(rows: Sequence[TrainRow], objective: Objective) -> tuple[Tensor, float]:
    counts = torch.tensor([sum(one.row.mask) for one in rows])
    episode = torch.tensor([one.episode_tokens or sum(one.row.mask) for one in rows])
    return denominators(counts, objective.denominator, length=objective.length, episode=episode)


def _tokens(rows: Sequence[TrainRow], logp: Tensor, objective: Objective) -> Tokens:
    """Return the rows' sampled tokens, padded, with what the objective needs to know of each."""
    counts = torch.tensor([sum(one.row.mask) for one in rows])
    mask = (torch.arange(int(counts.max())) < counts[:, None]).to(logp.device)
    places = [[i for i, is_sampled in enumerate(one.row.mask) if is_sampled] for one in rows]

    def padded(values: Sequence[Sequence[float]]) -> Tensor:
        return _padded(logp.new_tensor([value for row in values for value in row]), mask)

    ids = objective.precision.ids if objective.precision is not None else None
    numeric = (
        None
        if ids is None
        else padded([[one.row.ids[i] in ids for i in at] for one, at in zip(rows, places, strict=True)]).bool()
    )
    return Tokens(
        logp=_padded(logp, mask),
        sampler_logp=padded([[one.row.logprobs[i] for i in at] for one, at in zip(rows, places, strict=True)]),
        advantage=padded([[one.advantages[i] for i in at] for one, at in zip(rows, places, strict=True)]),
        mask=mask,
        old_logp=padded([one.old for one in rows]) if all(one.old for one in rows) else None,
        ref_logp=padded([one.ref for one in rows]) if all(one.ref for one in rows) else None,
        teacher_logp=padded([one.teacher for one in rows]) if all(one.teacher for one in rows) else None,
        is_numeric=numeric,
    )


def _padded(values: Tensor, mask: Tensor) -> Tensor:
    """Return (rows, tokens) from the values of the tokens one after another."""
    return values.new_zeros(mask.shape).masked_scatter(mask, values)
