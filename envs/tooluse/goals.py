"""Sub-goals: what a request can ask for, drawn from what a domain's tools declare, and worked out in a world.

A part is fixed before any world is drawn; the names of a request's parts make its template. Worked out, it has
become a phrase, the reading calls of its oracle, and either an answer or a writing call that is still to be made.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from palestra.envs.base import Json
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.case import Source
from palestra.envs.tooluse.draw import Drawing
from palestra.envs.tooluse.interpret import call, cents, is_fault, names_row
from palestra.envs.tooluse.planner import QUERY, Draft, Known, Rejected
from palestra.envs.tooluse.referral import Way, refer
from palestra.envs.tooluse.schema import ID, Column, Domain, Filter, Param, Total, Write

How = Literal["sum", "difference", "largest", "smallest"]
_ROW_TRIES = 30  # rows drawn for a writing call until its preconditions hold
_VALUE_TRIES = 5
_OF: Mapping[str, str] = {"sum": "total", "max": "highest", "min": "lowest", "mean": "average"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sub-goal.

    cell: a column of a row. total: what a Total counts or adds up. derived: what follows from a column of several
    rows. write: a writing call; each of its values is told in the request, or is what another row holds.
    """

    kind: Literal["cell", "total", "derived", "write"]
    ways: tuple[Way, ...] = ()  # of the rows, in the order of the arguments; first of the rows that are named
    tool: str = ""  # of a total or a write
    table: str = ""
    path: str = ""  # what is asked of the rows
    how: How = "sum"
    filters: tuple[str, ...] = ()  # the arguments of a total that are given
    borrowed: Mapping[str, tuple[str, str, Way]] | None = (
        None  # argument -> (table, column, way) of what it is taken from
    )

    @property
    def name(self) -> str:
        """What the part adds to the name of a template."""
        named = ",".join(way.name for way in self.ways)
        if self.kind == "cell":
            return f"{self.table}.{self.path}[{named}]"
        if self.kind == "derived":
            return f"{self.how}.{self.table}.{self.path}[{named}]"
        if self.kind == "total":
            return f"{self.tool}({','.join(self.filters)})[{named}]"
        lent = "".join(f"<{arg}={t}.{c}({way.name})" for arg, (t, c, way) in (self.borrowed or {}).items())
        return f"{self.tool}[{named}]{lent}"

    @property
    def level(self) -> int:
        """The highest level of indirection of its rows."""
        lent = [way for _, _, way in (self.borrowed or {}).values()]
        return max((way.level for way in (*self.ways, *lent)), default=0)


@dataclass(slots=True, kw_only=True)
class Worked:
    """A part in a world: what the request says of it, and what it comes to."""

    part: Part
    phrase: str = ""  # of a question: "the shipping fee of order ord_1"
    answer: Json = None
    source: Source | None = None
    said: Mapping[str, str] | None = None  # of a write: what stands for each argument
    unknowns: tuple[str, ...] = ()  # of a write: "where N is the shipping fee of order ord_1"
    arguments: Mapping[str, Known] | None = None


def work_out(draft: Draft, part: Part) -> Worked:
    """Return a part worked out for rows of the draft's world, its reading calls added to the draft.

    Raises:
        Rejected: these rows do not do; others may.
    """
    if part.kind == "cell":
        return _cell(draft, part)
    if part.kind == "derived":
        return _derived(draft, part)
    if part.kind == "total":
        return _total(draft, part)
    return _write(draft, part)


def _cell(draft: Draft, part: Part) -> Worked:
    phrase, known = _asked(draft, part, part.ways[0], _row(draft, part.table))
    return Worked(part=part, phrase=phrase, answer=known.value, source=known.source)


def _asked(draft: Draft, part: Part, way: Way, id_: str) -> tuple[str, Known]:
    phrase = refer(draft, way, id_)
    known = draft.know(part.table, id_, part.path)
    column = draft.domain.column(part.table, part.path)
    assert column is not None
    return phrases.cell(column, phrase), known


def _derived(draft: Draft, part: Part) -> Worked:
    ids = _rows(draft, part.table, len(part.ways))
    values = [draft.world.value(part.table, id_, part.path) for id_ in ids]
    if None in values or len(set(values)) < len(values):
        raise Rejected("values to compare are missing or equal")
    if part.how == "difference":
        ids = [id_ for _, id_ in sorted(zip(values, ids, strict=True), reverse=True)]
    asked = [_asked(draft, part, way, id_) for way, id_ in zip(part.ways, ids, strict=True)]
    listed = phrases.joined([phrase for phrase, _ in asked])
    answer = derive(part.how, [known.value for _, known in asked])
    source = Source(kind="derived", how=part.how, of=tuple(known.source for _, known in asked))
    word = f"the difference between {listed}" if part.how == "difference" else f"the {part.how} of {listed}"
    return Worked(part=part, phrase=word, answer=answer, source=source)


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
    example = _row(draft, tool.table)  # one of the rows that will fit
    table = draft.domain.by_name[tool.table]
    ways = iter(part.ways)
    arguments: dict[str, Known] = {}
    before, of, after = "", "", ""
    for one in (one for one in tool.filters if one.arg in part.filters):
        value = draft.world.value(tool.table, example, one.path)
        column = draft.domain.column(tool.table, one.path)
        if value is None or column is None:
            raise Rejected(f"{example} has no {one.path}")
        if column.ref:
            owner = refer(draft, next(ways), value)
            of += f" of {owner}" if not of else f" with the {phrases.role(column)} {owner}"
            arguments[one.arg] = draft.know(column.ref, value, ID)
            continue
        arguments[one.arg] = Known(value, QUERY)
        added = _narrowed(draft.domain, tool.table, one, value)
        before, after = before + added[0], after + added[1]
    number = draft.read(tool, arguments)
    answer = draft.calls[number].reply[tool.how]
    if draft.calls[number].reply[tool.how] in (0, 1) and tool.how == "count":
        raise Rejected("too few to count")
    rows = f"{before}{phrases.plural(table.noun)}{of}{after}"
    phrase = f"the number of {rows}"
    if tool.how != "count":
        column = draft.domain.column(tool.table, tool.of)
        assert column is not None
        phrase = f"the {_OF[tool.how]} {phrases.noun(column)} of all {rows}"
    return Worked(part=part, phrase=phrase, answer=answer, source=Source(kind="reply", step=number, path=tool.how))


