"""Operators on databases: Python and bash agree, near misses miss, and templates differ."""

from typing import Any

import pytest

from palestra.envs.terminal.operators import (
    databases_dumps,
    databases_exports,
    databases_imports,
    databases_migrations,
    databases_repairs,
    databases_reports,
    databases_views,
)
from palestra.envs.terminal.operators.databases_tables import Content, database
from palestra.envs.terminal.step import Artefact, Knobs, Operator
from palestra.envs.terminal.tree import Tree

OPERATORS: tuple[Operator, ...] = (
    *databases_dumps.OPERATORS,
    *databases_exports.OPERATORS,
    *databases_imports.OPERATORS,
    *databases_migrations.OPERATORS,
    *databases_repairs.OPERATORS,
    *databases_reports.OPERATORS,
    *databases_views.OPERATORS,
)
HARD = Knobs(size=30, decoys=2, indirect=True, strict=True)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.name)
def test_bash_and_python_agree_and_near_misses_miss(operator: Operator, prove: Any) -> None:
    assert all(prove(operator, seed) for seed in range(2))
    assert prove(operator, 2, knobs=HARD, heldout=True)


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.name)
def test_twenty_draws_of_each(operator: Operator, prove: Any) -> None:
    steps = [
        prove(operator, seed, knobs=HARD if seed % 3 == 0 else None, heldout=seed % 2 == 0) for seed in range(100, 122)
    ]
    made = [step for step in steps if step is not None]
    assert len(made) >= 20
    assert len({step.choices for step in made}) >= 3


def _given_table(path: str) -> tuple[Artefact, Tree]:
    rows = [{"name": f"n{at % 5}", "hits": str(at * 7 % 11), "day": f"2025-02-{at + 1:02}"} for at in range(9)]
    text = "name,hits,day\n" + "".join(",".join(row.values()) + "\n" for row in [*rows, rows[2]])
    return Artefact("table", path, [*rows, rows[2]], "hits by name"), Tree().put(path, text)


@pytest.mark.parametrize("seed", range(3))
def test_a_table_of_an_earlier_step_is_imported(seed: int, prove: Any) -> None:
    given, before = _given_table("/workspace/earlier/hits.csv")
    step = prove(databases_imports.OPERATORS[0], seed, given, before)
    assert step.choices[0] == "table"
    assert step.gives.shape == "database"
    assert {type(row["hits"]) for rows in step.gives.content.values() for row in rows} == {int}


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_exported_from_a_database_of_an_earlier_step(seed: int, prove: Any) -> None:
    rows = [{"name": f"n{at % 4}", "hits": at * 7 % 11} for at in range(12)]
    given = Artefact("database", "/workspace/earlier/hits.db", {"facts": rows}, "hits by name")
    step = prove(databases_exports.OPERATORS[0], seed, given, Tree().put(given.path, database({"facts": rows})))
    assert step.keeps == ()
    assert given.path in step.text


def test_what_sql_cannot_name_is_not_imported(prove: Any) -> None:
    rows = [{"order": "1", "two words": "a"}, {"order": "2", "two words": "b"}]
    given = Artefact("table", "/workspace/earlier/odd.csv", rows, "odd rows")
    assert prove(databases_imports.OPERATORS[0], 0, given, Tree()) is None


def test_a_database_has_the_same_bytes_every_time() -> None:
    held: Content = {"facts": [{"id": 1, "name": "a"}, {"id": 2, "name": None}]}
    assert database(held) == database(held)
    assert database(held)[92:100] == bytes(8), "the version of SQLite is in it"
