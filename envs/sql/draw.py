"""Random queries: a shape, and parts that are put on it; see `parts` for what the parts are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from palestra.envs.code.draws import Draws
from palestra.envs.sql.english import INNER
from palestra.envs.sql.parts import FILTERS, OUTPUTS, NoPart, Stage, begin, filtered, output
from palestra.envs.sql.query import (
    Agg,
    Col,
    Combination,
    Compare,
    Compound,
    Expression,
    Function,
    Join,
    Lit,
    Missing,
    Order,
    Part,
    Query,
    Scalar,
    Select,
    Source,
    Window,
    With,
)
from palestra.envs.sql.schema import Column, Kind, Schema, Table

ENDS: Final = ("distinct", "order", "limit")
_COMBINATIONS: Final[tuple[Combination, ...]] = ("union", "union all", "intersect", "except")
_FUNCTIONS: Final[tuple[Function, ...]] = ("count", "count distinct", "sum", "avg", "min", "max")
_MOST_FILTERS: Final = 2  # more of them leave hardly a row
SHAPES: Final[Mapping[str, tuple[str, ...]]] = {  # and which parts fit them
    "rows": (*FILTERS, *OUTPUTS, *OUTPUTS, *ENDS),  # twice as likely, since only these have them
    "total": FILTERS,
    "groups": (*FILTERS, "having", "order", "limit"),
    "children": (*FILTERS, "having", "order", "limit"),
    "sets": FILTERS,
    "above": FILTERS,
    "best": FILTERS,
}


def draw_parts(shape: str, count: int, draws: Draws) -> list[str]:
    """Return up to so many different parts that fit a shape, of which only a few are conditions."""
    parts: list[str] = []
    for part in draws.shuffled(SHAPES[shape]):
        if (
            len(parts) < count
            and part not in parts
            and (part not in FILTERS or sum(one in FILTERS for one in parts) < _MOST_FILTERS)
        ):
            parts.append(part)
    return parts


def draw_query(schema: Schema, shape: str, parts: Sequence[str], draws: Draws) -> Query:
    """Return a random query of a shape with these parts.

    Raises:
        NoPart: the schema or the draws have nothing for one of the parts.
    """
    return _DRAW[shape](schema, [*parts], draws)


def _stage(schema: Schema, parts: Sequence[str], draws: Draws, most_joins: int = 2) -> Stage:
    stage = begin(schema, draws.pick(schema.tables), draws, draws.between(0, most_joins))
    for part in parts:
        if part in FILTERS:
            filtered(stage, part)
    return stage


def _rows(schema: Schema, parts: list[str], draws: Draws) -> Select:
    stage = _stage(schema, parts, draws)
    if "distinct" in parts:
        stage.plain = True
    columns: list[Expression] = [*stage.shown(draws.between(1, 2 if "distinct" in parts else 3))]
    columns += [output(stage, part) for part in parts if part in OUTPUTS]
    order: tuple[Order, ...] = ()
    if "order" in parts or "limit" in parts:
        if "distinct" in parts:
            keys = draws.shuffled(columns)
            order = (Order(keys[0], draws.chance(0.5)), *map(Order, keys[1:]))
        else:
            order = (Order(stage.any_column("int", "real", "date"), draws.chance(0.5)), Order(stage.id))
    return Select(
        columns=tuple(dict.fromkeys(columns)),
        source=stage.source,
        joins=tuple(stage.joins),
        where=tuple(stage.where),
        distinct="distinct" in parts,
        order=order,
        limit=draws.between(1, 5) if "limit" in parts else 0,
        offset=draws.between(1, 2) if "limit" in parts and draws.chance(0.3) else 0,
    )


def _total(schema: Schema, parts: list[str], draws: Draws) -> Select:
    stage = _stage(schema, parts, draws)
    columns = dict.fromkeys(_aggregate(stage, draws) for _ in range(draws.between(1, 3)))
    return Select(columns=tuple(columns), source=stage.source, joins=tuple(stage.joins), where=tuple(stage.where))


def _groups(schema: Schema, parts: list[str], draws: Draws) -> Select:
    stage = _stage(schema, parts, draws)
    key: Expression = stage.any_column("text", "date")
    if isinstance(key, Col) and key.kind == "date":
        key = Part(draws.pick(("year", "month")), key)
    figure = _aggregate(stage, draws)
    figures = [figure, _aggregate(stage, draws)] if draws.chance(0.4) else [figure]
    return _grouped(stage, parts, draws, (key,), (key, *dict.fromkeys(figures)), figure)


def _children(schema: Schema, parts: list[str], draws: Draws) -> Select:
    pairs = [
        (schema.table(link.links), table, link)
        for table in schema.tables
        for link in table.links
        if link.links != table.key
    ]
    parent, child, link = draws.pick(pairs)
    stage = begin(schema, parent, draws, 0)
    for part in parts:
        if part in FILTERS:
            filtered(stage, part)
    theirs = Col(child.key, link.name, link.words, "int", link.is_optional)
    is_left = draws.chance(0.6)
    stage.joins.append(Join(Source(child.name, child.key, child.plural), stage.id, theirs, is_left))
    numbers = [column for column in child.columns if column.kind in ("int", "real") and not column.is_key]
    figure = Agg("count", _column(child.key, child.column("id"), True))
    if numbers and draws.chance(0.6):
        of = _column(child.key, draws.pick(numbers), True)
        figure = Agg(draws.pick(("sum", "avg", "min", "max", "count")), of)
    name = next(column for column in parent.columns if not column.is_key)
    key = (stage.id, _column(stage.source.alias, name))
    return _grouped(stage, parts, draws, key, (*key, figure), figure)


def _grouped(
    stage: Stage,
    parts: Sequence[str],
    draws: Draws,
    key: tuple[Expression, ...],
    columns: tuple[Expression, ...],
    figure: Agg,
) -> Select:
    is_ordered = "order" in parts or "limit" in parts
    counts: Agg = Agg("count", figure.of) if figure.function not in ("count", "count distinct") else figure
    return Select(
        columns=columns,
        source=stage.source,
        joins=tuple(stage.joins),
        where=tuple(stage.where),
        group=key,
        having=(Compare(draws.pick((">=", "<=", ">")), counts, Lit(draws.between(1, 3))),) if "having" in parts else (),
        order=(Order(figure, draws.chance(0.6)), *map(Order, key[:1])) if is_ordered else (),
        limit=draws.between(1, 4) if "limit" in parts else 0,
    )


def _sets(schema: Schema, parts: list[str], draws: Draws) -> Compound:
    """Two selections of the same rows, or the links of two tables to a third."""
    links: dict[str, list[tuple[Table, Column]]] = {}
    for table in schema.tables:
        for link in table.links:
            links.setdefault(link.links, []).append((table, link))
    wide = [ends for ends in links.values() if len(ends) > 1]
    sides: list[Select] = []
    if wide and draws.chance(0.5):
        ends = draws.shuffled(draws.pick(wide))[:2]
    else:
        table = draws.pick(schema.tables)
        name = draws.pick([column for column in table.columns if column.name != "id"])
        ends = [(table, name), (table, name)]
    for number, (table, column) in enumerate(ends):
        stage = begin(schema, table, draws, 0)
        for part in parts[number::2] if len(parts) > 1 else parts:
            filtered(stage, part)
        sides.append(Select(columns=(_column(table.key, column),), source=stage.source, where=tuple(stage.where)))
    if sides[0] == sides[1]:
        raise NoPart("both sides are the same")
    return Compound(draws.pick(_COMBINATIONS), sides[0], sides[1])


def _above(schema: Schema, parts: list[str], draws: Draws) -> With:
    """Owners whose figure is above the average of all owners' figures."""
    child = draws.pick([table for table in schema.tables if table.links])
    link = draws.pick(child.links)
    stage = begin(schema, child, draws, 0)
    for part in parts:
        filtered(stage, part)
    owner = _column(child.key, link)
    if link.is_optional:
        stage.where.append(Missing(owner, negated=True))
    figure = _aggregate(stage, draws, ("sum", "max", "min", "count"))
    totals = Select(
        columns=(owner, figure),
        source=stage.source,
        where=tuple(stage.where),
        group=(owner,),
        names=("owner", "figure"),
    )
    parent = schema.table(link.links)
    plural = "entries of totals"
    value, other = (Col(alias, "figure", "figure", "real", True) for alias in ("entry", f"{INNER}entry"))
    average = Scalar(Select(columns=(Agg("avg", other),), source=Source("totals", f"{INNER}entry", plural)))
    name = next(column for column in parent.columns if not column.is_key)
    role = parent.key
    join = Join(Source(parent.name, role, parent.plural), Col("entry", "owner", "owner", "int"), _id(role))
    then = Select(
        columns=(_id(role), _column(role, name), value),
        source=Source("totals", "entry", plural),
        joins=(join,),
        where=(Compare(draws.pick((">", ">=", "<")), value, average),),
    )
    return With("totals", totals, then)


