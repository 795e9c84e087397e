"""Stacks: what may follow what, random ones, and the knob of the generator."""

import random
from itertools import combinations

import numpy as np
import pytest
from tests.envs.tooluse.operators.samples import composed

from palestra.envs.base import TaskError
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.operators.compose import OPERATORS, augmented, compose, drawn, forbidden, rank
from palestra.envs.tooluse.operators.operator import Refused

STACKS = 24


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["rename", "indirect"], "indirect must come before rename"),
        (["near", "wrong"], "wrong must come before near"),
        (["faults", "locale"], "locale must come before faults"),
        (["missing", "irrelevant"], "exclude each other"),
        (["ambiguous", "bereft"], "exclude each other"),
        (["wrong", "rename"], "exclude each other"),
        (["near", "near"], "there twice"),
        (["nonsense"], "unknown operator"),
    ],
)
def test_stacks_that_make_no_sense_are_refused(names: list[str], reason: str) -> None:
    assert reason in forbidden(names)
    with pytest.raises(Refused, match=reason):
        compose(composed(0), names, random.Random(0))


def test_every_pair_of_operators_has_an_order_or_a_reason() -> None:
    for one, other in combinations(OPERATORS, 2):
        both = forbidden([one, other]), forbidden([other, one])
        if rank(one) == rank(other):
            assert both == ("", "") or all("exclude" in reason for reason in both)
        else:
            assert sum(not reason for reason in both) == 1 or any("exclude" in reason for reason in both)


def test_drawn_stacks_may_be_composed() -> None:
    rng = random.Random(1)
    for count in range(1, 7):
        for _ in range(20):
            names = drawn(rng, count)
            assert len(set(names)) == count
            assert not forbidden(names)


@pytest.mark.parametrize("number", range(STACKS))
def test_the_oracle_survives_a_random_stack(number: int) -> None:
    rng = random.Random(number)
    task = augmented(composed(number), rng.randint(1, 5), rng)
    env = ToolUseEnv(tasks=ToolUseSource("train"), shaping="none")
    assert play(env, SCRIPTS["oracle"], number, task).reward == 1.0, task.provenance["augmentations"]
    assert play(env, SCRIPTS["nop"], number, task).reward == 0.0


def test_random_calls_stay_at_the_floor_of_random_stacks() -> None:
    env = ToolUseEnv(tasks=ToolUseSource("train"), shaping="none")
    tasks = [augmented(composed(number), 2, random.Random(number)) for number in range(STACKS)]
    wins = [play(env, SCRIPTS["random"], number, task).reward for number, task in enumerate(tasks)]
    assert np.mean(wins) <= 0.1


def test_a_stack_is_the_same_for_the_same_seed() -> None:
    one, two = (augmented(composed(3), 3, random.Random(5)) for _ in range(2))
    assert one.digest == two.digest
    assert [entry["name"] for entry in one.provenance["augmentations"]] == one.id.split("+")[-3:]


def test_tasks_are_generated_with_augmentations() -> None:
    source = ToolUseSource("train")
    assert "augmentations" not in source.sample(2).provenance
    random_one = source.sample(2, {"augment": "random", "augmentations": 3})
    assert len(random_one.provenance["augmentations"]) == 3
    named = source.sample(2, {"augment": "near,rename"})
    assert [entry["name"] for entry in named.provenance["augmentations"]] == ["near", "rename"]
    assert source.sample(2, {"augment": "near,rename"}).digest == named.digest


@pytest.mark.parametrize("augment", ["nonsense", "rename,near", "near,near", ""])
def test_the_knob_says_what_is_wrong(augment: str) -> None:
    with pytest.raises(TaskError, match="augment"):
        ToolUseSource("train").sample(0, {"augment": augment})
