"""All that can be read: a bounded search over the reading tools, from what a request tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from palestra.envs.base import Json
from palestra.envs.tooluse.interpret import CURSOR, is_fault
from palestra.envs.tooluse.operators.ground import Ground
from palestra.envs.tooluse.schema import ID, Domain, Filter, Get, Search, Tool, Total, Write, shown_as
from palestra.envs.tooluse.world import World

Kind = tuple[str, str]  # (table, column) in whose terms a value is told
ROUNDS = 3  # of calls that take what earlier ones showed
MOST_CALLS = 600


@dataclass(slots=True)
class Known:
    """Values that somebody knows, by what they are of."""

    values: dict[Kind, dict[Json, None]] = field(default_factory=dict)

    def add(self, kind: Kind, value: Json) -> None:
        """Take note of a value."""
        if value is not None and not isinstance(value, (dict, list)):
            self.values.setdefault(kind, {})[value] = None

    def of(self, kind: Kind) -> list[Json]:
        """Return the values of a kind that are known."""
        return list(self.values.get(kind, ()))


def kind_of(domain: Domain, table: str, path: str) -> Kind:
    """Return in whose terms the values at a path are told; ids are of the table that they lead to."""
    name, _, rest = path.partition(".")
    if name == ID:
        return table, ID
    column = domain.by_name[table].by_name[name]
    if rest:
        return kind_of(domain, column.ref, rest)
    return (column.ref, ID) if column.ref else (table, name)


def readable(on: Ground, world: World, tools: Mapping[str, Tool], known: Known) -> Iterator[tuple[Kind, Json]]:
    """Yield all that reading shows, within `ROUNDS` and `MOST_CALLS`, and add it to what is known.

    A filter that is given narrows what a search shows, so each one is given alone, beside those that are required,
    or none is; and every page is read.
    """
    made: set[tuple[str, tuple[tuple[str, Json], ...]]] = set()
    for _ in range(ROUNDS):
        calls = [(tool, one) for tool in tools.values() for one in _calls(on.domain, tool, known)]
        for tool, arguments in calls:
            key = (tool.name, tuple(arguments.items()))
            if len(made) >= MOST_CALLS or key in made:
                continue
            made.add(key)
            for kind, value in _read(on, world, tool, arguments):
                known.add(kind, value)
                yield kind, value


def _calls(domain: Domain, tool: Tool, known: Known) -> Iterator[dict[str, Json]]:
    if isinstance(tool, Write):
        return
    if isinstance(tool, Get):
        yield from ({tool.arg: value} for value in known.of(kind_of(domain, tool.table, tool.by)))
        return
    needed = [one for one in tool.filters if one.is_required]
    for base in _products(domain, tool.table, needed, known):
        yield base
        for one in tool.filters:
            if not one.is_required:
                yield from ({**base, one.arg: value} for value in known.of(kind_of(domain, tool.table, one.path)))


def _products(domain: Domain, table: str, needed: list[Filter], known: Known) -> Iterator[dict[str, Json]]:
    if not needed:
        yield {}
        return
    for value in known.of(kind_of(domain, table, needed[0].path)):
        yield from ({needed[0].arg: value, **rest} for rest in _products(domain, table, needed[1:], known))


def _read(on: Ground, world: World, tool: Tool, arguments: Mapping[str, Json]) -> Iterator[tuple[Kind, Json]]:
    given = dict(arguments)
    while True:
        reply = on.call(world, tool.name, given)
        if is_fault(reply):
            return
        if isinstance(tool, Total):
            yield (tool.table, tool.of or tool.how), reply[tool.how]
            return
        assert isinstance(tool, Get | Search)
        kinds = [(kind_of(on.domain, tool.table, path), shown_as(path)) for path in (ID, *tool.shows)]
        for row in reply["results"] if isinstance(tool, Search) else [reply]:
            yield from ((kind, row[key]) for kind, key in kinds)
        if not isinstance(reply.get("next_cursor"), str):
            return
        given[CURSOR] = reply["next_cursor"]