def _best(schema: Schema, parts: list[str], draws: Draws) -> With:
    """The best few of each owner's or kind's rows."""
    stage = begin(schema, draws.pick(schema.tables), draws, 0)
    for part in parts:
        filtered(stage, part)
    table = stage.table
    kinds = [column for column in table.columns if column.links or (column.kind == "text" and column.is_optional)]
    if not kinds:
        raise NoPart("nothing to group by")
    within = _column(stage.source.alias, draws.pick(kinds))
    measure = stage.any_column("int", "real", "date")
    if measure.is_optional:
        stage.where.append(Missing(measure, negated=True))
    order = Order(measure, draws.chance(0.6))
    place = Window(draws.pick(("rank", "dense_rank")), None, within, (order,))
    ranked = Select(
        columns=(stage.id, within, measure, place),
        source=stage.source,
        where=tuple(stage.where),
        names=("id", "kind", "measure", "place"),
    )
    alias, plural = "entry", "entries of ranked"
    made = [
        Col(alias, "id", "id", "int"),
        Col(alias, "kind", "kind", within.kind, within.is_optional),
        Col(alias, "measure", "measure", measure.kind),
    ]
    last = Col(alias, "place", "place", "int")
    keep = Compare("<=", last, Lit(2)) if draws.chance(0.5) else Compare("=", last, Lit(draws.between(1, 2)))
    return With("ranked", ranked, Select(columns=tuple(made), source=Source("ranked", alias, plural), where=(keep,)))


def _aggregate(stage: Stage, draws: Draws, functions: Sequence[Function] = ()) -> Agg:
    function = draws.pick(functions or _FUNCTIONS)
    if function == "count":
        return Agg("count") if draws.chance(0.5) else Agg("count", stage.any_column("int", "real", "text", "date"))
    if function == "count distinct":
        return Agg("count distinct", stage.any_column("int", "text", "date"))
    kinds: tuple[Kind, ...] = (
        ("int", "real", "date") if function in ("min", "max") and not functions else ("int", "real")
    )
    return Agg(function, stage.any_column(*kinds))


def _column(alias: str, column: Column, is_missing: bool = False) -> Col:
    return Col(alias, column.name, column.words, column.kind, column.is_optional or is_missing)


def _id(alias: str) -> Col:
    return Col(alias, "id", "id", "int")


_DRAW: Final[Mapping[str, Callable[[Schema, list[str], Draws], Query]]] = {
    "rows": _rows,
    "total": _total,
    "groups": _groups,
    "children": _children,
    "sets": _sets,
    "above": _above,
    "best": _best,
}
