"""Implicit process rewards: the formula by hand, what is learnt of a planted turn, and a policy that stays as it is."""

import math
from random import Random
from typing import Any

import pytest
import torch

from palestra.agents.base import ModelError
from palestra.agents.model import Learner, LoraSpec
from palestra.agents.stepwise.adapters import Adapter, base_only
from palestra.agents.stepwise.implicit import ImplicitReward, cross_entropy, pairs_of, preference
from palestra.rewards.base import RecordError, Scored, StepReward, Trajectory, Turn

GOOD, BAD = 77, 99  # what a turn that decides says


def episode(said: list[list[int]], *, is_success: bool, group: str = "g", reward: float | None = None) -> Trajectory:
    ids, turns = [250, 3], []
    for number, output in enumerate(said):
        paid = (float(is_success) if reward is None else reward) if number == len(said) - 1 else 0.0
        turns.append(Turn(prompt_ids=tuple(ids), output_ids=tuple(output), logprobs=(-1.0,) * len(output), reward=paid))
        ids += [*output, 10, 11]
    outcome = Scored(sum(turn.reward for turn in turns), is_success)
    return Trajectory(env_id="e", task_id="t", group=group, turns=tuple(turns), outcome=outcome)


def planted(count: int, seed: int = 0) -> list[Trajectory]:
    """Episodes of two turns that say something, and one between them that decides."""
    rng = Random(seed)
    return [
        episode([[rng.randrange(50)], [[BAD, GOOD][k % 2]], [rng.randrange(50)]], is_success=k % 2 == 1)
        for k in range(count)
    ]


@pytest.fixture
def learner(tiny_model: Any) -> Learner:
    return Learner(tiny_model, lora=LoraSpec(rank=4), seed=1)


def logprobs_of(model: Any, one: Trajectory) -> list[float]:
    """Each turn's sum of log-probabilities, one turn at a time, with the weights that are active."""
    sums = []
    for turn in one.turns:
        ids = torch.tensor([[*turn.prompt_ids, *turn.output_ids]])
        with torch.no_grad():
            logits = torch.log_softmax(model(ids).logits[0].float(), -1)
        start = len(turn.prompt_ids)
        sums.append(sum(float(logits[start - 1 + k, token]) for k, token in enumerate(turn.output_ids)))
    return sums


@pytest.mark.parametrize("loss", ["cross_entropy", "preference"])
def test_the_loss_falls_and_the_planted_good_turn_is_paid_more_than_the_bad_one(learner: Learner, loss: str) -> None:
    process = ImplicitReward(learner, loss=loss, beta=0.5, lr=5e-3, lora=LoraSpec(rank=4))
    scorer: StepReward = process
    some = planted(32)
    told = [process.fit(some) for _ in range(20)]
    assert told[0]["loss"] == pytest.approx(math.log(2.0), abs=1e-4)  # nothing is known yet: every sum is 0
    assert told[-1]["loss"] < 0.7 * told[0]["loss"]
    held_out = planted(12, seed=5)
    scores = scorer.score(held_out)
    good, bad = scores[1::2], scores[0::2]
    assert min(row[1] for row in good) > max(row[1] for row in bad)
    gaps = [sum(row[k] for row in good) / len(good) - sum(row[k] for row in bad) / len(bad) for k in range(3)]
    assert gaps[1] > 2 * max(abs(gaps[0]), abs(gaps[2]))  # it is the turn that decides which is credited
    assert process.fit(held_out)["ranked"] > 0.9


def test_a_turn_is_paid_beta_times_its_log_ratio(learner: Learner) -> None:
    process = ImplicitReward(learner, beta=0.5, lr=1e-2)
    some = planted(4)
    process.fit(some)
    scores = process.score(some)
    for one, row in zip(some, scores, strict=True):
        with process.adapter.active():
            now = logprobs_of(learner.model, one)
        with base_only(learner):
            then = logprobs_of(learner.model, one)
        assert row == pytest.approx([0.5 * (a - b) for a, b in zip(now, then, strict=True)], abs=1e-4)
    assert max(abs(paid) for row in scores for paid in row) > 1e-3


