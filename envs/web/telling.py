"""What a change of a site's data is in words: which rows are new, gone or other than before, called by what names them.

A change can be told if every row that it is about has a name that no other row of its table has, and every cell of it
either has words or follows from others. Sites of which `palestra.envs.web.phrases` knows nothing are told by the names
of tables and columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.web.phrases import TOLD, Told
from palestra.envs.web.site import Data, Site

_LABELS: Final = ("name", "title", "subject", "label")  # columns that name a row where nothing is known of its table


class NotTold(ValueError):
    """A change cannot be told in words that leave no doubt; the message says why."""


def told(site: Site, start: Data, changes: Mapping[str, Json]) -> tuple[str, ...]:
    """Return what is to be done so that these cells change, one sentence without its full stop for each row.

    Args:
        site: where.
        start: its data before.
        changes: as `palestra.envs.web.site.changes` returns them.

    Raises:
        NotTold: a row has no name of its own, or a cell no words.
    """
    return tuple(sentence[0].upper() + sentence[1:] for sentence in _Telling(site, start, changes).sentences())


class _Telling:
    def __init__(self, site: Site, start: Data, changes: Mapping[str, Json]) -> None:
        self._site, self._start, self._called_by = TOLD.get(site.name, {}), start, site.called
        self._rows: dict[tuple[str, str], dict[str, Json] | None] = {}  # by table and row, the cells that change
        for cell, value in changes.items():
            table, row, *column = cell.split("/")
            if not column:
                self._rows[table, row] = None
            else:
                cells = self._rows.setdefault((table, row), {})
                if cells is not None:
                    cells["/".join(column)] = value

    def sentences(self) -> Iterator[str]:
        """Yield what is told of each row."""
        tables = list(self._site)
        for (table, row), cells in sorted(self._rows.items(), key=lambda item: _in_order(tables, item[0])):
            how, is_new = self._how(table), row not in self._start.get(table, {})
            if cells is None:
                yield self._gone(how, table, row)
            elif is_new:
                if not self._follows(how, cells):
                    yield self._made(how, table, row, cells)
            elif parts := list(self._changed(how, table, cells)):
                yield f"{self._called(table, row)}: {'; '.join(parts)}"

    def _how(self, table: str) -> Told:
        return self._site.get(table) or self._plain(table)

    def _plain(self, table: str) -> Told:
        """Return how a table is told of which nothing is known."""
        if self._site:
            raise NotTold(f"changes of {table} are not told")
        rows = self._start.get(table, {})
        columns = list(next(iter(rows.values()))) if rows else []
        label = next((one for one in _LABELS if one in columns), "")
        if not label:
            raise NotTold(f"rows of {table} have no names")
        cells = {column: {"*": f'{column.replace("_", " ")} is to be "{{}}"'} for column in columns}
        what = table.replace("_", " ")
        row = f'"{{{label}}}" (of the {what})'
        return Told(row=row, cells=cells, made=f"Enter anew, of the {what}: {{cells}}", gone="Remove {row}")

    def _gone(self, how: Told, table: str, row: str) -> str:
        if not how.gone:
            raise NotTold(f"that a row of {table} is gone is not told")
        name = self._called(table, row)
        return how.gone.format(**{**self._words(how, table, row, self._start[table][row]), "row": name})

    def _changed(self, how: Told, table: str, cells: Mapping[str, Json]) -> Iterator[str]:
        for column, value in cells.items():
            words = how.cells.get(column, {})
            phrase = words.get(str(value), words.get("*"))
            if phrase is None:
                raise NotTold(f"that {column} of {table} becomes {value!r} is not told")
            if phrase:
                yield phrase.format(value)

    def _made(self, how: Told, table: str, row: str, cells: Mapping[str, Json]) -> str:
        if not how.made:
            raise NotTold(f"a new row of {table} is not told")
        listed = ", ".join(f'{column} "{value}"' for column, value in cells.items())
        try:
            return how.made.format(**{**self._words(how, table, row, cells), "cells": listed})
        except KeyError as error:
            raise NotTold(f"a new row of {table} has no {error}") from error

    def _follows(self, how: Told, cells: Mapping[str, Json]) -> bool:
        if how.after is None:
            return False
        table, column = how.after
        rows = [self._start[table][row] for where, row in self._rows if where == table and row in self._start[table]]
        return cells.get(column) in [row[column] for row in rows]

    def _words(self, how: Told, where: str, row: str, cells: Mapping[str, Json]) -> dict[str, str]:
        """Return what stands for each cell of a row in a text."""
        words = {name: _plainly(value) for name, value in {**how.otherwise, **cells}.items()}
        words |= {"id": row, "called": self._called_by(where, row)}
        for column, table in how.others.items():
            words[column] = self._called(table, words[column])
        if isinstance(amount := cells.get("amount"), int):
            if amount >= 0:
                raise NotTold("nobody can be asked to be paid")
            words["paid"] = str(-amount)
        return words

    def _called(self, table: str, row: str) -> str:
        """Return a row's name, which no other row of its table has."""
        if row not in self._start.get(table, {}):
            return self._name(table, row, dict(self._rows.get((table, row)) or {}))
        rows = self._start[table]
        name = self._name(table, row, rows[row])
        if any(self._name(table, other, cells) == name for other, cells in rows.items() if other != row):
            raise NotTold(f"several rows of {table} are {name}")
        return name

    def _name(self, table: str, row: str, cells: Mapping[str, Json]) -> str:
        how = self._how(table)
        words = {name: _plainly(value) for name, value in cells.items()}
        words |= {"id": row, "called": self._called_by(table, row)}
        for column, other in how.others.items():
            found = self._start.get(other, {}).get(words[column]) or self._rows.get((other, words[column])) or {}
            words[column] = self._name(other, words[column], found)
        try:
            name = how.row.format(**words)
        except KeyError as error:
            raise NotTold(f"a row of {table} has no {error}") from error
        if not name:
            raise NotTold(f"rows of {table} have no names")
        return name


def _plainly(value: Json) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _in_order(tables: Sequence[str], where: tuple[str, str]) -> tuple[int, str, int, str]:
    table, row = where
    at = tables.index(table) if table in tables else len(tables)
    return at, table, int(row) if row.isdecimal() and row.isascii() else 0, row
