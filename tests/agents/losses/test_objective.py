"""An update with an objective: the default is what it always was, and each part does what it says."""

import functools
import math
import random
from dataclasses import replace
from typing import Any

import pytest
import torch

from palestra.agents import losses
from palestra.agents.base import Row
from palestra.agents.batches import micro_batches
from palestra.agents.loss_options import LOSSES
from palestra.agents.losses import Importance, Objective, Penalty, Precision, likelihood, ppo_clip
from palestra.agents.losses.weights import Denominator
from palestra.agents.model import Learner, load_causal_lm
from palestra.agents.trees import TrainRow
from palestra.agents.update import UpdateSettings, score, train_rows, update
from palestra.rewards.base import RecordError

STILL = UpdateSettings(lr=0.0, token_budget=10_000, max_grad_norm=1e9)


def row(size: int, draw: random.Random, *, prompt: int = 6) -> Row:
    """A row of two turns, whose sampler was a little off."""
    mask = (False,) * prompt + (True,) * size + (False,) * 3 + (True,) * (size + 1)
    ids = (1,) * prompt + tuple(draw.randrange(250) for _ in range(len(mask) - prompt))
    turns = (-1,) * prompt + (0,) * size + (-1,) * 3 + (1,) * (size + 1)
    logprobs = tuple(draw.uniform(-6.5, -4.5) if is_sampled else 0.0 for is_sampled in mask)
    return Row(ids=ids, mask=mask, logprobs=logprobs, turns=turns)


def made(seed: int = 0) -> list[TrainRow]:
    draw = random.Random(seed)
    return [
        one
        for size in (1, 2, 5, 3)
        for one in train_rows([row(size, draw)], [draw.uniform(-1, 1), draw.uniform(-1, 1)])
    ]


def new_learner(folder: Any) -> Learner:
    return Learner(load_causal_lm(str(folder), torch.float32, "cpu"), lora=None)


def gradient_of(learner: Learner, rows: list[TrainRow], objective: Objective, budget: int = 10_000) -> torch.Tensor:
    optimizer = torch.optim.SGD(list(learner.trainable().values()), lr=0.0)
    update(learner, optimizer, rows, objective, replace(STILL, token_budget=budget))
    return torch.cat([p.grad.flatten() for p in learner.trainable().values() if p.grad is not None])


def named(name: str, **changes: Any) -> Objective:
    spec = LOSSES[name]
    return Objective(
        loss=functools.partial(getattr(losses, spec.function), **spec.options),
        is_idle_without_advantage=spec.is_idle_without_advantage,
        **changes,
    )


def test_two_default_updates_are_bit_for_bit_what_they_were_before_losses_were_chosen(tiny_folder: Any) -> None:
    """The update as it was: tokens one after another, PPO's loss, one sum, divided by their number."""
    ours, theirs = new_learner(tiny_folder), new_learner(tiny_folder)
    ours_optimizer = torch.optim.AdamW(list(ours.trainable().values()), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)
    optimizer = torch.optim.AdamW(list(theirs.trainable().values()), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)
    for step in range(2):
        rows = made(step)
        stats = update(ours, ours_optimizer, rows, named("ppo"), UpdateSettings(lr=0.01, token_budget=40))
        optimizer.param_groups[0]["lr"] = 0.01
        optimizer.zero_grad(set_to_none=True)
        total, summed, off = sum(sum(one.row.mask) for one in rows), 0.0, 0.0
        for batch in micro_batches(rows, token_budget=40, share=theirs.shares):
            logp, _ = theirs.logprobs(batch)
            at = [(one, i) for one in batch.rows for i, is_sampled in enumerate(one.row.mask) if is_sampled]
            old = logp.new_tensor([one.row.logprobs[i] for one, i in at])
            advantage = logp.new_tensor([one.advantages[i] for one, i in at])
            ratio = (logp - old).exp()
            loss = -torch.minimum(ratio * advantage, ratio.clamp(1.0 - 0.2, 1.0 + 0.28) * advantage)
            (loss.sum() / total).backward()
            summed += float(loss.detach().sum())
            off += float((ratio.detach() - 1.0).abs().sum())
        torch.nn.utils.clip_grad_norm_(list(theirs.trainable().values()), 1.0)
        optimizer.step()
        assert stats["loss"] == summed / total
        assert stats["ratio_off"] == off / total
    assert all(torch.equal(p, theirs.trainable()[name]) for name, p in ours.trainable().items())


@pytest.mark.parametrize("name", [name for name, spec in LOSSES.items() if not spec.is_drawn])
@pytest.mark.parametrize("denominator", ["token_mean", "sequence_mean", "sequence_sum", "constant"])
def test_micro_batches_do_not_matter(tiny_model: Any, name: str, denominator: Denominator) -> None:
    learner, rows = Learner(tiny_model, lora=None), made()
    objective = named(name, denominator=denominator, length=16)
    whole = gradient_of(learner, rows, objective)
    assert whole.abs().max() > 0
    assert torch.allclose(
        whole, gradient_of(learner, rows, objective, budget=1), rtol=1e-4, atol=1e-6 * float(whole.norm())
    )


def test_denominators_by_hand(tiny_model: Any) -> None:
    """Rows of n tokens and the losses l: the means that each denominator promises."""
    learner, rows = Learner(tiny_model, lora=None), made()
    optimizer = torch.optim.SGD(list(learner.trainable().values()), lr=0.0)
    each = [update(learner, optimizer, [one], named("ppo"), STILL)["loss"] for one in rows]
    sizes = [sum(one.row.mask) for one in rows]
    summed = [loss * size for loss, size in zip(each, sizes, strict=True)]
    wanted: dict[Denominator, float] = {
        "token_mean": sum(summed) / sum(sizes),
        "sequence_mean": sum(each) / 4,
        "sequence_sum": sum(summed) / 4,
        "constant": sum(summed) / 4 / 16,
    }
    for how, value in wanted.items():
        stats = update(learner, optimizer, rows, named("ppo", denominator=how, length=16), STILL)
        assert stats["loss"] == pytest.approx(value, rel=1e-5)


def test_an_episode_in_two_rows_weighs_as_one(tiny_model: Any) -> None:
    draw = random.Random(1)
    first, second, other = row(2, draw), row(3, draw), row(4, draw)
    rows = [*train_rows([first, second], [1.0, 1.0]), *train_rows([other], [1.0, 1.0])]
    assert [one.episode_tokens for one in rows] == [12, 12, 9]
    optimizer = torch.optim.SGD(tiny_model.parameters(), lr=0.0)
    learner = Learner(tiny_model, lora=None)
    means = [update(learner, optimizer, [one], named("ppo"), STILL)["loss"] for one in rows]
    stats = update(learner, optimizer, rows, named("ppo", denominator="sequence_mean"), STILL)
    assert stats["loss"] == pytest.approx(((5 * means[0] + 7 * means[1]) / 12 + means[2]) / 2, rel=1e-5)


def test_score_gives_each_row_its_own_log_probabilities(tiny_model: Any) -> None:
    learner, rows = Learner(tiny_model, lora=None), made()
    found = score(learner, [*rows, rows[0]], STILL)
    assert found[4] == found[0]
    for one, mine in zip(rows, found, strict=False):
        with torch.no_grad():
            logp = torch.log_softmax(tiny_model(torch.tensor([one.row.ids]), use_cache=False).logits[0], -1)
        wanted = [float(logp[i - 1, one.row.ids[i]]) for i, is_sampled in enumerate(one.row.mask) if is_sampled]
        assert mine == pytest.approx(wanted, abs=1e-5)


def test_a_learner_holds_other_weights_for_a_while(tiny_folder: Any) -> None:
    learner = new_learner(tiny_folder)
    own = {name: p.detach().clone() for name, p in learner.trainable().items()}
    zeros = {name: torch.zeros_like(p) for name, p in own.items()}

    def fail_while_holding() -> None:
        with learner.holding(zeros):
            assert not any(p.any() for p in learner.trainable().values())
            raise KeyError

    with pytest.raises(KeyError):
        fail_while_holding()
    assert all(torch.equal(p, own[name]) for name, p in learner.trainable().items())


