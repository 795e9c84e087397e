"""A missing parameter: the request does not tell an argument that no tool tells either."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from palestra.envs.base import Json
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.case import Goal, Source
from palestra.envs.tooluse.interpret import names_row
from palestra.envs.tooluse.operators.operator import Change, Operator, Refused, Subject, kept
from palestra.envs.tooluse.operators.reading import Known, kind_of, readable
from palestra.envs.tooluse.operators.replay import forms, told
from palestra.envs.tooluse.schema import Column, Get, Param, Write


@dataclass(frozen=True, slots=True)
class Lack:
    """An argument of a write that the request tells and might not."""

    step: int
    param: Param
    column: Column
    value: Json

    @property
    def noun(self) -> str:
        """What the value is called."""
        noun = phrases.noun(replace(self.column, name=self.param.name))
        return {"date": "day", "time": "time"}.get(self.column.format, noun)


class Missing(Operator):
    """Takes an argument out of the request; the episode ends by asking for it.

    Must hold: the argument has no default, the request does not tell it, and no calls of reading tools that begin
    with what the request tells show it; nothing is written.
    """

    name: ClassVar[str] = "missing"

    def change(self, at: Subject, rng: random.Random) -> Change:
        goal = at.case.goal
        writes = [step for step in at.case.steps if isinstance(at.domain.tool[step.tool], Write)]
        if goal.ending != "solve" or goal.answer is not None or len(writes) != 1:
            raise Refused("more is asked for than one change, and the rest could be done")
        lack, instruction = _left_out(at, rng)
        told_of = {"tool": at.case.steps[lack.step].tool, "parameter": lack.param.name}
        return Change(
            params={**told_of, "value": lack.value},
            case=replace(at.case, steps=(), goal=Goal(ending="ask", told=told_of)),
            instruction=instruction,
        )

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        goal = new.case.goal
        found = (
            [] if goal.ending == "ask" and not goal.changes else ["the episode does not end with the question alone"]
        )
        if dict(goal.told) != {"tool": params["tool"], "parameter": params["parameter"]}:
            found.append(f"the question must name {params['parameter']}, not {goal.told.get('parameter')}")
        if any(told(params["value"], says) for says in new.case.user.values()):
            found.append("the user tells it")
        return [*found, *_knowable(old, new, params)]


class Withheld(Operator):
    """Takes an argument out of the request; the user tells it when asked, and the goal stays.

    Must hold: as for `Missing`, but that the user tells it, under the parameter's name.
    """

    name: ClassVar[str] = "withheld"

    def change(self, at: Subject, rng: random.Random) -> Change:
        lack, instruction = _left_out(at, rng)
        key = "|".join(dict.fromkeys((lack.param.name, lack.noun)))
        step = at.case.steps[lack.step]
        asked = replace(step, sources={**step.sources, lack.param.name: Source(kind="user", path=lack.param.name)})
        if any(lack.noun in other.split("|") or lack.param.name in other.split("|") for other in at.case.user):
            raise Refused(f"the user tells another {lack.noun} already")
        return Change(
            params={"tool": step.tool, "parameter": lack.param.name, "value": lack.value, "key": key},
            case=replace(
                at.case,
                steps=(*at.case.steps[: lack.step], asked, *at.case.steps[lack.step + 1 :]),
                user={**at.case.user, key: f"The {lack.noun} is {phrases.said(lack.value)}."},
            ),
            instruction=instruction,
            turns=1,
        )

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        found = kept(old, new)
        if not told(params["value"], new.case.user.get(params["key"], "")):
            found.append(f"the user does not tell the {params['parameter']}")
        return [*found, *_knowable(old, new, params)]


def lacks(at: Subject) -> Iterator[Lack]:
    """Yield the arguments that could be left out: values without a default that the request tells exactly once."""
    for number, step in enumerate(at.case.steps):
        tool = at.domain.tool[step.tool]
        for param in tool.params if isinstance(tool, Write) else ():
            source = step.sources.get(param.name)
            if not param.is_required or names_row(at.domain, param) or source is None or source.kind != "query":
                continue
            column = at.domain.by_name[param.table].by_name[param.column]
            lack = Lack(number, param, column, step.arguments[param.name])
            if len(_places(lack, at.task.instruction)) == 1:
                yield lack


def _left_out(at: Subject, rng: random.Random) -> tuple[Lack, str]:
    found = list(lacks(at))
    rng.shuffle(found)
    lack = next((lack for lack in found if not _seen(at, at, lack.param, lack.value)), None)
    if lack is None:
        raise Refused("the request tells no value" if not found else "reading shows each value that the request tells")
    start, end = _places(lack, at.task.instruction)[0]
    text = at.task.instruction
    return lack, f"{text[:start]}a certain {lack.noun}{text[end:]}"


def _places(lack: Lack, text: str) -> list[tuple[int, int]]:
    """Return where a value stands, with its quotation marks, and its noun if that follows."""
    words = "|".join(re.escape(form) for form in sorted(forms(lack.value), key=len, reverse=True))
    after = "|".join(re.escape(word) for word in (lack.column.unit, lack.noun, lack.noun.split()[-1]) if word)
    pattern = rf"(?<![\w.\"'])[\"']?(?:{words})(?!\w|\.\d)[\"']?(?: (?:{after})\b)?"
    return [match.span() for match in re.finditer(pattern, text)]


def _knowable(old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
    """Return from where the agent could know the argument without asking."""
    value, tool = params["value"], new.domain.tool[params["tool"]]
    assert isinstance(tool, Write)
    param = next(param for param in tool.params if param.name == params["parameter"])
    found = [] if param.is_required else [f"the {param.name} has a default"]
    if told(value, new.task.instruction):
        found.append(f"the request tells {value!r}")
    if _seen(old, new, param, value):
        found.append(f"reading shows {value!r}")
    return found


def _seen(old: Subject, new: Subject, param: Param, value: Json) -> bool:
    """Tell whether reading shows a value as one that an argument could have."""
    known = Known()
    for step in old.case.steps:
        tool = old.domain.tool[step.tool]
        for name, source in step.sources.items():
            if source.kind == "query" and step.arguments[name] != value:
                known.add(kind_of_argument(old, tool.name, name), step.arguments[name])
    tools = {name: tool for name, tool in new.domain.tool.items() if name in new.tools}
    wanted = kind_of(new.domain, param.table, param.column)
    unit = new.domain.by_name[param.table].by_name[param.column].unit
    for (table, name), shown in readable(new.ground, new.world(), tools, known):
        if type(shown) is type(value) and shown == value:
            column = new.domain.by_name[table].by_name.get(name)
            if (
                (table, name) == wanted
                or isinstance(value, str)
                or (column is not None and unit and column.unit == unit)
            ):
                return True
    return False


def kind_of_argument(at: Subject, name: str, argument: str) -> tuple[str, str]:
    """Return in whose terms an argument of a tool is told."""
    tool = at.domain.tool[name]
    if isinstance(tool, Write):
        param = next(param for param in tool.params if param.name == argument)
        return kind_of(at.domain, param.table, param.column)
    if isinstance(tool, Get):
        return kind_of(at.domain, tool.table, tool.by)
    path = next(one.path for one in tool.filters if one.arg == argument)
    return kind_of(at.domain, tool.table, path)
