"""No cheat earns anything, the sandbox serves whoever comes after one, and the solution may be written otherwise."""

import re

import pytest

from palestra.envs.base import SPLITS, Split
from palestra.envs.scripts import play
from palestra.envs.sql.attacks import ATTACKS, EQUIVALENTS, QUERIES
from palestra.envs.sql.env import SqlEnv
from palestra.envs.sql.generate import SqlTasks

SAID = {  # what the agent is told of each query that may not run, or is stopped
    **dict.fromkeys(("empty", "semicolon", "comment"), "no query"),
    **dict.fromkeys(("read_schema", "read_temp_schema"), "prohibited"),
    **dict.fromkeys(("pragma", "pragma_table", "pragma_write", "heap", "attach"), "not authorized"),
    **dict.fromkeys(("insert", "update", "delete", "drop", "create", "temp_table", "begin"), "not authorized"),
    **dict.fromkeys(("load_extension", "zeroblob", "randomblob", "clock"), "not authorized to use function"),
    **dict.fromkeys(("read_file", "write_file"), "no such function"),
    "vacuum_into": "authoriz",
    "two_statements": "one statement at a time",
    "null_byte": "null character",
    "surrogate": "surrogates not allowed",
    "not_utf8": "Could not decode to UTF-8",
    **dict.fromkeys(("endless", "cross_join"), "interrupted"),
    "like_each": "interrupted|out of time",
    "giant_group": "too big|interrupted",
    "giant_sort": "out of memory|interrupted",
    **dict.fromkeys(("giant_rows", "giant_values"), "more than 1000 rows or 200000 characters"),
    "replace": "too big",
    "deep": "parser stack overflow|too large|maximum depth",
    "wide": "too many columns",
    "compound": "too many terms",
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_earns_nothing(env: SqlEnv, name: str) -> None:
    episode = play(env, ATTACKS[name], 1)
    assert (episode.reward, episode.is_success) == (0.0, False)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_hostile_query_is_told_what_is_wrong(env: SqlEnv, name: str) -> None:
    env.reset(seed=2)
    table, columns = next(iter(env.task.public["tables"].items()))
    sql = QUERIES[name]
    answer = env._ask(sql.format(table=table, column=columns[-1]) if "{" in sql else sql)
    assert bool(answer.error) == (name in SAID), answer
    assert re.search(SAID.get(name, ""), answer.error)


def test_a_clock_is_not_read_and_dates_are(env: SqlEnv) -> None:
    env.reset(seed=2)
    for sql in ("SELECT date('now')", "SELECT date()", "SELECT strftime('%Y')", "SELECT julianday(' NOW ')"):
        assert env._ask(sql).error == "user-defined function raised exception", sql
    assert env._ask("SELECT time('12:00', 'localtime')").error
    assert "not authorized" in env._ask("SELECT current_date").error
    days = "date('2024-02-28', '+2 days'), strftime('%m', '2024-05-01'), julianday('2000-01-01'), date(NULL)"
    told = env._ask(f"SELECT {days}")
    assert told.rows == (("2024-03-01", "05", 2451544.5, None),)


def test_runs_do_not_see_each_other(env: SqlEnv) -> None:
    env.reset(seed=2)
    table = next(iter(env.task.public["tables"]))
    before = env._ask(f"SELECT COUNT(*) FROM {table}")
    for sql in (f"DELETE FROM {table}", "CREATE TABLE mark (x)", "PRAGMA user_version = 7"):
        assert env._ask(sql).error
    assert env._ask(f"SELECT COUNT(*) FROM {table}") == before
    assert env._ask("SELECT * FROM mark").error == "no such table: mark"


def test_after_every_attack_honest_work_is_paid(env: SqlEnv) -> None:
    env.reset(seed=1)
    assert [env.step(action)[1] for action in env.oracle()] == [0.5, 0.5]


@pytest.mark.parametrize("name", sorted(EQUIVALENTS))
def test_the_solution_written_otherwise_is_paid(env: SqlEnv, name: str) -> None:
    for seed in range(4):
        episode = play(env, EQUIVALENTS[name], seed)
        assert (episode.reward, episode.is_success) == (1.0, True), seed


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_attacks_and_near_misses_earn_nothing_on_many_tasks(env: SqlEnv, split: Split) -> None:
    for seed in range(20):
        task = SqlTasks(split).sample(seed, {"parts": 1 + seed % 4})
        for name in ("hard_coded", "everything", "name_everything", "count", "nothing_selected"):
            assert play(env, ATTACKS[name], seed, task).reward == 0.0, (seed, name)
        assert env.judge(task, task.hidden["solution"]).passed
        for kind, sql in task.hidden["near_misses"]:
            assert not env.judge(task, sql).passed, (seed, kind, sql)
