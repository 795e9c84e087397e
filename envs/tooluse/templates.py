"""Templates: which parts a request has, drawn before any world is; a hash of the parts' names gives the split."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from palestra.envs.base import Split
from palestra.envs.tooluse.askable import amounts, lenders, readable
from palestra.envs.tooluse.interpret import names_row
from palestra.envs.tooluse.parts import How, Loan, Part
from palestra.envs.tooluse.referral import Way, can_show, compared, linked, ways
from palestra.envs.tooluse.schema import (
    ID,
    Const,
    Delete,
    Domain,
    Filter,
    Insert,
    Search,
    Set,
    Tool,
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
_NESTED = 0.2  # share of the rows named through others that are themselves named so
_FILTERS = 2  # of a total, at most


def name_of(parts: Sequence[Part]) -> str:
    """Return the name of the template that has these parts."""
    return "&".join(part.name for part in parts)


def split_of(domain: Domain, template: str) -> Split:
    """Return the split that a template belongs to, given its name; all of a held-out domain's are held out."""
    if domain.is_held_out:
        return "heldout"
    found = hashlib.sha256(f"{domain.name}/{template}".encode()).digest()
    return "heldout" if found[0] % HELD_OUT == 0 else "train"


def draw_parts(
    rng: random.Random, domain: Domain, kinds: Sequence[Kind], level: int, depth: int = 0
) -> tuple[Part, ...]:
    """Return parts of some kinds.

    Args:
        rng: draws them.
        domain: whose tools they use.
        kinds: of the parts, in order.
        level: of indirection, which one of the rows has and none exceeds; -1 for any.
        depth: of the chain of steps that is wanted, so that rows may be named through others; 0 for any.
    """
    return _Drawing(rng, domain, level, depth).parts(kinds)


@dataclass(frozen=True, slots=True)
class _Drawing:
    rng: random.Random
    domain: Domain
    level: int
    depth: int

    def parts(self, kinds: Sequence[Kind]) -> tuple[Part, ...]:
        top = self.rng.randrange(len(kinds))
        found: list[Part] = []
        for at, kind in enumerate(kinds):
            if self.level >= 0:
                wanted = self.level if at == top else self.rng.randint(0, self.level)
            elif at == top and self.depth > 2:
                wanted = self.rng.choice((2, 3))
            else:
                wanted = self.rng.choices(range(len(_LEVELS)), _LEVELS)[0]
            follow_up = None
            if kind == "write" and found and found[-1].kind == "write" and self.rng.random() < _FOLLOW_UPS:
                follow_up = self.follow_up(found)
            found.append(follow_up or (self.question if kind == "question" else self.write)(wanted))
        return tuple(found)

    def question(self, level: int) -> Part:
        form = self.rng.choices(list(_QUESTIONS), list(_QUESTIONS.values()))[0]
        totals = [tool for tool in self.domain.tools if isinstance(tool, Total)]
        if form == "total" and totals:
            return self.total(self.rng.choice(totals), level)
        if form == "listed" and (listed := self.listed(level)):
            return listed
        found = amounts(self.domain)
        if form != "derived" or not found:
            table, path = self.rng.choice(readable(self.domain))
            return Part(kind="value", asked=Loan(table=table, path=path, ways=(self.way(table, level, path),)))
        return Part(kind="value", asked=self.derived(*self.rng.choice(found), level))

    def derived(self, table: str, path: str, level: int) -> Loan:
        how = self.rng.choice(_hows(self.domain, table, path))
        n = 2 if how == "difference" else self.rng.choice((2, 2, 3))
        first = self.way(table, level, path)
        others = [self.way(table, self.rng.randint(0, min(level, 1)), path) for _ in range(n - 1)]
        return Loan(table=table, path=path, how=how, ways=(first, *others))

    def total(self, tool: Total, level: int) -> Part:
        needed = [one for one in tool.filters if one.is_required]
        free = [one for one in tool.filters if not one.is_required and not _is_yes_or_no(self.domain, tool, one)]
        self.rng.shuffle(free)
        chosen = [*needed, *free[: self.rng.randint(0 if needed else 1, _FILTERS)]]
        return self.over_rows(tool, {one.arg for one in chosen}, level)

    def listed(self, level: int) -> Part | None:
        """Return a question about all rows that refer to one; None where no search lists such rows with numbers."""
        searches = [
            tool
            for tool in self.domain.tools
            if isinstance(tool, Search) and linked(self.domain, tool) and compared(self.domain, tool)
        ]
        if not searches:
            return None
        tool = self.rng.choice(searches)
        path = self.rng.choice(compared(self.domain, tool))
        hows = [how for how in _hows(self.domain, tool.table, path) if how != "difference"]
        chosen = {
            self.rng.choice(
                [one.arg for one in tool.filters if one.path in {link for link, _ in linked(self.domain, tool)}]
            )
        }
        part = self.over_rows(tool, chosen, level)
        return replace(part, kind="listed", path=path, how=self.rng.choice(hows))

    def over_rows(self, tool: Total | Search, chosen: set[str], level: int) -> Part:
        found: list[Way] = []
        for one in (one for one in tool.filters if one.arg in chosen):
            column = self.domain.column(tool.table, one.path)
            if column is not None and column.ref:
                found.append(self.way(column.ref, 1 if found else level))
        arguments = tuple(one.arg for one in tool.filters if one.arg in chosen)
        return Part(kind="total", tool=tool.name, filters=arguments, ways=tuple(found))

    def write(self, level: int) -> Part:
        tool = self.rng.choice([tool for tool in self.domain.tools if isinstance(tool, Write)])
        found: list[Way] = []
        loans: dict[str, Loan] = {}
        for param in (param for param in tool.params if param.is_required):
            if table := names_row(self.domain, param):
                found.append(self.way(table, self.rng.randint(0, min(level, 1)) if found else level))
            elif self.rng.random() < _LENT and (options := lenders(self.domain, param)):
                table, path = self.rng.choice(options)
                if (table, path) in amounts(self.domain) and self.rng.random() < _DERIVED:
                    loans[param.name] = self.derived(table, path, self.rng.randint(0, level))
                else:
                    loans[param.name] = Loan(
                        table=table, path=path, ways=(self.way(table, self.rng.randint(0, level), path),)
                    )
        return Part(kind="write", tool=tool.name, ways=tuple(found), loans=loans)

    def follow_up(self, before: Sequence[Part]) -> Part | None:
        """Return a write about the row that the last of some parts makes, or is about; None where there is none.

        "That order" and "the new order" must be clear: no other was spoken of with it, or made before.
        """
        last = before[-1]
        tool = self.domain.tool[last.tool]
        made = _made(tool)
        if any(made & _made(self.domain.tool[part.tool]) for part in before[:-1] if part.kind == "write"):
            return None
        spoken_of = [table for way in _ways_of(last) for table in _tables(way)]
        tables = made or {table for table in _rows(self.domain, tool) if spoken_of.count(table) == 1}
        options = [
            other
            for other in self.domain.tools
            if isinstance(other, Write)
            and other is not tool
            and not (made and _undoes(other))
            and set(_rows(self.domain, other)[:1]) & tables
        ]
        if not options:
            return None
        other = self.rng.choice(options)
        table, *rest = _rows(self.domain, other)
        first = Way(kind="made" if made else "same", table=table, level=0)
        return Part(kind="write", tool=other.name, ways=(first, *(self.way(row, 0) for row in rest)))

    def way(self, table: str, level: int, path: str = ID) -> Way:
        """Return a way to name a row of which a column is asked, of a level or of the next lower one that there is."""
        every = _showing(self.domain, table, path)
        for wanted in (*range(level, -1, -1), 1, 2, 3):
            if found := [way for way in every if way.level == wanted]:
                kind = self.rng.choice(sorted({way.kind for way in found}))
                chosen = self.rng.choice([way for way in found if way.kind == kind])
                return self.deepened(chosen, self.nesting())
        return every[0]

    def nesting(self) -> int:
        """Return how often a row may be named through another one on the way."""
        if self.depth:
            return self.rng.randint(max(0, self.depth - 3), max(0, self.depth - 1))
        return int(self.rng.random() < _NESTED)

    def deepened(self, way: Way, nest: int) -> Way:
        """Return a way whose other row is named through yet another one, so many times at most."""
        if way.via is None or nest <= 0:
            return way
        most = self.level if self.level >= 0 else 3
        shown = way.column if way.kind == "reference" else ID
        options = [one for one in _telling(self.domain, way.via.table, shown) if one.level <= most]
        if not options:
            return way
        kind = self.rng.choice(sorted({one.kind for one in options}))
        via = self.deepened(self.rng.choice([one for one in options if one.kind == kind]), nest - 1)
        return replace(way, via=via, level=max(way.level, via.level))


