"""Rows of a database are written to a file: which, in what order, in what format."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.databases_tables import Content, Row, described, rows_of, taken
from palestra.envs.terminal.operators.drawing import Desk, Drawn, csv_of, missed
from palestra.envs.terminal.step import Artefact, Operator, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("Write rows of a table to a file.", "A colleague needs some rows of a database as a file."),
    True: ("Extract rows from a database.", "Some rows of a table are wanted outside of the database."),
}
_OUTPUTS: Final = {False: ("extract", "rows", "selection"), True: ("excerpt", "found", "picked")}
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:@-]+")


def _columns(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Return the columns of integers other than id, and of texts that need no quotes, that have several values."""
    numbers, texts = [], []
    for name in rows[0]:
        values = [row[name] for row in rows]
        if len({*values}) < 2 or name == "id":
            continue
        if all(type(value) is int for value in values):
            numbers.append(name)
        elif all(isinstance(value, str) and _PLAIN.fullmatch(value) for value in values):
            texts.append(name)
    return numbers, texts


def _usable(held: Content) -> list[str]:
    whole = re.compile(r"[a-z][a-z_0-9]*")
    return [
        name
        for name, rows in held.items()
        if rows and all(_columns(rows)) and len(rows) > 3 and all(map(whole.fullmatch, rows[0]))
    ]


def _attempt(desk: Desk) -> Step | None:
    path, held, starts = taken(desk.given, desk.draws, desk.folder, desk.knobs, heldout=desk.heldout)
    if not (tables := _usable(held)):
        return None
    table = desk.draws.pick(tables)
    rows = held[table]
    numbers, texts = _columns(rows)
    number, word = desk.draws.pick(numbers), desk.draws.pick(texts)
    kind, order = desk.draws.pick(("over", "equal", "other", "both")), desk.draws.pick(("rising", "falling", "words"))
    style = desk.draws.pick(("csv", "tsv", "json"))
    limit, value = desk.draws.pick(rows)[number], desk.draws.pick(rows)[word]
    columns = [word, number, *(["id"] if "id" in rows[0] else [])]
    out = desk.path(f"{desk.of(_OUTPUTS)}.{style}")

    where = {
        "over": f"{number} > {limit}",
        "equal": f"{word} = '{value}'",
        "other": f"{word} <> '{value}'",
        "both": f"{word} <> '{value}' AND {number} >= {limit}",
    }
    keep = {
        "over": lambda row: row[number] > limit,
        "equal": lambda row: row[word] == value,
        "other": lambda row: row[word] != value,
        "both": lambda row: row[word] != value and row[number] >= limit,
    }[kind]
    rest = [column for column in (word, "id") if column in columns]
    by = {"rising": [number, *rest], "falling": [number, *rest], "words": [word, number, *rest[1:]]}[order]
    found = sorted(filter(keep, rows), key=lambda row: [row[column] for column in by[1:]])
    found.sort(key=lambda row: row[by[0]], reverse=order == "falling")
    values = [[row[column] for column in columns] for row in found]
    if len(found) < 2:
        return None

    def sql(where: str, by: Sequence[str], columns: Sequence[str]) -> str:
        falling = " DESC" if order == "falling" else ""
        ordered = f" ORDER BY {by[0]}{falling}{''.join(f', {one}' for one in by[1:])}" if by else ""
        return f"SELECT {', '.join(columns)} FROM {table} WHERE {where}{ordered}"

    right = sql(where[kind], by, columns)
    loose = {"over": f"{number} >= {limit}", "equal": "1", "other": "1", "both": f"{number} >= {limit}"}[kind]
    wrong = {
        "takes rows too many": sql(loose, by, columns),
        "has no order": sql(where[kind], (), columns),
        "has the columns in another order": sql(where[kind], by, columns[::-1]),
    }
    checks: tuple[Json, ...] = (_check(out, style, columns, values, strict=desk.knobs.strict),)

    def leaving(query: str, columns: Sequence[str]) -> Any:
        return lambda tree: tree.put(out, _text(style, columns, rows_of(tree.data(path), query)))

    names = {name: columns[::-1] if "columns" in name else columns for name in wrong}
    before = starts if starts else Tree()
    if desk.given is None:
        failing = missed(checks, before, {name: leaving(query, names[name]) for name, query in wrong.items()})
        wrong = {name: query for name, query in wrong.items() if name in failing}
    elif len(values) > 1:
        wrong.pop("takes rows too many")
        wrong["takes all but one"] = f"{right} LIMIT {len(values) - 1}"
        wrong.pop("has no order")
        if style == "json":  # where the order of keys means nothing
            wrong.pop("has the columns in another order")
            wrong["leaves the first out"] = f"{right} LIMIT -1 OFFSET 1"
    if len(wrong) < 2:
        return None
    told = {
        "over": f"whose `{number}` is greater than {limit}",
        "equal": f"whose `{word}` is `{value}`",
        "other": f"whose `{word}` is not `{value}`",
        "both": f"whose `{word}` is not `{value}` and whose `{number}` is at least {limit}",
    }[kind]
    ties = "".join(f", then by `{one}` ascending" for one in by[1:])
    text = (
        f"{desk.of(_OPENINGS)} The SQLite database `{path}` has {described(held)}. Write to `{out}` the columns "
        f"{', '.join(f'`{one}`' for one in columns)}, in this order, of the rows of `{table}` {told}. The rows are in "
        f"the order of `{by[0]}` {'descending' if order == 'falling' else 'ascending'}{ties}; texts are compared by "
        f"their bytes. {_STYLES[style]} Leave the database as it is."
    )
    gives = Artefact("table", out, [dict(zip(columns, map(str, one), strict=True)) for one in values], "exported rows")
    return Step(
        operator="",
        choices=(kind, order, style),
        text=text + (_STRICT if desk.knobs.strict and style != "json" else ""),
        starts=starts,
        effect=lambda tree: tree.put(out, _text(style, columns, values)),
        solve=_bash(path, out, style, right),
        checks=checks,
        wrong={name: _bash(path, out, style, query) for name, query in wrong.items()},
        makes=() if style == "json" else (out,),
        keeps=(path,) if desk.given is None else (),
        tools=("sqlite3",),
        gives=gives if style == "csv" else None,
    )


