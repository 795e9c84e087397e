"""The oracle's side of composing: calls that are carried out as they are planned, and what they have made known.

A draft knows cells of the world, each with where it comes from: the request, or a reply. Asked for a cell
that nothing has shown yet, it adds the call that shows it. Writes come last, so what is known stays true.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from palestra.envs.base import Json, Split
from palestra.envs.tooluse.case import Source, Step
from palestra.envs.tooluse.interpret import call, is_fault, names_row
from palestra.envs.tooluse.schema import ID, Domain, Get, Insert, Search, Tool, Write, shown_as
from palestra.envs.tooluse.touches import conflicts
from palestra.envs.tooluse.world import Base, World

QUERY = Source(kind="query")
Place = tuple[str, str, str]  # a cell: table, id, column


class Rejected(Exception):
    """What is being composed does not work in this world; the message says why."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value and where it comes from."""

    value: Json
    source: Source


@dataclass(slots=True)
class Planned:
    """A call that was carried out."""

    tool: str
    arguments: dict[str, Known]
    reply: Json

    @property
    def values(self) -> dict[str, Json]:
        """The arguments without their sources."""
        return {name: known.value for name, known in self.arguments.items()}


@dataclass(slots=True)
class Draft:
    """A request's oracle while it is composed, in a world that it changes."""

    base: Base
    split: Split
    rng: random.Random
    calls: list[Planned] = field(default_factory=list)
    cells: dict[Place, Known] = field(default_factory=dict)
    recent: dict[tuple[str, str], str] = field(
        default_factory=dict
    )  # ("made" or "same", table) -> id, by the last write
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.base)

    @property
    def domain(self) -> Domain:
        """What can be done here."""
        return self.base.domain

    @property
    def day(self) -> date:
        """The world's day."""
        return date.fromisoformat(self.base.today)

    def ids(self, table: str) -> list[str]:
        """Return the ids of a table's rows."""
        return [id_ for id_, _ in self.world.rows(table)]

    def tell(self, table: str, id_: str) -> None:
        """Take note that the request names a row by its id."""
        self.cells.setdefault((table, id_, ID), Known(id_, QUERY))

    def know(self, table: str, id_: str, path: str) -> Known:
        """Return a cell's value and where it comes from, by one more call or several if nothing has shown it.

        Raises:
            Rejected: no tool shows it to somebody who knows what is known here.
        """
        place = place_of(self.world, table, id_, path)
        if place is None:
            raise Rejected(f"{table} {id_} has no {path}")
        if known := self.cells.get(place):
            return known
        for tool in self.domain.tools:
            if isinstance(tool, Get) and tool.table == table and path in tool.shows:
                argument = self.cells.get((table, id_, tool.by))
                if argument is not None:
                    self.read(tool, {tool.arg: argument})
                    return self.cells[place]
        name, _, rest = path.partition(".")
        if rest:
            at = self.know(table, id_, name)
            return self.know(self.domain.by_name[table].by_name[name].ref, str(at.value), rest)
        raise Rejected(f"no tool shows {table}.{path} of a row known by its id")

    def read(self, tool: Tool, arguments: Mapping[str, Known], row: str = "") -> int:
        """Add a reading call, unless it was made already, and return its number.

        Args:
            tool: that reads.
            arguments: of the call.
            row: the row of a listing that the request singles out; by itself only the row of a Get is known.

        Raises:
            Rejected: it fails, or its first page lacks the row.
        """
        number = self._add(tool, arguments)
        reply = self.calls[number].reply
        if isinstance(tool, Get):
            self._note(tool, reply, Source(kind="reply", step=number))
        elif isinstance(tool, Search) and row:
            at = next((at for at, shown in enumerate(reply["results"]) if shown[ID] == row), None)
            if at is None:
                raise Rejected(f"{tool.name} does not show {row} on its first page")
            self._note(tool, reply["results"][at], Source(kind="reply", step=number, path=f"results.{at}"))
        return number

    def write(self, tool: Write, arguments: Mapping[str, Known]) -> int:
        """Add a writing call and return its number.

        Raises:
            Rejected: it fails, or changes nothing.
        """
        before = self.world.diff()
        self.calls.append(Planned(tool.name, dict(arguments), None))
        self.calls[-1].reply = call(self.world, tool.name, self.calls[-1].values)
        if is_fault(self.calls[-1].reply):
            raise Rejected(f"{tool.name} fails: {self.calls[-1].reply['error']['code']}")
        if self.world.diff() == before:
            raise Rejected(f"{tool.name} changes nothing")
        number = len(self.calls) - 1
        self._follow_up(tool, number)
        return number

    def _follow_up(self, tool: Write, number: int) -> None:
        """Take note of the rows that a later part may speak of: the one made, and ones that were named."""
        made = self.calls[number]
        tables = {param.name: names_row(self.domain, param) for param in tool.params if param.name in made.arguments}
        named = [table for table in tables.values() if table]
        self.recent = {
            ("same", table): str(made.arguments[name].value)
            for name, table in tables.items()
            if named.count(table) == 1 and self.world.row(table, made.arguments[name].value) is not None
        }
        for table in (effect.table for effect in tool.effects if isinstance(effect, Insert)):
            id_ = made.reply[ID]
            self.recent["made", table] = id_
            self.cells[table, id_, ID] = Known(id_, Source(kind="reply", step=number, path=ID))

    def _add(self, tool: Tool, arguments: Mapping[str, Known]) -> int:
        values = {name: known.value for name, known in arguments.items()}
        for number, made in enumerate(self.calls):
            if made.tool == tool.name and made.values == values:
                return number
        planned = Planned(tool.name, dict(arguments), call(self.world, tool.name, values))
        if is_fault(planned.reply):
            raise Rejected(f"{tool.name} fails: {planned.reply['error']['code']}")
        self.calls.append(planned)
        return len(self.calls) - 1

    def _note(self, tool: Get | Search, shown: Mapping[str, Json], where: Source) -> None:
        prefix = f"{where.path}." if where.path else ""
        for path in (ID, *tool.shows):
            place = place_of(self.world, tool.table, shown[ID], path)
            value = shown[shown_as(path)]
            if place is None or value is None:
                continue
            known = Known(value, Source(kind="reply", step=where.step, path=prefix + shown_as(path)))
            self.cells.setdefault(place, known)
            column = self.domain.column(tool.table, path)
            if column is not None and column.ref:
                self.cells.setdefault((column.ref, value, ID), known)

    def steps(self, answers: Sequence[Source] = ()) -> tuple[Step, ...]:
        """Return the calls as the oracle's steps, each with the ones that must come before it.

        Args:
            answers: where the answers come from.

        Raises:
            Rejected: what a reading call finds depends on whether an unrelated write was made.
        """
        used = [source for made in self.calls for source in (known.source for known in made.arguments.values())]
        paths: dict[int, set[str]] = {}
        for leaf in (leaf for source in (*used, *answers) for leaf in leaves(source)):
            paths.setdefault(leaf.step, set()).add(leaf.path)
        found: list[Step] = []
        for number, made in enumerate(self.calls):
            sources = {name: known.source for name, known in made.arguments.items()}
            after = {leaf.step for source in sources.values() for leaf in leaves(source)}
            for other in range(number):
                if other not in after and not self._commute(other, number, paths):
                    if not all(isinstance(self.domain.tool[self.calls[at].tool], Write) for at in (other, number)):
                        raise Rejected("what is asked for depends on whether something else was done before")
                    after.add(other)
            before = tuple(sorted(_direct(after, found)))
            found.append(Step(tool=made.tool, arguments=made.values, after=before, sources=sources))
        return tuple(found)

    def _commute(self, one: int, other: int, paths: Mapping[int, set[str]]) -> bool:
        """Tell whether two calls can be swapped: what is used of their replies stays, and what they leave behind.

        Only where they touch the same columns, one of them writing, it has to be tried.
        """
        first, second = self.calls[one], self.calls[other]
        if not conflicts(self.domain, self.domain.tool[first.tool], self.domain.tool[second.tool]):
            return True
        world = World(self.base)
        for made in self.calls[:one]:
            call(world, made.tool, made.values)
        there, back = world.copy(), world.copy()
        replies = call(there, first.tool, first.values), call(there, second.tool, second.values)
        swapped = call(back, second.tool, second.values), call(back, first.tool, first.values)
        for number, straight, turned in ((one, replies[0], swapped[1]), (other, replies[1], swapped[0])):
            if is_fault(straight) != is_fault(turned):
                return False
            if any(dig(straight, path) != dig(turned, path) for path in paths.get(number, ())):
                return False
        return there.diff() == back.diff()


