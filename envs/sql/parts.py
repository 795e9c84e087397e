"""What queries are put together from: rows with those that they name, conditions on them, and columns made of them."""

from dataclasses import dataclass, field
from typing import Final, TypeVar

from palestra.envs.code.draws import Draws
from palestra.envs.sql.english import INNER
from palestra.envs.sql.query import (
    Agg,
    Among,
    AnyOf,
    Between,
    Case,
    Coalesce,
    Col,
    Compare,
    Condition,
    Days,
    Exists,
    Expression,
    InQuery,
    Join,
    Like,
    Lit,
    Missing,
    Operator,
    Order,
    Part,
    Ranking,
    Scalar,
    Select,
    Source,
    Times,
    Window,
)
from palestra.envs.sql.schema import Column, Kind, Schema, Table

FILTERS: Final = (
    "compare", "missing", "between", "among", "like", "either", "date part", "in", "not in", "exists", "not exists",
    "scalar", "correlated",
)  # fmt: skip
OUTPUTS: Final = ("case", "coalesce", "days", "product", "part", "window")
_ORDERED: Final[tuple[Operator, ...]] = ("<", "<=", ">", ">=")
_RANKINGS: Final[tuple[Ranking, ...]] = ("rank", "dense_rank", "row_number", "sum", "count")
_NUMBERS: Final[tuple[Kind, ...]] = ("int", "real")
_ALL: Final[tuple[Kind, ...]] = ("int", "real", "text", "date")

Item = TypeVar("Item")


class NoPart(ValueError):
    """A schema has nothing that a part of a query could be made of; another one is drawn."""


@dataclass(slots=True)
class Stage:
    """The rows that a query is about, and what was said of them so far."""

    schema: Schema
    table: Table
    source: Source
    draws: Draws
    owners: list[tuple[str, Table, bool]]  # alias, table, and whether there may be no such row
    joins: list[Join] = field(default_factory=list)
    where: list[Condition] = field(default_factory=list)
    plain: bool = False  # only columns that repeat

    @property
    def id(self) -> Col:
        """The key of the rows."""
        return Col(self.source.alias, "id", "id", "int")

    def columns(self, *kinds: Kind) -> list[Col]:
        """Return all columns of some kinds that are no keys."""
        return [
            Col(alias, column.name, column.words, column.kind, column.is_optional or is_missing)
            for alias, table, is_missing in self.owners
            for column in table.columns
            if column.kind in kinds and not column.is_key
        ]

    def known(self, *kinds: Kind) -> list[Col]:
        """Return the columns of rows that are there, which conditions are put on."""
        missing = {alias for alias, _, is_missing in self.owners if is_missing}
        return [column for column in self.columns(*kinds) if column.alias not in missing]

    def any_column(self, *kinds: Kind) -> Col:
        """Return a random column of some kinds.

        Raises:
            NoPart: there is none.
        """
        return self.draws.pick(_some(self.columns(*kinds), f"column of {kinds}"))

    def shown(self, count: int) -> list[Col]:
        """Return random columns to return."""
        found = self.columns("text", "date") if self.plain else [self.id, *self.columns(*_ALL)]
        return self.draws.shuffled(_some(found, "column"))[:count]

    def values(self, column: Col) -> Column:
        """Return where a column's values come from."""
        return next(table for alias, table, _ in self.owners if alias == column.alias).column(column.name)


def begin(schema: Schema, table: Table, draws: Draws, joins: int) -> Stage:
    """Return the rows of a table, and of up to so many others that they name."""
    source = Source(table.name, table.key, table.plural)
    stage = Stage(schema, table, source, draws, [(table.key, table, False)])
    for _ in range(joins):
        used = {alias for alias, _, _ in stage.owners}
        ways = [
            (alias, link, is_missing)
            for alias, owner, is_missing in stage.owners
            for link in owner.links
            if link.role not in used
        ]
        if not ways:
            break
        alias, link, is_missing = draws.pick(ways)
        is_loose = link.is_optional or is_missing
        is_left = is_loose and draws.chance(0.5)
        parent = schema.table(link.links)
        mine = Col(alias, link.name, link.words, "int", is_loose)
        theirs = Col(link.role, "id", "id", "int")
        stage.joins.append(Join(Source(parent.name, link.role, parent.plural), mine, theirs, is_left))
        stage.owners.append((link.role, parent, is_left))
    return stage


