"""Irrelevant queries: a request that none of the tools can serve."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from palestra.envs.base import Json
from palestra.envs.tooluse.case import Goal
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.goals import work_out
from palestra.envs.tooluse.operators.operator import Change, Operator, Refused, Subject
from palestra.envs.tooluse.planner import Draft, Rejected
from palestra.envs.tooluse.schema import Domain, Write
from palestra.envs.tooluse.statement import state
from palestra.envs.tooluse.templates import draw_parts
from palestra.envs.tooluse.world import fill

REFUSAL = Goal(ending="refuse", told={"reason": "no_tool"})
_TRIES = 20  # requests of other domains
_LEVEL = 1  # of indirection, at most


class Irrelevant(Operator):
    """Puts a request of another domain in the place of this one; the episode ends by declining.

    Must hold: no tool that the agent has writes a table whose rows are called as those that the request would
    change; nothing is written.
    """

    name: ClassVar[str] = "irrelevant"

    def change(self, at: Subject, rng: random.Random) -> Change:
        place = at.case.place
        others = [domain for domain in DOMAINS.values() if domain.name != place.domain]
        others = [domain for domain in others if place.split == "heldout" or not domain.is_held_out]
        for _ in range(_TRIES if others else 0):
            other, seed = rng.choice(others), rng.getrandbits(32)
            part = draw_parts(rng, other, ["write"], rng.randint(0, _LEVEL))[0]
            draft = Draft(fill(other, place.split, seed), place.split, rng)
            try:
                worked = work_out(draft, part)
            except Rejected:
                continue
            if shared(at, other, [part.tool]):
                continue
            return Change(
                params={"domain": other.name, "tool": part.tool},
                case=replace(at.case, steps=(), goal=REFUSAL, user={}),
                instruction=state(rng, place.split, other, [worked], is_ordered=False),
            )
        raise Refused("the other domains ask for nothing that is alien here")

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        tools = shared(new, DOMAINS[params["domain"]], [params["tool"]])
        return [*declined(new), *(f"{name} could serve the request" for name in tools)]


class Bereft(Operator):
    """Takes away every tool that could serve the request; the episode ends by declining.

    Must hold: no tool that is left writes any of the columns that the request would change; nothing is written.
    """

    name: ClassVar[str] = "bereft"

    def change(self, at: Subject, rng: random.Random) -> Change:
        goal = at.case.goal
        if not goal.changes or goal.answer is not None or goal.ending != "solve":
            raise Refused("something is asked for that is not a change")
        gone = sorted(serving(at, goal))
        return Change(
            params={"gone": gone},
            case=replace(at.case, steps=(), goal=REFUSAL, user={}),
            tools=[tool for tool in at.task.tools if tool["function"]["name"] not in gone],
        )

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        left = sorted(serving(new, old.case.goal))
        found = [f"{name} could serve the request" for name in left]
        if old.case.goal.answer is not None:
            found.append("the request asks for more than changes")
        return [*declined(new), *found]


def declined(new: Subject) -> list[str]:
    """Return why the episode would not end by declining alone."""
    case = new.case
    return [] if case.goal == REFUSAL and not case.steps else ["the episode does not end by declining alone"]


def serving(at: Subject, goal: Goal) -> set[str]:
    """Return the tools that the agent has and that may write a column that a goal changes."""
    cells = {(str(table), str(column)) for table, _, column, *_ in goal.changes}
    return {name for name, tool in at.domain.tool.items() if name in at.tools and at.domain.written(tool) & cells}


def shared(at: Subject, other: Domain, tools: list[str]) -> list[str]:
    """Return the tools that the agent has and that write rows such as some tools of another domain do."""
    wanted = {name for tool in tools for name in _written(other, other.tool[tool])}
    mine = {name: tool for name, tool in at.domain.tool.items() if name in at.tools and isinstance(tool, Write)}
    return [name for name, tool in mine.items() if _written(at.domain, tool) & wanted or name in tools]


def _written(domain: Domain, tool: object) -> set[str]:
    """Return what the tables that a tool writes are called, and the rows in them."""
    assert isinstance(tool, Write)
    tables = {table for table, _ in domain.written(tool)}
    return tables | {domain.by_name[table].noun for table in tables}