def test_the_reference_may_be_what_was_recorded(learner: Learner) -> None:
    process = ImplicitReward(learner, reference="recorded", beta=0.5)
    one = episode([[1, 2], [3]], is_success=True)
    with process.adapter.active():
        now = logprobs_of(learner.model, one)
    assert process.score([one])[0] == pytest.approx([0.5 * (now[0] + 2.0), 0.5 * (now[1] + 1.0)], abs=1e-4)


def test_the_policy_is_not_touched(learner: Learner) -> None:
    names = set(learner.trainable())
    before = {name: value.clone() for name, value in learner.merged_weights().items()}
    process = ImplicitReward(learner, lr=1e-2)
    some = planted(4)
    process.fit(some)
    process.score(some)
    assert set(learner.trainable()) == names
    assert all(p.grad is None for p in learner.trainable().values())
    after = learner.merged_weights()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_the_gradient_is_that_of_the_loss_itself(learner: Learner) -> None:
    process = ImplicitReward(learner, beta=0.5, lr=1e-3, token_budget=1, max_grad_norm=1e9)
    some = planted(4)
    process.fit(some)  # the first matrices have no gradient while the second ones are 0
    process.fit(some)
    found = [p.grad.clone() for p in process.adapter.parameters() if p.grad is not None]
    weights = [p for p in process.adapter.parameters()]
    again = ImplicitReward(learner, beta=0.5, lr=1e-3, max_grad_norm=1e9, name="again")
    again.fit(some)  # the same first step
    with base_only(learner):
        then = [sum(logprobs_of(learner.model, one)) for one in some]
    with again.adapter.active():
        sums = []
        for one, before in zip(some, then, strict=True):
            total = torch.zeros(())
            for turn in one.turns:
                ids = torch.tensor([[*turn.prompt_ids, *turn.output_ids]])
                logits = torch.log_softmax(learner.model(ids).logits[0].float(), -1)
                start = len(turn.prompt_ids)
                total = total + sum(logits[start - 1 + k, token] for k, token in enumerate(turn.output_ids))
            sums.append(0.5 * (total - before))
        grads = torch.autograd.grad(cross_entropy(torch.stack(sums), some), again.adapter.parameters())
    assert len(found) == len(weights) == len(grads)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, grads, strict=True))


def test_episodes_without_turns_and_batches_without_episodes(learner: Learner) -> None:
    process = ImplicitReward(learner)
    empty = Trajectory(env_id="e", task_id="t", group="g", turns=(), outcome=Scored(0.0, False))
    assert process.score([]) == []
    assert process.score([empty]) == [[]]
    assert process.fit([empty])["loss"] == pytest.approx(math.log(2.0))
    with pytest.raises(RecordError, match="there is none"):
        process.fit([])


def test_losses_by_hand() -> None:
    some = [episode([[1]], is_success=True), episode([[2]], is_success=False)]
    sums = torch.tensor([0.3, -0.2])
    entropy = (math.log1p(math.exp(-0.3)) + math.log1p(math.exp(-0.2))) / 2
    assert float(cross_entropy(sums, some)) == pytest.approx(entropy)
    assert float(preference(sums, some)) == pytest.approx(math.log1p(math.exp(-0.5)))
    assert float(preference(sums, some[:1])) == 0.0


def test_pairs_are_of_siblings_of_unequal_worth_and_each_is_in_one() -> None:
    worth = [("g", 0.0), ("g", 1.0), ("g", 0.5), ("h", 1.0), ("g", 0.2), ("h", 1.0)]
    some = [episode([[1]], is_success=False, group=group, reward=reward) for group, reward in worth]
    assert pairs_of(some) == [(1, 0), (2, 4)]


def test_a_learner_without_adapters_cannot_be_shared(tiny_model: Any) -> None:
    with pytest.raises(ModelError, match="give it a lora"):
        ImplicitReward(Learner(tiny_model, lora=None))


def test_names_of_adapters_and_losses_are_checked(learner: Learner) -> None:
    Adapter(learner, "process", lora=LoraSpec(rank=2))
    with pytest.raises(ModelError, match="'process' already"):
        ImplicitReward(learner)
    with pytest.raises(ValueError, match="known: cross_entropy, preference"):
        ImplicitReward(learner, loss="hinge")
