"""What a change of a site's data is in words: which rows are new, gone or other than before, called by what names them.

A change can be told if every row that it is about has a name that no other row of its table has, and every cell of it
either has words or follows from others. Sites that `_TOLD` does not know are told by the names of tables and columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from palestra.envs.base import Json
from palestra.envs.web.site import Data, Site

_LABELS: Final = ("name", "title", "subject", "label")  # columns that name a row where nothing is known of its table


@dataclass(frozen=True, slots=True)
class Told:
    """How changes of one table are told.

    Attributes:
        row: names a row, of its cells, its ``id``, and what its site has it ``called``.
        cells: by column, what a value is told as: by the value's text, or ``*`` for all others. "" follows by itself.
        made: tells a new row; "" if it cannot be told.
        gone: tells that a row is no longer there; "" if it cannot be told.
        others: by column that holds a row's id, the table of it; it is told by that row's name.
        after: a table, and a column of both: a new row follows by itself from a changed one there with the same value.
        otherwise: by column that a new row may lack, what is told then.
    """

    row: str
    cells: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    made: str = ""
    gone: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, str] | None = None
    otherwise: Mapping[str, str] = field(default_factory=dict)


_AS_IT_IS: Final = {"*": ""}
_TOLD: Final[Mapping[str, Mapping[str, Told]]] = {
    "admin": {
        "people": Told(
            row='the record of "{name}"',
            cells={
                "name": {"*": 'the name is to be "{}"'},
                "team": {"*": "the team is to be {}"},
                "role": {"*": "the role is to be {}"},
                "city": {"*": 'the city is to be "{}"', "": "no city is to stand there"},
                "hours": {"*": "the hours a week are to be {}"},
                "active": {"True": "it is to be active", "False": "it is to be no longer active"},
            },
            made='Enter a new person: name "{name}", team {team}, role {role}, city "{city}", {hours} hours a week, '
            "active: {active}",
            gone="Delete {row}",
        )
    },
    "bank": {
        "accounts": Told(
            row="{called}",
            cells={
                "balance": _AS_IT_IS,
                "limit": {"*": "set its limit to EUR {}"},
                "locked": {"True": "lock it", "False": "unlock it"},
            },
        ),
        "bookings": Told(
            row="the booking {id}",
            made='Transfer EUR {paid} from {account} to {with}, with this reference: "{note}"',
            others={"account": "accounts"},
        ),
    },
    "calendar": {
        "events": Told(
            row='the event "{title}" on {day} {month} at {hour}',
            cells={
                "title": {"*": 'rename it to "{}"'},
                "month": {"*": "put it into {}"},
                "day": {"*": "put it on the day {} of the month"},
                "hour": {"*": "let it begin at {}"},
                "room": {"*": "its place is to be: {}"},
            },
            made='Enter an event "{title}" on {day} {month} at {hour}; its place is: {room}',
            gone="Delete {row}",
            after=("invitations", "title"),
        ),
        "invitations": Told(
            row='the invitation to "{title}"',
            cells={"answer": {"accepted": "accept it", "declined": "decline it"}},
        ),
    },
    "courses": {
        "enrolments": Told(
            row="{called}", made="Enrol in the course {called} with the plan: {plan}", gone="Leave the course {called}"
        ),
        "exams": Told(row="{called}", made="Book the exam of {called} for the day {day} of the month at {hour}"),
        "reviews": Told(
            row="{called}",
            made='Review {called} with {stars} stars and the words "{words}" (with your name: {named})',
        ),
    },
    "files": {
        "files": Told(
            row='the file "{name}"',
            cells={
                "name": {"*": 'rename it to "{}"'},
                "folder": {"*": "move it to the folder {}", "Trash": "throw it away"},
                "shared": {"*": "share it with {}", "": "share it with nobody"},
            },
        )
    },
    "flights": {
        "bookings": Told(
            row="the booking {id} of {name}", cells={"seat": {"*": "the seat is to be: {}"}}, gone="Cancel {row}"
        )
    },
    "forum": {
        "threads": Told(
            row='the thread "{title}" (board {board})', made='Open a thread "{title}" on the board {board}'
        ),
        "posts": Told(
            row="the post of {by} in {thread}",
            cells={"voted": {"True": "vote for it", "False": "take your vote back"}, "votes": _AS_IT_IS},
            made='Write the post "{text}" in {thread}',
            others={"thread": "threads"},
        ),
        "reports": Told(row="the report {id}", made="Report {post}; the reason is: {why}", others={"post": "posts"}),
        "users": Told(
            row="the user {id}",
            cells={
                "city": {"*": 'the city of the profile is to be "{}"', "": "no city is to stand in the profile"},
                "followed": {"True": "follow this user", "False": "follow this user no longer"},
            },
        ),
    },
    "home": {
        "devices": Told(
            row="the {name} ({room})",
            cells={
                "level": {"*": "set its level to {} percent"},
                "on": {"True": "switch it on", "False": "switch it off"},
            },
        ),
        "timers": Told(
            row="the timer of {device} at {hour}",
            made="Add a timer: {device} is to be set to {level} percent at {hour} (on Sundays: {sunday})",
            gone="Delete {row}",
            others={"device": "devices"},
            otherwise={"sunday": "yes"},
        ),
    },
    "inbox": {
        "messages": Told(
            row='the message "{subject}" from {from}',
            cells={
                "starred": {"True": "put a star on it", "False": "take its star away"},
                "folder": {"*": "move it to the folder {}", "Trash": "delete it"},
            },
            made='Send a message to {to} with the subject "{subject}" and this text: "{body}"',
        )
    },
    "library": {
        "books": Told(row='"{title}"'),
        "loans": Told(
            row="the loan of {book}",
            cells={"renewed": {"True": "renew it"}, "weeks": _AS_IT_IS},
            gone="Give back {book}",
            others={"book": "books"},
        ),
        "reservations": Told(row="", made="Reserve {id}, to be fetched at: {branch}", others={"id": "books"}),
    },
    "registration": {"registrations": Told(row="", made="Register for the conference: {cells}")},
    "shop": {
        "orders": Told(
            row="", made="Order {items}, to be sent to {name}, {street}, {city}; the way of delivery is: {way}"
        )
    },
    "tickets": {
        "tickets": Told(
            row='the ticket "{subject}" of {customer}',
            cells={
                "agent": {"*": "its agent is to be: {}"},
                "state": {"*": "its state is to be: {}"},
                "priority": {"*": "its priority is to be: {}"},
                "note": {"*": 'its note is to be "{}"', "": "no note is to stand on it"},
            },
        )
    },
}


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
        self._site, self._start, self._called_by = _TOLD.get(site.name, {}), start, site.called
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
