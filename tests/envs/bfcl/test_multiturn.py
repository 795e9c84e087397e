"""Every multi-turn entry is solved by its oracle, and by nothing that does too much, too little or too early."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import SPLITS, Split, TaskError
from palestra.envs.bfcl import package
from palestra.envs.bfcl.multiturn import load
from palestra.envs.bfcl.multiturn.attacks import ATTACKS
from palestra.envs.bfcl.multiturn.env import MultiTurnEnv
from palestra.envs.bfcl.multiturn.load import CATEGORIES, Item, MultiTurnSource, items
from palestra.envs.bfcl.multiturn.oracle import TURN_DONE
from palestra.envs.bfcl.multiturn.script import read_call
from palestra.envs.env import AgentEnv
from palestra.envs.scripts import SCRIPTS, Script, play

KNOBS = {"category": "any"}


def find(name: str) -> Item:
    return next(item for split in SPLITS for item in items(split) if item.entry["id"] == name)


def begun(name: str) -> MultiTurnEnv:
    """Return an environment at the start of one entry."""
    env = MultiTurnEnv()
    env.reset(options={"task": load.task(find(name), 0, "train", KNOBS)})
    return env


def solved_and_silent(every: int) -> Counter[str]:
    told: Counter[str] = Counter()
    env = MultiTurnEnv()
    for split in SPLITS:
        for seed, item in enumerate(items(split)[::every]):
            task = load.task(item, seed, split, KNOBS)
            told["tasks"] += 1
            episode = play(env, SCRIPTS["oracle"], seed, task)
            told["solved"] += episode.is_success and abs(episode.reward - 1.0) < 1e-9
            told["paid for nothing"] += play(env, SCRIPTS["nop"], seed, task).reward > 1e-9
    return told


def test_one_entry_in_twenty_is_solved_by_its_oracle_and_not_by_saying_nothing() -> None:
    assert solved_and_silent(20) == Counter({"tasks": 41, "solved": 41, "paid for nothing": 0})


@pytest.mark.slow
def test_all_800_entries_are_solved_by_their_oracles_and_not_by_saying_nothing() -> None:
    assert solved_and_silent(1) == Counter({"tasks": 800, "solved": 800, "paid for nothing": 0})


def test_the_splits_share_no_scenario_and_the_first_seeds_give_every_entry_once() -> None:
    scenarios = {split: {item.scenario for item in items(split)} for split in SPLITS}
    assert not scenarios["train"] & scenarios["heldout"]
    assert len(scenarios["train"] | scenarios["heldout"]) == 200
    assert len(scenarios["heldout"]) == 44
    source = MultiTurnSource("heldout")
    assert len({source.sample(seed).provenance["entry"] for seed in range(176)}) == 176


@pytest.mark.parametrize("name", [*ATTACKS, "nop"])
def test_cheating_earns_nothing(name: str) -> None:
    env = MultiTurnEnv(shaping="none")
    for seed in range(0, 600, 30):
        assert play(env, {**ATTACKS, "nop": SCRIPTS["nop"]}[name], seed).reward == 0.0


def test_every_turn_that_wants_nothing_is_in_an_entry_that_wants_something() -> None:
    for category in CATEGORIES:
        for name, turns in package.answers(f"multi_turn_{category}").items():
            assert any(turns), name


def with_surplus(number: int) -> Script:
    """Return the oracle with calls more in its first turn that change nothing."""

    def script(env: AgentEnv, rng: np.random.Generator) -> Iterator[str]:
        yield from [call_text("pwd", {})] * number
        yield from env.oracle()

    return script


def test_calls_beyond_what_is_wanted_cost_and_too_many_lose() -> None:
    env = MultiTurnEnv(shaping="none")
    task = load.task(find("multi_turn_base_0"), 0, "train", KNOBS)
    wanted = sum(len(turn["calls"]) for turn in task.hidden["turns"])
    assert (wanted, len(task.hidden["turns"])) == (10, 4)
    paid = [play(env, with_surplus(number), 0, task) for number in (0, 17, 18)]
    assert [episode.is_success for episode in paid] == [True, True, False]
    assert [episode.reward for episode in paid] == [1.0, pytest.approx(1.0), 0.0]
    many = MultiTurnEnv(shaping="none")
    many.reset(options={"task": task})
    surplus, rewards = call_text("pwd", {}) * 12, []
    for action in many.oracle():
        if action == TURN_DONE:
            many.step(surplus)
        rewards.append(many.step(action)[1])
    assert sum(rewards) == pytest.approx(2 * (10 + 4) / (10 + 4 * 12))


def test_a_tool_that_is_missing_comes_in_its_turn_and_not_before() -> None:
    env = begun("multi_turn_miss_func_0")
    turns = env.task.hidden["turns"]
    place = next(number for number, turn in enumerate(turns) if turn["came"])
    [late] = turns[place]["came"]
    assert "no tool named" in env.step(call_text(late, {}))[0]
    info: dict[str, Any] = {}
    observation = ""
    for turn in turns[:place]:
        names = [tool["function"]["name"] for tool in env.step(call_text("pwd", {}))[4]["tools"]]
        assert late not in names
        for call in turn["calls"]:
            env.step(call_text(call["name"], call["arguments"]))
        observation, *_, info = env.step(TURN_DONE)
    assert late in observation
    assert late in [tool["function"]["name"] for tool in info["tools"]]


def test_a_tool_that_is_wanted_before_it_is_said_to_come_is_there_from_the_start() -> None:
    env = begun("multi_turn_miss_func_49")
    names = [tool["function"]["name"] for tool in env.step("hello")[4]["tools"]]
    assert ("tail" in names, "cat" in names) == (True, False)
    assert env.task.hidden["turns"][3]["came"] == ["wc", "cat"]


def test_a_write_where_nothing_can_be_done_loses() -> None:
    env = begun("multi_turn_miss_param_0")
    turns = env.task.hidden["turns"]
    place = next(number for number, turn in enumerate(turns) if not turn["calls"])
    for turn in turns[:place]:
        for call in turn["calls"]:
            env.step(call_text(call["name"], call["arguments"]))
        env.step(TURN_DONE)
    env.step(call_text("mkdir", {"dir_name": "guess"}))
    _, _, terminated, _, info = env.step(TURN_DONE)
    assert (terminated, info["is_success"]) == (True, False)


def test_an_answer_counts_in_its_own_turn_only() -> None:
    """In the package's checker a reading call may come turns too early; here each turn stands by itself."""
    env = begun("multi_turn_base_0")
    for turn in env.task.hidden["turns"][:1]:
        for call in turn["calls"]:
            env.step(call_text(call["name"], call["arguments"]))
    early = env.task.hidden["turns"][1]["calls"]
    for call in early:
        env.step(call_text(call["name"], call["arguments"]))
    env.step(TURN_DONE)
    assert env.step(TURN_DONE)[2]