@lru_cache(maxsize=4096)
def _showing(domain: Domain, table: str, path: str) -> tuple[Way, ...]:
    """Return the ways to name a row by which a column of it can be known, or all if there are none."""
    every = ways(domain, table)
    return tuple(way for way in every if can_show(domain, way, path)) or every


@lru_cache(maxsize=4096)
def _telling(domain: Domain, table: str, path: str) -> tuple[Way, ...]:
    """Return those of the ways through another row that tell something of the row itself, too: few rows fit them."""
    return tuple(
        way
        for way in _showing(domain, table, path)
        if way.via is not None and (way.paths or way.kind in ("extreme", "reference"))
    )


def _hows(domain: Domain, table: str, path: str) -> list[How]:
    """Return what can sensibly follow from several values of a column: only amounts of something add up."""
    column = domain.by_name[table].by_name[path]
    is_amount = column.type in ("integer", "number")
    sums: list[How] = ["sum"] if is_amount and column.unit else []
    differences: list[How] = ["difference"] if is_amount else []
    return [*sums, *differences, "largest", "smallest"]


def _is_yes_or_no(domain: Domain, tool: Total, one: Filter) -> bool:
    column = domain.column(tool.table, one.path)
    return column is not None and column.type == "boolean"


def _made(tool: Tool) -> set[str]:
    return {one.table for one in tool.effects if isinstance(one, Insert)} if isinstance(tool, Write) else set()


def _rows(domain: Domain, tool: Tool) -> list[str]:
    """Return the tables of the rows that a write must be given."""
    params = tool.params if isinstance(tool, Write) else ()
    return [table for param in params if param.is_required and (table := names_row(domain, param))]


def _ways_of(part: Part) -> list[Way]:
    return [*part.ways, *(way for loan in part.loans.values() for way in loan.ways)]


def _tables(way: Way) -> list[str]:
    """Return the tables of every row that a way speaks of."""
    return [way.table, *(_tables(way.via) if way.via else [])]


def _undoes(tool: Write) -> bool:
    """Tell whether a tool takes a row away, so that nobody asks for it of a row that they have just had made."""
    gone = (Const("cancelled"), Const("closed"), Const("stopped"))
    return any(
        isinstance(effect, Delete) or (isinstance(effect, Set) and effect.value in gone) for effect in tool.effects
    )