def filtered(stage: Stage, part: str) -> None:
    """Add a condition.

    Raises:
        NoPart: there is nothing to make it of.
    """
    stage.where.append(_condition(stage, part))


def _condition(stage: Stage, part: str) -> Condition:
    match part:
        case "compare":
            return _plain(stage, stage.known(*_ALL))
        case "missing":
            optional = [column for column in stage.columns(*_ALL) if column.is_optional]
            return Missing(stage.draws.pick(_some(optional, "optional column")), stage.draws.chance(0.4))
        case "between":
            return _between(stage)
        case "among":
            column = stage.draws.pick(_some(stage.known("text"), "text"))
            values = stage.draws.shuffled(stage.values(column).values)[:3]
            return Among(column, tuple(map(Lit, values)))
        case "like":
            return _like(stage)
        case "either":
            one, other = (_plain(stage, stage.known(*_ALL)) for _ in range(2))
            if one == other:
                raise NoPart("twice the same condition")
            return AnyOf((one, other))
        case "date part":
            return _date_part(stage)
        case "in" | "not in":
            return _in(stage, negated=part == "not in")
        case "exists" | "not exists":
            return _exists(stage, negated=part == "not exists")
    return _against_figure(stage, is_tied=part == "correlated")


def _plain(stage: Stage, columns: list[Col]) -> Compare:
    column = stage.draws.pick(_some(columns, "column to compare"))
    values = stage.values(column).values
    if column.kind == "text":
        return Compare(stage.draws.pick(("=", "<>")), column, Lit(stage.draws.pick(values)))
    middle = values[len(values) // 5 : len(values) * 4 // 5 + 1]
    return Compare(stage.draws.pick(_ORDERED), column, Lit(stage.draws.pick(middle)))


def _between(stage: Stage) -> Between:
    column = stage.draws.pick(_some(stage.known("int", "real", "date"), "range"))
    values = stage.values(column).values
    low = stage.draws.between(0, len(values) // 2)
    high = stage.draws.between(low + max(1, len(values) // 3), len(values) - 1)
    return Between(column, Lit(values[low]), Lit(values[high]))


def _like(stage: Stage) -> Like:
    column = stage.draws.pick(_some(stage.known("text"), "text"))
    word = str(stage.draws.pick(stage.values(column).values))
    if stage.draws.chance(0.5):
        return Like(column, "start", word[:1])
    place = stage.draws.between(1, max(1, len(word) - 2))
    return Like(column, "anywhere", word[place : place + 1].strip() or word[:1].lower())


def _date_part(stage: Stage) -> Compare:
    column = stage.draws.pick(_some(stage.known("date"), "date"))
    day = str(stage.draws.pick(stage.values(column).values))
    if stage.draws.chance(0.5):
        return Compare(stage.draws.pick(("=", "<", ">=")), Part("year", column), Lit(int(day[:4])))
    return Compare(stage.draws.pick(("=", "<=", ">")), Part("month", column), Lit(int(day[5:7])))


def _children(stage: Stage) -> tuple[str, Table, Column]:
    """Return one of the rows at hand and a table of which rows name it."""
    ways = [
        (alias, table, link)
        for alias, owner, is_missing in stage.owners
        if not is_missing
        for table in stage.schema.tables
        for link in table.links
        if link.links == owner.key
    ]
    return stage.draws.pick(_some(ways, "table that names these rows"))


def _inner(stage: Stage, table: Table) -> Stage:
    alias = f"{INNER}{table.key}"
    return Stage(stage.schema, table, Source(table.name, alias, table.plural), stage.draws, [(alias, table, False)])


def _in(stage: Stage, negated: bool) -> InQuery:
    alias, table, link = _children(stage)
    inner = _inner(stage, table)
    inner.where.append(_plain(inner, inner.columns(*_ALL)))
    column = Col(inner.source.alias, link.name, link.words, "int", link.is_optional)
    if negated and link.is_optional:
        inner.where.append(Missing(column, negated=True))
    query = Select(columns=(column,), source=inner.source, where=tuple(inner.where))
    return InQuery(Col(alias, "id", "id", "int"), query, negated)


def _exists(stage: Stage, negated: bool) -> Exists:
    alias, table, link = _children(stage)
    inner = _inner(stage, table)
    tie = Compare(
        "=", Col(inner.source.alias, link.name, link.words, "int", link.is_optional), Col(alias, "id", "id", "int")
    )
    inner.where.append(tie)
    if stage.draws.chance(0.7):
        inner.where.append(_plain(inner, inner.columns(*_ALL)))
    return Exists(Select(columns=(Lit(1),), source=inner.source, where=tuple(inner.where)), negated)


def _against_figure(stage: Stage, is_tied: bool) -> Compare:
    """Compare a column with a figure over its own table, or over the rows there that are of the same kind."""
    alias, table, _ = stage.draws.pick([owner for owner in stage.owners if not owner[2]])
    inner = _inner(stage, table)
    of = inner.any_column(*_NUMBERS)
    if is_tied:
        kinds = [one for one in table.columns if one.links or (one.kind == "text" and not one.is_key)]
        kind = stage.draws.pick(_some(kinds, "kind of rows"))
        mine, theirs = (
            Col(owner, kind.name, kind.words, kind.kind, kind.is_optional) for owner in (alias, inner.source.alias)
        )
        inner.where.append(Compare("=", theirs, mine))
    figure = Agg(stage.draws.pick(("avg", "avg", "avg", "min", "max")), of)
    operator: Operator = stage.draws.pick((">", "<")) if figure.function == "avg" else "="
    query = Select(columns=(figure,), source=inner.source, where=tuple(inner.where))
    return Compare(operator, Col(alias, of.name, of.words, of.kind, of.is_optional), Scalar(query))


def output(stage: Stage, part: str) -> Expression:
    """Return a column that is made of others.

    Raises:
        NoPart: there is nothing to make it of.
    """
    draws = stage.draws
    match part:
        case "case":
            then, otherwise = draws.pick((("high", "low"), ("yes", "no"), ("early", "late")))
            return Case(_plain(stage, stage.columns(*_ALL)), Lit(then), Lit(otherwise))
        case "coalesce":
            optional = [column for column in stage.columns(*_ALL) if column.is_optional]
            column = draws.pick(_some(optional, "optional column"))
            return Coalesce(column, Lit(0 if column.kind in _NUMBERS else "none"))
        case "days":
            dates = draws.shuffled(stage.columns("date"))
            if len(dates) < 2:
                raise NoPart("no two dates")
            return Days(dates[0], dates[1])
        case "product":
            numbers = draws.shuffled(stage.columns(*_NUMBERS))
            if len(numbers) < 2:
                raise NoPart("no two numbers")
            return Times(numbers[0], numbers[1])
        case "part":
            return Part(draws.pick(("year", "month")), stage.any_column("date"))
    return _window(stage)


def _window(stage: Stage) -> Window:
    draws = stage.draws
    kinds = stage.columns("text")
    within = draws.pick(kinds) if kinds and draws.chance(0.6) else None
    measure = stage.any_column("int", "real", "date")
    down, function = draws.chance(0.5), draws.pick(_RANKINGS)
    if function == "count":
        return Window("count", None, within or stage.any_column("text"), ())
    if function in ("rank", "dense_rank"):
        return Window(function, None, within, (Order(measure, down),))
    of = stage.any_column(*_NUMBERS) if function == "sum" else None
    return Window(function, of, within, (Order(measure, down), Order(stage.id)))


def _some(found: list[Item], what: str) -> list[Item]:
    if not found:
        raise NoPart(f"no {what}")
    return found
