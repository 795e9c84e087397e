"""Tools as an agent is told of them: JSON Schemas of what goes in and of what comes out."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from palestra.envs.actions import function_tool
from palestra.envs.base import Json
from palestra.envs.tooluse.interpret import CURSOR, names_row
from palestra.envs.tooluse.schema import (
    ID,
    Column,
    Domain,
    Filter,
    Get,
    Insert,
    Param,
    Search,
    Tool,
    Total,
    Write,
    shown_as,
)

_BOUNDS: Mapping[str, str] = MappingProxyType({"at_least": "at least this", "at_most": "at most this"})
FAULT: Mapping[str, Json] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
                "required": ["code", "message"],
                "additionalProperties": False,
            }
        },
        "required": ["error"],
        "additionalProperties": False,
    }
)


@lru_cache(maxsize=1024)
def function(domain: Domain, tool: Tool) -> dict[str, Json]:
    """Return a tool as an OpenAI-style function; it is shared, so never change it."""
    required, properties = [], {}
    for name, schema, is_required in _arguments(domain, tool):
        properties[name] = schema
        if is_required:
            required.append(name)
    return function_tool(tool.name, tool.about, properties, required)


def effect_of(tool: Tool) -> dict[str, Json]:
    """Return what a tool does to the world: whether it reads or writes, and whether twice is as once."""
    if isinstance(tool, Write):
        return {"effect": "write", "idempotent": tool.is_idempotent}
    return {"effect": "read", "idempotent": True}


def _arguments(domain: Domain, tool: Tool) -> list[tuple[str, dict[str, Json], bool]]:
    if isinstance(tool, Write):
        return [(param.name, _of_param(domain, param), param.is_required) for param in tool.params]
    if isinstance(tool, Get):
        return [(tool.arg, _of_path(domain, tool.table, tool.by), True)]
    found = [(one.arg, _of_filter(domain, tool.table, one), one.is_required) for one in tool.filters]
    if isinstance(tool, Search):
        about = {"type": "string", "description": "The next_cursor of an earlier reply, for the rows after it"}
        found.append((CURSOR, about, False))
    return found


def _of_filter(domain: Domain, table: str, one: Filter) -> dict[str, Json]:
    schema = _of_path(domain, table, one.path)
    if one.compare in _BOUNDS:
        schema["description"] += f"; {_BOUNDS[one.compare]}"
    if one.compare == "has_words":
        schema["description"] += "; one or more of its words"
        schema.pop("format", None)
    return schema


def _of_param(domain: Domain, param: Param) -> dict[str, Json]:
    schema = _of_path(domain, param.table, param.column)
    if param.about:
        schema["description"] = param.about
    if param.enum:
        schema["enum"] = list(param.enum)
    for name, bound in (("minimum", param.minimum), ("maximum", param.maximum)):
        if bound is not None:
            schema[name] = bound
    if schema["type"] == "string" and not param.enum and "enum" not in schema and not names_row(domain, param):
        schema["minLength"] = 1
    return schema


def _of_path(domain: Domain, table: str, path: str) -> dict[str, Json]:
    column = domain.column(table, path)
    if column is None:
        *way, _ = path.split(".")
        owner = table if not way else _leads_to(domain, table, ".".join(way))
        return {"type": "string", "description": f"The id of the {domain.by_name[owner].noun}"}
    return column.schema()


def _leads_to(domain: Domain, table: str, path: str) -> str:
    column = domain.column(table, path)
    assert isinstance(column, Column)  # a reference
    return column.ref


@lru_cache(maxsize=1024)
def returns(domain: Domain, tool: Tool) -> dict[str, Json]:
    """Return the JSON Schema that every reply of a tool fits; it is shared, so never change it."""
    return {"anyOf": [_success(domain, tool), dict(FAULT)]}


def _success(domain: Domain, tool: Tool) -> dict[str, Json]:
    if isinstance(tool, Get):
        return _row(domain, tool.table, tool.shows)
    if isinstance(tool, Total):
        return _object({tool.how: {"type": "integer" if tool.how == "count" else "number"}})
    if isinstance(tool, Search):
        rows = {"type": "array", "items": _row(domain, tool.table, tool.shows), "maxItems": tool.page}
        found: dict[str, Json] = {"results": rows, "total": {"type": "integer", "minimum": 0}}
        return _object({**found, "next_cursor": {"type": "string"}}, required=list(found))
    made = {ID: {"type": "string"}} if any(isinstance(effect, Insert) for effect in tool.effects) else {}
    return _object({"ok": {"const": True}, **made})


def _row(domain: Domain, table: str, paths: tuple[str, ...]) -> dict[str, Json]:
    cells: dict[str, Json] = {ID: {"type": "string"}}
    for path in paths:
        schema = _of_path(domain, table, path)
        cells[shown_as(path)] = {"anyOf": [schema, {"type": "null"}]}
    return _object(cells)


def _object(properties: dict[str, Json], required: list[str] | None = None) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }
