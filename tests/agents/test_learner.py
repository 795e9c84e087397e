"""The learner's log-probabilities, its gradients, and that they agree with the sampler's."""

import random
from typing import Any

import pytest
import torch

from palestra.agents.attention import takes_trees
from palestra.agents.base import Row, Sampling
from palestra.agents.batches import micro_batches
from palestra.agents.losses import IMITATION, Objective, ppo_clip
from palestra.agents.model import LOGIT_CHUNK, Learner, LoraSpec
from palestra.agents.sampler import Request, Sampler
from palestra.agents.trees import TrainRow, grow
from palestra.agents.update import UpdateSettings, train_rows, update
from palestra.rewards.base import RecordError


def make_rows(count: int, *, shared: int = 13, seed: int = 0) -> list[TrainRow]:
    """Two-turn rows of unequal length with one prompt."""
    rng = random.Random(seed)
    prefix = [rng.randrange(250) for _ in range(shared)]
    rows = []
    for _ in range(count):
        parts = [(rng.randrange(1, 6), True), (4, False), (rng.randrange(1, 9), True)]
        mask = [False] * shared + [is_sampled for size, is_sampled in parts for _ in range(size)]
        ids = prefix + [rng.randrange(250) for _ in range(len(mask) - shared)]
        turns = tuple(0 if is_sampled else -1 for is_sampled in mask)
        row = Row(ids=tuple(ids), mask=tuple(mask), logprobs=(0.0,) * len(ids), turns=turns)
        rows.append(TrainRow(row=row, advantages=tuple(rng.uniform(-1, 1) if m else 0.0 for m in mask)))
    return rows


def reference_logprobs(model: Any, rows: list[TrainRow]) -> torch.Tensor:
    """One row at a time, all logits, nothing shared."""
    found = []
    for one in rows:
        with torch.no_grad():
            logprobs = torch.log_softmax(model(torch.tensor([one.row.ids]), use_cache=False).logits[0], -1)
        found += [logprobs[i - 1, one.row.ids[i]] for i, is_sampled in enumerate(one.row.mask) if is_sampled]
    return torch.stack(found)


def gradient(learner: Learner) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in learner.trainable().values() if p.grad is not None])


@pytest.mark.parametrize("share", [True, False])
def test_only_sampled_tokens_and_shared_beginnings_give_the_plain_logprobs(tiny_model: Any, share: bool) -> None:
    learner = Learner(tiny_model, lora=None)
    batches = micro_batches(make_rows(6), token_budget=10_000, share=share)
    assert [len(tree.rows) for batch in batches for tree in batch.trees] == ([6] if share else [1] * 6)
    for batch in batches:
        logp, entropy = learner.logprobs(batch)
        assert torch.allclose(logp, reference_logprobs(tiny_model, list(batch.rows)), atol=1e-5)
        assert (entropy > 0).all()


def test_gradients_do_not_depend_on_sharing_micro_batches_or_checkpointing(tiny_folder: Any) -> None:
    from palestra.agents.model import load_causal_lm

    rows, grads = make_rows(8), []
    for budget, share, checkpointing in [
        (10_000, True, False),
        (10_000, False, False),
        (60, True, False),
        (10_000, True, True),
    ]:
        learner = Learner(
            load_causal_lm(str(tiny_folder), torch.float32, "cpu"),
            lora=LoraSpec(rank=4),
            gradient_checkpointing=checkpointing,
            seed=3,
        )
        learner.shares = learner.shares and share
        optimizer = torch.optim.SGD(list(learner.trainable().values()), lr=0.0)
        update(learner, optimizer, rows, IMITATION, UpdateSettings(lr=0.0, token_budget=budget, max_grad_norm=1e9))
        grads.append(gradient(learner))
    assert grads[0].abs().max() > 0
    for other in grads[1:]:
        assert torch.allclose(grads[0], other, atol=1e-6)


def test_logits_of_more_tokens_than_a_chunk(tiny_model: Any) -> None:
    ids = tuple(i % 250 for i in range(LOGIT_CHUNK + 70))
    mask = (False, *(True,) * (len(ids) - 1))
    row = Row(ids=ids, mask=mask, logprobs=(0.0,) * len(ids), turns=(-1, *(0,) * (len(ids) - 1)))
    rows = [TrainRow(row=row, advantages=tuple(map(float, mask)))]
    logp, _ = Learner(tiny_model, lora=None).logprobs(micro_batches(rows, token_budget=1)[0])
    assert torch.allclose(logp, reference_logprobs(tiny_model, rows), atol=1e-4)


def test_the_first_ratio_is_1_in_float32_also_after_an_update(tiny_folder: Any) -> None:
    from palestra.agents.model import load_causal_lm

    learner = Learner(load_causal_lm(str(tiny_folder), torch.float32, "cpu"), lora=LoraSpec(rank=4), seed=1)
    optimizer = torch.optim.AdamW(list(learner.trainable().values()), lr=0.0)
    update(learner, optimizer, make_rows(4), IMITATION, UpdateSettings(lr=0.05, token_budget=500))
    sampler = Sampler(load_causal_lm(str(tiny_folder), torch.float32, "cpu"))
    sampler.load(learner.merged_weights(), version=1)
    prompts = [tuple(range(5, 5 + n)) for n in (4, 9, 9)]
    requests = [Request(p, Sampling(max_tokens=15, seed=i, temperature=0.7)) for i, p in enumerate(prompts)]
    rows = []
    for one, sample in zip(requests, sampler.sample(requests), strict=True):
        n, k = len(one.prompt_ids), len(sample.output_ids)
        row = Row(
            ids=one.prompt_ids + sample.output_ids,
            mask=(False,) * n + (True,) * k,
            logprobs=(0.0,) * n + sample.logprobs,
            turns=(-1,) * n + (0,) * k,
        )
        rows += train_rows([row], [1.0])
    stats = update(
        learner, optimizer, rows, Objective(loss=ppo_clip), UpdateSettings(lr=0.0, token_budget=500, temperature=0.7)
    )
    assert stats["ratio_off"] < 1e-4
    assert stats["ratio"] == pytest.approx(1.0, abs=1e-4)


def test_advantages_land_on_the_tokens_of_their_turn() -> None:
    row = Row(ids=(1, 2, 3, 4, 5), mask=(False, True, False, True, True), logprobs=(0.0,) * 5, turns=(-1, 0, -1, 1, 1))
    assert train_rows([row], [0.5, -2.0])[0].advantages == (0.0, 0.5, 0.0, -2.0, -2.0)
    with pytest.raises(RecordError, match="turn 1, but there are 1 advantages"):
        train_rows([row], [0.5])


def test_rows_without_advantage_are_not_computed_but_count_in_the_mean(tiny_model: Any) -> None:
    learner = Learner(tiny_model, lora=LoraSpec(rank=4))
    optimizer = torch.optim.SGD(list(learner.trainable().values()), lr=0.0)
    rows = make_rows(4)
    idle = [TrainRow(row=one.row, advantages=(0.0,) * len(one.advantages)) for one in rows]
    settings = UpdateSettings(lr=0.0, token_budget=500, max_grad_norm=1e9)
    alone = update(learner, optimizer, rows, IMITATION, settings)
    diluted = update(learner, optimizer, rows + idle, IMITATION, settings)
    assert diluted["rows"] == 4
    assert diluted["loss"] == pytest.approx(alone["loss"] / 2)
    assert update(learner, optimizer, idle, IMITATION, settings) == {"tokens": alone["tokens"], "rows": 0.0}


def test_a_broken_gradient_leaves_the_weights_alone(tiny_model: Any) -> None:
    learner = Learner(tiny_model, lora=LoraSpec(rank=4))
    optimizer = torch.optim.SGD(list(learner.trainable().values()), lr=0.0)
    rows = [TrainRow(row=one.row, advantages=tuple(a * 1e38 * 10 for a in one.advantages)) for one in make_rows(2)]
    before = {name: p.detach().clone() for name, p in learner.trainable().items()}
    with pytest.raises(FloatingPointError, match="the weights were left as they were"):
        update(learner, optimizer, rows, IMITATION, UpdateSettings(lr=1.0, token_budget=500))
    assert all(torch.equal(before[name], p) for name, p in learner.trainable().items())


def after(common: tuple[int, ...], one: TrainRow) -> TrainRow:
    """Return the row with more tokens before it."""
    n = len(common)
    row = Row(
        ids=common + one.row.ids,
        mask=(False,) * n + one.row.mask,
        logprobs=(0.0,) * n + one.row.logprobs,
        turns=(-1,) * n + one.row.turns,
    )
    return TrainRow(row=row, advantages=(0.0,) * n + one.advantages)


def test_micro_batches_hold_the_budget_and_every_row_once() -> None:
    rows = make_rows(20) + make_rows(5, shared=40, seed=9)
    for budget in (1, 60, 150, 10_000):
        batches = micro_batches(rows, token_budget=budget)
        assert sorted(id(one) for batch in batches for one in batch.rows) == sorted(map(id, rows))
        assert all(batch.tokens <= budget or len(batch.rows) == 1 for batch in batches)
        assert [batch.tokens for batch in batches] == sorted((batch.tokens for batch in batches), reverse=True)
        for batch in batches:
            assert len({one.row.ids[: batch.shared] for one in batch.rows}) == 1
            assert not any(any(one.row.mask[: batch.shared + 1]) for one in batch.rows)


def test_siblings_are_one_tree_and_tasks_share_their_system_message() -> None:
    common = (9,) * 30
    groups = [[after(common, one) for one in make_rows(4, seed=seed)] for seed in (1, 2)]
    (batch,) = micro_batches([one for group in groups for one in group], token_budget=10_000)
    assert [len(tree.rows) for tree in batch.trees] == [4, 4]
    assert batch.shared == 30
    assert batch.tokens < 30 + sum(len(one.row.ids) - 30 for group in groups for one in group)


def test_a_tree_holds_each_beginning_once_and_every_row_as_a_path() -> None:
    rows = make_rows(5)
    longer = after((), rows[0])
    tree = grow([*rows, rows[0], longer])
    beginnings = {one.row.ids[:n] for one in rows for n in range(1, len(one.row.ids) + 1)}
    assert len(tree) == len(beginnings)
    for one, path in zip(tree.rows, tree.paths, strict=True):
        assert tuple(tree.tokens[node] for node in path) == one.row.ids
        assert [tree.depths[node] for node in path] == list(range(len(path)))
        assert [tree.parents[node] for node in path] == [-1, *path[:-1]]
        assert all(tree.ancestors()[path[-1]][list(path)])
        assert tree.ancestors()[path[-1]].sum() == len(path)


def test_rows_that_part_in_the_middle_of_a_reply_have_their_own_logprobs(tiny_model: Any) -> None:
    """Two say the same and are told the same, one is told another thing, and one said a word more."""
    prompt, said, told = (1, 2, 3), (7, 8, 9), (4, 5)
    texts = [
        (said, told, (11, 12, 13)),
        (said, told, (11, 14)),
        (said, told, (11, 14)),
        (said, (4, 6), (11, 12, 13)),
        ((7, 8, 10, 9), told, (11, 12)),
    ]
    rows = []
    for first, reply, second in texts:
        ids = prompt + first + reply + second
        mask = (False,) * 3 + (True,) * len(first) + (False,) * 2 + (True,) * len(second)
        turns = tuple(0 if sampled else -1 for sampled in mask)
        row = Row(ids=ids, mask=mask, logprobs=(0.0,) * len(ids), turns=turns)
        rows.append(TrainRow(row=row, advantages=tuple(map(float, mask))))
    other = [after((1,), one) for one in make_rows(3, seed=5)]
    for implementation in ("sdpa", "eager"):
        tiny_model.set_attn_implementation(implementation)
        learner = Learner(tiny_model, lora=None)
        assert learner.shares
        for batch in micro_batches(rows + other, token_budget=10_000):
            logp, _ = learner.logprobs(batch)
            assert torch.allclose(logp, reference_logprobs(tiny_model, list(batch.rows)), atol=1e-5)


def test_a_model_whose_attention_is_not_plain_computes_every_row_alone(tiny_model: Any) -> None:
    tiny_model.config.layer_types = ["full_attention", "sliding_attention"]
    assert not takes_trees(tiny_model)
    tiny_model.config.layer_types = None
    tiny_model.config.sliding_window = 8
    assert not takes_trees(tiny_model)
    tiny_model.config.sliding_window = None
    assert takes_trees(tiny_model)


def test_equal_rows_are_computed_once_and_count_for_all(tiny_model: Any) -> None:
    learner = Learner(tiny_model, lora=LoraSpec(rank=4))
    optimizer = torch.optim.SGD(list(learner.trainable().values()), lr=0.0)
    settings = UpdateSettings(lr=0.0, token_budget=500, max_grad_norm=1e9)
    rows = make_rows(3)
    repeated = [rows[0], rows[1], rows[0], rows[2], rows[0]]
    assert len(grow(repeated)) == len(grow(rows))
    stats = update(learner, optimizer, repeated, Objective(loss=ppo_clip), settings)
    merged = gradient(learner)
    one_by_one = torch.zeros_like(merged)
    for one in repeated:
        update(learner, optimizer, [one], Objective(loss=ppo_clip), settings)
        one_by_one += gradient(learner) * sum(one.row.mask)
    total = sum(sum(one.row.mask) for one in repeated)
    assert torch.allclose(merged, one_by_one / total, atol=1e-6)
    assert stats["tokens"] == total
    assert stats["computed_tokens"] < sum(len(one.row.ids) for one in repeated)
