"""What a domain declares: tables of typed columns, tools that read and write them, policies. No tool is code.

A path speaks of a row: ``city`` is a column of it, ``customer_id.city`` follows the reference first, and
``id`` is the row's id. An expression speaks of a call: its arguments, the rows that they name, the day.
Everything a planner must know of a tool can be read here, and `interpret` carries out nothing else.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from palestra.envs.base import Json, Split
from palestra.envs.tooluse.draw import Draw, Rows

Type = Literal["string", "integer", "number", "boolean"]
ID = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One typed column."""

    name: str
    about: str  # what it holds, as a tool's description tells it
    draw: Draw
    type: Type = "string"
    enum: tuple[str, ...] = ()
    ref: str = ""  # the table whose ids it holds
    is_unique: bool = False
    unit: str = ""  # "USD", "km", "minutes"
    format: Literal["", "date", "time", "email"] = ""

    def schema(self) -> dict[str, Json]:
        """Return the column's values as a JSON Schema."""
        told: dict[str, Json] = {"type": self.type, "description": self.about}
        if self.unit:
            told["description"] += f" ({self.unit})"
        if self.enum:
            told["enum"] = list(self.enum)
        if self.format:
            told["format"] = self.format
        return told


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of one kind, each under an id that says nothing."""

    name: str
    noun: str  # what one row is called in a request
    prefix: str  # of ids: "ord" makes "ord_48213"
    columns: tuple[Column, ...]
    rows: int  # at scale 1
    named_by: tuple[str, ...] = ()  # paths by which a person names a row; together they need not be unique

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}


# -- expressions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arg:
    """The value of an argument; None where an optional one was not given."""

    name: str


@dataclass(frozen=True, slots=True)
class Const:
    """A value that is always the same."""

    value: Json


@dataclass(frozen=True, slots=True)
class Cell:
    """What the row that an argument names holds at a path."""

    arg: str
    path: str


@dataclass(frozen=True, slots=True)
class Today:
    """The world's day, as an ISO date."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Numbers added, or with `sign` -1 the second taken from the first; money stays in cents."""

    left: "Expr"
    right: "Expr"
    sign: Literal[1, -1] = 1


@dataclass(frozen=True, slots=True)
class Product:
    """Two numbers multiplied; money stays in cents."""

    left: "Expr"
    right: "Expr"


Expr = Arg | Const | Cell | Today | Sum | Product


# -- tools -------------------------------------------------------------------------------------

Compare = Literal["equals", "has_words", "at_least", "at_most"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """An argument that narrows the rows that are read."""

    arg: str
    path: str  # of the rows
    compare: Compare = "equals"
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Search:
    """Reads the rows that fit every filter that is given, page by page."""

    name: str
    about: str
    table: str
    filters: tuple[Filter, ...]
    shows: tuple[str, ...]  # paths; "id" is always shown
    page: int = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Get:
    """Reads one row by its id, or by a unique column."""

    name: str
    about: str
    table: str
    arg: str  # "order_id"
    shows: tuple[str, ...]
    by: str = ID


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Total:
    """Reads one number about the rows that fit: how many, or of a column the sum, largest, smallest or mean."""

    name: str
    about: str
    table: str
    filters: tuple[Filter, ...]
    how: Literal["count", "sum", "max", "min", "mean"]
    of: str = ""  # a path to numbers; none for count


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """An argument of a writing tool: of what column its values are, or the id of a row."""

    name: str
    of: str  # "orders.id" names a row, "orders.status" is a value such as that column holds
    about: str = ""
    is_required: bool = True
    enum: tuple[str, ...] = ()  # narrower than the column's
    minimum: float | None = None
    maximum: float | None = None

    @property
    def table(self) -> str:
        """The table in whose terms the argument is told."""
        return self.of.partition(".")[0]

    @property
    def column(self) -> str:
        """The column in whose terms the argument is told, or "id"."""
        return self.of.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Require:
    """What must hold before anything is written; else the call changes nothing and says why.

    A rule about an argument that was not given holds.
    """

    left: Expr
    op: Literal["==", "!=", "<", "<=", ">", ">=", "in"]
    right: Expr
    error: str  # with {arguments}
    policy: str = ""  # the name of the policy that it enforces


@dataclass(frozen=True, slots=True)
class Set:
    """Writes a column of the row that an argument names, or that a reference of it leads to.

    Where the row or the value speaks of an argument that was not given, nothing is written.
    """

    arg: str
    path: str  # "status", or "customer_id.points": the last part is written
    value: Expr


@dataclass(frozen=True, slots=True)
class Insert:
    """Makes a row; columns that are not named get None."""

    table: str
    values: Mapping[str, Expr]


@dataclass(frozen=True, slots=True)
class Delete:
    """Removes the row that an argument names."""

    arg: str


Effect = Set | Insert | Delete


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Write:
    """Changes rows, all or nothing."""

    name: str
    about: str
    params: tuple[Param, ...]
    effects: tuple[Effect, ...]
    asks: tuple[str, ...]  # how a person asks for it, each with every required {argument} and no other
    requires: tuple[Require, ...] = ()
    is_idempotent: bool = False  # called twice with equal arguments, it leaves what once leaves


Tool = Search | Get | Total | Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A rule that the agent is told in words and the tools enforce."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Domain:
    """One world: what is in it, what can be done, and the words that its rows are made of."""

    name: str
    about: str  # a sentence for the agent: whose assistant it is
    tables: tuple[Table, ...]  # a table refers only to ones before it
    tools: tuple[Tool, ...]
    pools: Mapping[Split, Mapping[str, tuple[str, ...]]]  # the two splits share no word
    policies: tuple[Policy, ...] = ()
    is_held_out: bool = False  # used by no training task
    settle: Callable[[Rows], None] | None = field(default=None)  # makes drawn rows agree with each other

    @cached_property
    def by_name(self) -> Mapping[str, Table]:
        """The tables by name."""
        return {table.name: table for table in self.tables}

    @cached_property
    def tool(self) -> Mapping[str, Tool]:
        """The tools by name."""
        return {tool.name: tool for tool in self.tools}

    def column(self, table: str, path: str) -> Column | None:
        """Return the column that a path ends in, None where it ends in an id; KeyError if it leads nowhere."""
        name, _, rest = path.partition(".")
        if name == ID and not rest:
            return None
        column = self.by_name[table].by_name[name]
        return self.column(column.ref, rest) if rest else column

    def written(self, tool: Tool) -> frozenset[tuple[str, str]]:
        """Return every (table, column) that a tool may change; a row made or removed changes "id", too."""
        return frozenset(self._written(tool)) if isinstance(tool, Write) else frozenset()

    def _written(self, tool: Write) -> Iterator[tuple[str, str]]:
        rows = {param.name: param.table for param in tool.params}
        for effect in tool.effects:
            if isinstance(effect, Set):
                yield self._target(rows[effect.arg], effect.path)
            else:
                table = effect.table if isinstance(effect, Insert) else rows[effect.arg]
                yield from ((table, name) for name in (ID, *self.by_name[table].by_name))

    def _target(self, table: str, path: str) -> tuple[str, str]:
        name, _, rest = path.partition(".")
        return self._target(self.by_name[table].by_name[name].ref, rest) if rest else (table, name)


def shown_as(path: str) -> str:
    """Return the key under which a reply shows a path: ``customer_id.name`` is ``customer_name``."""
    return path.replace("_id.", "_").replace(".", "_")
