"""An episode on a site: what is shown, what ends it, what it is worth, and that it can be gone on from anywhere."""

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import lru_cache
from typing import Any

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import SPLITS, EpisodeOver, Snapshot, Task, TaskError
from palestra.envs.web.actions import written_call
from palestra.envs.web.browsing import View
from palestra.envs.web.env import WebEnv
from palestra.envs.web.generate import WebTasks
from palestra.rewards.base import Scored, Truncated

MOVE = {"site": "inbox", "template": "move"}
ANSWER = {"site": "inbox", "kind": "answer"}
VAIN = {"site": "inbox", "kind": "infeasible"}


@lru_cache
def task_of(knobs: tuple[tuple[str, Any], ...], seed: int = 1) -> Task:
    """Return a task of whichever split has such."""
    for split in SPLITS:
        with suppress(TaskError):
            return WebTasks(split).sample(seed, dict(knobs))
    raise AssertionError(f"no split has {knobs}")


@pytest.fixture
def env() -> Iterator[WebEnv]:
    with closing(WebEnv()) as env:
        env.reset(seed=1, options={"task": task_of(tuple(MOVE.items()))})
        yield env


def played(env: WebEnv, knobs: dict[str, Any]) -> list[float]:
    """Return what the solution's steps earn."""
    env.reset(seed=1, options={"task": task_of(tuple(knobs.items()))})
    return [env.step(action)[1] for action in list(env.oracle())]


@pytest.mark.parametrize("knobs", [MOVE, ANSWER, VAIN, {**MOVE, "warm": 2}, {"site": "inbox", "parts": 1}])
def test_the_solution_earns_one_and_every_step_comes_nearer(knobs: dict[str, Any]) -> None:
    with closing(WebEnv()) as env:
        rewards = played(env, knobs)
        assert rewards == pytest.approx([1 / len(rewards)] * len(rewards))


def test_written_calls_do_what_tool_calls_do(env: WebEnv) -> None:
    calls = [json.loads(action.removeprefix("<tool_call>").removesuffix("</tool_call>")) for action in env.oracle()]
    told = [env.step(f"I go on.\n{written_call(call['name'], call['arguments'])}") for call in calls]
    assert told[-1][4]["is_success"]
    assert told[-1][0] == "The episode is over."


def test_the_page_is_shown_at_the_start_and_after_every_action(env: WebEnv) -> None:
    observation, info = env.reset(seed=1, options={"task": env.task})
    page = info["messages"][-1]["content"]
    assert page == env.task.instruction
    assert page.startswith(
        f"{env.task.public['intent']}\n\nAddress: http://site.test/folder/Inbox\nRootWebArea 'Inbox'"
    )
    assert observation.endswith(page)
    observation, *_ = env.step("goto('/folder/Sent')")
    assert observation.startswith("Address: http://site.test/folder/Sent\nRootWebArea 'Sent'")
    observation, *_ = env.step("new_tab()")
    assert "Tabs: 0 /folder/Sent, 1 (in front) /folder/Inbox" in observation


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("click('0')", "no element [0]"),
        ("click(12)", "not of type 'string'"),
        ("goto('javascript:alert(1)')", "only addresses of this site"),
        ("I am done.", "an action is one call"),
        ("go_back()", "no page to go back"),
    ],
)
def test_what_cannot_be_done_is_told_above_the_page_and_changes_nothing(env: WebEnv, action: str, told: str) -> None:
    before = env.snapshot().moment(env.env_id)
    observation, reward, terminated, _, info = env.step(action)
    assert observation.startswith("Error of the last action: ")
    assert told in observation.splitlines()[0]
    assert told in info["error"]
    assert "RootWebArea" in observation
    assert (reward, terminated) == (0.0, False)
    after = env.snapshot().moment(env.env_id)
    assert before is not None
    assert after is not None
    assert before.to_json()["family"] == after.to_json()["family"]


def test_one_action_a_turn_is_carried_out(env: WebEnv) -> None:
    first = next(env.oracle())
    _, _, terminated, _, info = env.step(first + call_text("send_msg_to_user", {"text": "done"}))
    assert not terminated
    assert [message["content"] for message in info["messages"][-2:]] == [
        "error: not done; one action a turn is carried out"
    ] * 2


def test_the_end_is_the_end(env: WebEnv) -> None:
    _, reward, terminated, _, info = env.step("send_msg_to_user('It is done.')")
    assert (reward, terminated, info["outcome"]) == (0.0, True, Scored(0.0, False))
    with pytest.raises(EpisodeOver):
        env.step(next(env.oracle()))


