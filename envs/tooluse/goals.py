"""What a request asks for, worked out in a world.

A part becomes a phrase, the reading calls of its oracle, and either an answer or a writing call that is still to be
made, with rows and values for which it is allowed.
"""

import random
from collections.abc import Mapping

from palestra.envs.base import Json
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.case import Source
from palestra.envs.tooluse.draw import Drawing
from palestra.envs.tooluse.interpret import call, cents, is_fault, names_row
from palestra.envs.tooluse.parts import Loan, Part, Worked
from palestra.envs.tooluse.planner import QUERY, Draft, Known, Rejected
from palestra.envs.tooluse.referral import Way, refer
from palestra.envs.tooluse.schema import ID, Column, Domain, Filter, Param, Search, Total, Write

_TRIES = 30  # draws of a writing call's rows and values until its preconditions hold
_VALUE_TRIES = 5


def work_out(draft: Draft, part: Part) -> Worked:
    """Return a part worked out for rows of the draft's world, its reading calls added to the draft.

    Raises:
        Rejected: these rows do not do; others may.
    """
    if part.kind == "write":
        return _write(draft, part)
    if part.asked is not None:
        phrase, known = lend(draft, part.asked, rows_of(draft, part.asked.table, len(part.asked.ways)))
        return Worked(part=part, phrase=phrase, answer=known.value, source=known.source)
    return _total(draft, part) if part.kind == "total" else _listed(draft, part)


def lend(draft: Draft, loan: Loan, ids: list[str]) -> tuple[str, Known]:
    """Return a phrase for what some rows hold, and the value with where it comes from.

    Raises:
        Rejected: the values do not do, or cannot be found out.
    """
    column = draft.domain.column(loan.table, loan.path)
    assert column is not None  # never an id
    values = [draft.world.value(loan.table, id_, loan.path) for id_ in ids]
    if None in values or len(set(values)) < len(values):
        raise Rejected("values are missing, or to be compared and equal")
    if loan.how == "difference":
        ids = [id_ for _, id_ in sorted(zip(values, ids, strict=True), reverse=True)]
    told, known = [], []
    for way, id_ in zip(loan.ways, ids, strict=True):
        told.append(refer(draft, way, id_))
        known.append(draft.know(loan.table, id_, loan.path))
    if not loan.how:
        return phrases.cell(column, told[0]), known[0]
    value = derive(loan.how, [one.value for one in known])
    source = Source(kind="derived", how=loan.how, of=tuple(one.source for one in known))
    return phrases.compared(column, loan.how, told), Known(value, source)


def derive(how: str, values: list[Json]) -> Json:
    """Return what follows from some values: their sum, difference (first less second), largest or smallest."""
    if how == "sum":
        return cents(sum(values))
    if how == "difference":
        return cents(values[0] - values[1])
    return max(values) if how == "largest" else min(values)


def _total(draft: Draft, part: Part) -> Worked:
    tool = draft.domain.tool[part.tool]
    assert isinstance(tool, Total)
    arguments, rows = _narrowed(draft, tool, part)
    number = draft.read(tool, arguments)
    answer = draft.calls[number].reply[tool.how]
    if tool.how == "count" and answer < 2:
        raise Rejected("too few to count")
    phrase = f"the number of {rows}"
    if tool.how != "count":
        column = draft.domain.column(tool.table, tool.of)
        assert column is not None
        phrase = phrases.over_all(column, tool.how, rows)
    return Worked(part=part, phrase=phrase, answer=answer, source=Source(kind="reply", step=number, path=tool.how))


def _listed(draft: Draft, part: Part) -> Worked:
    tool = draft.domain.tool[part.tool]
    assert isinstance(tool, Search)
    arguments, rows = _narrowed(draft, tool, part)
    number = draft.read(tool, arguments)
    reply = draft.calls[number].reply
    values = [shown[part.path] for shown in reply["results"]]
    if not 2 <= len(values) == reply["total"] or None in values:
        raise Rejected("too few rows to compare, or too many to be shown")
    column = draft.domain.by_name[tool.table].by_name[part.path]
    leaves = [Source(kind="reply", step=number, path=f"results.{at}.{part.path}") for at in range(len(values))]
    source = Source(kind="derived", how=part.how, of=tuple(leaves))
    return Worked(
        part=part, phrase=phrases.over_all(column, part.how, rows), answer=derive(part.how, values), source=source
    )


def _narrowed(draft: Draft, tool: Total | Search, part: Part) -> tuple[dict[str, Known], str]:
    """Return the arguments that a part gives to a tool, such as some row fits, and a phrase for the rows that fit."""
    example, table = rows_of(draft, tool.table, 1)[0], draft.domain.by_name[tool.table]
    ways = iter(part.ways)
    arguments: dict[str, Known] = {}
    before, of, after = "", "", list[str]()
    given = [one for one in tool.filters if one.arg in part.filters]
    for at, one in enumerate(given):
        value = draft.world.value(tool.table, example, one.path)
        column = draft.domain.column(tool.table, one.path)
        if value is None or column is None:
            raise Rejected(f"{example} has no {one.path}")
        if column.ref:
            owner = refer(draft, next(ways), value)
            of += phrases.link(draft.domain, column, owner, is_first=not of)
            arguments[one.arg] = draft.know(column.ref, value, ID)
            continue
        arguments[one.arg] = Known(value, QUERY)
        if any(other.path == one.path for other in given[:at]):
            continue  # the other bound of the same value
        is_exact = any(other.path == one.path for other in given[at + 1 :])
        added = _said(draft.domain, tool.table, one, value, is_exact=is_exact)
        before += added[0]
        after.append(added[1])
    return arguments, f"{before}{phrases.plural(table.noun)}{phrases.arranged(of, after)}"


