"""Databases for a query, chosen so that near misses of it give another result on at least one of them.

The query's rows are worked out twice, by SQLite and in Python, which must agree on every database looked at. Only
queries of ours ever run here; those of agents run in a sandbox.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import TaskError
from palestra.envs.code.draws import Draws
from palestra.envs.sql.data import as_tables, make_database, named_values
from palestra.envs.sql.interpret import Rows, interpret
from palestra.envs.sql.query import Query, is_ordered
from palestra.envs.sql.render import sql
from palestra.envs.sql.results import same_rows
from palestra.envs.sql.schema import Database, Schema
from palestra.envs.sql.spoil import near_misses

LEAST: Final = 3  # hidden databases
KILL_RATE: Final = 0.9  # of the near misses
_POOL: Final = 20
_MOST: Final = 7
_MOST_ROWS: Final = 150


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A database and what the query returns on it."""

    database: Database
    rows: Rows


@dataclass(frozen=True, slots=True)
class Proof:
    """A database to show, some to hide, and how many near misses there are, which of them fail."""

    shown: Exemplar
    hidden: tuple[Exemplar, ...]
    misses: int
    killed: tuple[tuple[str, str], ...]  # kind and SQL


def prove(query: Query, schema: Schema, rows: int, draws: Draws) -> Proof | None:
    """Return databases that tell the query from its near misses, or None if those drawn do not.

    Raises:
        TaskError: the two references disagree, which is a fault of ours.
    """
    named = named_values(query, schema)
    pool = [_exemplar(query, schema, make_database(schema, named, rows, draws)) for _ in range(_POOL)]
    good = [one for one in _different(pool) if _tells(one.rows)]
    if len(good) < LEAST + 1:
        return None
    shown, candidates = good[0], good[1:]
    connections = [opened(schema, one.database) for one in candidates]
    ordered, own = is_ordered(query), sql(query)
    misses = {text: kind for kind, other in near_misses(query, schema) if (text := sql(other)) != own}
    kills: list[tuple[str, frozenset[int]]] = []
    for text in misses:
        results = [_result(connection, text) for connection in connections]
        fails = [
            found is None or not same_rows(found, one.rows, ordered=ordered)
            for found, one in zip(results, candidates, strict=True)
        ]
        kills.append((text, frozenset(place for place, failed in enumerate(fails) if failed)))
    for connection in connections:
        connection.close()
    chosen = _cover([places for _, places in kills], len(candidates))
    killed = tuple((misses[text], text) for text, places in kills if places & set(chosen))
    if len(killed) < KILL_RATE * len(kills) or not killed:
        return None
    return Proof(shown, tuple(candidates[place] for place in chosen), len(kills), killed)


def opened(schema: Schema, database: Database) -> sqlite3.Connection:
    """Return a connection to a database in memory."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema.ddl(told=False))
    for name, rows in database.items():
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    return connection


def _exemplar(query: Query, schema: Schema, database: Database) -> Exemplar:
    rows = interpret(query, as_tables(schema, database))
    connection = opened(schema, database)
    found = connection.execute(sql(query)).fetchall()
    connection.close()
    if not same_rows(found, rows, ordered=is_ordered(query)):
        raise TaskError(f"two references disagree: SQLite returns {found[:3]!r}, not {rows[:3]!r}, for {sql(query)}")
    return Exemplar(database, rows)


def _result(connection: sqlite3.Connection, text: str) -> Rows | None:
    try:
        return connection.execute(text).fetchall()
    except sqlite3.Error:  # such as ordering by what is not shown
        return None


def _different(pool: Sequence[Exemplar]) -> list[Exemplar]:
    """Return one exemplar of each result, so that no constant is right on two of them."""
    return list({repr(one.rows): one for one in reversed(pool)}.values())[::-1]


def _tells(rows: Rows) -> bool:
    return 0 < len(rows) <= _MOST_ROWS and any(value not in (None, 0) for row in rows for value in row)


def _cover(kills: Sequence[frozenset[int]], count: int) -> list[int]:
    """Return the databases that kill most, each the one that kills most of what is left."""
    chosen: list[int] = []
    left = [places for places in kills if places]
    while len(chosen) < min(count, _MOST) and (left or len(chosen) < LEAST):
        best = max(
            (place for place in range(count) if place not in chosen),
            key=lambda place: (sum(place in places for places in left), -place),
        )
        chosen.append(best)
        left = [places for places in left if best not in places]
    return chosen
