"""The second reference: a query's rows by plain Python, with no SQL engine in it.

What SQL says of missing values holds: a comparison with one is neither true nor false, and aggregates pass it over.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from palestra.envs.sql.query import (
    Agg,
    Among,
    AnyOf,
    Between,
    Case,
    Coalesce,
    Col,
    Compare,
    Compound,
    Condition,
    Days,
    Exists,
    Expression,
    InQuery,
    Like,
    Lit,
    Missing,
    Order,
    Part,
    Query,
    Scalar,
    Select,
    Times,
    Window,
    With,
    has_aggregate,
)
from palestra.envs.sql.schema import Row, Value

Tables = Mapping[str, Sequence[Row]]
Scope = Mapping[str, Row]  # the row that each alias stands for
Rows = list[tuple[Value, ...]]

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda one, two: one == two,
    "<>": lambda one, two: one != two,
    "<": lambda one, two: one < two,
    "<=": lambda one, two: one <= two,
    ">": lambda one, two: one > two,
    ">=": lambda one, two: one >= two,
}


class _Nothing(dict[str, Value]):
    """The row of a left join that found none."""

    def __missing__(self, name: str) -> Value:
        return None


def interpret(query: Query, tables: Tables) -> Rows:
    """Return the rows of a query, in their order if it asks for one."""
    match query:
        case With(name, inner, then):
            names = inner.names
            made = [dict(zip(names, row, strict=True)) for row in _select(inner, tables, {})]
            return _select(then, {**tables, name: made}, {})
        case Compound(operator, left, right):
            return _compound(operator, _select(left, tables, {}), _select(right, tables, {}))
        case Select():
            return _select(query, tables, {})


def _compound(operator: str, left: Rows, right: Rows) -> Rows:
    if operator == "union all":
        return [*left, *right]
    if operator == "union":
        return list(dict.fromkeys([*left, *right]))
    found = set(right)
    return [row for row in dict.fromkeys(left) if (row in found) == (operator == "intersect")]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an expression is looked at: a row, the group it stands for, and the rows that a window sees."""

    tables: Tables
    scope: Scope
    group: Sequence[Scope] = ()
    peers: Sequence[Scope] = ()

    def at(self, scope: Scope) -> "_Place":
        return _Place(self.tables, scope)


def _select(select: Select, tables: Tables, outer: Scope) -> Rows:
    scopes: list[Scope] = [{**outer, select.source.alias: row} for row in tables[select.source.table]]
    for join in select.joins:
        wider: list[Scope] = []
        rows = tables[join.source.table]
        for scope in scopes:
            mine = scope[join.mine.alias][join.mine.name]
            found = [row for row in rows if mine is not None and row[join.theirs.name] == mine]
            wider += [{**scope, join.source.alias: row} for row in found or [_Nothing()] * join.is_left]
        scopes = wider
    scopes = [scope for scope in scopes if _all(select.where, _Place(tables, scope))]
    if has_aggregate(select):
        places = [place for place in _groups(select, scopes, tables, outer) if _all(select.having, place)]
    else:
        places = [_Place(tables, scope, (), scopes) for scope in scopes]
    made = [(tuple(_value(column, place) for column in select.columns), place) for place in places]
    if select.distinct:
        made = list({row: (row, place) for row, place in reversed(made)}.values())[::-1]
    for order in reversed(select.order):  # a stable sort by each key, the first one last
        made.sort(key=partial(_sort_key, order.by), reverse=order.is_down)
    end = select.offset + select.limit if select.limit else None
    return [row for row, _ in made[select.offset : end]]


def _groups(select: Select, scopes: Sequence[Scope], tables: Tables, outer: Scope) -> list[_Place]:
    if not select.group:
        nobody = {source.alias: _Nothing() for source in (select.source, *(join.source for join in select.joins))}
        return [_Place(tables, scopes[0] if scopes else {**outer, **nobody}, scopes)]
    groups: dict[tuple[Value, ...], list[Scope]] = {}
    for scope in scopes:
        key = tuple(_value(one, _Place(tables, scope)) for one in select.group)
        groups.setdefault(key, []).append(scope)
    return [_Place(tables, members[0], members) for members in groups.values()]


def _sort_key(by: Expression, made: tuple[tuple[Value, ...], _Place]) -> tuple[bool, Any]:
    return _rank(_value(by, made[1]))


def _rank(value: Value) -> tuple[bool, Any]:
    """Return what to sort by: missing values come before all others."""
    return (value is not None, value if value is not None else 0)


