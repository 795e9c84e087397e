"""Every single-turn entry is solved by its oracle and by nothing that is known to cheat."""

import json
from collections import Counter
from typing import Any

import pytest

import palestra
from palestra.envs.actions import call_text
from palestra.envs.base import SPLITS, EpisodeOver, Split, TaskError
from palestra.envs.bfcl import package
from palestra.envs.bfcl.singleturn import load
from palestra.envs.bfcl.singleturn.attacks import ATTACKS
from palestra.envs.bfcl.singleturn.env import SingleTurnEnv
from palestra.envs.bfcl.singleturn.load import CATEGORIES, IRRELEVANT, UNSOLVABLE, SingleTurnSource, items
from palestra.envs.bfcl.singleturn.oracle import requests_of
from palestra.envs.scripts import SCRIPTS, play

KNOBS = {"category": "any", "paired": True}
DECLINE = call_text("decline", {})


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("split", SPLITS)
def test_every_entry_is_solved_by_its_oracle(split: Split, every: int) -> None:
    env = SingleTurnEnv(split=split)
    for seed, item in enumerate(items(split)[::every]):
        episode = play(env, SCRIPTS["oracle"], seed, load.task(item, seed, split, KNOBS))
        assert episode.is_success, episode.task_id
        assert episode.reward == pytest.approx(1.0)


def test_all_entries_are_there_but_those_that_nobody_could_solve() -> None:
    counted = Counter(item.category for split in SPLITS for item in items(split))
    assert sum(counted.values()) == 3_603
    for category in CATEGORIES:
        left_out = sum(entry["id"] in UNSOLVABLE for entry in package.entries(category))
        assert counted[category] == len(package.entries(category)) - left_out


def test_each_entry_that_is_left_out_is_unsolvable() -> None:
    found = [(category, entry) for category in CATEGORIES for entry in package.entries(category)]
    left_out = [load.Item(category, "", entry) for category, entry in found if entry["id"] in UNSOLVABLE]
    assert len(left_out) == len(UNSOLVABLE) == 22
    for item in left_out:
        with pytest.raises(TaskError, match=r"fits its schema|is required"):
            load.task(item, 0, "train", {"category": "any", "paired": False})


def test_the_splits_share_no_function_and_no_request() -> None:
    seen: dict[Split, set[str]] = {"train": set(), "heldout": set()}
    for split in SPLITS:
        for item in items(split):
            seen[split] |= {f"function {document['name']}" for document in item.entry["function"]}
            seen[split].add(item.entry["question"][0][-1]["content"].casefold().strip())
    assert len(seen["heldout"]) > 300
    assert not seen["train"] & seen["heldout"]


def test_the_first_seeds_give_every_entry_once() -> None:
    source = SingleTurnSource("heldout")
    size = len(items("heldout"))
    entries = [source.sample(seed).provenance["entry"] for seed in range(size)]
    assert len(set(entries)) == size
    assert source.sample(size).provenance["entry"] == entries[0]


def test_whatever_one_word_would_solve_is_paired_with_what_it_would_not() -> None:
    env = SingleTurnEnv()
    for seed, item in enumerate(items("train")[:400]):
        task = load.task(item, seed, "train", KNOBS)
        assert len(task.hidden["requests"]) == (1 if item.takes_thought else 2)
        assert play(env, ATTACKS["decline"], seed, task).reward == 0.0
    irrelevant = next(item for item in items("train") if item.category in IRRELEVANT)
    alone = load.task(irrelevant, 0, "train", {**KNOBS, "paired": False})
    assert play(env, ATTACKS["decline"], 0, alone).reward == 1.0


@pytest.mark.parametrize("name", [*ATTACKS, "nop"])
def test_cheating_earns_nothing(name: str) -> None:
    env = SingleTurnEnv(shaping="none")
    script = {**ATTACKS, "nop": SCRIPTS["nop"]}[name]
    for seed in range(0, 800, 4):
        assert play(env, script, seed).reward == 0.0


