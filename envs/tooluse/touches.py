"""Which columns a tool looks at and which it changes, read off what it declares."""

from collections.abc import Iterator
from functools import lru_cache

from palestra.envs.tooluse.interpret import names_row
from palestra.envs.tooluse.schema import (
    ID,
    Arg,
    Cell,
    Const,
    Domain,
    Expr,
    Get,
    Insert,
    Set,
    Today,
    Tool,
    Total,
    Write,
)


@lru_cache(maxsize=4096)
def conflicts(domain: Domain, one: Tool, other: Tool) -> bool:
    """Tell whether one of two tools may change a (table, column) that the other looks at or changes."""
    first, second = domain.written(one), domain.written(other)
    return bool(first & (second | touched(domain, other)) or second & touched(domain, one))


@lru_cache(maxsize=1024)
def touched(domain: Domain, tool: Tool) -> frozenset[tuple[str, str]]:
    """Return every (table, column) that a tool looks at."""
    return frozenset(_of_write(domain, tool) if isinstance(tool, Write) else _of_read(domain, tool))


def _of_read(domain: Domain, tool: Tool) -> Iterator[tuple[str, str]]:
    assert not isinstance(tool, Write)
    yield tool.table, ID
    paths = [tool.by] if isinstance(tool, Get) else [one.path for one in tool.filters]
    if isinstance(tool, Total):
        paths += [tool.of] if tool.of else []
    else:
        paths += tool.shows
    for path in paths:
        yield from _along(domain, tool.table, path)


def _of_write(domain: Domain, tool: Write) -> Iterator[tuple[str, str]]:
    tables = {param.name: table for param in tool.params if (table := names_row(domain, param))}
    yield from ((table, ID) for table in tables.values())
    sides = [side for rule in tool.requires for side in (rule.left, rule.right)]
    for effect in tool.effects:
        if isinstance(effect, Set):
            sides.append(effect.value)
            yield from _along(domain, tables[effect.arg], effect.path.rpartition(".")[0] or ID)
        elif isinstance(effect, Insert):
            sides += effect.values.values()
    for cell in (cell for side in sides for cell in _cells(side)):
        yield from _along(domain, tables[cell.arg], cell.path)


def _cells(told: Expr) -> Iterator[Cell]:
    if isinstance(told, Cell):
        yield told
    elif not isinstance(told, Arg | Const | Today):
        yield from _cells(told.left)
        yield from _cells(told.right)


def _along(domain: Domain, table: str, path: str) -> Iterator[tuple[str, str]]:
    name, _, rest = path.partition(".")
    yield table, name
    if rest:
        yield from _along(domain, domain.by_name[table].by_name[name].ref, rest)