def _direct(after: set[int], steps: list[Step]) -> set[int]:
    """Leave out what follows from the rest."""
    return {one for one in after if not any(one in ancestors(steps, other) for other in after if other != one)}


def ancestors(steps: list[Step] | tuple[Step, ...], number: int) -> set[int]:
    """Return the numbers of all steps that must come before one."""
    found: set[int] = set()
    for one in steps[number].after:
        found |= {one} | ancestors(steps, one)
    return found


def leaves(source: Source) -> Iterator[Source]:
    """Yield the places in replies that a value comes from."""
    if source.kind == "reply":
        yield source
    for one in source.of:
        yield from leaves(one)


def dig(reply: Json, path: str) -> Json:
    """Return what a reply holds at a path such as ``results.2.id``; None where there is nothing."""
    for part in path.split("."):
        if isinstance(reply, dict):
            reply = reply.get(part)
        elif isinstance(reply, list) and part.isdecimal() and int(part) < len(reply):
            reply = reply[int(part)]
        else:
            return None
    return reply


def depth(steps: tuple[Step, ...]) -> int:
    """Return the length of the longest chain of steps of which each must come after the one before."""
    lengths: list[int] = []
    for step in steps:
        lengths.append(1 + max((lengths[one] for one in step.after), default=0))
    return max(lengths, default=0)


def place_of(world: World, table: str, id_: str, path: str) -> Place | None:
    """Return the cell that a path leads to from a row; None where a reference on the way leads nowhere."""
    name, _, rest = path.partition(".")
    if not rest:
        return table, id_, name
    row = world.row(table, id_)
    if row is None or row[name] is None:
        return None
    return place_of(world, world.domain.by_name[table].by_name[name].ref, row[name], rest)
