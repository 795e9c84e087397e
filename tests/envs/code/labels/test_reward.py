"""Trajectories are paid for their programs' lines, and what failed never more than what passed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.actions import call_text, parse_action
from palestra.envs.base import Task
from palestra.envs.code.labels.reading import code_programs
from palestra.envs.code.labels.reward import ProcessReward, ReadPrograms
from palestra.envs.code.writing import tools_for
from palestra.envs.repair.generate import TOOLS
from palestra.envs.repair.reading import repair_programs
from palestra.rewards.base import Scored, StepReward, Trajectory, Truncated, Turn
from palestra.rewards.lines import KnownLines

CODE = Task(id="code", family="code", seed=0, instruction="", tools=tools_for("Python"))
REPAIR = Task(id="repair", family="repair", seed=0, instruction="", tools=TOOLS, public={"program": "a\nb\nc\n"})
KNOWN = KnownLines({"good": 1.0, "bad": 0.0})


def said(task: Task, *actions: str) -> tuple[dict[str, Any], ...]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Do it."}]
    for turn, action in enumerate(actions):
        messages += [parse_action(action, task.tools).message(turn), {"role": "user", "content": "done"}]
    return tuple(messages)


def run(code: str) -> str:
    return call_text("run", {"code": code})


def submit(code: str) -> str:
    return call_text("submit", {"code": code})


def played(is_success: bool, *actions: str, paid: float | None = None) -> Trajectory:
    earned = float(is_success) if paid is None else paid
    turns = [Turn(prompt_ids=(), output_ids=(), logprobs=(), reward=0.0) for _ in actions[:-1]]
    last = Turn(prompt_ids=(), output_ids=(), logprobs=(), reward=earned)
    outcome = Scored(earned, is_success)
    return Trajectory(
        env_id="e", task_id="code", group="g", turns=(*turns, last), outcome=outcome, messages=said(CODE, *actions)
    )


def reward(read: ReadPrograms = code_programs, weight: float = 0.5) -> ProcessReward:
    return ProcessReward(tasks={"code": CODE}, read=read, scorer=lambda task: KNOWN, weight=weight)


def test_a_program_that_is_too_short_is_held_to_the_reference() -> None:
    tasks = {"code": Task.from_dict({**CODE.to_dict(), "hidden": {"oracle": "good\nfine\ngood\nlast\nend\n"}})}
    scorer = ProcessReward(tasks=tasks, read=code_programs, scorer=lambda task: KNOWN)
    assert scorer.score([played(False, submit("good"))]) == [[0.125]]


def test_the_last_program_of_each_turn_is_read() -> None:
    messages = said(CODE, run("one") + run("two"), "let me think", run("one") + submit("three") + run("four"))
    assert code_programs(CODE, messages) == ["two", None, "three"]
    assert code_programs(CODE, said(CODE, "".join(run(str(number)) for number in range(6)))) == ["3"]


def test_edits_are_made_again() -> None:
    edit = call_text("replace", {"first": 2, "last": 2, "text": "x\ny"})
    wrong = call_text("replace", {"first": 9, "last": 9, "text": "z"})
    taken = call_text("replace", {"first": 1.0, "last": 1, "text": ""})
    messages = said(REPAIR, edit + wrong, "hm", taken, call_text("submit", {}) + edit)
    assert repair_programs(REPAIR, messages) == ["a\nx\ny\nc\n", None, "x\ny\nc\n", "x\ny\nc\n"]


def test_turns_are_paid_for_better_lines() -> None:
    scorer: StepReward = reward()
    failed = played(False, run("bad\ngood"), "hm", run("good"), submit("bad\nother"))
    assert scorer.score([failed]) == [[0.25, 0.0, 0.25, -0.375]]
    assert scorer.score([played(True, run("bad"), submit("bad"))]) == [[0.0, 0.5]]
    cut = Trajectory(env_id="e", task_id="code", group="g", turns=failed.turns, outcome=Truncated("turns", 0.0))
    assert scorer.score([cut]) == [[0.0] * 4]


PROGRAMS = st.lists(
    st.lists(st.sampled_from(["good", "bad", "other", ""]), max_size=5).map("\n".join), min_size=1, max_size=4
)


@given(PROGRAMS, PROGRAMS, st.floats(0.0, 0.99), st.floats(0.0, 0.99))
def test_whatever_was_written_passing_is_paid_more(
    bad: list[str], good: list[str], weight: float, progress: float
) -> None:
    failed, passed = played(False, *map(submit, bad), paid=progress), played(True, *map(submit, good))
    rows = reward(weight=weight).score([failed, passed])
    combined = [one.reward + sum(row) for one, row in zip((failed, passed), rows, strict=True)]
    assert combined[0] < combined[1]
    assert combined[1] >= 1.0 - 1e-9


def test_a_trajectory_of_an_unknown_task_is_an_error() -> None:
    with pytest.raises(KeyError):
        ProcessReward(tasks={}, read=code_programs, scorer=lambda task: KNOWN).score([played(True, submit("x"))])
