"""The predicate on databases: one query on a copy of the file, which may only read."""

import base64
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, Final

from palestra.envs.terminal.predicates.content import Predicate, UnmetError, check_items, check_value, regular
from palestra.envs.terminal.tree import File, Tree

_STEPS: Final = 20_000_000  # of SQLite's virtual machine
_STEPS_EACH: Final = 10_000
_MOST_ROWS: Final = 10_000
_BESIDE: Final = ("-wal", "-journal")  # what a program that was ended may have left of a transaction
_PRAGMAS: Final = frozenset({"foreign_key_check", "foreign_key_list", "index_info", "index_list", "integrity_check"})
_FACTS: Final = frozenset({"application_id", "table_info", "table_list", "table_xinfo", "user_version"})
_ALLOWED: Final = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)


def sqlite(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a query on an sqlite file returns the rows that are asked."""
    path = asked["path"]
    data = regular(tree, path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy.db")
        copy.write_bytes(data)
        for ending in _BESIDE:
            if isinstance(beside := tree.get(path + ending), File):
                Path(folder, "copy.db" + ending).write_bytes(beside.data)
        try:
            rows = _rows(copy, asked["query"])
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError) as error:
            raise UnmetError(f"{path}: the query {asked['query']!r:.120} fails: {error!s:.200}") from error
    what, tolerance = f"{path}: {asked['query']:.120}: rows", asked.get("tolerance", 0.0)
    if asked.get("any_order"):
        check_items(what, rows, asked["rows"], tolerance)
    else:
        check_value(what, rows, asked["rows"], tolerance)


def _rows(file: Path, query: str) -> list[list[Any]]:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(_reads_only)
        steps = [0]

        def count() -> int:
            steps[0] += _STEPS_EACH
            return steps[0] > _STEPS

        connection.set_progress_handler(count, _STEPS_EACH)
        rows = connection.execute(query).fetchmany(_MOST_ROWS + 1)
        return [[_value(value) for value in row] for row in rows]
    finally:
        connection.close()


def _reads_only(action: int, one: str | None, two: str | None, *_place: str | None) -> int:
    allowed = action in _ALLOWED
    allowed = allowed or (action == sqlite3.SQLITE_FUNCTION and (two or "").lower() != "load_extension")
    # SQLite says so when it declares the table that a PRAGMA is read as; nothing can be written here
    allowed = allowed or (action == sqlite3.SQLITE_UPDATE and one == "sqlite_master")
    allowed = allowed or (action == sqlite3.SQLITE_PRAGMA and (one or "").lower() in _PRAGMAS | _FACTS)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _value(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
