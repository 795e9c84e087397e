"""Verdicts on what episodes leave, when nothing runs any more, and progress that cannot be farmed."""

import errno
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.base import Task, TaskSource
from palestra.envs.scripts import oracle, play
from palestra.envs.terminal.attacks import ATTACKS
from palestra.envs.terminal.env import TerminalEnv
from palestra.envs.terminal.start import started
from palestra.envs.terminal.verify import declared, end_processes, explain, outermost, partial, progress, verify
from palestra.rewards.base import VerifierError
from palestra.sandbox.base import Sandbox, SandboxFileError, SandboxSnapshot


@pytest.fixture
def task(handmade: TaskSource) -> Task:
    return handmade.sample(11)


@pytest.fixture
def machine(task: Task) -> Iterator[Sandbox]:
    with closing(started(task, "native", unsafe=False)) as made:
        yield made


def do(machine: Sandbox, *lines: str) -> None:
    for line in lines:
        machine.shell().run(line)


def solves(task: Task) -> list[str]:
    return [str(step["solve"]) for step in task.hidden["steps"]]


def test_the_solution_passes_and_nothing_fails(task: Task, machine: Sandbox) -> None:
    do(machine, *solves(task))
    verdict = verify(task, machine)
    assert (verdict.score, verdict.passed) == (1.0, True)
    assert partial(verdict) == {-1: True, 0: True, 1: True, 2: True}
    assert [check.name for check in verdict.checks] == [
        "step 1: file /workspace/out/errors.txt",
        "step 2: json /workspace/out/counts.json",
        "step 2: mode /workspace/out/counts.json",
        "step 3: runs /workspace/bin/total.sh",
        "kept /workspace/app.log",
    ]


def test_nothing_passes_nothing_and_every_reason_names_its_path(task: Task, machine: Sandbox) -> None:
    verdict = verify(task, machine)
    assert (verdict.score, verdict.passed) == (0.0, False)
    assert partial(verdict) == {-1: True, 0: False, 1: False, 2: False}
    for check in verdict.checks[:4]:
        path = check.name.split(" ")[-1]
        assert check.evidence.startswith(f"{path} is missing")
        assert path in explain(task, check)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_step_counts_by_itself(task: Task, machine: Sandbox, number: int) -> None:
    do(machine, solves(task)[number])
    found = partial(verify(task, machine))
    assert [group for group in (0, 1, 2) if found[group]] == [number]


def test_an_input_that_was_changed_fails_all(task: Task, machine: Sandbox) -> None:
    do(machine, *solves(task), "echo >> app.log")
    verdict = verify(task, machine)
    assert not verdict.passed
    assert partial(verdict) == {-1: False, 0: True, 1: True, 2: True}
    assert "was to stay as it was, and was changed" in verdict.checks[-1].evidence


def test_nothing_of_the_agent_runs_when_it_is_judged(task: Task, machine: Sandbox) -> None:
    do(
        machine,
        *solves(task),
        "trap 'echo trapped >> out/errors.txt' EXIT HUP TERM",
        "(setsid bash -c 'while [ -e /proc/'$$' ]; do sleep 0.01; done; echo late > out/errors.txt' >/dev/null 2>&1 &)",
        "sleep 500 & disown; PROMPT_COMMAND='echo again >> out/errors.txt'",
        "head -n 1000 app.log | grep ' ERROR ' > out/errors.txt; PROMPT_COMMAND=",
    )
    assert verify(task, machine).passed
    assert machine.exec(["sh", "-c", "ls /proc | grep -c '^[0-9]'"]).stdout.strip() in (b"4", b"5")  # ours alone
    assert verify(task, machine).passed


def test_judging_twice_finds_the_same(task: Task, machine: Sandbox) -> None:
    do(machine, solves(task)[0], solves(task)[2].replace("total + number", "total - number"))
    first, second = verify(task, machine), verify(task, machine)
    assert first == second
    assert first.files
    assert 'line 1 is "' in first.checks[3].evidence


def test_equal_endings_have_equal_hashes(task: Task) -> None:
    found = []
    for lines in (
        solves(task),
        [*reversed(solves(task)), "touch elsewhere"],
        [*solves(task), "echo >> out/errors.txt"],
    ):
        with closing(started(task, "native", unsafe=False)) as machine:
            do(machine, *lines)
            found.append(verify(task, machine).files)
    assert found[0] == found[1] != found[2]


def test_progress_grows_with_steps_and_is_taken_back(task: Task, machine: Sandbox) -> None:
    seen = [progress(task, machine)]
    for line in (*solves(task), "rm out/errors.txt", solves(task)[0], solves(task)[0], "echo >> app.log"):
        do(machine, line)
        seen.append(progress(task, machine))
    third = pytest.approx(1 / 3)
    assert seen == [
        0.0,
        third,
        2 * third.expected,
        2 * third.expected,
        third,
        2 * third.expected,
        2 * third.expected,
        0,
    ]


def test_progress_ends_nothing(task: Task, machine: Sandbox) -> None:
    do(machine, "sleep 300 &", "level=3")
    progress(task, machine)
    told = machine.shell().run('jobs %1 >/dev/null && echo "$level"')
    assert (told.exit_code, told.output.strip()) == (0, b"3")


@pytest.mark.parametrize("name", ["farm", "behind_links", "inputs_changed", "functions", "forged_report"])
def test_shaping_leaves_what_an_attack_earns_at_nothing(handmade: TaskSource, name: str) -> None:
    with closing(TerminalEnv(tasks=handmade, shaping="potential")) as env:
        episode = play(env, ATTACKS[name], seed=12)
    assert episode.reward == pytest.approx(0.0)
    assert not episode.is_success


def test_shaping_leaves_what_the_solution_earns(handmade: TaskSource) -> None:
    with closing(TerminalEnv(tasks=handmade, shaping="potential")) as env:
        episode = play(env, oracle, seed=12)
    assert episode.reward == pytest.approx(1.0)
    assert all(reward >= 0 for reward in episode.rewards[:-1])
    assert sum(episode.rewards[:-1]) > 0


def test_paths_are_copied_once(task: Task) -> None:
    assert declared(task) == ["/workspace"]
    alone = replace(task, hidden={**task.hidden, "collect": []})
    names = ("app.log", "bin/total.sh", "out/counts.json", "out/errors.txt")
    assert declared(alone) == [f"/workspace/{name}" for name in names]
    assert outermost(["/a/b", "/a", "/a b", "/a/", "/ab/c"]) == ["/a", "/a b", "/ab/c"]


@pytest.mark.parametrize("checks", [None, [], "all", [{"kind": "file"}]])
def test_a_task_without_checks_is_refused(task: Task, machine: Sandbox, checks: Any) -> None:
    broken = replace(task, hidden={**task.hidden, "checks": checks})
    with pytest.raises(VerifierError):
        verify(broken, machine)


def test_a_machine_without_a_shell_is_judged(task: Task, machine: Sandbox) -> None:
    do(machine, "exit 3")
    end_processes(machine)
    assert not verify(task, machine).passed


class Unsaveable:
    """A machine of which no snapshot can be taken."""

    def __init__(self, machine: Sandbox) -> None:
        self._machine = machine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)

    def snapshot(self, *, end_processes: bool = False) -> SandboxSnapshot:
        self._machine.snapshot(end_processes=end_processes)
        raise SandboxFileError(errno.EFBIG, "too large")


def test_what_no_snapshot_can_hold_is_judged(task: Task, machine: Sandbox) -> None:
    do(machine, *solves(task))
    unsaveable: Any = Unsaveable(machine)
    assert verify(task, unsaveable).passed
