"""Heads on a frozen model: contributions that sum to the outcome, and steps told apart by exact labels."""

import math
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import torch

from palestra.agents.base import ModelError
from palestra.agents.model import Learner, LoraSpec
from palestra.agents.stepwise.classifier import ClassifierReward, Head
from palestra.agents.stepwise.hidden import last_states, turn_states
from palestra.agents.stepwise.progress import ProgressReward, carried_out, ridge
from palestra.rewards.base import RecordError, Scored, StepReward, Trajectory, Turn

GOOD, BAD = 77, 99


def episode(said: list[int], reward: float) -> Trajectory:
    ids, turns = [250, 3], []
    for number, token in enumerate(said):
        paid = reward if number == len(said) - 1 else 0.0
        turns.append(Turn(prompt_ids=tuple(ids), output_ids=(token,), logprobs=(-1.0,), reward=paid))
        ids += [token, 10]
    outcome = Scored(reward, reward >= 1.0)
    return Trajectory(env_id="e", task_id="t", group="g", turns=tuple(turns), outcome=outcome)


def planted(count: int, seed: int) -> list[Trajectory]:
    """Episodes of one to four turns; the share of good ones among four is the reward."""
    rng = Random(seed)
    some = [[rng.choice([GOOD, BAD]) for _ in range(rng.randint(1, 4))] for _ in range(count)]
    return [episode(said, said.count(GOOD) / 4) for said in some]


@pytest.fixture
def learner(tiny_model: Any) -> Learner:
    return Learner(tiny_model, lora=LoraSpec(rank=4), seed=1)


def test_states_are_those_of_the_last_tokens_under_the_base_model(learner: Learner) -> None:
    one = episode([5, 6, 7], 0.0)
    with torch.no_grad():
        for p in learner.trainable().values():
            p.add_(0.1)  # an adapter that changes the model
    (states,) = turn_states(learner, [one])
    assert states.shape == (3, 64)
    alone = last_states(learner, [(*turn.prompt_ids, *turn.output_ids) for turn in one.turns])
    assert torch.equal(states, alone)
    ids = torch.tensor([[*one.turns[2].prompt_ids, *one.turns[2].output_ids]])
    with torch.no_grad():
        adapted = learner.model.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[0, -1]
    assert not torch.allclose(states[2], adapted, atol=1e-3)
    assert last_states(learner, []).shape == (0, 64)
    with pytest.raises(ValueError, match="at least one token"):
        last_states(learner, [()])


def test_contributions_sum_to_the_outcome_and_credit_the_good_turns(learner: Learner) -> None:
    some, held_out = planted(40, 0), planted(20, 1)
    progress = ProgressReward(learner=learner, beta=0.0)
    scorer: StepReward = progress
    told = progress.fit(some)
    assert told["mse"] < 1e-3 < told["mse_before"]
    for one, row in zip(some, progress.contributions(some), strict=True):
        assert math.fsum(row) == pytest.approx(one.reward, abs=0.1)
    good, bad = list[float](), list[float]()
    for one, row in zip(held_out, scorer.score(held_out), strict=True):
        for turn, paid in zip(one.turns, row, strict=True):
            (good if turn.output_ids == (GOOD,) else bad).append(paid)
    assert sum(good) / len(good) > 0.15 > 0.1 > sum(bad) / len(bad)


def test_balanced_contributions_sum_exactly_also_where_nothing_was_fitted(learner: Learner) -> None:
    progress = ProgressReward(learner=learner, balances=True)
    progress.fit(planted(10, 0))
    for one, row in zip(held := planted(10, 2), progress.contributions(held), strict=True):
        assert math.fsum(row) == pytest.approx(one.reward, abs=1e-9)


def test_grounding_is_added_and_has_its_shape(learner: Learner) -> None:
    one = episode([GOOD, BAD], 0.5)
    progress = ProgressReward(learner=learner, alpha=2.0, beta=0.5, grounded=lambda one: [1.0, 0.0])
    progress.fit([one])
    parts = progress.contributions([one])[0]
    assert progress.score([one]) == [[pytest.approx(2 * parts[0] + 0.5), pytest.approx(2 * parts[1])]]
    with pytest.raises(RecordError, match="1 turns but the grounding of 2"):
        progress.score([episode([GOOD], 0.0)])


def test_turns_that_met_an_error_are_not_grounded() -> None:
    told = [("user", "error: ours"), ("assistant", "error?"), ("tool", "ok"), ("assistant", "x"), ("tool", "error: no")]
    one = replace(episode([1, 2, 3], 0.0), messages=tuple({"role": role, "content": text} for role, text in told))
    assert carried_out(lambda text: text.startswith("error"))(one) == [1.0, 0.0, 1.0]


def test_nothing_fitted_is_told(learner: Learner) -> None:
    with pytest.raises(ModelError, match="call fit"):
        ProgressReward(learner=learner).score([])
    with pytest.raises(ModelError, match="call fit"):
        ClassifierReward(learner=learner).score([])
    with pytest.raises(RecordError, match="there is none"):
        ProgressReward(learner=learner).fit([episode([], 0.0)])


def test_ridge_is_the_same_whichever_way_it_is_solved() -> None:
    rows = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wanted = rows @ torch.arange(5.0, dtype=torch.float64)
    assert torch.allclose(ridge(rows, wanted, 1e-12), torch.arange(5.0, dtype=torch.float64), atol=1e-6)
    twice = ridge(torch.cat([rows, rows]), torch.cat([wanted, wanted]), 1e-12)
    assert torch.allclose(twice, torch.arange(5.0, dtype=torch.float64), atol=1e-6)


def test_steps_are_told_apart_by_their_labels_also_unseen_ones(learner: Learner) -> None:
    def labels(some: list[Trajectory]) -> list[list[bool]]:
        return [[turn.output_ids == (GOOD,) for turn in one.turns] for one in some]

    classifier = ClassifierReward(learner=learner)
    scorer: StepReward = classifier
    some, held_out = planted(30, 0), planted(15, 1)
    assert classifier.fit(some, labels(some))["accuracy"] == 1.0
    scores = scorer.score(held_out)
    for row, truth in zip(scores, labels(held_out), strict=True):
        assert [paid > 0.0 for paid in row] == truth
        assert all(-1.0 <= paid <= 1.0 for paid in row)
    with pytest.raises(RecordError, match="of one kind"):
        classifier.fit_steps([(1,), (2,)], [True, True])
    with pytest.raises(RecordError, match="1 steps but 2 labels"):
        classifier.fit_steps([(1,)], [True, False])


def test_rare_labels_weigh_as_much_as_common_ones() -> None:
    # one feature that says nothing: the head must say even odds, not the share of good examples
    states = torch.tensor([[1.0], [-1.0]] * 8)
    head = Head.fit(states, [True, True, *[False] * 14])
    assert head.probabilities(torch.zeros(1, 1)).tolist() == pytest.approx([0.5], abs=1e-3)