_STRICT: Final = " The file is compared byte for byte: every line, the last one too, ends with one newline."
_STYLES: Final = {
    "csv": "The file is CSV, and its first line has the names of the columns.",
    "tsv": "The file has a line for each row, with a tab between values and no line for the names of the columns.",
    "json": "The file is a JSON list with an object for each row, whose keys are the names of the columns.",
}


def _text(style: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> str:
    if style == "json":
        return json.dumps([dict(zip(columns, row, strict=True)) for row in values]) + "\n"
    return csv_of([columns, *values]) if style == "csv" else csv_of(values).replace(",", "\t")


def _bash(path: str, out: str, style: str, query: str) -> str:
    options = {"csv": "-csv -header", "tsv": "-tabs", "json": "-json"}[style]
    return f"sqlite3 {options} {path} \"{query}\" | tr -d '\\r' > {out}"


def _check(out: str, style: str, columns: Sequence[str], values: Sequence[Sequence[Any]], *, strict: bool) -> Json:
    if style == "json":
        return {
            "kind": "json",
            "group": 0,
            "path": out,
            "equals": [dict(zip(columns, row, strict=True)) for row in values],
        }
    text = _text(style, columns, values)
    if strict:
        return {"kind": "file", "group": 0, "path": out, "equals": text}
    if style == "tsv":
        return {"kind": "file", "group": 0, "path": out, "lines": text.splitlines()}
    return {"kind": "csv", "group": 0, "path": out, "rows": [line.split(",") for line in text.splitlines()]}


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("databases_exports", "databases", "database", _attempt),)
