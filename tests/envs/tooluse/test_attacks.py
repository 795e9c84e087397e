"""Attacks earn nothing, luck no more than is declared, spoilt oracles fail, and what must not matter does not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.envs.tooluse.byhand import BASE, PENDING, both_case, carrier_case, earn, task_of

from palestra.envs.base import SPLITS, Split, Task
from palestra.envs.certify.oracle import Recording, necessary
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.tooluse.attacks import ATTACKS, EQUIVALENTS, GUESSES, MUTANTS, TWINS, VARIANTS, WORLD
from palestra.envs.tooluse.case import Case, Goal
from palestra.envs.tooluse.env import ToolUseEnv
from palestra.envs.tooluse.generate import ToolUseSource

ENDINGS = {
    "report": Goal(ending="report", told={"code": "wrong_value", "tool": "get_order", "parameter": "shipping_fee"}),
    "ask": Goal(ending="ask", told={"tool": "change_carrier", "parameter": "carrier"}),
    "refuse": Goal(ending="refuse", told={"reason": "no_tool"}),
}


def tasks() -> list[Task]:
    """Return tasks of both splits and of every ending."""
    made = [ToolUseSource(split).sample(seed) for split in SPLITS for seed in range(8)]
    return made + [task_of(carrier_case(PENDING[0], steps=(), goal=goal)) for goal in ENDINGS.values()]


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_attacks_earn_nothing_whatever_is_expected(name: str) -> None:
    env = ToolUseEnv()
    for seed, task in enumerate(tasks()):
        episode = play(env, ATTACKS[name], seed, task)
        assert episode.reward == pytest.approx(0.0), task.id
        assert not episode.is_success


@pytest.mark.parametrize("name", sorted(GUESSES))
def test_guessing_wins_no_more_than_its_declared_share(name: str) -> None:
    script, share = GUESSES[name]
    env = ToolUseEnv()
    won = [play(env, script, seed).is_success for seed in range(40)]
    assert sum(won) <= max(1, share * len(won))


@pytest.mark.parametrize(("guess", "ending"), [("always_ask", "ask"), ("always_decline", "refuse")])
def test_a_guess_gets_where_it_wants_to(guess: str, ending: str) -> None:
    """It must be able to win where it is right, or its share would say nothing."""
    env, task = ToolUseEnv(), task_of(carrier_case(PENDING[0], steps=(), goal=ENDINGS[ending]))
    won = [play(env, GUESSES[guess][0], seed, task).is_success for seed in range(40)]
    assert 0 < sum(won) < len(won)


def test_the_reading_attack_does_some_of_the_oracles_reads() -> None:
    env = ToolUseEnv(shaping="progress")
    done = [play(env, GUESSES["read_and_guess"][0], seed).reward for seed in range(12)]
    assert np.mean(done) > 0.05


@pytest.mark.parametrize("split", SPLITS)
def test_spoilt_oracles_fail_and_other_tellings_do_not(split: Split) -> None:
    env, names = ToolUseEnv(split=split), set()
    for seed in range(12):
        task = env.tasks.sample(seed)
        play(env, SCRIPTS["oracle"], seed, task)
        wanted = WORLD(env._dump())
        for mutant in MUTANTS(task):
            names.add(mutant.name.rpartition(" ")[2])
            if earn(env, task, mutant.actions) > 0:
                assert WORLD(env._dump()) == wanted, (task.id, mutant.name)
        for name, script in EQUIVALENTS.items():
            assert play(env, script, seed, task).reward == 1.0, (task.id, name)
    assert {"decline", "report", "finish", "goal", "back"} <= names


@pytest.mark.parametrize("split", SPLITS)
def test_a_variant_is_worth_the_same_and_has_none_of_the_old_ids(split: Split) -> None:
    env, changed = ToolUseEnv(split=split), 0
    for seed in range(30):
        task = env.tasks.sample(seed)
        variant = VARIANTS["other ids"](task, np.random.default_rng(seed))
        plain, other = (play(env, SCRIPTS["oracle"], seed, one) for one in (task, variant))
        assert other.rewards == plain.rewards
        assert not play(env, SCRIPTS["nop"], seed, variant).is_success
        old = {step["arguments"].get(name) for step in task.hidden["steps"] for name in step["arguments"]}
        rows = {str(id_) for table in env._stage.ground.base.rows.values() for id_ in table}
        named = {one for one in old if isinstance(one, str) and one in rows}
        told = json.dumps([variant.instruction, variant.hidden["steps"], variant.hidden["goal"]["answer"]])
        assert not [id_ for id_ in named if id_ in told], task.id
        changed += bool(named)
    assert changed > 15


def test_rows_that_refer_to_a_renamed_row_refer_to_it_still() -> None:
    order = PENDING[0]
    variant = VARIANTS["other ids"](task_of(both_case(order), f"Look at order {order}."), np.random.default_rng(0))
    case = Case.from_dict(variant.hidden)
    new = str(case.steps[0].arguments["order_id"])
    assert new != order
    assert variant.instruction == f"Look at order {new}."
    changed = case.place.changes
    assert changed["orders"] == {order: None, new: BASE.rows["orders"][order]}
    lines = {id_ for id_, row in BASE.rows["order_lines"].items() if row["order_id"] == order}
    assert {id_ for id_, row in changed.get("order_lines", {}).items() if row and row["order_id"] == new} == lines


def test_twins_prove_steps_whose_replies_no_later_step_names() -> None:
    """A fee that stands in the request as another number is shown to be needed by a task in which it differs."""
    env, order = ToolUseEnv(), PENDING[0]
    case = both_case(order)
    carrier = case.steps[1].arguments["carrier"]
    task = task_of(case, f"What is the fee of {order}? Is it {case.goal.answer}? Then let {carrier} deliver it.")
    recording = Recording.of(env, task, 0)
    assert not necessary(recording, {}).passed
    assert necessary(recording, {}, TWINS).passed
    for twin in TWINS(task):
        assert replace(twin, hidden=task.hidden) == task
        assert play(env, SCRIPTS["oracle"], 0, twin).is_success
        assert not play(env, lambda env, rng: iter(recording.episode.actions), 0, twin).is_success
