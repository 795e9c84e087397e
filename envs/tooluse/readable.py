"""The domains as a person reads them: ``python -m palestra.envs.tooluse.readable`` writes docs/worlds.md."""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from palestra.envs.actions import signature
from palestra.envs.base import Json
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.draw import Drawing
from palestra.envs.tooluse.interpret import call, is_fault, names_row
from palestra.envs.tooluse.schema import (
    ID,
    Column,
    Delete,
    Domain,
    Get,
    Insert,
    Param,
    Policy,
    Search,
    Table,
    Tool,
    Total,
    Write,
)
from palestra.envs.tooluse.world import Base, World, fill

PAGE = Path("docs/worlds.md")
_SEED = 1  # of the world that examples are from
_TRIES = 2000  # drawn calls of a tool, of which one is shown
_FEW = 2  # results in an example, at most
_SHARE_OF_FILTERS = 0.4

_HEAD = """# The worlds of palestra/ToolUse-v0

Every task of tool use plays in one of these {count} worlds. A world is a small relational database, drawn from a
seed, with tools that read and write it. No tool is code: tables, tools and rules are declared (`envs/tooluse/domains`),
and one interpreter carries them out. The rows of training tasks and those of held-out tasks are made of different
words, and no training task plays in the world that is marked as held out.

`python -m palestra.envs.tooluse.readable` writes this page. Sizes are those at scale 1; the examples are calls in the
world of seed {seed}, each with its reply and with what it changed there.

| world | whose assistant | tables | rows | tools | of which write |
| --- | --- | --- | --- | --- | --- |
{rows}
"""


def page(domains: Iterable[Domain]) -> str:
    """Return a page of markdown about some domains."""
    some = list(domains)
    rows = "\n".join(
        f"| [{one.name}](#{one.name}) | {one.about} | {len(one.tables)} | {sum(table.rows for table in one.tables)} "
        f"| {len(one.tools)} | {sum(isinstance(tool, Write) for tool in one.tools)} |"
        for one in some
    )
    return "\n".join([_HEAD.format(count=len(some), seed=_SEED, rows=rows), *map(markdown, some)])


def markdown(domain: Domain) -> str:
    """Return what there is to know of a domain, as markdown."""
    lines = [f"## {domain.name}", "", domain.about + (" **Held out.**" if domain.is_held_out else "")]
    if domain.policies:
        lines += ["", "Its rules, and the tools that enforce them:", ""]
        lines += [_of_policy(domain, policy) for policy in domain.policies]
    lines += ["", "### Tables", ""]
    for table in domain.tables:
        lines += [*_of_table(table), ""]
    lines += ["### Tools", "", "| tool | what it does | effect |", "| --- | --- | --- |"]
    lines += [f"| `{_call_of(domain, tool)}` | {tool.about} | {_of_effects(tool)} |" for tool in domain.tools]
    lines += ["", "### Examples", "", *_examples(domain)]
    return "\n".join(lines)


def _call_of(domain: Domain, tool: Tool) -> str:
    return signature(function(domain, tool)).replace("|", r"\|")  # else a cell of the table would end there


def _of_policy(domain: Domain, policy: Policy) -> str:
    enforcing = [
        f"`{tool.name}`"
        for tool in domain.tools
        if isinstance(tool, Write) and any(rule.policy == policy.name for rule in tool.requires)
    ]
    return f"- {policy.text} ({', '.join(enforcing)})"


def _of_table(table: Table) -> Iterator[str]:
    yield f"**{table.name}**: {table.rows} rows, ids such as `{table.prefix}_48213`"
    yield ""
    yield "| column | type | holds |"
    yield "| --- | --- | --- |"
    for column in table.columns:
        yield f"| {column.name} | {_of_type(column)} | {column.about} |"


def _of_type(column: Column) -> str:
    if column.ref:
        return f"id in {column.ref}"
    told = ", ".join(f"`{value}`" for value in column.enum) or column.format or column.type
    return told + (f", {column.unit}" if column.unit else "") + (", unique" if column.is_unique else "")


