"""Queries that are almost right: each differs from a given one in a single small way."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from palestra.envs.sql.query import (
    Agg,
    Among,
    AnyOf,
    Between,
    Case,
    Coalesce,
    Col,
    Combination,
    Compare,
    Compound,
    Condition,
    Days,
    Exists,
    Function,
    InQuery,
    Like,
    Lit,
    Missing,
    Operator,
    Order,
    Part,
    Query,
    Ranking,
    Scalar,
    Select,
    Times,
    Window,
    has_aggregate,
    tables_of,
    walk,
)
from palestra.envs.sql.schema import Schema

_OPERATORS: Final[Mapping[Operator, tuple[Operator, ...]]] = {
    "=": ("<>",), "<>": ("=",), "<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="),
}  # fmt: skip
_FUNCTIONS: Final[Mapping[Function, Function]] = {
    "count": "count distinct", "count distinct": "count", "sum": "avg", "avg": "sum", "min": "max", "max": "min",
}  # fmt: skip
_COMPOUNDS: Final[Mapping[Combination, Combination]] = {
    "union": "union all",
    "union all": "union",
    "intersect": "except",
    "except": "intersect",
}
_RANKS: Final[Mapping[Ranking, Ranking]] = {"rank": "dense_rank", "dense_rank": "rank"}


def near_misses(query: Query, schema: Schema) -> Iterator[tuple[str, Query]]:
    """Yield the kind and the tree of every near miss of a query; some may be the same query in other words.

    Kinds: "operator", "bound", "negation", "dropped" (a condition), "having", "function", "distinct", "join",
    "limit", "order", "window", "case", "set", "value" and "column".
    """
    if isinstance(query, Select) and not has_aggregate(query) and not _shows_key(query):
        yield "distinct", replace(query, distinct=not query.distinct)
    yield from _inside(query)
    yield from _other_columns(query, schema)


def _shows_key(select: Select) -> bool:
    """Return whether no row can occur twice, since each shows its id."""
    return any(isinstance(one, Col) and (one.alias, one.name) == (select.source.alias, "id") for one in select.columns)


def _inside(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, tuple):
        for place, inner in enumerate(node):
            for kind, other in _inside(inner):
                yield kind, (*node[:place], other, *node[place + 1 :])
    elif is_dataclass(node) and not isinstance(node, type):
        yield from _changed(node)
        for field in fields(node):
            for kind, other in _inside(getattr(node, field.name)):
                yield kind, replace(node, **{field.name: other})


def _changed(node: Any) -> Iterator[tuple[str, Any]]:
    match node:
        case Select():
            yield from _selects(node)
        case Compare(operator, left, right):
            others = _OPERATORS[operator]
            if isinstance(right, Scalar) and not right.query.where and operator not in ("=", "<>"):
                others = others[1:]  # hardly anything is exactly the average of all
            if not (isinstance(left, Col) and isinstance(right, Col)):  # which ties a subquery to its row
                yield from (("operator", replace(node, operator=other)) for other in others)
            if isinstance(right, Lit) and isinstance(right.value, int):
                yield "value", replace(node, right=Lit(right.value + 1))
        case Missing() | InQuery() | Exists():
            yield "negation", replace(node, negated=not node.negated)
        case Between(of, low, high):
            yield "bound", Compare(">=", of, low)
            yield "bound", Compare("<=", of, high)
            yield "bound", Compare(">", of, low)
        case Among(_, values):
            yield "value", replace(node, values=values[1:])
        case Like(_, place, _):
            yield "bound", replace(node, place="anywhere" if place == "start" else "start")
        case AnyOf(conditions):
            yield from (("dropped", one) for one in conditions)
        case _:
            yield from _expressions(node)


def _expressions(node: Any) -> Iterator[tuple[str, Any]]:
    match node:
        case Agg("count", Col(name="id") as of):
            yield "function", Agg("count")  # which differs where a join found nothing
        case Agg(function, of) if of is not None:
            yield "function", replace(node, function=_FUNCTIONS[function])
            if function == "count" and isinstance(of, Col) and of.is_optional:
                yield "function", Agg("count")
        case Case(when, then, otherwise):
            yield "case", Case(when, otherwise, then)
        case Coalesce(of, _):
            yield "case", of
        case Part(unit, of):
            yield "function", Part("month" if unit == "year" else "year", of)
        case Days(start, end):
            yield "function", Days(end, start)
        case Times(left, _):
            yield "function", left
        case Window(function, _, within, order):
            if function in _RANKS:
                yield "window", replace(node, function=_RANKS[function])
            if within is not None:
                yield "window", replace(node, within=None)
            if order:
                yield "window", replace(node, order=(_turned(order[0]), *order[1:]))
        case Compound(operator, left, right):
            yield "set", replace(node, operator=_COMPOUNDS[operator])
            if operator == "except":
                yield "set", replace(node, left=right, right=left)


def _selects(node: Select) -> Iterator[tuple[str, Select]]:
    for place in range(len(node.where)):
        yield "dropped", replace(node, where=(*node.where[:place], *node.where[place + 1 :]))
    if node.having:
        yield "having", replace(node, having=())
    if node.limit:
        yield "limit", replace(node, limit=node.limit + 1)
        if node.limit > 1:
            yield "limit", replace(node, limit=node.limit - 1)
        yield "limit", replace(node, offset=node.offset + 1)
        if node.offset:
            yield "limit", replace(node, offset=0)
    asked = {alias for condition in node.where if (alias := _asked_for(condition))}
    for place, join in enumerate(node.joins):
        if (join.mine.is_optional or join.theirs.name != "id") and join.source.alias not in asked:
            other = replace(join, is_left=not join.is_left)
            yield "join", replace(node, joins=(*node.joins[:place], other, *node.joins[place + 1 :]))
    if node.order:
        yield "order", replace(node, order=(_turned(node.order[0]), *node.order[1:]))
        yield "order", replace(node, order=node.order[1:])


def _asked_for(condition: Condition) -> str:
    """Return the alias of which a condition wants a value, so that it makes no difference whether it may be missing."""
    match condition:
        case Compare(_, Col(alias) | Part(_, Col(alias)), _) | Between(Col(alias)) | Among(Col(alias)):
            return alias
        case Like(Col(alias)) | InQuery(Col(alias), _, False) | Missing(Col(alias), True):
            return alias
    return ""


def _turned(order: Order) -> Order:
    return replace(order, is_down=not order.is_down)


def _other_columns(query: Query, schema: Schema) -> Iterator[tuple[str, Query]]:
    """Yield the query with another column of the same kind in the place of one, wherever it is used."""
    tables = tables_of(query)
    by_name = {table.name: table for table in schema.tables}
    for column in dict.fromkeys(node for node in walk(query) if isinstance(node, Col)):
        table = by_name.get(tables.get(column.alias, ""))
        if table is None or table.column(column.name).is_key:
            continue
        for other in table.columns:
            if other.kind == column.kind and other.name != column.name and not other.is_key:
                yield "column", _with_other(query, column, replace(column, name=other.name, words=other.words))
                break


def _with_other(node: Any, old: Col, new: Col) -> Any:
    if node == old:
        return new
    if isinstance(node, tuple):
        return tuple(_with_other(inner, old, new) for inner in node)
    if is_dataclass(node) and not isinstance(node, type):
        changed = {field.name: _with_other(getattr(node, field.name), old, new) for field in fields(node)}
        return replace(node, **changed)
    return node
