"""Which columns a request can ask for, and from which a writing call can borrow a value."""

from collections.abc import Callable
from functools import lru_cache

from palestra.envs.tooluse.schema import Column, Domain, Get, Param, Search


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


def lenders(domain: Domain, param: Param) -> list[tuple[str, str]]:
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


def amounts(domain: Domain) -> list[tuple[str, str]]:
    return [(table, path) for table, path in readable(domain) if _unit(domain, table, path)[1] in ("integer", "number")]


def _unit(domain: Domain, table: str, path: str) -> tuple[str, str]:
    column = domain.column(table, path)
    assert column is not None  # of the readable ones
    return column.unit, column.type
