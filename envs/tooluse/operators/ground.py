"""The ground that a case is played on: its world, and beyond the domain's tools those that operators brought in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from palestra.envs.base import Json, Split, TaskError, canonical_json
from palestra.envs.tooluse.case import Case
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.draw import Row
from palestra.envs.tooluse.interpret import call
from palestra.envs.tooluse.operators.move import called, copied, leading_to, moved, renumbered, tables_of
from palestra.envs.tooluse.schema import ID, Arg, Column, Const, Domain, Get, Insert, Param, Set, Table, Tool, Write
from palestra.envs.tooluse.world import Base, World, fill

Spec = Mapping[str, Json]  # what an operator did: of what kind, and to or with which tool
FOREIGN_SCALE = 0.2  # of the tables that come with a tool of another domain
WRONG = "wrong"  # the kind of what is shown wrong; every other kind is a tool


@dataclass(frozen=True, slots=True)
class Ground:
    """What a case is played on."""

    base: Base
    wrong: tuple[Spec, ...] = ()  # values that replies show wrong

    @property
    def domain(self) -> Domain:
        """The domain, with the tools that operators brought in."""
        return self.base.domain

    def call(self, world: World, name: str, arguments: Mapping[str, Json]) -> Json:
        """Carry out a call in a world of this base and return its reply as the agent is to see it."""
        reply = call(world, name, arguments)
        for one in self.wrong:
            if one["tool"] == name:
                _spoil(reply, one)
        return reply


def ground(case: Case) -> Ground:
    """Return what a case is played on; it is shared, so never change it.

    Raises:
        TaskError: its domain is unknown, or what operators did to its tools is malformed.
    """
    place = case.place
    if place.domain not in DOMAINS:
        raise TaskError(f"unknown domain {place.domain!r}; known: {', '.join(DOMAINS)}")
    domain = DOMAINS[place.domain]
    if not case.twists:
        return Ground(fill(domain, place.split, place.seed, place.scale))
    return _extended(domain, place.split, place.seed, place.scale, canonical_json(list(case.twists)))


def tool_of(spec: Spec, domain: Domain) -> Tool:
    """Return the tool that a spec tells of, in the terms of `tables_with`."""
    return _MADE[spec["kind"]](spec, domain)


def tables_with(spec: Spec, base: Base, split: Split, seed: int) -> list[tuple[Table, Mapping[str, Row]]]:
    """Return the tables, each with its rows, that a spec's tool brings along."""
    domain, kind = base.domain, spec["kind"]
    if kind == "draft":
        return [(_drafts(spec, domain), {})]
    if kind == "scope":
        names = _scoped(spec, domain)
        return [(copied(domain.by_name[old], names), renumbered(base.rows[old], spec["turn"])) for old in names]
    if kind == "foreign":
        other = fill(DOMAINS[spec["domain"]], split, seed, FOREIGN_SCALE)
        names = _foreign(spec)
        return [(copied(other.domain.by_name[old], names), other.rows[old]) for old in names]
    return []


