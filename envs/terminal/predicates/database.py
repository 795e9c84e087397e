"""The predicate on databases: one query on a copy of the file, which may only read."""

import base64
import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from palestra.envs.terminal.predicates.content import Predicate, UnmetError, check_items, check_value, regular
from palestra.envs.terminal.tree import File, Tree

_STEPS: Final = 20_000_000  # of SQLite's virtual machine
_STEPS_EACH: Final = 10_000
_MOST_ROWS: Final = 10_000
_BESIDE: Final = ("-wal", "-journal")  # what a program that was ended may have left of a transaction
_LOGGED, _PLAIN = b"\2\2", b"\1\1"  # in a header: a log is written ahead, which memory cannot have; or not
_PRAGMAS: Final = frozenset({"foreign_key_check", "foreign_key_list", "index_info", "index_list", "integrity_check"})
_FACTS: Final = frozenset({"application_id", "table_info", "table_list", "table_xinfo", "user_version"})
_ALLOWED: Final = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)


def sqlite(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a query on an sqlite file returns the rows that are asked."""
    path = asked["path"]
    data = regular(tree, path)
    beside = {ending: node.data for ending in _BESIDE if isinstance(node := tree.get(path + ending), File)}
    try:
        with _opened(data, beside) as connection:
            rows = _rows(connection, asked["query"])
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError) as error:
        raise UnmetError(f"{path}: the query {asked['query']!r:.120} fails: {error!s:.200}") from error
    what, tolerance = f"{path}: {asked['query']:.120}: rows", asked.get("tolerance", 0.0)
    if asked.get("any_order"):
        check_items(what, rows, asked["rows"], tolerance)
    else:
        check_value(what, rows, asked["rows"], tolerance)


@contextlib.contextmanager
def _opened(data: bytes, beside: Mapping[str, bytes]) -> Iterator[sqlite3.Connection]:
    """Open a copy of a database: in memory, unless what lies beside it may have to be written into it first."""
    with contextlib.ExitStack() as stack:
        if beside:
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory()), "copy.db")
            for ending, content in {"": data, **beside}.items():
                Path(f"{copy}{ending}").write_bytes(content)
            connection = stack.enter_context(contextlib.closing(sqlite3.connect(copy, isolation_level=None)))
        else:
            connection = stack.enter_context(contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)))
            if data:  # an empty file is an empty database
                is_logged = data[18:20] == _LOGGED
                connection.deserialize(data[:18] + _PLAIN + data[20:] if is_logged else data)
        yield connection


def _rows(connection: sqlite3.Connection, query: str) -> list[list[Any]]:
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


def _reads_only(action: int, one: str | None, two: str | None, *_place: str | None) -> int:
    allowed = action in _ALLOWED
    allowed = allowed or (action == sqlite3.SQLITE_FUNCTION and (two or "").lower() != "load_extension")
    # SQLite says so when it declares the table that a PRAGMA is read as; nothing can be written here
    allowed = allowed or (action == sqlite3.SQLITE_UPDATE and one == "sqlite_master")
    allowed = allowed or (action == sqlite3.SQLITE_PRAGMA and (one or "").lower() in _PRAGMAS | _FACTS)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _value(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
