"""SQLite and plain Python agree about every query that can be drawn, and about what is hard by hand."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from palestra.envs.sql.data import as_tables, make_database, named_values
from palestra.envs.sql.interpret import interpret
from palestra.envs.sql.proof import opened
from palestra.envs.sql.query import (
    Agg,
    Col,
    Compare,
    Compound,
    InQuery,
    Join,
    Lit,
    Missing,
    Order,
    Query,
    Select,
    Source,
    Window,
    is_ordered,
    walk,
)
from palestra.envs.sql.render import literal, sql
from palestra.envs.sql.results import same_rows
from palestra.envs.sql.schema import Row

Queries = Callable[..., Iterator[Any]]
TABLES: dict[str, list[Row]] = {
    "book": [
        {"id": 1, "author_id": 10, "pages": 100},
        {"id": 2, "author_id": 10, "pages": None},
        {"id": 3, "author_id": None, "pages": 300},
        {"id": 4, "author_id": 11, "pages": 300},
    ],
    "author": [{"id": 10, "name": "Ada"}, {"id": 11, "name": None}, {"id": 12, "name": "Cleo"}],
}
BOOK, AUTHOR = Source("book", "book", "books"), Source("author", "author", "authors")
ID, PAGES = Col("book", "id", "id", "int"), Col("book", "pages", "pages", "int", True)
LINK, NAME = Col("book", "author_id", "author", "int", True), Col("author", "name", "name", "text", True)
AUTHOR_ID = Col("author", "id", "id", "int")


def disagreements(queries: Queries, count: int, databases: int) -> tuple[int, Counter[str], list[str]]:
    """Return how many databases were looked at, how often each kind of node was, and the queries that differ."""
    looked, nodes, wrong = 0, Counter[str](), list[str]()
    for schema, query, draws, _ in queries(count):
        nodes.update({type(node).__name__ for node in walk(query)})
        text = sql(query)
        for _ in range(databases):
            database = make_database(schema, named_values(query, schema), 10, draws)
            connection = opened(schema, database)
            found = connection.execute(text).fetchall()
            connection.close()
            looked += 1
            if not same_rows(found, interpret(query, as_tables(schema, database)), ordered=is_ordered(query)):
                wrong.append(text)
    return looked, nodes, wrong


def test_both_references_agree_on_many_databases(queries: Queries) -> None:
    looked, nodes, wrong = disagreements(queries, 400, 1)
    assert wrong == []
    assert looked >= 200
    every = (
        "Case Coalesce Days Part Times Window Agg Scalar Exists InQuery AnyOf Between Among Like Missing Compare "
        "Join Compound With"
    )
    assert set(every.split()) <= set(nodes)


@pytest.mark.slow
def test_both_references_agree_on_thousands_of_databases(queries: Queries) -> None:
    looked, _, wrong = disagreements(queries, 2000, 3)
    assert (looked, wrong) == (6000, [])


def in_sqlite(query: Query) -> list[Any]:
    connection = sqlite3.connect(":memory:")
    for name, rows in TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({', '.join(rows[0])})")
        connection.executemany(
            f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", [*map(tuple, map(dict.values, rows))]
        )
    found = connection.execute(sql(query)).fetchall()
    connection.close()
    return found


JOINED = Join(AUTHOR, LINK, AUTHOR_ID)
LOOSE = Join(AUTHOR, LINK, AUTHOR_ID, True)
BY_HAND: list[tuple[Query, list[tuple[Any, ...]]]] = [
    (Select(columns=(ID,), source=BOOK, where=(Compare("<>", PAGES, Lit(100)),)), [(3,), (4,)]),
    (Select(columns=(ID,), source=BOOK, where=(Missing(PAGES),)), [(2,)]),
    (Select(columns=(ID, NAME), source=BOOK, joins=(JOINED,)), [(1, "Ada"), (2, "Ada"), (4, None)]),
    (Select(columns=(ID, NAME), source=BOOK, joins=(LOOSE,)), [(1, "Ada"), (2, "Ada"), (3, None), (4, None)]),
    (
        Select(
            columns=(Agg("count"), Agg("count", PAGES), Agg("count distinct", PAGES), Agg("avg", PAGES)), source=BOOK
        ),
        [(4, 3, 2, 700 / 3)],
    ),
    (Select(columns=(Agg("sum", PAGES), Agg("count")), source=BOOK, where=(Missing(ID),)), [(None, 0)]),
    (
        Select(columns=(LINK, Agg("max", PAGES)), source=BOOK, group=(LINK,), order=(Order(LINK, True),)),
        [(11, 300), (10, 100), (None, 300)],
    ),
    (
        Select(columns=(ID,), source=BOOK, order=(Order(PAGES), Order(ID, True)), limit=2, offset=1),
        [(1,), (4,)],
    ),
    (
        Select(
            columns=(AUTHOR_ID,), source=AUTHOR, where=(InQuery(AUTHOR_ID, Select(columns=(LINK,), source=BOOK), True),)
        ),
        [],  # among the links is a missing one, so that of no author it is known not to be among them
    ),
    (
        Compound("intersect", Select(columns=(PAGES,), source=BOOK), Select(columns=(Agg("max", PAGES),), source=BOOK)),
        [(300,)],
    ),
    (
        Select(columns=(ID, Window("rank", None, None, (Order(PAGES, True),))), source=BOOK, order=(Order(ID),)),
        [(1, 3), (2, 4), (3, 1), (4, 1)],
    ),
]


@pytest.mark.parametrize(("query", "wanted"), BY_HAND)
def test_missing_values_and_ties_are_as_sql_has_them(query: Query, wanted: list[tuple[Any, ...]]) -> None:
    assert same_rows(interpret(query, TABLES), wanted, ordered=is_ordered(query))
    assert same_rows(in_sqlite(query), wanted, ordered=is_ordered(query))


def test_literals_are_escaped() -> None:
    assert [literal(value) for value in ("it's", None, 3, 2.5)] == ["'it''s'", "NULL", "3", "2.5"]
