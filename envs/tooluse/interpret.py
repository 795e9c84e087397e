"""Carries out a call: the one place that knows what the kinds of tool do."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from palestra.envs.base import Json
from palestra.envs.tooluse.draw import Row
from palestra.envs.tooluse.schema import (
    ID,
    Arg,
    Cell,
    Const,
    Delete,
    Domain,
    Effect,
    Expr,
    Filter,
    Get,
    Insert,
    Param,
    Product,
    Search,
    Set,
    Sum,
    Today,
    Total,
    Write,
    shown_as,
)
from palestra.envs.tooluse.world import World

MAX_ECHO_CHARS = 60  # of an argument, in an error
CURSOR = "cursor"
LARGEST = 1e12  # number that a call may pass: sums and products of such stay numbers
_OPS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda left, right: left in right,
}


def call(world: World, name: str, arguments: Mapping[str, Json]) -> Json:
    """Carry out a call and return its reply.

    A call that fails changes nothing and replies ``{"error": {"code": ..., "message": ...}}``.

    Args:
        world: where; changed in place.
        name: one of the domain's tools.
        arguments: such as fit the tool's schema.
    """
    tool = world.domain.tool[name]
    if large := next((arg for arg, value in arguments.items() if _is_large(value)), ""):
        return fault("out_of_range", f"{large} is larger than any number here")
    if isinstance(tool, Write):
        return _write(world, tool, arguments)
    if isinstance(tool, Get):
        return _get(world, tool, arguments)
    if isinstance(tool, Total):
        return _total(world, tool, arguments)
    return _search(world, tool, arguments)


def _is_large(value: Json) -> bool:
    return isinstance(value, (int, float)) and not -LARGEST <= value <= LARGEST


def fault(code: str, message: str) -> Json:
    """Return the reply of a call that failed."""
    return {"error": {"code": code, "message": message}}


def is_fault(reply: Json) -> bool:
    """Tell whether a reply is of a call that failed."""
    return isinstance(reply, dict) and "error" in reply


def show(world: World, table: str, id_: str, paths: tuple[str, ...]) -> dict[str, Json]:
    """Return a row as replies show it: its id and what it holds at some paths."""
    row = world.row(table, id_)
    shown: dict[str, Json] = {ID: id_}
    for path in paths:
        shown[shown_as(path)] = row[path] if row is not None and "." not in path else world.value(table, id_, path)
    return shown


def matching(
    world: World, table: str, filters: tuple[Filter, ...], arguments: Mapping[str, Json]
) -> list[tuple[str, Row]]:
    """Return the rows that fit every filter whose argument is given, by ascending id."""
    rows = list(world.rows(table))
    for one in filters:
        wanted = arguments.get(one.arg)
        if wanted is None:
            continue
        fits, path = _fitting(one, wanted), one.path
        if path == ID:
            rows = [(id_, row) for id_, row in rows if fits(id_)]
        elif "." in path:
            rows = [(id_, row) for id_, row in rows if fits(world.value(table, id_, path))]
        else:
            rows = [(id_, row) for id_, row in rows if fits(row[path])]
    return rows


def _fitting(one: Filter, wanted: Json) -> Callable[[Json], bool]:
    if one.compare == "at_least":
        return lambda value: value is not None and value >= wanted
    if one.compare == "at_most":
        return lambda value: value is not None and value <= wanted
    if one.compare == "has_words":
        words = set(str(wanted).casefold().split())
        return lambda value: bool(words) and words <= set(str(value).casefold().split())
    if isinstance(wanted, str):
        folded = wanted.casefold().strip()
        return lambda value: isinstance(value, str) and value.casefold() == folded
    return lambda value: value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _search(world: World, tool: Search, arguments: Mapping[str, Json]) -> Json:
    rows = matching(world, tool.table, tool.filters, arguments)
    start = 0
    if (cursor := arguments.get(CURSOR)) is not None:
        text = str(cursor)
        if not (text.isascii() and text.isdecimal() and len(text) < 7 and int(text) < max(1, len(rows))):
            return fault("bad_cursor", f"no page {text[:MAX_ECHO_CHARS]!r}; use a next_cursor that this call returned")
        start = int(text)
    shown = [show(world, tool.table, id_, tool.shows) for id_, _ in rows[start : start + tool.page]]
    reply: dict[str, Json] = {"results": shown, "total": len(rows)}
    if start + tool.page < len(rows):
        reply["next_cursor"] = str(start + tool.page)
    return reply


def _get(world: World, tool: Get, arguments: Mapping[str, Json]) -> Json:
    wanted = arguments[tool.arg]
    if tool.by == ID:
        found = wanted if world.row(tool.table, wanted) is not None else None
    else:
        fits = _fitting(Filter(arg="", path=tool.by), wanted)
        found = next((id_ for id_, row in world.rows(tool.table) if fits(row[tool.by])), None)
    if found is None:
        return _missing(world.domain, tool.table, tool.by, wanted)
    return show(world, tool.table, str(found), tool.shows)


def _total(world: World, tool: Total, arguments: Mapping[str, Json]) -> Json:
    rows = matching(world, tool.table, tool.filters, arguments)
    if tool.how == "count":
        return {"count": len(rows)}
    values = [value for id_, _ in rows if (value := world.value(tool.table, id_, tool.of)) is not None]
    if tool.how == "sum":
        return {"sum": cents(sum(values))}
    if not values:
        return fault("no_rows", "nothing fits these filters; widen them")
    number = sum(values) / len(values) if tool.how == "mean" else max(values) if tool.how == "max" else min(values)
    return {tool.how: cents(number)}


def _write(world: World, tool: Write, arguments: Mapping[str, Json]) -> Json:
    params = {param.name: param for param in tool.params}
    for param in tool.params:
        given = arguments.get(param.name)
        table = names_row(world.domain, param)
        if table and given is not None and world.row(table, given) is None:
            return _missing(world.domain, table, ID, given)
        if isinstance(given, float) and given != round(given, 2):
            return fault("out_of_range", f"{param.name} has more than two decimals")
    for rule in tool.requires:
        if any(_asks_for_absent(side, arguments) for side in (rule.left, rule.right)):
            continue
        left, right = (evaluate(world, params, arguments, side) for side in (rule.left, rule.right))
        if left is None or (right is None and rule.op not in ("==", "!=")) or not _OPS[rule.op](left, right):
            told = {name: str(value)[:MAX_ECHO_CHARS] for name, value in arguments.items()}
            return fault("not_allowed", rule.error.format_map(told))
    arguments = {name: _typed(world.domain, params[name], value) for name, value in arguments.items()}
    effects = [effect for effect in tool.effects if not _is_left_out(effect, arguments)]
    cells = [target(world, tool, arguments, effect) for effect in effects]  # all before any is written
    values = [_values(world, params, arguments, effect) for effect in effects]
    for effect, (table, id_, _) in zip(effects, cells, strict=True):
        if isinstance(effect, Set) and world.row(table, id_) is None:
            return fault("not_allowed", f"{arguments[effect.arg]} has no {world.domain.by_name[table].noun}")
    made = ""
    for effect, (table, id_, column), value in zip(effects, cells, values, strict=True):
        if isinstance(effect, Insert):
            made = world.insert(table, value)
        elif isinstance(effect, Delete):
            world.delete(table, id_)
        else:
            world.set(table, id_, column, value)
    return {"ok": True, ID: made} if made else {"ok": True}


def _typed(domain: Domain, param: Param, value: Json) -> Json:
    """Return a value as its column holds it, so that it does not matter how JSON wrote a number, -0.0 included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or param.column == ID:
        return value
    kind = domain.by_name[param.table].by_name[param.column].type
    return float(value) + 0.0 if kind == "number" else int(value) if kind == "integer" else value


