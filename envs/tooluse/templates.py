"""Templates: which parts a request has, drawn before any world is; a hash of the parts' names gives the split."""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from palestra.envs.base import Split
from palestra.envs.tooluse.interpret import names_row
from palestra.envs.tooluse.parts import How, Loan, Part
from palestra.envs.tooluse.referral import Way, compared, linked, ways
from palestra.envs.tooluse.schema import (
    ID,
    Column,
    Const,
    Delete,
    Domain,
    Get,
    Insert,
    Param,
    Search,
    Set,
    Total,
    Write,
)

Kind = Literal["question", "write"]
HELD_OUT = 4  # one of so many templates
_LEVELS = (3, 4, 3, 3)  # how often each level of indirection is drawn
_QUESTIONS = {"plain": 9, "derived": 4, "total": 5, "listed": 3}  # how often each form of question is drawn
_LENT, _DERIVED = (
    0.3,
    0.3,
)  # shares of a write's values that other rows lend, and of those, of what follows from several
_FOLLOW_UPS = 0.35  # share of the writes after a write that go on with its rows
_FILTERS = 2  # of a total, at most


def name_of(parts: Sequence[Part]) -> str:
    """Return the name of the template that has these parts."""
    return "&".join(part.name for part in parts)


def split_of(domain: Domain, parts: Sequence[Part]) -> Split:
    """Return the split that a template belongs to; all of a held-out domain's are held out."""
    if domain.is_held_out:
        return "heldout"
    found = hashlib.sha256(f"{domain.name}/{name_of(parts)}".encode()).digest()
    return "heldout" if found[0] % HELD_OUT == 0 else "train"


def draw_parts(rng: random.Random, domain: Domain, kinds: Sequence[Kind], level: int) -> tuple[Part, ...]:
    """Return parts of some kinds.

    Args:
        rng: draws them.
        domain: whose tools they use.
        kinds: of the parts, in order.
        level: of indirection, which one of the rows has and none exceeds; -1 for any.
    """
    top = rng.randrange(len(kinds))
    found: list[Part] = []
    for at, kind in enumerate(kinds):
        if level >= 0:
            wanted = level if at == top else rng.randint(0, level)
        else:
            wanted = rng.choices(range(len(_LEVELS)), _LEVELS)[0]
        follow_up = None
        if kind == "write" and found and found[-1].kind == "write" and rng.random() < _FOLLOW_UPS:
            follow_up = _follow_up(rng, domain, found[-1])
        found.append(follow_up or (_question if kind == "question" else _write)(rng, domain, wanted))
    return tuple(found)


def _question(rng: random.Random, domain: Domain, level: int) -> Part:
    form = rng.choices(list(_QUESTIONS), list(_QUESTIONS.values()))[0]
    totals = [tool for tool in domain.tools if isinstance(tool, Total)]
    if form == "total" and totals:
        return _total(rng, domain, rng.choice(totals), level)
    if form == "listed" and (listed := _listed(rng, domain, level)):
        return listed
    numbers = _numbers(domain)
    if form != "derived" or not numbers:
        table, path = rng.choice(readable(domain))
        return Part(kind="value", asked=Loan(table=table, path=path, ways=(_way(rng, domain, table, level, path),)))
    return Part(kind="value", asked=_derived(rng, domain, *rng.choice(numbers), level))


def _derived(rng: random.Random, domain: Domain, table: str, path: str, level: int) -> Loan:
    how: How = rng.choice(("sum", "difference", "largest", "smallest"))
    n = 2 if how == "difference" else rng.choice((2, 2, 3))
    first = _way(rng, domain, table, level, path)
    others = [_way(rng, domain, table, rng.randint(0, min(level, 1)), path) for _ in range(n - 1)]
    return Loan(table=table, path=path, how=how, ways=(first, *others))


def _total(rng: random.Random, domain: Domain, tool: Total, level: int) -> Part:
    needed = [one for one in tool.filters if one.is_required]
    free = [one for one in tool.filters if not one.is_required]
    rng.shuffle(free)
    chosen = [*needed, *free[: rng.randint(0 if needed else 1, _FILTERS)]]
    return _over_rows(rng, domain, tool, {one.arg for one in chosen}, level)


def _listed(rng: random.Random, domain: Domain, level: int) -> Part | None:
    """Return a question about all rows that refer to one; None where no search lists such rows with numbers."""
    searches = [
        tool for tool in domain.tools if isinstance(tool, Search) and linked(domain, tool) and compared(domain, tool)
    ]
    if not searches:
        return None
    tool = rng.choice(searches)
    path = rng.choice(compared(domain, tool))
    column = domain.by_name[tool.table].by_name[path]
    hows: tuple[How, ...] = ("largest", "smallest") if column.format else ("sum", "largest", "smallest")
    chosen = {rng.choice([one.arg for one in tool.filters if one.path in {link for link, _ in linked(domain, tool)}])}
    part = _over_rows(rng, domain, tool, chosen, level)
    return replace(part, kind="listed", path=path, how=rng.choice(hows))


def _over_rows(rng: random.Random, domain: Domain, tool: Total | Search, chosen: set[str], level: int) -> Part:
    found: list[Way] = []
    for one in (one for one in tool.filters if one.arg in chosen):
        column = domain.column(tool.table, one.path)
        if column is not None and column.ref:
            found.append(_way(rng, domain, column.ref, 1 if found else level))
    arguments = tuple(one.arg for one in tool.filters if one.arg in chosen)
    return Part(kind="total", tool=tool.name, filters=arguments, ways=tuple(found))