def test_importance_weighs_what_sampler_and_learner_see_differently(tiny_model: Any) -> None:
    """A sampler that told every token half as likely as the learner does: all weights are 2."""
    learner = Learner(tiny_model, lora=None)
    rows = [replace(one, old=old) for one, old in zip(made(), score(learner, made(), STILL), strict=True)]
    honest = [replace(one, row=replace(one.row, logprobs=told(one, 0.0))) for one in rows]
    off = [replace(one, row=replace(one.row, logprobs=told(one, -math.log(2)))) for one in rows]
    plain = gradient_of(learner, honest, named("ppo"))
    for importance, factor in [
        (Importance(high=3.0), 2.0),
        (Importance(high=1.5), 1.5),
        (Importance(mode="mask", high=1.5), 0.0),
        (Importance(level="geometric", high=3.0), 2.0),
    ]:
        assert torch.allclose(gradient_of(learner, off, named("ppo", importance=importance)), factor * plain, atol=1e-5)
    # Without it the ratio is 2, which PPO's bounds cut: the gradient is another one.
    assert not torch.allclose(gradient_of(learner, off, named("ppo")), 2.0 * plain, atol=1e-3)
    with pytest.raises(RecordError, match="the learner before updates; see palestra"):
        gradient_of(learner, made(), named("ppo", importance=Importance()))


def told(one: TrainRow, change: float) -> tuple[float, ...]:
    """Return the row's log-probabilities as a sampler would tell them, each changed by so much."""
    own = iter(one.old)
    return tuple(next(own) + change if is_sampled else 0.0 for is_sampled in one.row.mask)


def test_a_penalty_draws_to_the_reference_also_where_nothing_is_to_be_learnt(tiny_model: Any) -> None:
    learner = Learner(tiny_model, lora=None)
    idle = [replace(one, advantages=(0.0,) * len(one.advantages)) for one in made()]
    now = score(learner, idle, STILL)
    here = []
    for one, ref in zip(idle, now, strict=True):
        honest = replace(one.row, logprobs=told(replace(one, old=ref), 0.0))
        here.append(replace(one, row=honest, ref=ref))
    away = [replace(one, ref=tuple(value - 0.5 for value in one.ref)) for one in here]
    for kind in ("k2", "k3", "k1_reward"):
        objective = named("ppo", penalty=Penalty(coef=2.0, kind=kind))
        assert gradient_of(learner, here, objective).norm() < 1e-3
        # k1 is 0.5 everywhere, so the gradient is 2 * 0.5 times that of the mean log-probability.
        wanted = -gradient_of(learner, [weighted(one) for one in idle], Objective(loss=likelihood, has_ratio=False))
        assert torch.allclose(gradient_of(learner, away, objective), wanted, rtol=1e-3, atol=1e-4)
    with pytest.raises(RecordError, match="the reference; see palestra"):
        gradient_of(learner, idle, named("ppo", penalty=Penalty(coef=1.0)))


def weighted(one: TrainRow) -> TrainRow:
    return replace(one, advantages=tuple(map(float, one.row.mask)))


def test_numeric_tokens_weigh_more_within_their_row(tiny_model: Any) -> None:
    learner = Learner(tiny_model, lora=None)
    ids = (1, 1, 50, 60, 60, 60)
    plain = Row(ids=ids, mask=(False,) * 2 + (True,) * 4, logprobs=(0.0,) * 6, turns=(-1, -1, 0, 0, 0, 0))
    rows = [TrainRow(row=plain, advantages=(0.0, 0.0, 1.0, 1.0, 1.0, 1.0))]
    precise = Objective(loss=likelihood, has_ratio=False, precision=Precision(weight=5.0, ids=frozenset({50})))
    # Weights 5, 1, 1, 1 have mean 2, so they are 2.5 and 0.5.
    by_hand = [TrainRow(row=plain, advantages=(0.0, 0.0, 2.5, 0.5, 0.5, 0.5))]
    bare = Objective(loss=likelihood, has_ratio=False)
    assert torch.allclose(gradient_of(learner, rows, precise), gradient_of(learner, by_hand, bare), atol=1e-6)


def test_an_objective_logs_what_its_parts_did(tiny_model: Any) -> None:
    learner = Learner(tiny_model, lora=None)
    now = score(learner, made(), STILL)
    rows = [replace(one, old=own, ref=own) for one, own in zip(made(), now, strict=True)]
    optimizer = torch.optim.SGD(tiny_model.parameters(), lr=0.0)
    stats = update(learner, optimizer, rows, named("ppo", importance=Importance(), penalty=Penalty(coef=0.1)), STILL)
    assert stats["kl_ref"] == pytest.approx(0.0, abs=1e-6)
    assert 0.0 < stats["importance"] <= 2.0
    assert {"ratio", "ratio_off", "kl_k3", "clipped"} <= stats.keys()
    assert "importance" not in update(learner, optimizer, rows, Objective(loss=ppo_clip), STILL)