def _said(domain: Domain, table: str, one: Filter, value: Json, *, is_exact: bool) -> tuple[str, str]:
    column = domain.column(table, one.path)
    assert column is not None  # never an id
    if one.compare in ("at_least", "at_most") and not is_exact:
        return "", phrases.bounded(column, value, is_least=one.compare == "at_least")
    before, name, after = phrases.attribute(domain, table, one.path, value, is_plural=True)
    return before, f"{' named' if name else ''}{name}{after}"


def rows_of(draft: Draft, table: str, n: int) -> list[str]:
    """Return the ids of so many different rows.

    Raises:
        Rejected: there are too few.
    """
    ids = draft.ids(table)
    if len(ids) < n:
        raise Rejected(f"{table} has too few rows")
    return draft.rng.sample(ids, n)


# -- writes ----------------------------------------------------------------------------------------


def _write(draft: Draft, part: Part) -> Worked:
    tool = draft.domain.tool[part.tool]
    assert isinstance(tool, Write)
    params = [param for param in tool.params if param.is_required]
    ways = dict(zip([param.name for param in params if names_row(draft.domain, param)], part.ways, strict=True))
    values, lenders = _allowed(draft, tool, params, part, ways)
    said: dict[str, str] = {}
    unknowns: dict[str, str] = {}
    arguments: dict[str, Known] = {}
    for param in params:
        value = values[param.name]
        if table := names_row(draft.domain, param):
            said[param.name] = refer(draft, ways[param.name], str(value))
            arguments[param.name] = draft.know(table, str(value), ID)
        elif loan := part.loans.get(param.name):
            unknowns[param.name], arguments[param.name] = lend(draft, loan, lenders[param.name])
        else:
            said[param.name], arguments[param.name] = phrases.said(value), Known(value, QUERY)
    return Worked(part=part, said=said, unknowns=unknowns, arguments=arguments)


def _allowed(
    draft: Draft, tool: Write, params: list[Param], part: Part, ways: Mapping[str, Way]
) -> tuple[dict[str, Json], dict[str, list[str]]]:
    """Return arguments with which a call succeeds and changes something, and the rows that lend some of them."""
    before = draft.world.diff()
    for _ in range(_TRIES):
        values: dict[str, Json] = {}
        lenders: dict[str, list[str]] = {}
        for param in params:
            if table := names_row(draft.domain, param):
                values[param.name] = _row(draft, table, ways[param.name])
            elif loan := part.loans.get(param.name):
                lenders[param.name] = rows_of(draft, loan.table, len(loan.ways))
                values[param.name] = _lent(draft, loan, lenders[param.name])
            else:
                values[param.name] = new_value(draft, param)
        rows = [values[name] for name in ways]
        if len(set(rows)) < len(rows) or not all(
            _is_allowed(draft.domain, param, values[param.name]) for param in params
        ):
            continue
        world = draft.world.copy()
        if not is_fault(call(world, tool.name, values)) and world.diff() != before:
            return values, lenders
    raise Rejected(f"no rows were found for which {tool.name} is allowed")


def _row(draft: Draft, table: str, way: Way) -> str:
    if way.kind not in ("made", "same"):
        return rows_of(draft, table, 1)[0]
    if (way.kind, table) not in draft.recent:
        raise Rejected(f"no row of {table} was made or changed before")
    return draft.recent[way.kind, table]


def _lent(draft: Draft, loan: Loan, ids: list[str]) -> Json:
    values = [draft.world.value(loan.table, id_, loan.path) for id_ in ids]
    if None in values:
        return None
    return derive(loan.how, sorted(values, reverse=True)) if loan.how else values[0]


def new_value(draft: Draft, param: Param) -> Json:
    """Return a value for an argument such as a request may tell."""
    column = draft.domain.by_name[param.table].by_name[param.column]
    if param.enum or column.enum:
        return draft.rng.choice(param.enum or column.enum)
    at = Drawing(draft.rng, draft.domain.pools[draft.split], {}, draft.day)
    for _ in range(_VALUE_TRIES):
        value = column.draw.many(at, 1)[0]
        if _is_allowed(draft.domain, param, value):
            return value
    low = param.minimum or 0
    return _between(draft.rng, column, low, low + 100 if param.maximum is None else param.maximum)


def _between(rng: random.Random, column: Column, low: float, high: float) -> Json:
    return rng.randint(int(low), int(high)) if column.type == "integer" else round(rng.uniform(low, high), 2)


def _is_allowed(domain: Domain, param: Param, value: Json) -> bool:
    column = domain.column(param.table, param.column)
    if value is None or (column is not None and column.type == "integer" and type(value) is not int):
        return False
    if param.enum and value not in param.enum:
        return False
    if param.minimum is not None and value < param.minimum:
        return False
    return param.maximum is None or bool(value <= param.maximum)