def _write(rng: random.Random, domain: Domain, level: int) -> Part:
    tool = rng.choice([tool for tool in domain.tools if isinstance(tool, Write)])
    found: list[Way] = []
    loans: dict[str, Loan] = {}
    for param in (param for param in tool.params if param.is_required):
        if table := names_row(domain, param):
            found.append(_way(rng, domain, table, rng.randint(0, min(level, 1)) if found else level))
        elif rng.random() < _LENT and (lenders := _lenders(domain, param)):
            table, path = rng.choice(lenders)
            if (table, path) in _numbers(domain) and rng.random() < _DERIVED:
                loans[param.name] = _derived(rng, domain, table, path, rng.randint(0, level))
            else:
                loans[param.name] = Loan(
                    table=table, path=path, ways=(_way(rng, domain, table, rng.randint(0, level), path),)
                )
    return Part(kind="write", tool=tool.name, ways=tuple(found), loans=loans)


def _follow_up(rng: random.Random, domain: Domain, before: Part) -> Part | None:
    """Return a write about the row that the write before it makes, or is about; None where there is none."""
    tool = domain.tool[before.tool]
    assert isinstance(tool, Write)
    made = {effect.table for effect in tool.effects if isinstance(effect, Insert)}
    named = [names_row(domain, param) for param in tool.params if names_row(domain, param)]
    kind: Literal["made", "same"] = "made" if made else "same"
    tables = made or {table for table in named if named.count(table) == 1}
    options = [
        (other, tables_of[0])
        for other in domain.tools
        if isinstance(other, Write)
        and other is not tool
        and not (made and _undoes(other))
        and (tables_of := [names_row(domain, p) for p in other.params if p.is_required and names_row(domain, p)])
        and tables_of[0] in tables
    ]
    if not options:
        return None
    other, table = rng.choice(options)
    rows = [names_row(domain, param) for param in other.params if param.is_required and names_row(domain, param)]
    first = Way(kind=kind, table=table, level=0)
    return Part(kind="write", tool=other.name, ways=(first, *(_way(rng, domain, row, 0) for row in rows[1:])))


def _undoes(tool: Write) -> bool:
    """Tell whether a tool takes a row away, so that nobody asks for it of a row that they have just had made."""
    gone = (Const("cancelled"), Const("closed"), Const("stopped"))
    return any(
        isinstance(effect, Delete) or (isinstance(effect, Set) and effect.value in gone) for effect in tool.effects
    )


def _way(rng: random.Random, domain: Domain, table: str, level: int, path: str = ID) -> Way:
    """Return a way to name a row of which a column is asked, of a level or of the next lower one that there is."""
    every = [way for way in ways(domain, table) if can_show(domain, way, path)] or list(ways(domain, table))
    for wanted in (*range(level, -1, -1), 1, 2, 3):
        if found := [way for way in every if way.level == wanted]:
            kind = rng.choice(sorted({way.kind for way in found}))
            return rng.choice([way for way in found if way.kind == kind])
    return every[0]


@lru_cache(maxsize=65536)
def can_show(domain: Domain, way: Way, path: str) -> bool:
    """Tell whether some tool can show a column of a row that is named in a way; or, for "id", make use of its id."""
    if path == ID:
        return way.kind != "id" or any(_takes(domain, tool, way.table) for tool in domain.tools)
    for tool in domain.tools:
        is_own = way.kind == "unique" and way.tool == tool.name
        if isinstance(tool, Get) and tool.table == way.table and path in tool.shows and (tool.by == ID or is_own):
            return True
        if isinstance(tool, Search) and tool.name == way.tool and path in tool.shows:
            return way.kind in ("named", "listed", "extreme")
    return False


def _takes(domain: Domain, tool: object, table: str) -> bool:
    if isinstance(tool, Get):
        return tool.table == table and tool.by == ID
    if isinstance(tool, Write):
        return any(names_row(domain, param) == table for param in tool.params)
    if isinstance(tool, Search | Total):
        columns = [domain.column(tool.table, one.path) for one in tool.filters]
        return any(column is not None and column.ref == table for column in columns)
    return False


@lru_cache(maxsize=64)
def readable(domain: Domain) -> tuple[tuple[str, str], ...]:
    """Return the (table, column) pairs that can be asked for: shown by a tool, and neither id nor yes or no."""
    return tuple(_columns(domain, lambda column: not column.ref and column.type != "boolean"))


def _columns(domain: Domain, is_wanted: Callable[[Column], bool]) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for tool in domain.tools:
        if isinstance(tool, Get | Search):
            for path in tool.shows:
                column = domain.column(tool.table, path)
                if "." not in path and column is not None and is_wanted(column):
                    found[tool.table, path] = None
    return list(found)


def _lenders(domain: Domain, param: Param) -> list[tuple[str, str]]:
    """Return the columns whose values an argument may take: its own, or numbers of its unit."""
    own = domain.column(param.table, param.column)
    if own is None or own.is_unique:
        return []
    return [
        (table, path)
        for table, path in readable(domain)
        if (table, path) == (param.table, param.column)
        or (own.type in ("integer", "number") and own.unit and _unit(domain, table, path) == (own.unit, own.type))
    ]


def _numbers(domain: Domain) -> list[tuple[str, str]]:
    return [(table, path) for table, path in readable(domain) if _unit(domain, table, path)[1] in ("integer", "number")]


def _unit(domain: Domain, table: str, path: str) -> tuple[str, str]:
    column = domain.column(table, path)
    assert column is not None  # of the readable ones
    return column.unit, column.type