def _narrowed(domain: Domain, table: str, one: Filter, value: Json) -> tuple[str, str]:
    column = domain.column(table, one.path)
    assert column is not None
    if one.compare in ("at_least", "at_most"):
        return "", phrases.bounded(column, value, is_least=one.compare == "at_least")
    return phrases.attribute(domain, table, one.path, value, is_first=False)


# -- writes ----------------------------------------------------------------------------------------


def _write(draft: Draft, part: Part) -> Worked:
    tool = draft.domain.tool[part.tool]
    assert isinstance(tool, Write)
    params = [param for param in tool.params if param.is_required]
    chosen = _fitting_rows(draft, tool, params, part)
    said: dict[str, str] = {}
    unknowns: list[str] = []
    arguments: dict[str, Known] = {}
    ways = iter(part.ways)
    for param in params:
        table = names_row(draft.domain, param)
        value = chosen[param.name]
        if table:
            said[param.name] = refer(draft, next(ways), str(value))
            arguments[param.name] = draft.know(table, str(value), ID)
        elif part.borrowed and param.name in part.borrowed:
            owner, path, way = part.borrowed[param.name]
            phrase = refer(draft, way, chosen[f"{param.name} of"])
            arguments[param.name] = draft.know(owner, chosen[f"{param.name} of"], path)
            column = draft.domain.by_name[owner].by_name[path]
            said[param.name] = phrases.cell(column, phrase)
            if column.type in ("integer", "number"):
                unknowns.append(f"{(letter := 'NMKL'[len(unknowns)])} is {said[param.name]}")
                said[param.name] = letter
        else:
            said[param.name], arguments[param.name] = phrases.said(value), Known(value, QUERY)
    return Worked(part=part, said=said, unknowns=tuple(unknowns), arguments=arguments)


def _fitting_rows(draft: Draft, tool: Write, params: list[Param], part: Part) -> dict[str, Json]:
    """Return arguments with which a writing call succeeds and changes something."""
    for _ in range(_ROW_TRIES):
        found: dict[str, Json] = {}
        for param in params:
            if table := names_row(draft.domain, param):
                found[param.name] = _row(draft, table)
            elif part.borrowed and param.name in part.borrowed:
                owner, path, _way = part.borrowed[param.name]
                found[f"{param.name} of"] = _row(draft, owner)
                found[param.name] = draft.world.value(owner, found[f"{param.name} of"], path)
            else:
                found[param.name] = new_value(draft, param)
        values = {param.name: found[param.name] for param in params}
        if len(set(map(str, found.values()))) < len(found) or not all(
            _is_allowed(draft.domain, param, values[param.name]) for param in params
        ):
            continue
        world = draft.world.copy()
        before = world.diff()
        if not is_fault(call(world, tool.name, values)) and world.diff() != before:
            return found
    raise Rejected(f"no rows were found for which {tool.name} is allowed")


def new_value(draft: Draft, param: Param) -> Json:
    """Return a value for an argument such as a request may tell."""
    column = draft.domain.by_name[param.table].by_name[param.column]
    if param.enum or column.enum:
        return draft.rng.choice(param.enum or column.enum)
    pools = draft.domain.pools[draft.split]
    ids = {table: list(rows) for table, rows in draft.base.rows.items()}
    at = Drawing(draft.rng, pools, ids, draft.day)
    for _ in range(_VALUE_TRIES):
        value = column.draw.many(at, 1)[0]
        if _is_allowed(draft.domain, param, value):
            return value
    low, high = param.minimum or 0, param.maximum if param.maximum is not None else (param.minimum or 0) + 100
    return _between(draft.rng, column, low, high)


def _between(rng: random.Random, column: Column, low: float, high: float) -> Json:
    if column.type == "integer":
        return rng.randint(int(low), int(high))
    return round(rng.uniform(low, high), 2)


def _is_allowed(domain: Domain, param: Param, value: Json) -> bool:
    column = domain.column(param.table, param.column)
    if value is None or (column is not None and column.type == "integer" and type(value) is not int):
        return False
    if param.enum and value not in param.enum:
        return False
    if param.minimum is not None and value < param.minimum:
        return False
    return param.maximum is None or bool(value <= param.maximum)


def _row(draft: Draft, table: str) -> str:
    return _rows(draft, table, 1)[0]


def _rows(draft: Draft, table: str, n: int) -> list[str]:
    ids = [id_ for id_, _ in draft.world.rows(table)]
    if len(ids) < n:
        raise Rejected(f"{table} has too few rows")
    return draft.rng.sample(ids, n)