def test_a_change_too_many_is_not_what_was_asked(env: WebEnv) -> None:
    *steps, last = env.oracle()
    view = View(env._site.site, env._state)
    env.step(f"click('{view.ids[next(key for key in view.elements if key.startswith('do star'))]}')")
    for action in steps:
        env.step(action)
    *_, info = env.step(last)
    assert not info["is_success"]


def test_an_answer_is_right_only_for_who_has_seen_it() -> None:
    with closing(WebEnv()) as env:
        env.reset(options={"task": task_of(tuple(ANSWER.items()))})
        *_, last = env.oracle()
        _, reward, terminated, *_ = env.step(last)
        assert (reward, terminated) == (0.0, True)


def test_turns_run_out(env: WebEnv) -> None:
    told = [env.step("noop()") for _ in range(env.task.budget.turns)]
    assert [truncated for *_, truncated, _ in told] == [False] * (len(told) - 1) + [True]
    assert isinstance(told[-1][4]["outcome"], Truncated)


def test_an_episode_goes_on_from_a_snapshot_in_another_environment(env: WebEnv) -> None:
    steps = list(env.oracle())
    env.step("new_tab()")
    env.step("tab_focus(0)")
    for action in steps[:3]:
        env.step(action)
    text = json.dumps(env.snapshot().to_dict())
    with closing(WebEnv()) as other:
        other.restore(Snapshot.from_dict(json.loads(text)))
        for action in steps[3:]:
            here, there = env.step(action), other.step(action)
            assert here[:4] == there[:4]
            assert here[4]["state_key"] == there[4]["state_key"]
            assert here[4]["is_success"] == there[4]["is_success"] == (action is steps[-1])
        assert env.snapshot().digest == other.snapshot().digest


@pytest.mark.parametrize("mode", ["axtree", "html", "elements"])
def test_pages_are_shown_in_other_forms_with_the_same_ids(mode: Any) -> None:
    with closing(WebEnv(observe=mode)) as env:
        observation, _ = env.reset(options={"task": task_of(tuple(MOVE.items()))})
        first = json.loads(next(env.oracle())[11:-12])["arguments"]["bid"]
        assert {"axtree": f"[{first}]", "html": f'bid="{first}"', "elements": f"[{first}]"}[mode] in observation
        assert "<option" in observation if mode == "html" else "<option" not in observation
        assert ("RootWebArea" in observation) == (mode == "axtree")
        assert env.messages[-1]["content"].startswith(task_of(tuple(MOVE.items())).public["intent"])
        assert sum(played(env, MOVE)) == pytest.approx(1.0)


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="driver must be"):
        WebEnv(driver="lynx")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs the browser"):
        WebEnv(observe="screenshot")
    with pytest.raises(ValueError, match="observe must be"):
        WebEnv(observe="pdf")  # type: ignore[arg-type]
    with pytest.raises(TaskError, match="unknown difficulty knob"):
        WebTasks().sample(0, {"colour": 1})
    with pytest.raises(TaskError, match="must be 4 to 60"):
        WebTasks().sample(0, {"size": 1000})
    with pytest.raises(TaskError, match="knob 'site' must be"):
        WebTasks().sample(0, {"site": "nowhere"})


def test_a_task_that_is_none_of_the_family_is_refused(env: WebEnv) -> None:
    told = env.task.to_dict()
    wrongs: tuple[dict[str, Any], ...] = (
        {"family": "sql"},
        {"hidden": {}},
        {"provenance": {**told["provenance"], "site": "nowhere"}},
        {"provenance": {**told["provenance"], "split": "test"}},
        {"hidden": {**told["hidden"], "oracle": [["click", {"bid": "0"}], ["send_msg_to_user", {"text": "x"}]]}},
        {"hidden": {**told["hidden"], "oracle": []}},
        {"hidden": {**told["hidden"], "goal": {}}},
    )
    for wrong in wrongs:
        with pytest.raises(TaskError):
            env.reset(options={"task": Task.from_dict({**told, **wrong})})


def test_splits_share_neither_kinds_of_goals_nor_tasks() -> None:
    told = {split: [WebTasks(split).sample(seed) for seed in range(4)] for split in SPLITS}
    kinds = {
        split: {(task.provenance["site"], task.provenance["template"]) for task in tasks}
        for split, tasks in told.items()
    }
    assert not kinds["train"] & kinds["heldout"]
    assert WebTasks("train").sample(2).digest == told["train"][2].digest


def test_a_warm_start_is_told_in_the_instruction() -> None:
    with closing(WebEnv()) as env:
        knobs = {**MOVE, "warm": 2}
        observation, _ = env.reset(options={"task": task_of(tuple(knobs.items()))})
        assert f"{env.task.public['intent']}\n\n{env._shown()}" == env.task.instruction
        assert observation.endswith(env._shown())
        assert len(list(env.oracle())) == len(env.task.hidden["oracle"]) - 2
