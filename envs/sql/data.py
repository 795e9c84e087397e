"""Random databases of a schema: small, with gaps, ties, repeated values and the values that a question names."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from palestra.envs.code.draws import Draws
from palestra.envs.sql.interpret import Tables
from palestra.envs.sql.query import (
    Among,
    Between,
    Col,
    Compare,
    Like,
    Lit,
    Part,
    Query,
    tables_of,
    walk,
)
from palestra.envs.sql.schema import Column, Database, Schema, Table, Value

Named = Mapping[tuple[str, str], Sequence[Value]]  # values that a question names, by table and column
_GAPS: Final = (0.05, 0.2, 0.4)  # how often an optional value is missing
_VARIETY: Final = (3, 5, 9)  # how many different values a column has


def named_values(query: Query, schema: Schema) -> Named:
    """Return the values that a query compares columns with, those beside them, and texts that hold its letters."""
    tables, found = tables_of(query), defaultdict[tuple[str, str], list[Value]](list)
    by_name = {table.name: table for table in schema.tables}
    for node in walk(query):
        if isinstance(node, Like):
            name = tables[node.of.alias]
            values = by_name[name].column(node.of.name).values
            found[name, node.of.name] += [one for one in values if node.letters.lower() in str(one).lower()][:4]
        for column, value in _compared(node):
            if column.alias in tables:
                found[tables[column.alias], column.name] += _around(value)
    return found


def _compared(node: object) -> Iterator[tuple[Col, Value]]:
    match node:
        case Compare(_, Col() as column, Lit(value)):
            yield column, value
        case Compare(_, Part(unit, column), Lit(int(number))):
            yield column, f"{number:04}-06-14" if unit == "year" else f"2022-{number:02}-05"
        case Between(column, low, high):
            yield column, low.value
            yield column, high.value
        case Among(column, values):
            for one in values:
                yield column, one.value


def _around(value: Value) -> list[Value]:
    match value:
        case int():
            return [value, value, value + 1, value - 1]
        case float():
            return [value, value, value + 0.25, value - 0.25]
        case str() if value[:1].isdigit():
            day = date.fromisoformat(value)
            return [value, value, *((day + timedelta(days=step)).isoformat() for step in (-1, 1))]
    return [value]


def make_database(schema: Schema, named: Named, rows: int, draws: Draws) -> Database:
    """Return a database of about so many rows in each table."""
    gaps, variety = draws.pick(_GAPS), draws.pick(_VARIETY)
    made: dict[str, list[list[Value]]] = {}
    ids: dict[str, list[int]] = {}
    for table in schema.tables:
        count = max(3, draws.between(rows * 6 // 10, rows * 14 // 10))
        ids[table.key] = draws.shuffled(range(1, count + count // 2 + 1))[:count]
        columns = [_values(table, column, ids, named, draws, (gaps, variety)) for column in table.columns]
        made[table.name] = [list(row) for row in zip(*columns, strict=True)]
    return made


def _values(
    table: Table, column: Column, ids: Mapping[str, list[int]], named: Named, draws: Draws, manner: tuple[float, int]
) -> list[Value]:
    """Return a column's values, one for each row of its table."""
    gaps, variety = manner
    own = ids[table.key]
    if column.name == "id":
        return list(own)
    pool: list[Value] = list(ids[column.links]) if column.links else []
    if not column.links:
        said = [*named.get((table.name, column.name), ())]
        pool = [*(draws.pick(column.values) for _ in range(variety)), *said]
    favourites = pool[: max(2, len(pool) * 2 // 3)]  # so that some parents have many children, and some none
    return [
        None if column.is_optional and draws.chance(gaps) else draws.pick(favourites if draws.chance(0.6) else pool)
        for _ in own
    ]


def as_tables(schema: Schema, database: Database) -> Tables:
    """Return a database's rows by the names of their columns."""
    return {
        table.name: [
            {column.name: value for column, value in zip(table.columns, row, strict=True)}
            for row in database[table.name]
        ]
        for table in schema.tables
    }
