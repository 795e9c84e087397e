"""A CSV file becomes a table: with types, and with rows that are not to be taken."""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Final

from palestra.envs.terminal.operators.databases_tables import Row, asks, content, database, domain, holds, script
from palestra.envs.terminal.operators.drawing import Desk, Drawn, csv_of
from palestra.envs.terminal.step import Artefact, Operator, Step
from palestra.envs.terminal.tree import Folder, Tree

_OPENINGS: Final = {
    False: ("Import a CSV file into a database.", "Put the rows of a CSV file into an SQLite table."),
    True: ("Load a CSV file into SQLite.", "A CSV file is to become a table."),
}
_FILES: Final = {False: ("store.db", "data.db", "books.db"), True: ("archive.db", "ledger.db", "stock.db")}
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
_ROWS: Final = {"first": "MIN", "last": "MAX"}
_BAD: Final = {"junk": ("n/a", "unknown", "-"), "empty": ("",)}


def _attempt(desk: Desk) -> Step | None:
    if desk.given is not None:
        return _plain(desk, desk.given)
    about = domain(desk.draws, heldout=desk.heldout)
    rows = content(desk.draws, about, desk.knobs)[about.children]
    columns = list(rows[0])
    bad, again = desk.draws.pick(("junk", "empty")), desk.draws.pick(("first", "last", "none"))
    treat = desk.draws.pick(("skip", "null"))
    lines = _spoilt(desk, rows, about.amount, bad, again)
    source, path = desk.path(f"{about.children}.csv"), desk.path(desk.of(_FILES))
    table = about.children
    starts = Tree().put(source, csv_of([columns, *(list(line.values()) for line in lines)]))
    kept = _kept(lines, about.amount, treat, again)
    told = f"`{about.amount}` is {'empty' if bad == 'empty' else 'no integer'} in some rows: " + (
        "leave these rows out." if treat == "skip" else "it is NULL for these rows."
    )
    if again != "none":
        told += f" Where an `id` occurs more than once, only the {again} of its rows counts."
    numbers = [name for name in columns if isinstance(rows[0][name], int)]
    text = (
        f"{desk.of(_OPENINGS)} Make the SQLite database `{path}` with one table `{table}` of the rows of `{source}`, "
        f"whose header names the columns. Columns {_listed(numbers)} are of type INTEGER and hold integers, the others "
        f"of type TEXT; `id` is the primary key. {told} Leave `{source}` as it is."
    )
    doubtful = about.amount if treat == "null" else ""

    def taking(again: str) -> str:
        choice = _choice(about.amount, treat, again)
        return _bash(path, source, table, columns, numbers, choice, doubtful=doubtful, primary=True)

    wrong = {
        "takes every value as it is": _bash(
            path, source, table, columns, [one for one in numbers if one != about.amount], _choice("", "skip", again)
        ),
        "takes empty and other texts as 0": _bash(path, source, table, columns, numbers, _choice("", "skip", again)),
    }
    if again != "none":
        wrong["takes the other of two rows"] = taking({"first": "last", "last": "first"}[again])
    made = {table: kept}
    types = asks(
        path,
        f"SELECT DISTINCT {', '.join(f'typeof({name})' for name in columns)} FROM {table}",
        sorted({tuple(_typeof(row[name]) for name in columns) for row in kept}),
        any_order=True,
    )
    key = asks(path, f"SELECT name FROM pragma_table_info('{table}') WHERE pk > 0", [["id"]])
    return Step(
        operator="",
        choices=(bad, treat, again),
        text=text,
        starts=starts,
        effect=lambda tree: tree.put(path, database(made)),
        solve=taking(again),
        checks=(*holds(path, made), types, key),
        wrong=wrong,
        keeps=(source,),
        tools=("sqlite3",),
        gives=Artefact("database", path, made, "the imported rows") if treat == "skip" else None,
    )


def _spoilt(desk: Desk, rows: Sequence[Row], amount: str, bad: str, again: str) -> list[Row]:
    """Return rows of which some have no number where one should be, and some come again with another."""
    lines = [dict(row) for row in rows]
    spoilt = desk.draws.shuffled(range(len(lines)))[: desk.draws.between(1, 3)]
    for place in spoilt:
        lines[place][amount] = desk.draws.pick(_BAD[bad])
    if again != "none":
        sound = desk.draws.shuffled([one for one in range(len(lines)) if one not in spoilt])
        for place in sorted(sound[:2], reverse=True):  # what is put after one leaves those before it in their places
            other = {**lines[place], amount: lines[place][amount] + desk.draws.between(1, 4)}
            lines.insert(desk.draws.between(place + 1, len(lines)), other)
    return lines


