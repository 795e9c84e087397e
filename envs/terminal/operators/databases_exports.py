"""Rows of a database are written to a file: which, in what order, in what format."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Query:
    """Which rows of a table are wanted, in what order, and which columns of them."""

    table: str
    kind: str
    order: str
    style: str  # of the file
    word: str
    number: str
    value: str
    limit: int
    columns: tuple[str, ...]

    @property
    def by(self) -> list[str]:
        """The columns that the rows are sorted by."""
        rest = [column for column in (self.word, "id") if column in self.columns]
        return [self.word, self.number, *rest[1:]] if self.order == "words" else [self.number, *rest]

    def found(self, rows: Sequence[Row]) -> list[list[Any]]:
        """Return what is wanted of rows."""
        keep: dict[str, Callable[[Row], bool]] = {
            "over": lambda row: row[self.number] > self.limit,
            "equal": lambda row: row[self.word] == self.value,
            "other": lambda row: row[self.word] != self.value,
            "both": lambda row: row[self.word] != self.value and row[self.number] >= self.limit,
        }
        first, *rest = self.by
        found = sorted(filter(keep[self.kind], rows), key=lambda row: [row[column] for column in rest])
        found.sort(key=lambda row: row[first], reverse=self.order == "falling")
        return [[row[column] for column in self.columns] for row in found]

    def sql(self, *, is_loose: bool = False, is_sorted: bool = True, backwards: bool = False) -> str:
        """Return the query, or one that is nearly it."""
        number, word = self.number, f"{self.word} <> '{self.value}'"
        where = {
            "over": f"{number} > {self.limit}",
            "equal": f"{self.word} = '{self.value}'",
            "other": word,
            "both": f"{word} AND {number} >= {self.limit}",
        }[self.kind]
        if is_loose:
            where = f"{number} >= {self.limit}" if self.kind in ("over", "both") else "1"
        falling = " DESC" if self.order == "falling" else ""
        ordered = f" ORDER BY {self.by[0]}{falling}{''.join(f', {one}' for one in self.by[1:])}" if is_sorted else ""
        columns = self.columns[::-1] if backwards else self.columns
        return f"SELECT {', '.join(columns)} FROM {self.table} WHERE {where}{ordered}"

    def told(self) -> str:
        """Return what the text says of the rows."""
        return {
            "over": f"whose `{self.number}` is greater than {self.limit}",
            "equal": f"whose `{self.word}` is `{self.value}`",
            "other": f"whose `{self.word}` is not `{self.value}`",
            "both": f"whose `{self.word}` is not `{self.value}` and whose `{self.number}` is at least {self.limit}",
        }[self.kind]

    def sorting(self) -> str:
        """Return what the text says of their order."""
        ties = "".join(f", then by `{one}` ascending" for one in self.by[1:])
        return f"`{self.by[0]}` {'descending' if self.order == 'falling' else 'ascending'}{ties}"


def _query(desk: Desk, held: Content, table: str) -> _Query:
    rows = held[table]
    numbers, texts = _columns(rows)
    number, word = desk.draws.pick(numbers), desk.draws.pick(texts)
    kind, order = desk.draws.pick(("over", "equal", "other", "both")), desk.draws.pick(("rising", "falling", "words"))
    style = desk.draws.pick(("csv", "tsv", "json"))
    columns = (word, number, *(("id",) if "id" in rows[0] else ()))
    limit, value = desk.draws.pick(rows)[number], desk.draws.pick(rows)[word]
    return _Query(table, kind, order, style, word, number, value, limit, columns)


def _attempt(desk: Desk) -> Step | None:
    path, held, starts = taken(desk.given, desk.draws, desk.folder, desk.knobs, heldout=desk.heldout)
    if not (tables := _usable(held)):
        return None
    asked = _query(desk, held, desk.draws.pick(tables))
    style, columns = asked.style, asked.columns
    out = desk.path(f"{desk.of(_OUTPUTS)}.{style}")
    values = asked.found(held[asked.table])
    if len(values) < 2:
        return None
    check = _check(out, style, columns, values, strict=desk.knobs.strict)
    wrong = _near(desk, asked, len(values))
    if desk.given is None:
        effects = {name: _leaving(path, out, query, asked) for name, query in wrong.items()}
        failing = missed((check,), starts, effects)
        wrong = {name: query for name, query in wrong.items() if name in failing}
    if len(wrong) < 2:
        return None
    text = (
        f"{desk.of(_OPENINGS)} The SQLite database `{path}` has {described(held)}. Write to `{out}` the columns "
        f"{', '.join(f'`{one}`' for one in columns)}, in this order, of the rows of `{asked.table}` {asked.told()}. "
        f"The rows are in the order of {asked.sorting()}; texts are compared by their bytes. "
        f"{_STYLES[style]} Leave the database as it is."
    )
    gives = Artefact("table", out, [dict(zip(columns, map(str, one), strict=True)) for one in values], "exported rows")
    return Step(
        operator="",
        choices=(asked.kind, asked.order, style),
        text=text + (_STRICT if desk.knobs.strict and style != "json" else ""),
        starts=starts,
        effect=lambda tree: tree.put(out, _text(style, columns, values)),
        solve=_bash(path, out, style, asked.sql()),
        checks=(check,),
        wrong={name: _bash(path, out, style, query) for name, query in wrong.items()},
        makes=() if style == "json" else (out,),
        keeps=(path,) if desk.given is None else (),
        tools=("sqlite3",),
        gives=gives if style == "csv" else None,
    )


def _near(desk: Desk, asked: _Query, count: int) -> dict[str, str]:
    """Return queries that are almost right, by what is wrong with them; of a given database those that must be."""
    if desk.given is None:
        return {
            "takes rows too many": asked.sql(is_loose=True),
            "has no order": asked.sql(is_sorted=False),
            "has the columns in another order": asked.sql(backwards=True),
        }
    near = {"takes all but one": f"{asked.sql()} LIMIT {count - 1}"}
    if asked.style == "json":  # where the order of keys means nothing
        return {**near, "leaves the first out": f"{asked.sql()} LIMIT -1 OFFSET 1"}
    return {"has the columns in another order": asked.sql(backwards=True), **near}


def _leaving(path: str, out: str, query: str, asked: _Query) -> Callable[[Tree], Tree]:
    columns = asked.columns[::-1] if query == asked.sql(backwards=True) else asked.columns
    return lambda tree: tree.put(out, _text(asked.style, columns, rows_of(tree.data(path), query)))


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
