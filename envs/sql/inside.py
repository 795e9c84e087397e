"""What runs in the sandbox: build a database in memory, run one query on it that may only read, print its rows.

The text comes from an agent. It is limited by counts that are the same on every machine: steps of the engine, rows,
characters, memory. The sandbox limits time besides, and everything else. Nothing printed is a verdict.
"""

import json
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

STEPS = 5_000_000  # of SQLite's virtual machine
STEPS_EACH = 1_000  # between two looks at how many were done
LONGEST_VALUE = 10_000  # bytes of a text, a blob or a row
LONGEST_PATTERN = 50  # of LIKE and GLOB, whose cost grows with each wildcard
LONGEST_SQL = 20_000
MOST_ROWS = 1_000
MOST_CHARACTERS = 200_000  # of the printed rows
HEAP_BYTES = 32 * 1024 * 1024
FUNCTIONS = frozenset(
    [
        "abs",
        "avg",
        "coalesce",
        "count",
        "cume_dist",
        "date",
        "datetime",
        "dense_rank",
        "first_value",
        "format",
        "glob",
        "group_concat",
        "hex",
        "ifnull",
        "iif",
        "instr",
        "julianday",
        "lag",
        "last_value",
        "lead",
        "length",
        "like",
        "likelihood",
        "likely",
        "lower",
        "ltrim",
        "max",
        "min",
        "nth_value",
        "ntile",
        "nullif",
        "percent_rank",
        "printf",
        "quote",
        "rank",
        "replace",
        "round",
        "row_number",
        "rtrim",
        "sign",
        "strftime",
        "substr",
        "substring",
        "sum",
        "time",
        "total",
        "trim",
        "typeof",
        "unicode",
        "unixepoch",
        "unlikely",
        "upper",
        "char",
    ]
)
CLOCKED = ("date", "time", "datetime", "julianday", "strftime", "unixepoch")
CLOCK_WORDS = frozenset({"now", "localtime", "utc"})


def main() -> None:
    """Read what to do from stdin and print ``{"columns": [names], "rows": [...]}`` or ``{"error": "..."}``."""
    asked = json.load(sys.stdin)
    connection = build(asked["schema"], asked["database"])
    try:
        told = answer(connection, asked["sql"])
    except MemoryError:
        told = {"error": "out of memory"}
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        told = {"error": str(error)[:400].encode("utf-8", "replace").decode()}
    print(json.dumps(told))


def build(schema: str, database: dict[str, list[list[Any]]]) -> sqlite3.Connection:
    """Return a connection to a new database in memory that allows nothing but reading it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(schema)
    for table, rows in database.items():
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)
    for name in CLOCKED:
        connection.create_function(name, -1, without_clock(name))
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA hard_heap_limit = {HEAP_BYTES}")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, LONGEST_SQL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, 100)
    connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200)
    connection.setlimit(sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 50)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_PATTERN)
    connection.set_authorizer(reads_only)
    steps = [0]

    def count() -> int:
        steps[0] += STEPS_EACH
        return steps[0] > STEPS

    connection.set_progress_handler(count, STEPS_EACH)
    return connection


def reads_only(action: int, one: str | None, two: str | None, *_place: str | None) -> int:
    """Allow SELECT, recursion, reading the database's own tables, and functions that always return the same."""
    allowed = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE)
    allowed = allowed or (action == sqlite3.SQLITE_READ and not (one or "").lower().startswith(("sqlite_", "pragma_")))
    allowed = allowed or (action == sqlite3.SQLITE_FUNCTION and (two or "").lower() in FUNCTIONS)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def without_clock(name: str) -> Callable[..., Any]:
    """Return a date function of SQLite that refuses to look at the clock or the time zone."""
    plain = sqlite3.connect(":memory:")

    def call(*arguments: Any) -> Any:
        times = arguments[1:] if name == "strftime" else arguments
        if not times or any(isinstance(one, str) and one.strip().lower() in CLOCK_WORDS for one in times):
            raise ValueError("the clock is not to be read")
        marks = ", ".join("?" * len(arguments))
        return plain.execute(f"SELECT {name}({marks})", arguments).fetchone()[0]

    return call


def answer(connection: sqlite3.Connection, sql: str) -> dict[str, Any]:
    """Return the rows of a query, or what is wrong with it."""
    cursor = connection.execute(sql)
    if cursor.description is None:
        return {"error": "that is no query: it returns no columns"}
    rows: list[list[Any]] = []
    characters = 0
    for row in cursor:
        rows.append([{"blob": value.hex()} if isinstance(value, bytes) else value for value in row])
        characters += len(json.dumps(rows[-1]))
        if len(rows) > MOST_ROWS or characters > MOST_CHARACTERS:
            return {"error": f"the result has more than {MOST_ROWS} rows or {MOST_CHARACTERS} characters"}
    return {"columns": [name for name, *_ in cursor.description], "rows": rows}


if __name__ == "__main__":
    main()
