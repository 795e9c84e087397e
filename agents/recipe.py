"""From a config to what one reinforcement step trains on: credit, objective, and what rows are measured against."""

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from torch import Tensor

from palestra.agents import losses
from palestra.agents.config import TrainConfig
from palestra.agents.loss_options import LOSSES
from palestra.agents.losses.importance import ImportanceLevel, ImportanceMode
from palestra.agents.losses.weights import Denominator
from palestra.agents.model import Learner
from palestra.agents.trees import TrainRow
from palestra.agents.update import UpdateSettings, score
from palestra.envs.base import derive_seed
from palestra.rewards.base import Trajectory, Truncated
from palestra.rewards.combine import HackingWatch, with_steps
from palestra.rewards.credit import CREDITS
from palestra.rewards.credit.partition import log_partition
from palestra.rewards.credit.returns import Estimator
from palestra.rewards.potential import PartsReward

DIGITS = frozenset("0123456789")
BYTE = re.compile("<0x[0-9A-F]{2}>")  # how some vocabularies write a byte that is no text by itself


def credit_of(config: TrainConfig) -> Estimator:
    """Return the estimator of advantages that the config names, with the temperature of its loss."""
    if config.credit == "log_partition":
        return functools.partial(log_partition, tau=float(config.options_of_loss().get("tau", 0.01)))
    return CREDITS[config.credit]


def advantages_of(
    config: TrainConfig, played: Sequence[Trajectory], watch: HackingWatch
) -> tuple[list[list[float]], dict[str, float]]:
    """Return the advantages of the config's credit, with those of its step rewards, and what to log of these."""
    credit = credit_of(config)
    if not config.step_weight:
        return credit(played), {}
    scores = PartsReward(weights=config.step_parts).score(played)
    paid = [math.fsum(row) for row in scores]
    stats = watch.see(paid, [float(one.outcome.is_success) for one in played])
    stats["step_reward"] = math.fsum(paid) / len(paid)
    return with_steps(played, scores, credit, weight=config.step_weight), stats


def objective_of(config: TrainConfig, tokenizer: Any, *, seed: str) -> losses.Objective:
    """Return what an update minimises.

    Args:
        tokenizer: tells which tokens have digits, where these weigh more.
        seed: names the update; losses that draw tokens draw others in each.
    """
    spec = LOSSES[config.loss]
    options: dict[str, Any] = config.options_of_loss()
    if spec.is_drawn:
        options["seed"] = derive_seed("trainer", "loss", config.seed, seed) % 2**31
    importance = None
    if config.importance != "none":
        level, mode = config.importance.split("_")
        importance = losses.Importance(
            level=cast(ImportanceLevel, level),
            mode=cast(ImportanceMode, mode),
            low=config.importance_low,
            high=config.importance_high,
        )
    is_precise = config.precision_weight != 1.0
    return losses.Objective(
        loss=functools.partial(getattr(losses, spec.function), **options),
        denominator=cast(Denominator, spec.denominator if config.denominator == "auto" else config.denominator),
        length=config.denominator_length or config.max_context,
        is_idle_without_advantage=spec.is_idle_without_advantage,
        importance=importance,
        penalty=losses.Penalty(coef=config.kl_coef, kind=config.kl, is_corrected=config.kl_corrected)
        if config.kl_coef
        else None,
        precision=losses.Precision(weight=config.precision_weight, ids=numeric_ids(tokenizer)) if is_precise else None,
        distill=losses.Distill(coef=config.distill_coef, cap=config.distill_cap) if config.distill != "none" else None,
    )


@functools.lru_cache(maxsize=4)
def numeric_ids(tokenizer: Any) -> frozenset[int]:
    """Return the tokens that hold a digit; points, signs and units are none, nor are marks such as ``<0x31>``."""
    marks = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
    words = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    return frozenset(
        i for i, word in enumerate(words) if i not in marks and not BYTE.fullmatch(word) and DIGITS.intersection(word)
    )


def is_overlong(trajectory: Trajectory) -> bool:
    """Return whether a limit of turns, tokens or time cut off the episode or one of its replies."""
    return isinstance(trajectory.outcome, Truncated) or any(turn.finish == "length" for turn in trajectory.turns)


def anchored(
    config: TrainConfig,
    learner: Learner,
    rows: Sequence[Sequence[TrainRow]],
    reference: Mapping[str, Tensor],
    settings: UpdateSettings,
) -> list[list[TrainRow]]:
    """Return the rows with the log-probabilities that the config's objective compares with.

    Each costs a forward pass over all rows; without an importance correction or a penalty there is none.
    """
    flat = [one for episode in rows for one in episode]
    if config.importance != "none" and flat:
        flat = [replace(one, old=old) for one, old in zip(flat, score(learner, flat, settings), strict=True)]
    if config.kl_coef and flat:
        with learner.holding(reference):
            found = score(learner, flat, settings)
        flat = [replace(one, ref=ref) for one, ref in zip(flat, found, strict=True)]
    left = iter(flat)
    return [[next(left) for _ in episode] for episode in rows]
