"""Wrong but detectable values: a tool shows what cannot be true, and either another tells it right or none does."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from palestra.envs.base import Json
from palestra.envs.tooluse.case import Case, Goal, Source, Step
from palestra.envs.tooluse.operators import splice
from palestra.envs.tooluse.operators.ground import WRONG
from palestra.envs.tooluse.operators.operator import Change, Operator, Refused, Subject, kept
from palestra.envs.tooluse.operators.reading import Kind, kind_of
from palestra.envs.tooluse.operators.replay import at_path, mistaken
from palestra.envs.tooluse.operators.values import Spot, broken, impossible, plausible, spots
from palestra.envs.tooluse.planner import leaves
from palestra.envs.tooluse.schema import ID, Get, Search, Tool, Total, Write, shown_as
from palestra.envs.tooluse.verify import same

CODE = "wrong_value"
RULES: Mapping[type, str] = {
    Search: "Where a list and a record of what is in it differ, the record is right.",
    Total: "Where a total and the rows that it is made of differ, the rows are right.",
}
_CONTRADICTED = 0.4  # of the values that a rule could help with
_DERIVED: Mapping[str, str] = {"sum": "sum", "max": "largest", "min": "smallest"}


class Wrong(Operator):
    """Shows a value that the oracle needs as another one.

    As one that it cannot have, a negative amount or a day that is none: where another tool shows the value, too, or
    all that a total is made of, the oracle takes it from there; else the episode ends by reporting the tool and the
    field. Or as one that it may well have, with a rule that says which of two tools is right where they differ.

    Must hold: the value is none that the field can have, by what is declared of it and by the world, or the agent is
    told the rule, and the oracle goes by it; the oracle as it was does not reach the goal any more; where the episode
    ends with a report, no other tool tells the value.
    """

    name: ClassVar[str] = "wrong"

    def change(self, at: Subject, rng: random.Random) -> Change:
        found = list(spots(at))
        rng.shuffle(found)
        for spot in found:
            rule = RULES.get(type(at.domain.tool[spot.tool]), "") if rng.random() < _CONTRADICTED else ""
            value = plausible(at, spot, rng) if rule else impossible(at, spot, rng)
            if value is None:
                continue
            spec = {"kind": WRONG, "tool": spot.tool, "id": spot.id, "key": spot.key, "value": value}
            params: dict[str, Json] = {**spec, "table": spot.kind[0], "column": spot.kind[1], "rule": rule}
            case = replace(at.case, twists=(*at.case.twists, spec))
            if (recovered := _recovered(at, spot, case)) is not None:
                turns = len(recovered.steps) - len(case.steps)
                rules = {"policies": [*at.task.public.get("policies", ()), rule]} if rule else {}
                return Change(params={**params, "ending": "solve"}, case=recovered, public=rules, turns=max(0, turns))
            if not rule and _asks_one_thing(at) and not second_sources(at, spot.kind, spot.tool):
                told = {"code": CODE, "tool": spot.tool, "parameter": spot.key}
                case = replace(splice.only(case, spot.step), goal=Goal(ending="report", told=told))
                return Change(params={**params, "ending": "report"}, case=case)
        raise Refused("the oracle takes no value from a reply that could be seen to be wrong")

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        found = []
        if params["rule"]:
            found += _against_the_rule(new, params)
        elif not broken(new, (params["table"], params["column"]), params["value"]):
            found.append(
                f"{params['value']!r} is a value that {params['key']} may have: nobody can see that it is wrong"
            )
        goal = old.case.goal
        changes, answer = mistaken(new.ground, old.case)
        if changes == [list(cell) for cell in goal.changes] and same(goal.answer, answer):
            found.append("whoever believes the wrong value reaches the goal all the same")
        if params["ending"] == "solve":
            return [*found, *kept(old, new)]
        told = {"code": CODE, "tool": params["tool"], "parameter": params["key"]}
        if new.case.goal != Goal(ending="report", told=told):
            found.append("the episode does not end with the report alone")
        if not new.played.replies or params["value"] not in _shown(new, params):
            found.append("the oracle does not see the wrong value")
        sources = second_sources(new, (params["table"], params["column"]), params["tool"])
        return [*found, *(f"{name} tells the value, too" for name in sources)]


def _against_the_rule(new: Subject, params: Mapping[str, Json]) -> list[str]:
    """Return why nobody could know that a value is wrong by a rule, or that the oracle does not go by it."""
    found = (
        [] if params["rule"] in new.task.public.get("policies", ()) else ["the agent is not told which tool is right"]
    )
    if RULES.get(type(new.domain.tool[params["tool"]])) != params["rule"] or params["ending"] != "solve":
        found.append("the rule says nothing of this tool")
    sources = [source for step in new.case.steps for source in step.sources.values()]
    for leaf in (leaf for source in (*sources, *new.case.goal.sources) for leaf in leaves(source)):
        shown = leaf.path.rpartition(".")[2] == params["key"] and new.case.steps[leaf.step].tool == params["tool"]
        if shown and at_path(new.played.replies[leaf.step], leaf.path) == params["value"]:
            found.append("the oracle believes the wrong value")
    return found


def second_sources(at: Subject, kind: Kind, tool: str) -> list[str]:
    """Return the other tools that the agent has and that tell values of a kind."""
    others = [other for name, other in at.domain.tool.items() if name in at.tools and name != tool]
    return [other.name for other in others if kind in _told(at, other)]


def _told(at: Subject, tool: Tool) -> set[Kind]:
    if isinstance(tool, Write):
        return set()
    if isinstance(tool, Total):
        return {kind_of(at.domain, tool.table, tool.of or ID)}
    counted = {(tool.table, ID)} if isinstance(tool, Search) else set()
    return counted | {kind_of(at.domain, tool.table, path) for path in tool.shows}


def _asks_one_thing(at: Subject) -> bool:
    goal = at.case.goal
    writes = sum(isinstance(at.domain.tool[step.tool], Write) for step in at.case.steps)
    asked = len(goal.sources)
    return goal.ending == "solve" and not at.case.user and writes + asked == 1


def _shown(new: Subject, params: Mapping[str, Json]) -> list[Json]:
    reply = new.played.replies[-1]
    rows = [reply, *reply.get("results", ())] if isinstance(reply, dict) else []
    return [row.get(params["key"]) for row in rows if row.get(ID, "") == params["id"]]


def _recovered(at: Subject, spot: Spot, case: Case) -> Case | None:
    """Return the case with the value taken from elsewhere, None where nothing else tells it."""
    tool = at.domain.tool[spot.tool]
    if isinstance(tool, Total):
        return _added_up(at, spot, case, tool)
    for other in at.domain.tool.values():
        if isinstance(other, Get) and other.name in at.tools and other.name != tool.name and other.by == ID:
            path = next((path for path in other.shows if kind_of(at.domain, other.table, path) == spot.kind), "")
            if path and "." not in path:
                return _looked_at(at, spot, case, other, path)
    return None


def _looked_at(at: Subject, spot: Spot, case: Case, other: Get, path: str) -> Case | None:
    """Return the case with a look at the row by another tool, in the place of the first look if that showed no more."""
    step, tool = case.steps[spot.step], at.domain.tool[spot.tool]
    if not isinstance(tool, Get | Search) or tool.table != other.table:
        return None
    if isinstance(tool, Get) and tool.by == ID:
        source = step.sources[tool.arg]
    else:
        source = Source(kind="reply", step=spot.step, path=f"{spot.prefix}{ID}")
    after = (*step.after, spot.step) if source.step == spot.step else step.after
    look = Step(tool=other.name, arguments={other.arg: spot.id}, after=after, sources={other.arg: source})
    made = next((n for n, one in enumerate(case.steps) if (one.tool, one.arguments) == (look.tool, look.arguments)), -1)
    if made >= 0:
        return None  # the oracle looks there for something else, and others would see it at once
    wrong = Source(kind="reply", step=spot.step, path=spot.path)
    right = Source(kind="reply", step=spot.step + 1, path=shown_as(path))
    found = splice.resourced(splice.inserted(case, spot.step + 1, look), wrong, right)
    return found if splice.uses(found, spot.step) else splice.without(found, spot.step)


def _added_up(at: Subject, spot: Spot, case: Case, tool: Total) -> Case | None:
    """Return the case with the rows listed and reckoned with, in the place of the total."""
    step = case.steps[spot.step]
    filters = {one.arg: one for one in tool.filters if one.arg in step.arguments}
    for other in at.domain.tool.values():
        if not isinstance(other, Search) or other.name not in at.tools or other.table != tool.table:
            continue
        if tool.how not in ("count", *_DERIVED) or (tool.of and tool.of not in other.shows):
            continue
        same_filters = {
            arg: next((it.arg for it in other.filters if (it.path, it.compare) == (one.path, one.compare)), "")
            for arg, one in filters.items()
        }
        if not all(same_filters.values()):
            continue
        arguments = {same_filters[arg]: step.arguments[arg] for arg in filters}
        reply = at.ground.call(at.world(), other.name, arguments)
        if tool.how != "count" and not 2 <= reply["total"] == len(reply["results"]):
            continue
        sources = {same_filters[arg]: step.sources[arg] for arg in filters}
        listed = Step(tool=other.name, arguments=arguments, after=step.after, sources=sources)
        right = Source(kind="reply", step=spot.step, path="total")
        if tool.how != "count":
            cells = [f"results.{place}.{shown_as(tool.of)}" for place in range(len(reply["results"]))]
            of = tuple(Source(kind="reply", step=spot.step, path=path) for path in cells)
            right = Source(kind="derived", how=_DERIVED[tool.how], of=of)
        wrong = Source(kind="reply", step=spot.step, path=spot.path)
        steps = (*case.steps[: spot.step], listed, *case.steps[spot.step + 1 :])
        return splice.resourced(replace(case, steps=steps), wrong, right)
    return None
