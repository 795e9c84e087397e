"""A small relational database and the four kinds of tool that read and write it.

Tables are plain JSON: table name -> record id -> record. A domain only declares its tools; what they
do is here, once, for every domain.
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from palestra.envs.actions import function_tool
from palestra.envs.base import Json

Record = dict[str, Json]
Tables = dict[str, dict[str, Record]]
OK = {"ok": True}
MAX_ECHO_CHARS = 40  # of an argument, in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool, declared.

    find: the records whose `field` matches the argument. get: one record by id. set: write `field` of
    one record by id, either the constant `value` or the tool's second argument.
    """

    name: str
    description: str
    kind: Literal["find", "get", "set"]
    table: str
    field: str = ""
    shows: tuple[str, ...] = ()  # fields of the reply; "user.name" follows the reference `user`, "*" is every fact
    value: Json = None  # set: the constant that is written; None takes it from the second argument
    only_if: Json = None  # set: what `field` must hold before


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A domain's tools, what its records are called, and which fields refer to other tables."""

    tools: tuple[Tool, ...]
    nouns: Mapping[str, str]  # table -> what one of its records is called
    refs: Mapping[str, str]  # field -> the table whose ids it holds
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # table -> fields its records may have

    def tool(self, name: str) -> Tool:
        """Return a tool by name, which must be one of the schema's."""
        return next(tool for tool in self.tools if tool.name == name)

    def parameters(self, tool: Tool) -> tuple[str, ...]:
        """Return the names of a tool's parameters: what selects, then what is written."""
        written = (self._named(tool.field),) if tool.kind == "set" and tool.value is None else ()
        return (self._named(tool.field) if tool.kind == "find" else f"{self.nouns[tool.table]}_id", *written)

    def function(self, tool: Tool) -> dict[str, Json]:
        """Return a tool as an OpenAI-style function."""
        properties = {name: {"type": "string"} for name in self.parameters(tool)}
        return function_tool(tool.name, tool.description, properties)

    def call(self, tables: Tables, name: str, arguments: Mapping[str, str]) -> Json:
        """Carry out a call on the tables, in place, and return its reply; a failed one has an "error"."""
        tool = self.tool(name)
        key, *written = (arguments[parameter] for parameter in self.parameters(tool))
        table = tables[tool.table]
        if tool.kind == "find":
            found = [self._shown(tables, tool, id_) for id_ in sorted(table) if _matches(key, table[id_][tool.field])]
            return found or _missing(f"{self.nouns[tool.table]} with {tool.field}", key)
        if key not in table:
            return _missing(self.nouns[tool.table], key)
        if tool.kind == "get":
            return self._shown(tables, tool, key)
        value = written[0] if written else tool.value
        target = self.refs.get(tool.field)
        if target is not None and value not in tables[target]:
            return _missing(self.nouns[target], value)
        before = table[key][tool.field]
        if tool.only_if is not None and before != tool.only_if:
            return {"error": f"{self.nouns[tool.table]} '{key}' is {before}"}
        table[key][tool.field] = value
        return dict(OK)

    def resolve(self, tables: Tables, record: Mapping[str, Json], path: str) -> Json:
        """Return the value at a path such as ``user.name``, its references followed."""
        name, _, rest = path.partition(".")
        if not rest:
            return record[name]
        return self.resolve(tables, tables[self.refs[name]][record[name]], rest)

    def _shown(self, tables: Tables, tool: Tool, id_: str) -> Record:
        record = tables[tool.table][id_]
        head: Record = {} if tool.kind == "get" else {"id": id_}
        for path in tool.shows:
            if path == "*":
                head |= {name: value for name, value in record.items() if name in self.facts[tool.table]}
            else:
                head[path.split(".")[0]] = self.resolve(tables, record, path)
        return head

    def _named(self, field: str) -> str:
        return f"{field}_id" if field in self.refs else field


def copy_tables(tables: Tables) -> Tables:
    """Return tables that share nothing with these."""
    return {name: {id_: dict(record) for id_, record in table.items()} for name, table in tables.items()}


def changes(before: Tables, after: Tables) -> list[list[Json]]:
    """Return every ``[table, id, field, value]`` of `after` that `before` does not hold, type and all.

    A record or a field that is gone is listed with the value None.
    """
    found: list[list[Json]] = []
    for name in {**before, **after}:
        old_table, new_table = before.get(name, {}), after.get(name, {})
        for id_ in {**old_table, **new_table}:
            old, new = old_table.get(id_, {}), new_table.get(id_, {})
            if len(old) == len(new) and all(map(operator.is_, old.values(), new.values())) and old.keys() == new.keys():
                continue  # most records are, and this is told fast
            fields = [key for key in {**old, **new} if key not in new or not _same(old.get(key), new[key])]
            found += [[name, id_, key, new.get(key)] for key in fields]
    return sorted(found, key=lambda cell: cell[:3])


def _same(one: Json, other: Json) -> bool:
    return type(one) is type(other) and bool(one == other)


def _matches(query: str, value: str) -> bool:
    """A query matches a value that has all of its words, in whatever case."""
    words = set(query.casefold().split())
    return bool(words) and words <= set(value.casefold().split())


def _missing(noun: str, key: str) -> Json:
    return {"error": f"no {noun} '{key[:MAX_ECHO_CHARS]}'"}
