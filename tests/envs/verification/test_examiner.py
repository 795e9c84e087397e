"""The questions about a task, one at a time: what a certificate would say of each."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from palestra.envs.base import Task, TaskError
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.registry import find, make
from palestra.envs.verification.examiner import Examiner


def answers(env_id: str, task: Task) -> dict[str, str]:
    examiner = Examiner(find(env_id))
    try:
        return {question: examiner.ask(task, question).status for question in examiner.questions}
    finally:
        examiner.close()


def word(**hidden: object) -> Task:
    task = make("toy/Word-v0").tasks.sample(0)
    return replace(task, id=f"word {json.dumps(hidden)}", hidden={**task.hidden, **hidden})


def test_a_fair_task_passes_every_question() -> None:
    found = answers("toy/Word-v0", word())
    assert list(found) == ["oracle", *NEGATIVES, "attack:forwards"]
    assert set(found.values()) == {"passed"}


def test_a_family_of_ours_does_too() -> None:
    env_id = "palestra/ToolUseMini-v0"
    assert set(answers(env_id, make(env_id).tasks.sample(3)).values()) == {"passed"}


def test_what_is_wrong_fails_where_it_is_wrong() -> None:
    assert [name for name, status in answers("toy/WordGivesUp-v0", word()).items() if status != "passed"] == ["oracle"]
    found = answers("toy/WordPaysAll-v0", word())
    assert found["oracle"] == found["nop"] == "passed"
    assert found["attack:forwards"] == found["claim_done"] == "failed"


def test_a_fault_that_passes_is_asked_again_and_one_that_stays_is_told() -> None:
    assert answers("toy/Word-v0", word(lost=1))["oracle"] == "passed"
    found = answers("toy/Word-v0", word(broken=True))
    assert found["oracle"] == found["attack:forwards"] == "fault"


def test_another_question_is_refused() -> None:
    with pytest.raises(TaskError, match="unknown question 'attack:none'; known: oracle, nop"):
        Examiner(find("toy/Word-v0")).ask(word(), "attack:none")


def test_attacks_that_cannot_be_imported_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "halfgym").mkdir()
    (tmp_path / "halfgym" / "attacks.py").write_text("import nothing_of_this_name\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        Examiner(replace(find("toy/Word-v0"), entry_point="halfgym.env:Env"))
