"""Faults are seen, fail the hidden tests each by itself, and are undone by one edit each."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from palestra.envs.base import SPLITS, Task, TaskError
from palestra.envs.code.hunks import hunks, lines_changed, patched
from palestra.envs.repair.env import CodeRepairEnv
from palestra.envs.repair.generate import RepairTasks
from palestra.envs.repair.sources import CHAIN_KINDS

CHAINS = {"area": "chains", "steps": 4}


@pytest.fixture(scope="module")
def env() -> Iterator[CodeRepairEnv]:
    with closing(CodeRepairEnv()) as made:
        yield made


def changes(task: Task) -> tuple[Any, ...]:
    return hunks(task.public["program"].splitlines(), task.hidden["oracle"].splitlines())


def test_a_seed_names_a_task() -> None:
    assert RepairTasks().sample(3, CHAINS).digest == RepairTasks().sample(3, CHAINS).digest
    assert RepairTasks().sample(3, CHAINS).digest != RepairTasks().sample(4, CHAINS).digest


@pytest.mark.parametrize(
    ("knobs", "problem"),
    [({"faults": 4}, "1 to 3"), ({"fault_kind": "typo"}, "must be any"), ({"size": 99}, "size"), ({"x": 1}, "unknown")],
)
def test_knobs_out_of_range_are_refused(knobs: dict[str, Any], problem: str) -> None:
    with pytest.raises(TaskError, match=problem):
        RepairTasks().sample(0, knobs)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("faults", [1, 2, 3])
def test_each_fault_must_be_mended(env: CodeRepairEnv, split: Any, faults: int) -> None:
    for seed in range(2):
        task = RepairTasks(split).sample(seed, {**CHAINS, "faults": faults})
        program, edits = task.public["program"].splitlines(), changes(task)
        assert len(edits) == len(task.hidden["faults"]) == faults
        for count in range(faults):
            for some in itertools.combinations(edits, count):
                assert not env.judge(task, "\n".join(patched(program, some)) + "\n").passed
        assert env.judge(task, "\n".join(patched(program, edits)) + "\n").passed


def _passed(env: CodeRepairEnv, task: Task) -> int:
    """Return how many of the examples the faulty program of a task passes."""
    return env._rooms.use(lambda rooms: rooms.run(task, task.public["program"])).passed


@pytest.mark.parametrize("visible", [True, False])
def test_examples_show_a_fault_if_they_are_to(env: CodeRepairEnv, visible: bool) -> None:
    for seed in range(3):
        task = RepairTasks().sample(seed, {**CHAINS, "visible": visible})
        passed = _passed(env, task)
        assert passed == task.hidden["passed"]
        assert (passed < len(task.public["examples"])) == visible


@pytest.mark.parametrize("kind", CHAIN_KINDS)
def test_faults_are_of_the_kind_that_was_asked_for(kind: str) -> None:
    task = RepairTasks().sample(1, {**CHAINS, "fault_kind": kind})
    assert [fault["kind"] for fault in task.hidden["faults"]] == [kind]


def test_what_must_be_changed_may_be_changed() -> None:
    task = RepairTasks().sample(5, {**CHAINS, "minimal": True, "faults": 2})
    program, mended = task.public["program"].splitlines(), task.hidden["oracle"].splitlines()
    assert lines_changed(program, mended, 99) + 1 == task.public["most_changed"]
    assert f"no more than {task.public['most_changed']} lines" in task.instruction


@pytest.mark.slow
@pytest.mark.parametrize("language", ["python", "javascript", "cpp", "lua", "ocaml", "c"])
def test_programs_in_other_languages_are_mended(env: CodeRepairEnv, language: str) -> None:
    for seed in range(2):
        task = RepairTasks().sample(seed, {"language": language, "area": "arrays", "faults": 1 + seed})
        assert not env.judge(task, task.public["program"]).passed
        assert not any(env.judge(task, mutant).passed for mutant in task.hidden["mutants"])
        assert env.judge(task, task.hidden["oracle"]).passed
