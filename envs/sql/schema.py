"""Tables, their columns and what they mean in words; a database is its tables' rows, as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from palestra.envs.base import Json

Kind = Literal["int", "real", "text", "date"]
Value = int | float | str | None
Row = dict[str, Value]
Database = Mapping[str, Sequence[Sequence[Value]]]  # rows by table, their values in the order of its columns

_TYPES: Mapping[Kind, str] = {"int": "INTEGER", "real": "REAL", "text": "TEXT", "date": "TEXT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name, its meaning and the values that it takes."""

    name: str
    words: str  # "number of pages"
    kind: Kind
    values: tuple[Value, ...] = ()  # what rows are drawn from; none for keys
    is_optional: bool = False  # may be missing in a row
    links: str = ""  # the key of the table that it names a row of
    role: str = ""  # what that row is called: "author"

    @property
    def is_key(self) -> bool:
        """Whether it names rows, of its own table or of another."""
        return bool(self.links) or self.name == "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table whose rows are things of one sort."""

    key: str  # what it is called in its domain: "book"
    name: str  # in SQL, such as "books"
    noun: str
    plural: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def links(self) -> tuple[Column, ...]:
        """The columns that name rows of other tables."""
        return tuple(column for column in self.columns if column.links)


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one task, parents before children."""

    domain: str
    tables: tuple[Table, ...]

    def table(self, key: str) -> Table:
        """Return a table by its key."""
        return next(table for table in self.tables if table.key == key)

    def ddl(self, *, told: bool = True) -> str:
        """Return the statements that make the tables; `told` says what columns mean, in comments."""
        return "\n\n".join(self._ddl(table, told) for table in self.tables)

    def _ddl(self, table: Table, told: bool) -> str:
        lines = []
        for number, column in enumerate(table.columns):
            line = f"  {column.name} {_TYPES[column.kind]}"
            if column.name == "id":
                line += " PRIMARY KEY"
            elif not column.is_optional:
                line += " NOT NULL"
            if column.links:
                line += f" REFERENCES {self.table(column.links).name}(id)"
            line += "," * (number + 1 < len(table.columns))
            lines.append(line + (f" -- {_comment(column)}" if told else ""))
        return f"CREATE TABLE {table.name} (\n" + "\n".join(lines) + "\n);"

    def to_json(self) -> Json:
        """Return what the engine needs to make the tables."""
        return {table.name: [column.name for column in table.columns] for table in self.tables}


def _comment(column: Column) -> str:
    return f"{column.words}, as YYYY-MM-DD" if column.kind == "date" else column.words