def _of_effects(tool: Tool) -> str:
    if not isinstance(tool, Write):
        return "reads"
    tables = {param.name: param.table for param in tool.params}
    told: list[str] = []
    written: dict[str, list[str]] = {}
    for effect in tool.effects:
        if isinstance(effect, Insert):
            told.append(f"adds to {effect.table}")
        elif isinstance(effect, Delete):
            told.append(f"removes from {tables[effect.arg]}")
        else:
            written.setdefault(effect.arg, []).append(f"`{effect.path}`")
    told += [f"sets {', '.join(paths)} of `{arg}`" for arg, paths in written.items()]
    return "; ".join(told) + (" (idempotent)" if tool.is_idempotent else "")


# -- examples --------------------------------------------------------------------------------------


def _examples(domain: Domain) -> Iterator[str]:
    base = fill(domain, "train", _SEED)
    kinds = (Search, Get, Total)
    readers = [next(tool for tool in domain.tools if isinstance(tool, kind)) for kind in kinds]
    for tool in [*readers, next(tool for tool in domain.tools if isinstance(tool, Write))]:
        arguments, reply, changes = example(base, tool)
        yield from ("```", f"{tool.name}({_short(arguments)})", f"-> {_short(reply)}")
        yield from _told(changes)
        yield from ("```", "")


def _told(changes: list[list[Json]]) -> Iterator[str]:
    rows: dict[tuple[str, str], dict[str, Json]] = {}
    for table, id_, column, value in changes:
        rows.setdefault((table, id_), {})[column] = value
    for (table, id_), cells in rows.items():
        made = cells.pop(ID, cells)
        yield f"   {table} {id_}: {'removed' if made is None else _short(cells)}"


def example(base: Base, tool: Tool) -> tuple[dict[str, Json], Json, list[list[Json]]]:
    """Return arguments of a call that finds or changes something, its reply, and the changes.

    Raises:
        ValueError: none was found.
    """
    rng = random.Random(_SEED)
    for _ in range(_TRIES):
        arguments = draw_arguments(base, tool, rng)
        world = World(base)
        reply = call(world, tool.name, arguments)
        changes = world.diff()
        is_telling = bool(changes) if isinstance(tool, Write) else 0 < reply.get("total", 1) <= _FEW
        if is_telling and not is_fault(reply):
            return arguments, reply, changes
    raise ValueError(f"of {_TRIES} calls of {tool.name} none would do as an example")


def draw_arguments(base: Base, tool: Tool, rng: random.Random) -> dict[str, Json]:
    """Return arguments that fit a tool's schema; for a reading tool, such as a drawn row fits."""
    if isinstance(tool, Write):
        return {param.name: _value(base, param, rng) for param in tool.params}
    id_ = rng.choice(list(base.rows[tool.table]))
    world = World(base)
    if isinstance(tool, Get):
        return {tool.arg: world.value(tool.table, id_, tool.by)}
    used = [one for one in tool.filters if one.is_required or rng.random() < _SHARE_OF_FILTERS]
    return {one.arg: world.value(tool.table, id_, one.path) for one in used or tool.filters[:1]}


def _value(base: Base, param: Param, rng: random.Random) -> Json:
    if table := names_row(base.domain, param):
        return rng.choice(list(base.rows[table]))
    if param.enum:
        return rng.choice(param.enum)
    column = base.domain.by_name[param.table].by_name[param.column]
    at = Drawing(rng, base.domain.pools["train"], {}, date.fromisoformat(base.today))
    low = float("-inf") if param.minimum is None else param.minimum
    high = float("inf") if param.maximum is None else param.maximum
    values = column.draw.many(at, 50)
    return next((value for value in values if isinstance(value, str) or low <= value <= high), values[0])


def _short(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    PAGE.write_text(page(DOMAINS.values()), encoding="utf-8")
