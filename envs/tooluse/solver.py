"""A second solver, which knows nothing of how a request was composed.

It sees the words of the request, what the domain declares, and the goal: which cells must change, what must have
been shown. Forward from the words it makes every reading call whose arguments it knows, level by level, on rows
that it can tell apart; backward from the changes it finds the writing calls that make them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from palestra.envs.base import Json
from palestra.envs.tooluse.backward import Calls, Place, writes_for
from palestra.envs.tooluse.interpret import call, cents, is_fault, matching
from palestra.envs.tooluse.literals import COMPARING, literals
from palestra.envs.tooluse.schema import (
    ID,
    Domain,
    Filter,
    Get,
    Search,
    Tool,
    Total,
    Write,
    shown_as,
)
from palestra.envs.tooluse.world import Base, World

MAX_LEVELS = 6  # of reading calls that need each other
MAX_CALLS = 300
_MAX_COMBINATIONS = 48  # of the arguments of one tool, at one level


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What must be known at the end: a cell, a total over rows, or what follows from others."""

    place: Place | None = None
    total: tuple[str, frozenset[str], str, str] | None = None  # table, ids, how, of
    how: str = ""
    of: "tuple[Asked, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The goal: every change to the world, and what must be known."""

    changes: tuple[tuple[Json, ...], ...] = ()
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Calls that reach a goal, reading ones first, and the answers found."""

    calls: tuple[tuple[str, Mapping[str, Json]], ...]
    answers: tuple[Json, ...]


def solve(base: Base, text: str, wanted: Wanted, tools: Sequence[str] | None = None) -> Solution | None:
    """Return a shortest way to a goal that was found, or None where there seems to be none.

    Args:
        base: the world.
        text: of the request; only what stands in it can be told to a tool unasked.
        wanted: the goal.
        tools: the domain's tools that may be used; all by default.
    """
    return _Search(base, text, wanted, tools).run()


@dataclass(slots=True)
class _Search:
    base: Base
    text: str
    wanted: Wanted
    names: Sequence[str] | None
    made: list[tuple[str, dict[str, Json]]] = field(default_factory=list)
    seen: set[tuple[str, tuple[tuple[str, Json], ...]]] = field(default_factory=set)
    values: dict[tuple[str, str], dict[Json, Calls]] = field(default_factory=dict)
    cells: dict[Place, tuple[Json, Calls]] = field(default_factory=dict)
    totals: dict[tuple[str, frozenset[str], str, str], tuple[Json, Calls]] = field(default_factory=dict)
    told: dict[tuple[str, str], tuple[Json, ...]] = field(default_factory=dict)
    weak: set[Json] = field(default_factory=set)  # ids of rows that only stand out by having the most or least
    compares: bool = False
    asks_totals: bool = field(init=False)
    tools: list[Tool] = field(init=False)  # those that may help: a total that nobody asks for is never an argument

    @property
    def domain(self) -> Domain:
        return self.base.domain

    def __post_init__(self) -> None:
        self.asks_totals = any(one.total for one in _all(self.wanted.asked))
        asked = {(one.total[0], one.total[2], one.total[3]) for one in _all(self.wanted.asked) if one.total}
        self.tools = [
            tool
            for tool in self.domain.tools
            if (self.names is None or tool.name in self.names)
            and not (isinstance(tool, Total) and (tool.table, tool.how, tool.of) not in asked)
        ]

    def run(self) -> Solution | None:
        self.told = literals(self.base, self.text)
        self.compares = COMPARING.search(self.text) is not None
        for (table, column), some in self.told.items():
            self.values[table, column] = dict.fromkeys(some, frozenset())
        world = World(self.base)
        for _ in range(MAX_LEVELS):
            if found := self._reached(world):
                return found
            if not self._read_on(world):
                break
        return self._reached(world, is_strict=False)

    # -- reading, forward from what is known -------------------------------------------------------

    def _read_on(self, world: World) -> bool:
        """Make every reading call that what is known allows, and tell whether there was a new one."""
        waiting = [
            (tool, arguments, needed)
            for tool in self.tools
            if not isinstance(tool, Write)
            for arguments, needed in self._arguments(tool)
        ]
        waiting.sort(key=lambda one: (not self.weak.isdisjoint(one[1].values()), len(one[2])))
        is_new = False
        for tool, arguments, needed in waiting:
            key = tool.name, tuple(arguments.items())
            if key in self.seen or len(self.made) >= MAX_CALLS:
                continue
            self.seen.add(key)
            reply = call(world, tool.name, arguments)
            if not is_fault(reply):
                self.made.append((tool.name, arguments))
                self._learn(world, tool, arguments, reply, needed | {len(self.made) - 1})
                is_new = True
        return is_new

    def _arguments(self, tool: Tool) -> Iterator[tuple[dict[str, Json], Calls]]:
        if isinstance(tool, Get):
            for value, needed in self.values.get((tool.table, tool.by), {}).items():
                yield {tool.arg: value}, needed
            return
        assert not isinstance(tool, Write)
        options = [self._options(tool.table, one) for one in tool.filters]
        count = 1
        for at, some in enumerate(options):
            options[at] = some = some[: max(1, _MAX_COMBINATIONS // count)]
            count *= max(1, len(some))
        for chosen in product(*options):
            given = [(one.arg, *value) for one, value in zip(tool.filters, chosen, strict=True) if value is not None]
            yield (
                {arg: value for arg, value, _ in given},
                frozenset[int]().union(*(needed for _, _, needed in given)),
            )

    def _options(self, table: str, one: Filter) -> list[tuple[Json, Calls] | None]:
        column = self.domain.column(table, one.path)
        known: list[tuple[Json, Calls] | None]
        if column is None or column.ref:
            at = _owner(self.domain, table, one.path) if column is None else (column.ref, ID)
            known = list(self.values.get(at, {}).items())
        else:  # what rows are searched by stands in the request; what replies show leads on by ids
            known = [(value, frozenset()) for value in self.told.get(_owner(self.domain, table, one.path), ())]
        return known if one.is_required else [None, *known]

    def _learn(self, world: World, tool: Tool, arguments: Mapping[str, Json], reply: Json, calls: Calls) -> None:
        if isinstance(tool, Get):
            self._note(world, tool, reply, calls)
        elif isinstance(tool, Search):
            for shown in self._told_apart(tool, reply, is_narrowed=bool(arguments)):
                self._note(world, tool, shown, calls)
            if reply["total"] == len(reply["results"]):
                ids = frozenset(shown[ID] for shown in reply["results"])
                self._add_total((tool.table, ids, "count", ""), reply["total"], calls)
                for path in tool.shows if self.asks_totals else ():
                    values = [shown[shown_as(path)] for shown in reply["results"]]
                    if values and None not in values and not isinstance(values[0], bool):
                        self._add_total((tool.table, ids, "max", path), max(values), calls)
                        self._add_total((tool.table, ids, "min", path), min(values), calls)
                        if not isinstance(values[0], str):
                            self._add_total((tool.table, ids, "sum", path), cents(sum(values)), calls)
        elif isinstance(tool, Total):
            self._add_total((tool.table, fitting(world, tool, arguments), tool.how, tool.of), reply[tool.how], calls)

    def _add_total(self, key: tuple[str, frozenset[str], str, str], value: Json, calls: Calls) -> None:
        if key not in self.totals or len(calls) < len(self.totals[key][1]):
            self.totals[key] = value, calls

    def _told_apart(self, tool: Search, reply: Json, *, is_narrowed: bool) -> list[Mapping[str, Json]]:
        """Return the rows of a listing that the request or earlier replies single out."""
        rows = reply["results"]
        if len(rows) <= 1:
            return list(rows) if reply["total"] == 1 else []
        ids = self.values.get((tool.table, ID), {})
        found = {shown[ID]: shown for shown in rows if shown[ID] in ids}
        if reply["total"] > len(rows):
            return list(found.values())
        for path in tool.shows:
            told = self.told.get(_owner(self.domain, tool.table, path), ())
            for value in told:
                fits = [shown for shown in rows if shown[shown_as(path)] == value]
                if len(fits) == 1:
                    found[fits[0][ID]] = fits[0]
            if self.compares and is_narrowed:
                extreme = {shown[ID]: shown for shown in _extremes(rows, shown_as(path))}
                self.weak |= extreme.keys() - found.keys() - ids.keys()
                found |= extreme
        return list(found.values())

    def _note(self, world: World, tool: Get | Search, shown: Mapping[str, Json], calls: Calls) -> None:
        for path in (ID, *tool.shows):
            value = shown[shown_as(path)]
            place = _place(world, tool.table, shown[ID], path)
            if place is None or value is None:
                continue
            if place not in self.cells or len(calls) < len(self.cells[place][1]):
                self.cells[place] = value, calls
            column = self.domain.column(tool.table, path)
            at = (place[0], place[2]) if column is None or not column.ref else (column.ref, ID)
            known = self.values.setdefault(at, {})
            if value not in known or len(calls) < len(known[value]):
                known[value] = calls

    # -- the goal ----------------------------------------------------------------------------------

    def _reached(self, world: World, *, is_strict: bool = True) -> Solution | None:
        found = [self._answer(asked) for asked in self.wanted.asked]
        answers = [one for one in found if one is not None]
        if len(answers) < len(found):
            return None
        known = self.text, self.values, self.cells
        writes = writes_for(world.copy(), self.wanted.changes, self.tools, *known, is_strict=is_strict)
        if writes is None:
            return None
        needed = frozenset[int]().union(*(calls for _, calls in answers), *(calls for _, _, calls in writes))
        reads = [self.made[number] for number in sorted(needed)]
        return Solution(
            calls=(*reads, *((name, arguments) for name, arguments, _ in writes)),
            answers=tuple(value for value, _ in answers),
        )

    def _answer(self, asked: Asked) -> tuple[Json, Calls] | None:
        if asked.place is not None:
            return self.cells.get(asked.place)
        if asked.total is not None:
            return self.totals.get(asked.total)
        parts = [self._answer(one) for one in asked.of]
        known = [one for one in parts if one is not None]
        if len(known) < len(parts):
            return None
        return _follow(asked.how, [value for value, _ in known]), frozenset[int]().union(*(c for _, c in known))


def _all(asked: Sequence[Asked]) -> Iterator[Asked]:
    for one in asked:
        yield one
        yield from _all(one.of)


def fitting(world: World, tool: Total | Search, arguments: Mapping[str, Json]) -> frozenset[str]:
    """Return the ids of the rows that a total is about."""
    return frozenset(id_ for id_, _ in matching(world, tool.table, tool.filters, arguments))


def _follow(how: str, values: list[Json]) -> Json:
    ordered = sorted(values)
    if how == "difference":
        return cents(ordered[-1] - ordered[0])
    return {"sum": cents(sum(values)), "largest": ordered[-1], "smallest": ordered[0]}[how]


def _extremes(rows: Sequence[Mapping[str, Json]], key: str) -> Iterator[Mapping[str, Json]]:
    values = [shown[key] for shown in rows]
    if None in values or len({type(value) for value in values}) != 1 or isinstance(values[0], bool):
        return
    for best in (max(values), min(values)):
        if values.count(best) == 1:
            yield rows[values.index(best)]


def _owner(domain: Domain, table: str, path: str) -> tuple[str, str]:
    name, _, rest = path.partition(".")
    return _owner(domain, domain.by_name[table].by_name[name].ref, rest) if rest else (table, name)


def _place(world: World, table: str, id_: str, path: str) -> Place | None:
    name, _, rest = path.partition(".")
    if not rest:
        return table, id_, name
    row = world.row(table, id_)
    if row is None or row[name] is None:
        return None
    return _place(world, world.domain.by_name[table].by_name[name].ref, row[name], rest)