def _value(node: Expression, place: _Place) -> Value:
    match node:
        case Col():
            return place.scope[node.alias][node.name]
        case Lit(value):
            return value
        case Part(unit, of):
            day = place.scope[of.alias][of.name]
            return None if day is None else int(str(day)[:4] if unit == "year" else str(day)[5:7])
        case Days(start, end):
            days = [place.scope[one.alias][one.name] for one in (start, end)]
            return None if None in days else (date.fromisoformat(str(days[1])) - date.fromisoformat(str(days[0]))).days
        case Times(left, right):
            one, two = (_value(factor, place) for factor in (left, right))
            return None if one is None or two is None else one * two  # type: ignore[operator]
        case Coalesce(of, other):
            return other.value if (value := _value(of, place)) is None else value
        case Case(when, then, otherwise):
            return then.value if _truth(when, place) else otherwise.value
        case Agg(function, of):
            values = [1 if of is None else _value(of, place.at(scope)) for scope in place.group]
            return _aggregate(function, [value for value in values if value is not None])
        case Window():
            return _window(node, place)
        case Scalar(query):
            rows = _select(query, place.tables, place.scope)
            return rows[0][0] if rows else None


def _aggregate(function: str, values: Sequence[Any]) -> Value:
    if function.startswith("count"):
        return len(set(values) if function == "count distinct" else values)
    if not values:
        return None
    if function == "sum":
        return math.fsum(values) if any(isinstance(value, float) for value in values) else sum(values)
    if function == "avg":
        return math.fsum(values) / len(values)
    best: Value = min(values) if function == "min" else max(values)
    return best


def _window(window: Window, place: _Place) -> Value:
    def of(node: Col | None, scope: Scope) -> Value:
        return None if node is None else scope[node.alias][node.name]

    mine = of(window.within, place.scope)
    peers = [scope for scope in place.peers if of(window.within, scope) == mine]
    keys = [_window_key(window, place.at(scope)) for scope in peers]
    own = _window_key(window, place)
    before = [key for key in keys if _precedes(key, own, window.order)]
    if window.function in ("rank", "row_number"):  # the latter only where no two are alike
        return len(before) + 1
    if window.function == "dense_rank":
        return len(set(before)) + 1
    seen = [scope for scope, key in zip(peers, keys, strict=True) if not _precedes(own, key, window.order)]
    if window.function == "count":
        return sum(window.of is None or of(window.of, scope) is not None for scope in seen)
    return _aggregate("sum", [value for value in (of(window.of, scope) for scope in seen) if value is not None])


def _window_key(window: Window, place: _Place) -> tuple[tuple[bool, Any], ...]:
    return tuple(_rank(_value(order.by, place)) for order in window.order)


def _precedes(one: Sequence[Any], two: Sequence[Any], orders: Sequence[Order]) -> bool:
    for first, second, order in zip(one, two, orders, strict=True):
        if first != second:
            return bool(first > second if order.is_down else first < second)
    return False


def _all(conditions: Sequence[Condition], place: _Place) -> bool:
    return all(_truth(condition, place) for condition in conditions)


def _truth(node: Condition, place: _Place) -> bool:
    """Return whether a condition is true; false and unknown are the same where nothing is negated."""
    match node:
        case Compare(operator, left, right):
            one, two = _value(left, place), _value(right, place)
            return one is not None and two is not None and _OPERATORS[operator](one, two)
        case Missing(of, negated):
            return (_value(of, place) is None) != negated
        case Between(of, low, high):
            found: Any = _value(of, place)
            return found is not None and low.value <= found <= high.value
        case Among(of, values):
            return (found := _value(of, place)) is not None and found in [value.value for value in values]
        case Like(of, where, letters):
            text = str(found).lower() if (found := _value(of, place)) is not None else ""
            return found is not None and (
                text.startswith(letters.lower()) if where == "start" else letters.lower() in text
            )
        case InQuery(of, query, negated):
            return _among_rows(_value(of, place), _select(query, place.tables, place.scope), negated)
        case Exists(query, negated):
            return bool(_select(query, place.tables, place.scope)) != negated
        case AnyOf(conditions):
            return any(_truth(one, place) for one in conditions)


def _among_rows(value: Value, rows: Rows, negated: bool) -> bool:
    values = [row[0] for row in rows]
    if not negated:
        return value is not None and value in values
    return not values or (value is not None and value not in values and None not in values)
