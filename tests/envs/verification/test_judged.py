"""One solution's result: the verdict of an episode, the first failing input, and faults that are nobody's failure."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from palestra.envs.base import Task, TaskError
from palestra.envs.registry import UnknownEnvError, make
from palestra.envs.verification.judged import (
    MAX_DETAIL_CHARS,
    MAX_EXPLANATION_CHARS,
    MAX_SOLUTION_CHARS,
    Judges,
    Result,
    judge_one,
    judging_ids,
)
from palestra.rewards.base import Check, Verdict

WORD = "toy/Word-v0"
CODE = "palestra/Code-v0"


def task_of(seed: int = 0, **hidden: object) -> Task:
    task = make(WORD).tasks.sample(seed)
    return replace(task, hidden={**task.hidden, **hidden})


def judged(text: str, task: Task) -> Result:
    with Judges() as judges:
        return judges.judge(WORD, task, text)


def test_the_right_text_passes() -> None:
    task = task_of()
    result = judged(task.hidden["answer"] + "\r\n", task)
    assert (result.status, result.score, result.detail, result.explanation) == ("passed", 1.0, "passed", "")
    assert (result.task_id, result.env_id) == (task.id, WORD)
    assert result.passed
    assert result.first_failing is None


@pytest.mark.parametrize("text", ["", "passed", '{"score": 1.0}', "\0", "\ud800", "\x1b[2J"])
def test_another_text_fails_and_its_owner_is_told_why(text: str) -> None:
    task = task_of()
    result = judged(text, task)
    assert (result.status, result.score) == ("failed", 0.0)
    assert result.first_failing is not None
    assert result.first_failing.name == "word"
    assert result.explanation == f"input:\n{task.hidden['word']}\nwanted:\n{task.hidden['answer']}"
    assert json.loads(json.dumps(result.to_dict()))["first_failing"] == "word"


def test_what_no_agent_could_hand_in_fails_unread() -> None:
    task = task_of()
    result = judged(task.hidden["answer"] + " " * MAX_SOLUTION_CHARS, task)
    assert result.status == "failed"
    assert str(MAX_SOLUTION_CHARS) in result.detail


def test_a_broken_task_is_a_fault_and_has_no_score() -> None:
    result = judged("x", task_of(1, broken=True))
    assert (result.status, result.score) == ("fault", None)
    assert result.detail == "VerifierError: the task has no tests"


def test_a_fault_that_passes_is_not_told_of_and_one_that_stays_is() -> None:
    passing, staying = task_of(2, lost=1), task_of(3, lost=100)
    assert judged(passing.hidden["answer"], passing).status == "passed"
    assert judged(staying.hidden["answer"], staying).detail == "InfraError: the sandbox went away"


def test_an_explanation_that_fails_changes_no_verdict() -> None:
    result = judged("x", task_of(4, shy=True))
    assert (result.status, result.explanation) == ("failed", "no explanation: KeyError('answer')")


def test_an_environment_that_judges_no_texts_is_refused_and_those_that_do_are_named() -> None:
    with Judges() as judges, pytest.raises(TaskError, match=r"not solved by one text.*palestra/Code-v0"):
        judges.judge("palestra/ToolUse-v0", task_of(), "x")
    with Judges() as judges, pytest.raises(UnknownEnvError):
        judges.judge("palestra/Cod-v0", task_of(), "x")
    assert {CODE, WORD} <= set(judging_ids())


def test_programs_are_judged_with_one_sandbox_that_is_given_back() -> None:
    task = make(CODE).tasks.sample(0)
    judges = Judges()
    try:
        right, wrong = (judges.judge("Code-v0", task, code) for code in (task.hidden["solution"], "print(1)"))
        assert judges.env(CODE) is judges.env("Code-v0")
    finally:
        judges.close()
    assert right.status == "passed"
    assert wrong.detail.startswith("hidden test ")
    assert wrong.explanation.startswith("input:\n")


def test_a_task_of_another_family_is_a_fault() -> None:
    with Judges() as judges:
        assert judges.judge(CODE, task_of(), "x").status == "fault"


def test_an_episode_in_progress_is_left_alone() -> None:
    env = make(WORD)
    env.reset(seed=0)
    before = env.snapshot().digest
    assert judge_one(env, env.task, "x").status == "failed"  # type: ignore[arg-type] # of WordEnv, which `make` cannot say
    assert env.snapshot().digest == before


def test_what_is_told_is_a_line_of_bounded_length() -> None:
    class Talks:
        env_id: ClassVar[str] = WORD

        def artefact(self, task: Task) -> str:
            return "word.txt"

        def judge(self, task: Task, text: str) -> Verdict:
            return Verdict.of([Check(name="a", passed=False, evidence="b\n" * 100_000)])

        def explain(self, task: Task, check: Check) -> str:
            return check.evidence

        def close(self) -> None:
            pass

    result = judge_one(Talks(), task_of(), "x")
    assert result.detail.startswith("a: b b b")
    assert len(result.detail) <= MAX_DETAIL_CHARS
    assert result.explanation.endswith(f"... ({200_000 - MAX_EXPLANATION_CHARS} more characters)")


def test_the_example_in_the_docs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "verify.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(block, {})
    assert capsys.readouterr().out.startswith("failed 0.0 hidden test ")
