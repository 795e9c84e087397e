"""Declarations told anew: a table under another name, and a tool that works on other tables."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from palestra.envs.tooluse.draw import Row
from palestra.envs.tooluse.schema import Domain, Effect, Insert, Param, Table, Tool, Write

Names = Mapping[str, str]  # of tables: the old one -> the new one


def copied(table: Table, names: Names) -> Table:
    """Return a table under its new name; its references lead to the tables under their new names."""
    columns = tuple(replace(column, ref=names.get(column.ref, column.ref)) for column in table.columns)
    return replace(table, name=names.get(table.name, table.name), columns=columns)


def moved(tool: Tool, names: Names) -> Tool:
    """Return a tool that does to the tables under their new names what it did to the old ones."""
    if isinstance(tool, Write):
        params = tuple(_param(param, names) for param in tool.params)
        return replace(tool, params=params, effects=tuple(_effect(effect, names) for effect in tool.effects))
    return _told_anew(tool, table=names.get(tool.table, tool.table))


def called(tool: Tool, name: str, about: str) -> Tool:
    """Return a tool under another name and description."""
    return _told_anew(tool, name=name, about=about)


def tables_of(domain: Domain, tool: Tool) -> tuple[str, ...]:
    """Return the tables that a tool declares anything in the terms of, in the domain's order."""
    if not isinstance(tool, Write):
        return (tool.table,)
    found = {table for table, _ in domain.written(tool)}
    for param in tool.params:
        named = param.table if param.column == "id" else domain.by_name[param.table].by_name[param.column].ref
        found |= {named, param.table} - {""}
    return tuple(table.name for table in domain.tables if table.name in found)


def leading_to(domain: Domain, tables: tuple[str, ...]) -> tuple[str, ...]:
    """Return some tables and all that their references lead to, in the domain's order."""
    found, open_ = set(tables), list(tables)
    while open_:
        for column in domain.by_name[open_.pop()].columns:
            if column.ref and column.ref not in found:
                found.add(column.ref)
                open_.append(column.ref)
    return tuple(table.name for table in domain.tables if table.name in found)


def renumbered(rows: Mapping[str, Row], turn: int) -> dict[str, Row]:
    """Return the rows with every id at another row: each gets the id of the one `turn` places on."""
    ids = list(rows)
    by = 1 + turn % max(1, len(ids) - 1)
    return dict(sorted((ids[(place + by) % len(ids)], row) for place, row in enumerate(rows.values())))


def _told_anew(tool: Tool, **fields: Any) -> Tool:
    return replace(tool, **fields)


def _param(param: Param, names: Names) -> Param:
    return replace(param, of=f"{names.get(param.table, param.table)}.{param.column}")


def _effect(effect: Effect, names: Names) -> Effect:
    return replace(effect, table=names.get(effect.table, effect.table)) if isinstance(effect, Insert) else effect