@pytest.mark.parametrize("name", ["multi_turn_base_0", "multi_turn_long_context_55", "multi_turn_miss_func_120"])
def test_forks_and_restored_episodes_end_as_the_original_does(name: str) -> None:
    env = begun(name)
    actions = list(env.oracle())
    for action in actions[: len(actions) // 2]:
        env.step(action)
    saved = env.snapshot()
    [twin] = env.fork()
    twin.step(call_text("nothing", {}))
    ends = []
    for one in (env, twin):
        one.restore(saved)
        ends.append([repr(one.step(action)) for action in actions[len(actions) // 2 :]])
    assert ends[0] == ends[1]
    assert "is_success': True" in ends[0][-1]


def test_the_hidden_part_is_not_shown() -> None:
    env = begun("multi_turn_base_0")
    shown = json.dumps([env.messages, env.task.instruction, list(env.task.tools), dict(env.task.public)])
    for turn in env.task.hidden["turns"]:
        assert turn["state"] not in shown
        assert not any(result in shown for result in turn["results"])
    assert env.task.hidden["turns"][1]["user"] not in shown


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("sort('a.txt')", {"name": "sort", "arguments": {"file_name": "a.txt"}}),
        ("ls(a=True)", {"name": "ls", "arguments": {"a": True}}),
        ("pwd()", {"name": "pwd", "arguments": {}}),
    ],
)
def test_wanted_calls_are_read_as_data(text: str, want: dict[str, object]) -> None:
    assert read_call(text, ["GorillaFileSystem"]) == want


@pytest.mark.parametrize(
    "text", ["sort(open('x'))", "__import__('os')", "os.system('id')", "nothing()", "1 + 1", "sort(", "sort(1, 2, 3)"]
)
def test_anything_but_a_call_with_literals_is_refused(text: str) -> None:
    with pytest.raises(TaskError, match="cannot read the wanted call"):
        read_call(text, ["GorillaFileSystem"])


def test_a_category_may_be_asked_for() -> None:
    for category in CATEGORIES:
        task = MultiTurnSource().sample(3, {"category": category})
        assert task.id.startswith(f"bfcl_multi_turn/multi_turn_{category}_")
    with pytest.raises(TaskError, match="knob 'category' must be any, base"):
        MultiTurnSource().sample(3, {"category": "easy"})
    split: Split = "train"
    assert len(items(split, "base")) == 156