@lru_cache(maxsize=128)
def _extended(domain: Domain, split: Split, seed: int, scale: float, twists: str) -> Ground:
    base = fill(domain, split, seed, scale)
    tables, tools, rows = dict(domain.by_name), dict(domain.tool), dict(base.rows)
    specs = json.loads(twists)
    try:
        for spec in (spec for spec in specs if spec["kind"] != WRONG):
            for table, its_rows in tables_with(spec, base, split, seed):
                tables.setdefault(table.name, table)
                rows.setdefault(table.name, dict(its_rows))  # type: ignore[arg-type]
            tool = tool_of(spec, domain)
            if tool.name in tools:
                raise TaskError(f"two tools are named {tool.name!r}")
            tools[tool.name] = tool
        wrong = tuple(
            {name: spec[name] for name in ("tool", "id", "key", "value")} for spec in specs if _is_wrong(spec)
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise TaskError(f"what operators did to the tools of a case is malformed: {error!r}") from error
    more = replace(domain, tables=tuple(tables.values()), tools=tuple(tools.values()))
    return Ground(Base(more, base.today, rows), wrong)


def _is_wrong(spec: Spec) -> bool:
    return bool(spec["kind"] == WRONG)


def _spoil(reply: Json, spec: Spec) -> None:
    """Put the wrong value into a reply: into the row of an id, or where there is no id, at the top."""
    for row in [reply, *reply.get("results", ())]:
        if spec["key"] in row and row.get(ID, "") == spec["id"]:
            row[spec["key"]] = spec["value"]


# -- the kinds of tool -------------------------------------------------------------------------


def _of_another_domain(spec: Spec, domain: Domain) -> Tool:
    tool = moved(DOMAINS[spec["domain"]].tool[spec["like"]], _foreign(spec))
    return called(tool, spec["name"], spec["about"])


def _foreign(spec: Spec) -> dict[str, str]:
    other = DOMAINS[spec["domain"]]
    needed = leading_to(other, tables_of(other, other.tool[spec["like"]]))
    return {table: f"{other.name}_{table}" for table in needed}


def _of_another_column(spec: Spec, domain: Domain) -> Tool:
    """Write a column that the domain's own tools leave alone, or show a row without what is asked."""
    table = domain.by_name[spec["table"]].name
    row = Param(name=spec["arg"], of=f"{table}.{ID}")
    if "shows" in spec:
        return Get(name=spec["name"], about=spec["about"], table=table, arg=row.name, shows=tuple(spec["shows"]))
    value = Param(name=spec["column"], of=f"{table}.{spec['column']}")
    return Write(
        name=spec["name"],
        about=spec["about"],
        params=(row, value),
        effects=(Set(row.name, spec["column"], Arg(value.name)),),
        asks=(f"set {spec['column']} of {{{row.name}}} to {{{value.name}}}",),
        is_idempotent=True,
    )


def _of_another_effect(spec: Spec, domain: Domain) -> Tool:
    """Take what a tool takes, and write another value into the row that it names."""
    like = domain.tool[spec["like"]]
    assert isinstance(like, Write)  # the operator chose one
    effect = Set(spec["arg"], spec["column"], Const(spec["value"]))
    return replace(like, name=spec["name"], about=spec["about"], effects=(effect,), requires=(), is_idempotent=True)


def _of_drafts(spec: Spec, domain: Domain) -> Tool:
    """Take what a tool takes, and keep it as a draft."""
    like = domain.tool[spec["like"]]
    assert isinstance(like, Write)  # the operator chose one
    effect = Insert(_drafts(spec, domain).name, {param.name: Arg(param.name) for param in like.params})
    return replace(like, name=spec["name"], about=spec["about"], effects=(effect,), is_idempotent=False)


def _drafts(spec: Spec, domain: Domain) -> Table:
    like = domain.tool[spec["like"]]
    assert isinstance(like, Write)  # the operator chose one
    columns = []
    for param in like.params:
        told = domain.column(param.table, param.column)
        plain = Column(name=param.name, about="What was given", draw=_NOTHING)
        columns.append(plain if told is None else replace(told, name=param.name, ref="", is_unique=False))
    return Table(name=f"{spec['name']}_drafts", noun="draft", prefix="drf", columns=tuple(columns), rows=0)


def _of_another_scope(spec: Spec, domain: Domain) -> Tool:
    return called(moved(domain.tool[spec["like"]], _scoped(spec, domain)), spec["name"], spec["about"])


def _scoped(spec: Spec, domain: Domain) -> dict[str, str]:
    tables = tables_of(domain, domain.tool[spec["like"]])
    return {table: f"{table}_{spec['turn']}" for table in tables}


class _Nothing:
    """A draw that is never asked: the table has no rows to begin with."""

    def many(self, at: object, n: int) -> list[Json]:
        return [None] * n


_NOTHING = _Nothing()
_MADE = {
    "foreign": _of_another_domain,
    "column": _of_another_column,
    "effect": _of_another_effect,
    "draft": _of_drafts,
    "scope": _of_another_scope,
}