def _plain(desk: Desk, given: Artefact) -> Step | None:
    """Return the step that imports a table that an earlier step made."""
    columns = list(given.content[0])
    values = {name: [row[name] for row in given.content] for name in columns}
    numbers = [name for name in columns if all(map(_INTEGER.fullmatch, values[name]))]
    path, table = desk.path(desk.of(_FILES)), desk.draws.pick(("entries", "items", "facts"))
    unique = "distinct" if desk.draws.chance(0.5) else "all"
    rows = [{name: int(row[name]) if name in numbers else row[name] for name in columns} for row in given.content]
    made = [row for place, row in enumerate(rows) if unique == "all" or row not in rows[:place]]
    if not _can_be(columns) or len(made) < 2 or not all(re.fullmatch(r"[^\"\r\n]*", one) for one in columns):
        return None
    choice = "SELECT DISTINCT {0} FROM stage ORDER BY rowid" if unique == "distinct" else "SELECT {0} FROM stage"
    text = (
        f"{desk.of(_OPENINGS)} Make the SQLite database `{path}` with one table `{table}` of the rows of "
        f"`{given.path}`, whose header names the columns. "
        + (f"Columns {_listed(numbers)} are of type INTEGER and hold integers, others TEXT. " if numbers else "")
        + ("All columns are of type TEXT. " if not numbers else "")
        + ("Rows that are alike in all columns are taken once." if unique == "distinct" else "Take every row.")
    )
    wrong = {
        "takes no more than one row": _bash(path, given.path, table, columns, numbers, f"{choice} LIMIT 1"),
        "takes the header as a row": _bash(path, given.path, table, columns, numbers, choice, header=True),
    }
    types = ", ".join(f"typeof({name})" for name in columns)
    kinds = [["integer" if name in numbers else "text" for name in columns]]
    return Step(
        operator="",
        choices=("table", unique, "typed" if numbers else "texts"),
        text=text,
        starts=Tree().put(desk.folder, Folder()),
        effect=lambda tree: tree.put(path, database({table: made}, keyless=True)),
        solve=_bash(path, given.path, table, columns, numbers, choice),
        checks=(
            *holds(path, {table: made}),
            asks(path, f"SELECT DISTINCT {types} FROM {table}", kinds),
        ),
        wrong=wrong,
        tools=("sqlite3",),
        gives=Artefact("database", path, {table: made}, given.about) if "id" not in columns else None,
    )


def _kept(lines: Sequence[Mapping[str, Any]], amount: str, treat: str, again: str) -> list[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for line in lines:
        row = dict(line)
        if not isinstance(row[amount], int):
            if treat == "skip":
                continue
            row[amount] = None
        if again != "first" or row["id"] not in found:
            found[row["id"]] = row
    return list(found.values())


def _choice(amount: str, treat: str, again: str) -> str:
    """Return the SELECT, in which {0} stands for the columns, of what is to be taken; no amount: whatever it is."""
    clauses = [f"{amount} GLOB '[0-9]*'"] if amount and treat == "skip" else []
    if again != "none":
        among = f" WHERE {clauses[0]}" if clauses else ""
        clauses.append(f"rowid IN (SELECT {_ROWS[again]}(rowid) FROM stage{among} GROUP BY id)")
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    return f"SELECT {{0}} FROM stage{where}"


def _bash(
    path: str,
    source: str,
    table: str,
    columns: Sequence[str],
    numbers: Sequence[str],
    choice: str,
    *,
    doubtful: str = "",
    primary: bool = False,
    header: bool = False,
) -> str:
    kinds = [f"{name} {'INTEGER' if name in numbers else 'TEXT'}" for name in columns]
    if primary:
        kinds = [f"{kind} PRIMARY KEY" if kind == "id INTEGER" else kind for kind in kinds]
    stage = ", ".join(f"{name} TEXT" for name in columns)
    reads = {name: f"CAST({name} AS INTEGER)" if name in numbers else name for name in columns}
    if doubtful:
        reads[doubtful] = f"CASE WHEN {doubtful} GLOB '[0-9]*' THEN {reads[doubtful]} END"
    read = ", ".join(reads.values())
    return script(
        path,
        f"CREATE TABLE stage ({stage});\n.import --csv {'' if header else '--skip 1 '}{source} stage\n"
        f"CREATE TABLE {table} ({', '.join(kinds)});\nINSERT INTO {table} {choice.format(read)};\nDROP TABLE stage;",
    )


def _can_be(columns: Sequence[str]) -> bool:
    """Return whether SQL takes names as those of columns, without quotes."""
    if not all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in columns) or len({*columns}) < len(columns):
        return False
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(f"CREATE TABLE stage ({', '.join(f'{name} TEXT' for name in columns)})")
    except sqlite3.Error:
        return False
    return True


def _typeof(value: object) -> str:
    return "null" if value is None else "integer" if isinstance(value, int) else "text"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("databases_imports", "databases", "table", _attempt),)