def _is_left_out(effect: Effect, arguments: Mapping[str, Json]) -> bool:
    if isinstance(effect, Insert):
        return False
    return arguments.get(effect.arg) is None or (isinstance(effect, Set) and _asks_for_absent(effect.value, arguments))


def _asks_for_absent(told: Expr, arguments: Mapping[str, Json]) -> bool:
    if isinstance(told, Sum | Product):
        return _asks_for_absent(told.left, arguments) or _asks_for_absent(told.right, arguments)
    name = told.name if isinstance(told, Arg) else told.arg if isinstance(told, Cell) else ""
    return bool(name) and arguments.get(name) is None


def names_row(domain: Domain, param: Param) -> str:
    """Return the table whose ids an argument holds, if it does."""
    if param.column == ID:
        return param.table
    return domain.by_name[param.table].by_name[param.column].ref


def _values(world: World, params: Mapping[str, Param], arguments: Mapping[str, Json], effect: Effect) -> Any:
    if isinstance(effect, Insert):
        row: dict[str, Json] = dict.fromkeys(world.domain.by_name[effect.table].by_name)
        return row | {name: evaluate(world, params, arguments, value) for name, value in effect.values.items()}
    return evaluate(world, params, arguments, effect.value) if isinstance(effect, Set) else None


def target(world: World, tool: Write, arguments: Mapping[str, Json], effect: Effect) -> tuple[str, Json, str]:
    """Return where an effect writes: a table, the id of a row (None if it leads nowhere or is new) and a column."""
    if isinstance(effect, Insert):
        return effect.table, None, ID
    table = next(param.table for param in tool.params if param.name == effect.arg)
    path = effect.path if isinstance(effect, Set) else ID
    way, _, column = path.rpartition(".")
    if not way:
        return table, arguments[effect.arg], column
    reference = world.domain.column(table, way)
    assert reference is not None  # a way ends in a reference
    return reference.ref, world.value(table, arguments[effect.arg], way), column


def evaluate(world: World, params: Mapping[str, Param], arguments: Mapping[str, Json], told: Expr) -> Json:
    """Return what an expression is worth for a call."""
    if isinstance(told, Const):
        return told.value
    if isinstance(told, Arg):
        return arguments.get(told.name)
    if isinstance(told, Cell):
        param = params[told.arg]
        return world.value(names_row(world.domain, param), arguments.get(told.arg), told.path)
    if isinstance(told, Today):
        return world.base.today
    left, right = (evaluate(world, params, arguments, side) for side in (told.left, told.right))
    if left is None or right is None:
        return None
    return cents(left * right if isinstance(told, Product) else left + told.sign * right)


def cents(number: float) -> float:
    """Return a number with at most two decimals; whole numbers stay whole."""
    return number if isinstance(number, int) else round(number, 2)


def _missing(domain: Domain, table: str, by: str, wanted: Json) -> Json:
    named = f"{domain.by_name[table].noun} with {by} {str(wanted)[:MAX_ECHO_CHARS]!r}"
    return fault("not_found", f"there is no {named}; look it up first")
