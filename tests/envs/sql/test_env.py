"""Episodes: what queries and submissions show and pay, rewards, forks, verdicts from outside, and what is refused."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from palestra.envs.actions import call_text
from palestra.envs.base import Judging, Task, TaskError
from palestra.envs.env import Shaping
from palestra.envs.scripts import SCRIPTS, play
from palestra.envs.sql.attacks import all_names
from palestra.envs.sql.env import SqlEnv, report
from palestra.envs.sql.render import literal
from palestra.envs.sql.verify import Answer, exam, read
from palestra.envs.submission import MOST_CALLS
from palestra.rewards.base import Check, Scored, VerifierError


def query(sql: str) -> str:
    return call_text("query", {"sql": sql})


def submit(sql: str) -> str:
    return call_text("submit", {"sql": sql})


@pytest.fixture(scope="module")
def graded() -> Iterator[SqlEnv]:
    with closing(SqlEnv(reward="reasoning_sql", shaping="none")) as made:
        yield made


def test_a_query_shows_rows_and_the_right_one_moves_the_potential(env: SqlEnv) -> None:
    env.reset(seed=1)
    told, reward, *_ = env.step(
        query("SELECT 1 AS one, 'it' AS two, NULL, 2.5, x'00ff' UNION ALL SELECT 2, 3, 4, 5, 6")
    )
    assert told.splitlines() == [
        "2 rows: one, two, NULL, 2.5, x'00ff'",
        '[1, "it", null, 2.5, "x\'00ff\'"]',
        "[2, 3, 4, 5, 6]",
    ]
    assert reward == 0.0
    told, reward, *_ = env.step(query("SELECT naught"))
    assert (told, reward) == ("error: no such column: naught", 0.0)
    solution = env.task.hidden["solution"]
    assert [env.step(query(solution))[1] for _ in range(2)] == [0.5, 0.0]
    _, reward, terminated, truncated, info = env.step(submit("SELECT 1"))
    assert (reward, terminated, truncated, info["is_success"]) == (-0.5, True, False, False)
    assert info["reward_parts"] == {"outcome": 0.0, "potential": -0.5}
    assert info["outcome"] == Scored(0.0, False)


def test_what_is_shown_is_capped() -> None:
    many = Answer(columns=("n" * 500,), rows=tuple((number, "x" * 900) for number in range(100)))
    lines = report(many).splitlines()
    assert len(lines) == 22
    assert max(map(len, lines)) == 200
    assert lines[-1] == "..."
    assert report(Answer(columns=("a",), rows=((0.1 + 0.2,), (float("inf"),)))) == "2 rows: a\n[0.3]\n[Infinity]"


def test_calls_of_one_turn_are_done_in_order_until_one_hands_in(env: SqlEnv) -> None:
    env.reset(seed=2)
    solution = env.task.hidden["solution"]
    observation, reward, terminated, _, info = env.step(query("SELECT 1") + submit(solution) + submit("") + query(""))
    assert (reward, terminated, info["is_success"]) == (1.0, True, True)
    assert observation.splitlines()[-2:] == ["error: not done; the episode is over"] * 2
    env.reset(seed=2)
    observation, *_ = env.step(query("SELECT 1") * (MOST_CALLS + 2))
    assert observation.count("at most 4 calls") == 2


def test_parts_of_a_submission_are_told_one_by_one(graded: SqlEnv) -> None:
    graded.reset(seed=1)
    solution = graded.task.hidden["solution"]
    *_, info = graded.step(submit(solution))
    assert info["reward_parts"] == pytest.approx(
        {"execution": 3 / 6.5, "syntax": 1 / 6.5, "schema": 1 / 6.5, "ngram": 1 / 6.5, "format": 0.5 / 6.5}
    )
    assert (info["is_success"], info["outcome"].reward) == (True, pytest.approx(1.0))
    earned = {}
    for name, sql in {"near": solution.replace(";", " LIMIT 0"), "names": all_names(graded.task), "none": "x"}.items():
        graded.reset(seed=1)
        *_, info = graded.step(submit(sql))
        assert not info["is_success"]
        earned[name] = info["reward_parts"]
    assert earned["near"]["syntax"] == pytest.approx(1 / 6.5)
    assert earned["near"]["schema"] == pytest.approx(1 / 6.5)
    assert sum(earned["none"].values()) == 0.0
    assert earned["names"]["schema"] < 0.8 / 6.5
    assert sum(earned["names"].values()) < sum(earned["near"].values()) < 4 / 6.5


def test_near_misses_earn_less_than_the_solution(graded: SqlEnv) -> None:
    graded.reset(seed=3)
    task = graded.task
    for _, sql in task.hidden["near_misses"][:4]:
        graded.reset(options={"task": task})
        assert 0.0 < graded.step(submit(sql))[1] < 4 / 6.5


def test_progress_is_not_taken_back_and_none_pays_the_outcome_alone() -> None:
    earned = {}
    choices: tuple[Shaping, ...] = ("progress", "none")
    for shaping in choices:
        with closing(SqlEnv(shaping=shaping)) as env:
            earned[shaping] = play(env, SCRIPTS["oracle"], seed=1).reward
    assert earned == {"progress": 1.5, "none": 1.0}


def test_forks_go_on_alike_and_apart() -> None:
    with closing(SqlEnv(reward="reasoning_sql")) as env:
        env.reset(seed=4)
        solution = env.task.hidden["solution"]
        env.step(query(solution))
        left, right = env.fork(2)
        with closing(left), closing(right):
            assert left.step(submit(solution))[:4] == env.step(submit(solution))[:4]
            assert right.step(submit("SELECT 1"))[1] < 0.0
            assert json.loads(right.snapshot().state)["family"] == {"matched": True}


def test_a_text_is_judged_outside_an_episode(env: SqlEnv) -> None:
    judging: Judging = env
    task = env.tasks.sample(5)
    assert judging.artefact(task) == "answer.sql"
    assert judging.judge(task, task.hidden["solution"]).passed
    verdict = judging.judge(task, "SELECT 1")
    failed = next(check for check in verdict.checks if not check.passed)
    assert re.fullmatch(r"hidden test \d+", failed.name)
    assert "wanted:" in judging.explain(task, failed)
    assert judging.explain(task, Check(name="program", passed=False)) == ""


def test_a_query_that_is_right_on_the_example_alone_fails(env: SqlEnv) -> None:
    env.reset(seed=6)
    rows = env.task.hidden["shown"]
    constant = " UNION ALL ".join(f"SELECT {', '.join(map(literal, row))}" for row in rows)
    assert env.step(query(constant))[1] == 0.5
    assert env.step(submit(constant))[1] == -0.5


@pytest.mark.parametrize(
    "hidden",
    [
        {"tests": []},
        {"tests": [{"database": {}, "rows": [], "columns": 1}] * 2},
        {"tests": [{"database": {}, "rows": 3, "columns": 1}] * 3},
        {"tests": [{"database": [], "rows": [], "columns": 1}] * 3},
        {"tests": [{"database": {}, "rows": [], "columns": "1"}] * 3},
        {"tests": "none"},
    ],
)
def test_a_task_without_enough_tests_is_refused(env: SqlEnv, hidden: dict[str, Any]) -> None:
    task = env.tasks.sample(5)
    broken = replace(task, hidden={**task.hidden, **hidden})
    with pytest.raises(TaskError, match="SQL task"):
        env.reset(options={"task": broken})
    with pytest.raises(VerifierError):
        exam(broken)
    with pytest.raises(TaskError, match="SQL task"):
        env.reset(options={"task": Task(id="other/1", family="other", seed=1, instruction="Do it.")})


def test_an_unknown_reward_is_refused() -> None:
    with pytest.raises(ValueError, match=r"reward must be one of exact, reasoning_sql, not 'all'"):
        SqlEnv(reward="all")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "printed",
    [
        *(b"", b"{}", b"[]", b"1", b"\xff\xfe", b"[" * 9999, b'{"columns": 1, "rows": []}'),
        *(b'{"columns": ["a"], "rows": [[%s]]}' % value for value in (b"[1]", b"true", b'{"blob": "x"}')),
    ],
)
def test_whatever_is_printed_is_read(printed: bytes) -> None:
    assert read(printed) == Answer(error="no result")
