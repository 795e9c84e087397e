"""How much of the oracle's work is done, whoever does it in whatever way: calls are matched by their effect.

A step that writes is done by a call that wrote the same cells; one that reads by a call that showed what later
steps or the answer take from it. A call counts for one step at most, and a step once: the number of steps done is
a maximum matching of calls with steps. Order matters only along `Step.after`: a call counts for a step only if
calls that could count for the steps before it were made earlier.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from palestra.envs.base import Json, canonical_json
from palestra.envs.tooluse.case import Case, Source, Step
from palestra.envs.tooluse.interpret import is_fault
from palestra.envs.tooluse.schema import ID, Search, Tool, Total, Write
from palestra.envs.tooluse.world import Changes, World

Cell = tuple[str, str, str]  # table, id, column
Fact = tuple[str, ...]
Effect = frozenset[Fact]
Edges = list[list[int]]  # for each call that may count for steps, the steps


@dataclass(frozen=True, slots=True)
class Delta:
    """What a call wrote: the cells whose values it changed, and the values after it."""

    cells: tuple[Cell, ...]
    facts: Effect


def written(world: World, before: Changes) -> Delta:
    """Return what was written to a world since `World.save` returned `before`."""
    cells: list[Cell] = []
    facts: list[Fact] = []
    for table in world.changes.keys() | before.keys():
        now, then = world.changes.get(table, {}), before.get(table, {})
        original = world.base.rows[table]
        for id_ in now.keys() | then.keys():
            new = now[id_] if id_ in now else original.get(id_)
            old = then[id_] if id_ in then else original.get(id_)
            if new is old:
                continue
            for column in (ID, *(new or old or {})):
                value = _at(new, id_, column)
                if kind_of(value) != kind_of(_at(old, id_, column)):
                    cells.append((table, id_, column))
                    facts.append(("wrote", table, id_, column, *kind_of(value)))
    return Delta(tuple(sorted(cells)), frozenset(facts))


def kind_of(value: Json) -> tuple[str, str]:
    """Return a cell's value such that equal values, and no others, are equal: numbers as numbers."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number", f"{value:.6f}"
    return type(value).__name__, str(value)


def shown(tool: Tool, arguments: Mapping[str, Json], reply: Json) -> Effect:
    """Return what a reply of a reading tool shows: what rows hold, and what it says of the rows that fit."""
    if not isinstance(reply, dict) or is_fault(reply) or isinstance(tool, Write):
        return frozenset()
    asked = _asked(tool, arguments)
    found: list[Fact] = []
    for row in [reply, *reply.get("results", ())]:
        place = ("row", str(row[ID])) if ID in row else asked
        found += [(*place, key, *kind_of(value)) for key, value in row.items() if key != "results"]
    return frozenset(found)


def needs(case: Case, replies: Sequence[Json], effects: Sequence[Effect], tools: Sequence[Tool]) -> list[Effect]:
    """Return what a call must have done to count for each of the oracle's steps.

    Args:
        case: whose oracle it is.
        replies: to its steps.
        effects: of its steps, as `written` and `shown` tell them.
        tools: of its steps.
    """
    taken: list[set[Fact]] = [set() for _ in case.steps]
    for source in _sources(case):
        if source.kind == "reply" and 0 <= source.step < len(replies):
            fact = _fact(tools[source.step], case.steps[source.step], replies[source.step], source.path)
            if fact is not None and fact in effects[source.step]:
                taken[source.step].add(fact)
    return [
        effect if isinstance(tool, Write) or not some else frozenset(some)
        for tool, effect, some in zip(tools, effects, taken, strict=True)
    ]


def counts_for(effect: Effect, wanted: Sequence[Effect], steps: Sequence[Step], edges: Edges) -> list[int]:
    """Return the steps that a call of this effect may count for, after calls with these edges."""
    if not effect:
        return []
    known = {number for edge in edges for number in edge}
    return [
        number
        for number, need in enumerate(wanted)
        if need and need <= effect and (known.issuperset(steps[number].after))
    ]


def joined(edges: Edges, more: list[int]) -> Edges:
    """Return the edges with a call's; a call that cannot make a difference any more is left out."""
    if not more or edges.count(more) >= len(more):
        return edges
    return [*edges, more]


def matched(edges: Edges) -> frozenset[int]:
    """Return the steps of a maximum matching of calls with steps."""
    call_of: dict[int, int] = {}

    def place(call: int, tried: set[int]) -> bool:
        for step in edges[call]:
            if step in tried:
                continue
            tried.add(step)
            if step not in call_of or place(call_of[step], tried):
                call_of[step] = call
                return True
        return False

    for call in range(len(edges)):
        place(call, set())
    return frozenset(call_of)


def _asked(tool: Tool, arguments: Mapping[str, Json]) -> Fact:
    """Return what names a reply that is of no single row: what was counted or searched for."""
    told = {name: str(value).casefold().strip() for name, value in arguments.items() if value is not None}
    if isinstance(tool, Total):
        return ("rows", tool.table, tool.how, tool.of, canonical_json(told))
    return ("rows", tool.table if isinstance(tool, Search) else "", "", "", canonical_json(told))


def _fact(tool: Tool, step: Step, reply: Json, path: str) -> Fact | None:
    """Return the fact that stands at a path of a reply, such as ``results.2.id``."""
    value, row = reply, reply
    *way, key = path.split(".")
    for part in [*way, key]:
        row = value
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    if not isinstance(row, dict) or isinstance(value, (dict, list)):
        return None
    place = ("row", str(row[ID])) if ID in row else _asked(tool, step.arguments)
    return (*place, key, *kind_of(value))


def _sources(case: Case) -> Iterator[Source]:
    for step in case.steps:
        yield from _within(step.sources.values())
    yield from _within(case.goal.sources)


def _within(sources: Iterable[Source]) -> Iterator[Source]:
    for source in sources:
        yield source
        yield from _within(source.of)


def _at(row: Mapping[str, Json] | None, id_: str, column: str) -> Json:
    if row is None:
        return None
    return id_ if column == ID else row.get(column)
