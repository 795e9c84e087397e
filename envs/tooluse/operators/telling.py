"""What a request tells of a row, as data, and which rows it fits: asked of the world itself and of no tool."""

from collections.abc import Mapping, Sequence

from palestra.envs.base import Json
from palestra.envs.tooluse.operators.replay import told
from palestra.envs.tooluse.referral import Way
from palestra.envs.tooluse.schema import ID
from palestra.envs.tooluse.world import World

Telling = Mapping[str, Json]  # {"table", "facts": [[path, value]], "of": [table, column], "most": [path, is_largest]}


def telling(world: World, way: Way, id_: str) -> dict[str, Json]:
    """Return what a way tells of a row."""
    if way.kind == "reference":
        assert way.via is not None
        owner = next(owner for owner, row in world.rows(way.via.table) if row[way.column] == id_)
        inner = telling(world, way.via, owner)
        return {"table": way.table, "facts": inner["facts"], "of": [way.via.table, way.column], "most": []}
    facts: list[Json] = [[path, world.value(way.table, id_, path)] for path in way.paths]
    link, _, compared = way.column.partition(":")
    if way.kind == "id":
        facts = [[ID, id_]]
    if way.via is not None:
        inner = telling(world, way.via, world.value(way.table, id_, link))
        facts += [[link if path == ID else f"{link}.{path}", value] for path, value in inner["facts"]]
    return {"table": way.table, "facts": facts, "of": [], "most": [compared, way.is_largest] if compared else []}


def fitting(world: World, told_of: Telling) -> list[str]:
    """Return the ids of the rows that fit what is told, by ascending id."""
    if told_of["of"]:
        table, column = told_of["of"]
        owners = _holding(world, table, told_of["facts"])
        return sorted({str(world.value(table, owner, column)) for owner in owners})
    rows = _holding(world, told_of["table"], told_of["facts"])
    if not told_of["most"]:
        return rows
    path, is_largest = told_of["most"]
    values = {row: world.value(told_of["table"], row, path) for row in rows}
    best = (max if is_largest else min)((value for value in values.values() if value is not None), default=None)
    return [row for row, value in values.items() if value == best]


def untold(told_of: Telling, request: str) -> list[str]:
    """Return which of the facts do not stand in a request."""
    return [
        f"the request does not tell the {path}, {value!r}"
        for path, value in told_of["facts"]
        if not told(value, request)
    ]


def _holding(world: World, table: str, facts: Sequence[tuple[str, Json]]) -> list[str]:
    return [
        row for row, _ in world.rows(table) if all(_same(world.value(table, row, path), value) for path, value in facts)
    ]


def _same(one: Json, other: Json) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold().strip() == other.casefold().strip()
    return type(one) is type(other) and bool(one == other)
