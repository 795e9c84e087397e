"""Templates: which parts a request has, drawn before any world is; a hash of the parts' names gives the split."""

import hashlib
import random
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, get_args

from palestra.envs.base import Split
from palestra.envs.tooluse.goals import How, Part
from palestra.envs.tooluse.interpret import names_row
from palestra.envs.tooluse.referral import Way, ways
from palestra.envs.tooluse.schema import ID, Column, Domain, Get, Param, Search, Total, Write

Kind = Literal["question", "write"]
HELD_OUT = 4  # one of so many templates
_LEVELS = (3, 4, 3, 3)  # how often each level of indirection is drawn
_DERIVED, _TOTAL = 0.2, 0.25  # shares of the questions
_BORROWED = 0.3  # of the values of writes
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
        found.append(_question(rng, domain, wanted) if kind == "question" else _write(rng, domain, wanted))
    return tuple(found)


def _question(rng: random.Random, domain: Domain, level: int) -> Part:
    draw = rng.random()
    if draw < _DERIVED:
        return _derived(rng, domain, level)
    totals = [tool for tool in domain.tools if isinstance(tool, Total)]
    if draw < _DERIVED + _TOTAL and totals:
        return _total(rng, domain, rng.choice(totals), level)
    table, path = rng.choice(readable(domain))
    return Part(kind="cell", table=table, path=path, ways=(_way(rng, domain, table, level),))


def _derived(rng: random.Random, domain: Domain, level: int) -> Part:
    how: How = rng.choice(get_args(How))
    numbers = [(t, p) for t, p in readable(domain) if (c := domain.column(t, p)) and c.type in ("integer", "number")]
    table, path = rng.choice(numbers)
    n = 2 if how == "difference" else rng.choice((2, 2, 3))
    first = _way(rng, domain, table, level)
    others = [_way(rng, domain, table, rng.randint(0, min(level, 1))) for _ in range(n - 1)]
    return Part(kind="derived", table=table, path=path, how=how, ways=(first, *others))


def _total(rng: random.Random, domain: Domain, tool: Total, level: int) -> Part:
    needed = [one for one in tool.filters if one.is_required]
    free = [one for one in tool.filters if not one.is_required]
    rng.shuffle(free)
    chosen = {one.arg: one for one in [*needed, *free[: rng.randint(0 if needed else 1, _FILTERS)]]}
    found: list[Way] = []
    for one in (one for one in tool.filters if one.arg in chosen):
        column = domain.column(tool.table, one.path)
        if column is not None and column.ref:
            found.append(_way(rng, domain, column.ref, level if not found else 1))
    arguments = tuple(one.arg for one in tool.filters if one.arg in chosen)
    return Part(kind="total", tool=tool.name, filters=arguments, ways=tuple(found))


def _write(rng: random.Random, domain: Domain, level: int) -> Part:
    tool = rng.choice([tool for tool in domain.tools if isinstance(tool, Write)])
    found: list[Way] = []
    borrowed: dict[str, tuple[str, str, Way]] = {}
    for param in (param for param in tool.params if param.is_required):
        if table := names_row(domain, param):
            found.append(_way(rng, domain, table, rng.randint(0, min(level, 1)) if found else level))
        elif rng.random() < _BORROWED and (lenders := _lenders(domain, param)):
            table, path = rng.choice(lenders)
            borrowed[param.name] = (table, path, _way(rng, domain, table, rng.randint(0, level)))
    return Part(kind="write", tool=tool.name, ways=tuple(found), borrowed=borrowed)


def _way(rng: random.Random, domain: Domain, table: str, level: int) -> Way:
    """Return a way of a level, or of the next lower one that there is."""
    every = ways(domain, table)
    for wanted in (*range(level, -1, -1), 1, 2, 3):
        if found := [way for way in every if way.level == wanted and is_resolvable(domain, way)]:
            kinds = sorted({way.kind for way in found})
            kind = rng.choice(kinds)
            return rng.choice([way for way in found if way.kind == kind])
    return every[0]


@lru_cache(maxsize=65536)
def is_resolvable(domain: Domain, way: Way) -> bool:
    """Tell whether a way makes sense: an id in a request is of use only where a tool takes it."""
    return way.kind != "id" or any(_takes(domain, tool, way.table) for tool in domain.tools)


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


def _unit(domain: Domain, table: str, path: str) -> tuple[str, str]:
    column = domain.column(table, path)
    assert column is not None  # of the readable ones
    return column.unit, column.type