def two_requests() -> tuple[SingleTurnEnv, list[str]]:
    """Return an episode of two requests, and what solves it."""
    env = SingleTurnEnv()
    seed = next(seed for seed in range(100) if len(env.tasks.sample(seed).hidden["requests"]) == 2)
    env.reset(seed=seed)
    return env, list(env.oracle())


def test_the_second_request_comes_with_its_own_tools_after_the_first_is_met() -> None:
    env, (first, second) = two_requests()
    requests = requests_of(env.task)
    assert [tool["function"]["name"] for tool in env.task.tools] == [
        tool["function"]["name"] for tool in requests[0]["tools"]
    ]
    observation, reward, terminated, _, info = env.step(first)
    assert json.loads(observation.splitlines()[-1])["next_request"] == requests[1]["text"]
    assert (reward, terminated) == (0.0, False)
    assert info["tools"] == list(requests[1]["tools"])
    _, reward, terminated, _, info = env.step(second)
    assert (reward, terminated, info["is_success"]) == (1.0, True, True)


def test_a_first_request_that_is_missed_ends_the_episode() -> None:
    env, (first, _) = two_requests()
    _, reward, terminated, _, info = env.step(first + DECLINE)
    assert (reward, terminated, info["is_success"]) == (0.0, True, False)
    with pytest.raises(EpisodeOver):
        env.step(first)


def test_an_episode_forked_between_two_requests_goes_on_alike() -> None:
    env, (first, second) = two_requests()
    env.step(first)
    twins = env.fork(2)
    told = [repr(one.step(second)) for one in (env, *twins)]
    assert told[0] == told[1] == told[2]
    assert twins[0].rules == "ours"


def test_malformed_calls_may_be_made_good_and_text_is_no_answer() -> None:
    env = SingleTurnEnv(difficulty={"category": "simple_python"})
    env.reset(seed=0)
    for action in ("I think so.", '{"name": "nothing"}'):
        _, reward, terminated, truncated, _ = env.step(action)
        assert (reward, terminated, truncated) == (0.0, False, False)
    assert env.step(next(env.oracle()))[1] == 1.0


def test_under_bfcls_rules_silence_declines_and_marks_do_not_matter() -> None:
    alone = {"category": "irrelevance", "paired": False}
    ours = palestra.make("palestra/BFCLSingleTurn-v0", difficulty=alone)
    theirs = palestra.make("palestra/BFCLSingleTurn-v0", difficulty=alone, rules="bfcl")
    paid: dict[str, Any] = {}
    for name, env in (("ours", ours), ("bfcl", theirs)):
        paid[name] = play(env, SCRIPTS["nop"], 0).reward, play(env, ATTACKS["decline"], 0).reward
    assert paid == {"ours": (0.0, 1.0), "bfcl": (1.0, 1.0)}
    marked = {"category": "parallel"}
    won = [
        sum(play(SingleTurnEnv(difficulty=marked, rules=rules), ATTACKS["marks"], seed).reward for seed in range(30))
        for rules in ("ours", "bfcl")
    ]
    assert won[0] == 0.0
    assert won[1] > 0.0


def test_bfcls_rules_pay_the_oracle_as_well() -> None:
    env = SingleTurnEnv(rules="bfcl", difficulty={"category": "live_multiple"})
    assert sum(play(env, SCRIPTS["oracle"], seed).reward for seed in range(50)) == 50.0


@pytest.mark.parametrize(
    ("knobs", "told"),
    [({"category": "poetry"}, "knob 'category' must be any, simple_python"), ({"paired": 1}, "takes bool")],
)
def test_knobs_that_make_no_sense_are_named(knobs: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        SingleTurnSource().sample(0, knobs)
    with pytest.raises(ValueError, match="'ours' or 'bfcl', not 'mine'"):
        SingleTurnEnv(rules="mine")  # type: ignore[arg-type]
