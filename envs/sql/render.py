"""Queries written as SQL for SQLite."""

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
    Join,
    Like,
    Lit,
    Missing,
    Order,
    Part,
    Query,
    Scalar,
    Select,
    Source,
    Times,
    Window,
    With,
)
from palestra.envs.sql.schema import Value

_FORMATS = {"year": "%Y", "month": "%m"}


def sql(query: Query) -> str:
    """Return a query as one statement."""
    return f"{_query(query)};"


def _query(query: Query) -> str:
    match query:
        case With(name, inner, then):
            return f"WITH {name} AS ({_select(inner)}) {_select(then)}"
        case Compound(operator, left, right):
            return f"{_select(left)} {operator.upper()} {_select(right)}"
        case Select():
            return _select(query)


def _select(select: Select) -> str:
    names = select.names or ("",) * len(select.columns)
    columns = (
        f"{_expression(column)} AS {name}" if name else _expression(column)
        for column, name in zip(select.columns, names, strict=True)
    )
    parts = [f"SELECT {'DISTINCT ' * select.distinct}{', '.join(columns)} FROM {_source(select.source)}"]
    parts += map(_join, select.joins)
    if select.where:
        parts.append(f"WHERE {' AND '.join(map(_condition, select.where))}")
    if select.group:
        parts.append(f"GROUP BY {', '.join(map(_expression, select.group))}")
    if select.having:
        parts.append(f"HAVING {' AND '.join(map(_condition, select.having))}")
    if select.order:
        parts.append(f"ORDER BY {_orders(select.order)}")
    if select.limit:
        parts.append(f"LIMIT {select.limit}" + f" OFFSET {select.offset}" * bool(select.offset))
    return " ".join(parts)


def _source(source: Source) -> str:
    return source.table if source.alias == source.table else f"{source.table} AS {source.alias}"


def _join(join: Join) -> str:
    kind = "LEFT JOIN" if join.is_left else "JOIN"
    return f"{kind} {_source(join.source)} ON {_expression(join.theirs)} = {_expression(join.mine)}"


def _orders(orders: tuple[Order, ...]) -> str:
    return ", ".join(f"{_expression(order.by)}{' DESC' * order.is_down}" for order in orders)


def _expression(node: Expression) -> str:
    match node:
        case Col():
            return f"{node.alias}.{node.name}"
        case Lit(value):
            return literal(value)
        case Part(unit, of):
            return f"CAST(strftime('{_FORMATS[unit]}', {_expression(of)}) AS INTEGER)"
        case Days(start, end):
            return f"CAST(julianday({_expression(end)}) - julianday({_expression(start)}) AS INTEGER)"
        case Times(left, right):
            return f"{_expression(left)} * {_expression(right)}"
        case Coalesce(of, value):
            return f"COALESCE({_expression(of)}, {literal(value.value)})"
        case Case(when, then, otherwise):
            return f"CASE WHEN {_condition(when)} THEN {literal(then.value)} ELSE {literal(otherwise.value)} END"
        case Agg(function, of):
            inner = "*" if of is None else _expression(of)
            return f"COUNT(DISTINCT {inner})" if function == "count distinct" else f"{function.upper()}({inner})"
        case Window():
            return _window(node)
        case Scalar(query):
            return f"({_select(query)})"


def _window(window: Window) -> str:
    inner = _expression(window.of) if window.of else "*" * (window.function == "count")
    within = f"PARTITION BY {_expression(window.within)}" if window.within else ""
    order = f"ORDER BY {_orders(window.order)}" if window.order else ""
    return f"{window.function.upper()}({inner}) OVER ({' '.join(filter(None, [within, order]))})"


def _condition(node: Condition) -> str:
    match node:
        case Compare(operator, left, right):
            return f"{_expression(left)} {operator} {_expression(right)}"
        case Missing(of, negated):
            return f"{_expression(of)} IS {'NOT ' * negated}NULL"
        case Between(of, low, high):
            return f"{_expression(of)} BETWEEN {literal(low.value)} AND {literal(high.value)}"
        case Among(of, values):
            return f"{_expression(of)} IN ({', '.join(literal(value.value) for value in values)})"
        case Like(of, place, letters):
            pattern = f"{letters}%" if place == "start" else f"%{letters}%"
            return f"{_expression(of)} LIKE {literal(pattern)}"
        case InQuery(of, query, negated):
            return f"{_expression(of)} {'NOT ' * negated}IN ({_select(query)})"
        case Exists(query, negated):
            return f"{'NOT ' * negated}EXISTS ({_select(query)})"
        case AnyOf(conditions):
            return f"({' OR '.join(map(_condition, conditions))})"


def literal(value: Value) -> str:
    """Return a value as SQL."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else repr(value)
