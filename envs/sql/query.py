"""Queries as typed trees. They are written as SQL, told in words, interpreted over rows, and spoilt.

Aliases of one query are unique, those of its subqueries included, so a column's alias says whose it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeAlias

from palestra.envs.sql.schema import Kind, Value

Operator = Literal["=", "<>", "<", "<=", ">", ">="]
Function = Literal["count", "count distinct", "sum", "avg", "min", "max"]
Combination = Literal["union", "union all", "intersect", "except"]
Ranking = Literal["rank", "dense_rank", "row_number", "sum", "count"]


@dataclass(frozen=True, slots=True)
class Col:
    """A column of a row."""

    alias: str
    name: str
    words: str
    kind: Kind
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Lit:
    """A value that stands in the question."""

    value: Value


@dataclass(frozen=True, slots=True)
class Part:
    """The year or the month of a date, as an integer."""

    unit: Literal["year", "month"]
    of: Col


@dataclass(frozen=True, slots=True)
class Days:
    """The days from one date to another, as an integer."""

    start: Col
    end: Col


@dataclass(frozen=True, slots=True)
class Times:
    """The product of two columns."""

    left: Col
    right: Col


@dataclass(frozen=True, slots=True)
class Coalesce:
    """A column, or a value where it is missing."""

    of: Col
    value: Lit


@dataclass(frozen=True, slots=True)
class Case:
    """One text where a condition is true, else another."""

    when: "Condition"
    then: Lit
    otherwise: Lit


@dataclass(frozen=True, slots=True)
class Agg:
    """An aggregate of the rows of a group; `of` None counts them."""

    function: Function
    of: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Order:
    """One key to sort by."""

    by: "Expression"
    is_down: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A rank or a running figure of a row among its peers; the order is total or ties share a rank."""

    function: Ranking
    of: Col | None
    within: Col | None
    order: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """The one value of a query."""

    query: "Select"


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison."""

    operator: Operator
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether a column is missing, or is not."""

    of: Col
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """Whether a column lies between two values, both included."""

    of: Col
    low: Lit
    high: Lit


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a column is one of some values."""

    of: Col
    values: tuple[Lit, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """Whether a text starts with or contains letters, upper or lower case alike."""

    of: Col
    place: Literal["start", "anywhere"]
    letters: str


@dataclass(frozen=True, slots=True)
class InQuery:
    """Whether a column is among a query's values."""

    of: Col
    query: "Select"
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether a query has a row."""

    query: "Select"
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Whether at least one of some conditions is true."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A table, or the rows of a named query, under an alias."""

    table: str  # its SQL name
    alias: str
    plural: str


@dataclass(frozen=True, slots=True)
class Join:
    """Another table's row joined where two columns are equal; `is_left` keeps rows that have none."""

    source: Source
    mine: Col
    theirs: Col
    is_left: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """A query over joined tables."""

    columns: tuple["Expression", ...]
    source: Source
    joins: tuple[Join, ...] = ()
    where: tuple["Condition", ...] = ()
    group: tuple["Expression", ...] = ()
    having: tuple["Condition", ...] = ()
    distinct: bool = False
    order: tuple[Order, ...] = ()
    limit: int = 0  # 0: all
    offset: int = 0
    names: tuple[str, ...] = ()  # of the columns, where somebody else refers to them


@dataclass(frozen=True, slots=True)
class Compound:
    """Two queries' rows put together, none twice unless it is "union all"."""

    operator: Combination
    left: Select
    right: Select


@dataclass(frozen=True, slots=True)
class With:
    """A query over the rows of another, which has a name."""

    name: str
    query: Select
    then: Select


Expression: TypeAlias = Col | Lit | Part | Days | Times | Coalesce | Case | Agg | Window | Scalar
Condition: TypeAlias = Compare | Missing | Between | Among | Like | InQuery | Exists | AnyOf
Query: TypeAlias = Select | Compound | With


def is_ordered(query: Query) -> bool:
    """Return whether the order of the rows was asked for."""
    last = query.then if isinstance(query, With) else query
    return isinstance(last, Select) and bool(last.order)


def has_aggregate(select: Select) -> bool:
    """Return whether a query has one row for each group, or one row at all."""
    return bool(select.group) or any(isinstance(column, Agg) for column in select.columns)


def walk(node: Any) -> Iterator[Any]:
    """Yield every node of a tree, the outer ones first."""
    if isinstance(node, tuple):
        for inner in node:
            yield from walk(inner)
    elif is_dataclass(node):
        yield node
        for field in fields(node):
            yield from walk(getattr(node, field.name))


def tables_of(query: Query) -> dict[str, str]:
    """Return the SQL name of the table that each alias stands for."""
    return {node.alias: node.table for node in walk(query) if isinstance(node, Source)}
