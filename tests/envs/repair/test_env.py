"""Programs are looked at, edited, run and handed in."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Judging, Task, TaskError
from palestra.envs.repair.env import CodeRepairEnv
from palestra.envs.repair.generate import TOOLS
from palestra.envs.repair.text import MOST_CHARS, EditError, inserted, numbered, replaced, view
from palestra.envs.submission import ENDED, TOO_MANY

PROGRAM = "n = int(input())\ntotal = 0\nfor i in range(n):\n    total += i\nprint(total)\n"
MENDED = PROGRAM.replace("range(n)", "range(n + 1)")
LIMITS = {"cpu_s": 2.0, "wall_s": 6.0, "memory_mb": 128, "output_kb": 64}


def sums(**public: object) -> Task:
    return Task(
        id="repair/sums",
        family="repair",
        seed=0,
        instruction="The sum of 1 to n.",
        tools=TOOLS,
        public={
            "program": PROGRAM,
            "examples": [{"input": f"{n}\n", "output": f"{n * (n + 1) // 2}\n"} for n in (0, 1, 3)],
            "limits": LIMITS,
            **public,
        },
        hidden={
            "tests": [{"input": f"{n}\n", "output": f"{n * (n + 1) // 2}\n"} for n in (2, 5, 9)],
            "oracle": MENDED,
            "passed": 1,
        },
    )


@pytest.fixture(scope="module")
def env() -> Iterator[CodeRepairEnv]:
    with closing(CodeRepairEnv()) as made:
        yield made


def test_a_program_is_mended_by_edits(env: CodeRepairEnv) -> None:
    env.reset(options={"task": sums()})
    shown = env.step(call_text("view", {"first": 3, "last": 4}))[0]
    assert shown == "   3| for i in range(n):\n   4|     total += i"
    told, reward, *_ = env.step(call_text("run", {}))
    assert told.startswith("passed 1 of 3 examples")
    assert reward == 0.0  # that the faulty program passes one is nobody's progress
    env.step(call_text("replace", {"first": 3, "last": 3, "text": "for i in range(n + 1):"}))
    told, reward, *_ = env.step(call_text("run", {}))
    assert told == "passed 3 of 3 examples"
    assert reward == pytest.approx(2 / 3)
    _, reward, terminated, _, info = env.step(call_text("submit", {}))
    assert (terminated, info["is_success"]) == (True, True)
    assert reward == pytest.approx(1 / 3)


def test_the_program_runs_on_an_input_of_the_agent_s_own(env: CodeRepairEnv) -> None:
    env.reset(options={"task": sums()})
    told, reward, *_ = env.step(call_text("run", {"input": "5\n"}))
    assert told == "printed:\n10"
    assert reward == 0.0
    assert env.step(call_text("run", {"input": ""}))[0].startswith("exit code 1\nprinted:\nnothing\nerrors:\n")
    env.step(call_text("replace", {"first": 1, "last": 5, "text": "print('x' * 50_000)"}))
    assert len(env.step(call_text("run", {"input": "5"}))[0]) < 2_100


def test_a_program_as_it_was_earns_nothing(env: CodeRepairEnv) -> None:
    env.reset(options={"task": sums()})
    _, reward, terminated, _, info = env.step(call_text("submit", {}))
    assert (reward, terminated, info["is_success"]) == (0.0, True, False)


def test_few_lines_may_be_changed_where_that_is_asked_for(env: CodeRepairEnv) -> None:
    task = sums(most_changed=1)
    assert env.judge(task, MENDED).passed
    rewritten = "n = int(input())\nprint(n * (n + 1) // 2)\n"
    verdict = env.judge(task, rewritten)
    assert [check.evidence for check in verdict.checks] == ["more than 1 lines were changed"]
    assert env.judge(sums(), rewritten).passed
    smuggled = PROGRAM.replace("print(total)", f"print(n * (n + 1) // 2){' ' * 200}")
    assert not env.judge(task, smuggled).passed  # one line, as long as three


def test_what_comes_after_submit_is_not_done(env: CodeRepairEnv) -> None:
    env.reset(options={"task": sums()})
    edit = call_text("replace", {"first": 3, "last": 3, "text": "for i in range(n + 1):"})
    *_, info = env.step(call_text("submit", {}) + edit + call_text("submit", {}))
    assert [message["content"] for message in info["messages"][-3:]] == ["failed the hidden tests", ENDED, ENDED]


def test_edits_that_cannot_be_made_change_nothing(env: CodeRepairEnv) -> None:
    env.reset(options={"task": sums()})
    for arguments in ({"first": 6, "last": 6, "text": ""}, {"first": 3, "last": 2, "text": ""}):
        assert env.step(call_text("replace", arguments))[0].startswith("error: there are no lines")
    env.step(call_text("insert", {"after": 6, "text": "print()"}))
    assert env.step("mend it")[0] == env.no_call
    told = env.step(call_text("view", {}))[0]
    assert told == numbered(PROGRAM.splitlines())


def test_programs_are_run_only_so_often_in_a_turn(env: CodeRepairEnv) -> None:
    env.reset(options={"task": sums()})
    *_, info = env.step(call_text("run", {"input": "1"}) * 6)
    assert [message["content"] == TOO_MANY for message in info["messages"][-6:]] == [False] * 4 + [True] * 2


def test_a_fork_has_a_program_of_its_own(env: CodeRepairEnv) -> None:
    env.reset(options={"task": sums()})
    env.step(call_text("replace", {"first": 1, "last": 5, "text": ""}))
    [fork] = env.fork()
    with closing(fork):
        fork.step(call_text("insert", {"after": 0, "text": MENDED}))
        assert env.step(call_text("view", {}))[0] == "the program is empty"
        assert json.loads(json.dumps(fork._dump()))["lines"] == MENDED.splitlines()
        assert fork.step(call_text("submit", {}))[4]["is_success"]


def test_solutions_are_judged_outside_episodes(env: CodeRepairEnv) -> None:
    assert isinstance(env, Judging)
    task = sums()
    assert env.artefact(task) == "main.py"
    failed = env.judge(task, PROGRAM)
    assert not failed.passed
    assert "wanted" in env.explain(task, failed.checks[-1])
    assert env.artefact(sums(language="cpp")).endswith(".cpp")


@pytest.mark.parametrize("public", [{"program": " "}, {"program": 3}, {"most_changed": 0}, {"examples": []}])
def test_a_task_without_what_it_needs_is_refused(env: CodeRepairEnv, public: dict[str, object]) -> None:
    with pytest.raises(TaskError, match="is not a repair task"):
        env.reset(options={"task": sums(**public)})


def test_lines_are_replaced_and_inserted() -> None:
    lines = ["a", "b", "c"]
    assert replaced(lines, 2, 3, "x\ny\nz\n") == ["a", "x", "y", "z"]
    assert replaced(lines, 1, 2, "") == ["c"]
    assert replaced(lines, 1, 1, "\n") == ["", "b", "c"]
    assert inserted(lines, 0, "x") == ["x", "a", "b", "c"]
    assert inserted([], 0, "x\n\n") == ["x", ""]
    assert view(lines, 2) == "   2| b\n   3| c"
    with pytest.raises(EditError, match="no text was given"):
        inserted(lines, 1, "")
    with pytest.raises(EditError, match="at most 65536 are kept"):
        replaced(lines, 1, 1, "x" * MOST_CHARS)
