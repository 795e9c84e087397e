"""Calls drawn from what domains declare and from what stands in a world."""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from palestra.envs.base import Json, Split
from palestra.envs.tooluse.describe import function, returns
from palestra.envs.tooluse.interpret import CURSOR, names_row
from palestra.envs.tooluse.schema import ID, Domain, Filter, Get, Param, Search, Tool, Write
from palestra.envs.tooluse.world import World

SPLITS: tuple[Split, ...] = ("train", "heldout")


def arguments(rng: random.Random, world: World, tool: Tool) -> dict[str, Json]:
    """Return arguments that fit the tool's schema; nearly all ids and values are such as the world holds."""
    if isinstance(tool, Write):
        told: dict[str, Json] = {}
        for param in tool.params:
            if param.is_required or rng.random() < 0.5:
                told[param.name] = _for_param(rng, world, param)
                near = _near(world, tool, told, param)
                if near and rng.random() < 0.15:
                    told[param.name] = rng.choice(near)
        return told
    if isinstance(tool, Get):
        return {tool.arg: _held(rng, world, tool.table, tool.by)}
    made = {one.arg: _for_filter(rng, world, tool.table, one) for one in tool.filters if _is_given(rng, one)}
    if isinstance(tool, Search) and rng.random() < 0.2:
        made[CURSOR] = rng.choice(("0", "20", "40", "-1", "", "x", "9" * 30))
    return made


def _is_given(rng: random.Random, one: Filter) -> bool:
    return one.is_required or rng.random() < 0.4


def _for_param(rng: random.Random, world: World, param: Param) -> Json:
    table = names_row(world.domain, param)
    if table:
        return _held(rng, world, table, ID)
    column = world.domain.by_name[param.table].by_name[param.column]
    if param.enum or column.enum:
        return rng.choice(param.enum or column.enum)
    if column.format == "date" and rng.random() < 0.1:
        return (date.fromisoformat(world.base.today) - timedelta(days=rng.randrange(1, 30))).isoformat()
    if column.type in ("integer", "number"):
        assert param.minimum is not None
        assert param.maximum is not None
        near = rng.random() < 0.7  # most are small, as people's are
        number = rng.uniform(param.minimum, min(param.maximum, param.minimum + 40) if near else param.maximum)
        return max(int(param.minimum), round(number)) if column.type == "integer" else round(number, 2)
    return _held(rng, world, param.table, param.column)


def _near(world: World, tool: Write, told: Mapping[str, Json], param: Param) -> list[Json]:
    """Return ids for an argument that others hold already, or that the rows that they name refer to."""
    wanted, found = names_row(world.domain, param), list[Json]()
    for other in tool.params:
        table = names_row(world.domain, other)
        if wanted and table and other is not param and other.name in told:
            found += [told[other.name]] if table == wanted else []
            columns = [column.name for column in world.domain.by_name[table].columns if column.ref == wanted]
            found += [world.value(table, told[other.name], column) for column in columns]
    return [id_ for id_ in found if id_ is not None]


def _for_filter(rng: random.Random, world: World, table: str, one: Filter) -> Json:
    value = _held(rng, world, table, one.path)
    return rng.choice(str(value).split()) if one.compare == "has_words" else value


def _held(rng: random.Random, world: World, table: str, path: str) -> Json:
    """Return what some row holds at a path, or now and then an id that no row has."""
    if path == ID and rng.random() < 0.03:
        return f"{world.domain.by_name[table].prefix}_1"
    ids = [id_ for id_, _ in world.rows(table)]
    values = (world.value(table, id_, path) for id_ in rng.sample(ids, len(ids)))
    return next(value for value in values if value is not None)


def everything(world: World) -> dict[str, dict[str, dict[str, Json]]]:
    """Return every row of a world, read one by one."""
    return {table.name: {id_: dict(row) for id_, row in world.rows(table.name)} for table in world.domain.tables}


@lru_cache(maxsize=1024)
def takes(domain: Domain, tool: Tool) -> Any:
    """Return a validator of the tool's arguments."""
    return Draft202012Validator(function(domain, tool)["function"]["parameters"])


@lru_cache(maxsize=1024)
def gives(domain: Domain, tool: Tool) -> Any:
    """Return a validator of the tool's replies."""
    return Draft202012Validator(returns(domain, tool))
