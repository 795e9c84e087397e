"""Near distractors: more tools, real ones with real effects, that look as if they served and do not."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from palestra.envs.base import Json
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.closing import CLOSING
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.operators.ground import Spec
from palestra.envs.tooluse.operators.move import tables_of
from palestra.envs.tooluse.operators.operator import Change, Operator, Refused, Subject, kept
from palestra.envs.tooluse.operators.suffice import insufficient
from palestra.envs.tooluse.schema import ID, Get, Write

DEGREES = (0, 1, 2, 3)
_DRAWS = 4  # of a tool, for each that is wanted
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "add": ("append", "attach"),
    "answer": ("reply_to",),
    "assign": ("allot", "hand"),
    "book": ("reserve", "take"),
    "cancel": ("call_off", "revoke"),
    "change": ("modify", "alter"),
    "close": ("shut", "end"),
    "count": ("tally", "number_of"),
    "create": ("make", "set_up"),
    "delete": ("erase", "drop"),
    "find": ("locate", "look_up"),
    "get": ("fetch", "show"),
    "list": ("browse", "enumerate"),
    "move": ("shift", "relocate"),
    "open": ("start", "begin"),
    "remove": ("drop", "take_out"),
    "search": ("query", "look_for"),
    "send": ("dispatch", "forward"),
    "set": ("put", "assign"),
    "total": ("sum_of", "overall"),
    "transfer": ("pass_on", "shift"),
    "update": ("edit", "revise"),
}


class Near(Operator):
    """Adds tools: of another domain (degree 0), of the same rows (1), of the same schema (2), of a wrong scope (3).

    They are made from the domain's declarations, and do what they say. Those that write are never what is asked
    for, and leave traces.

    Must hold: each has a name of its own; no calls of theirs alone, and none in the place of one of the oracle's,
    reach the goal, as far as a bounded search sees; called before the oracle, one that reads changes nothing, and
    one that writes spoils the end.

    Args:
        count: how many.
        degrees: of which kinds.
    """

    name: ClassVar[str] = "near"

    def __init__(self, count: int = 3, degrees: tuple[int, ...] = DEGREES) -> None:
        self.count, self.degrees = count, degrees

    def change(self, at: Subject, rng: random.Random) -> Change:
        specs: list[Spec] = []
        for _ in range(_DRAWS * self.count):
            if len(specs) == self.count:
                break
            degree = rng.choice(self.degrees)
            spec = _MAKERS[degree](at, rng)
            names = at.tools | at.domain.tool.keys() | {one["name"] for one in specs}
            if spec is not None and spec["name"] not in names and not insufficient(_with(at, [spec]), [spec["name"]]):
                specs.append(spec)
        if not specs:
            raise Refused("no tool was found that looks as if it served and does not")
        after = _with(at, specs)
        tools = list(at.task.tools)
        for spec in specs:
            last = next(place for place, tool in enumerate(tools) if tool["function"]["name"] in CLOSING)
            tool = after.domain.tool[spec["name"]]
            tools.insert(rng.randint(0, last), function(after.domain, tool))
        return Change(params={"tools": [dict(spec) for spec in specs]}, case=after.case, tools=tools)

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        names = [spec["name"] for spec in params["tools"]]
        found = kept(old, new)
        found += [f"there is a tool {name} already" for name in names if name in old.tools | old.domain.tool.keys()]
        found += [f"the agent is not given {name}" for name in names if name not in new.tools]
        found += [f"{name} does not exist" for name in names if name not in new.domain.tool]
        return found or insufficient(new, names)


def _with(at: Subject, specs: list[Spec]) -> Subject:
    """Return the task with more tools in its case; the agent is not given them yet."""
    case = replace(at.case, twists=(*at.case.twists, *specs))
    return Subject(replace(at.task, hidden=case.to_dict()))


def _model(at: Subject, rng: random.Random) -> str:
    """Return one of the tools that matter, or where there are none, one of the domain's."""
    own = DOMAINS[at.case.place.domain].tool
    used = [step.tool for step in at.case.steps if step.tool in own]
    return rng.choice(used or sorted(own))


def _of_another_domain(at: Subject, rng: random.Random) -> Spec | None:
    place = at.case.place
    others = [one for one in DOMAINS.values() if one.name != place.domain]
    others = [one for one in others if place.split == "heldout" or not one.is_held_out]
    if not others or at.case.goal.ending == "refuse":  # it might serve what was asked for
        return None
    other = rng.choice(others)
    tool = other.tool[rng.choice(sorted(other.tool))]
    return {
        "kind": "foreign",
        "degree": 0,
        "name": tool.name,
        "about": tool.about,
        "domain": other.name,
        "like": tool.name,
    }


def _of_the_same_rows(at: Subject, rng: random.Random) -> Spec | None:
    domain = DOMAINS[at.case.place.domain]
    table = domain.by_name[rng.choice(tables_of(domain, domain.tool[_model(at, rng)]))]
    taken = {(str(name), str(column)) for name, _, column, *_ in at.case.goal.changes}
    free = [one for one in table.columns if not one.ref and not one.is_unique and (table.name, one.name) not in taken]
    if not free:
        return None
    column, argument = rng.choice(free), _row_argument(at, table.name)
    noun = table.noun.replace(" ", "_")
    spec = {"kind": "column", "degree": 1, "table": table.name, "arg": argument}
    if rng.random() < 0.5:
        about = f"Show the {phrases.noun(column)} of {_a(table.noun)}, and nothing else."
        return {**spec, "name": f"show_{noun}_{column.name}", "about": about, "shows": [column.name]}
    about = f"Write another {phrases.noun(column)} into {_a(table.noun)}."
    return {**spec, "name": f"write_{noun}_{column.name}", "about": about, "column": column.name}


def _of_the_same_schema(at: Subject, rng: random.Random) -> Spec | None:
    domain = DOMAINS[at.case.place.domain]
    used = [step.tool for step in at.case.steps if isinstance(domain.tool.get(step.tool), Write)]
    like = domain.tool[
        rng.choice(used or sorted(name for name, tool in domain.tool.items() if isinstance(tool, Write)))
    ]
    assert isinstance(like, Write)
    spec = {"degree": 2, "like": like.name}
    rows = [param for param in like.params if param.column == ID]
    choices = [(row, column) for row in rows for column in domain.by_name[row.table].columns if column.enum]
    if not choices or rng.random() < 0.5:
        about = f"Keep as a draft, which nobody acts on: {like.about[:1].lower()}{like.about[1:]}"
        return {**spec, "kind": "draft", "name": f"draft_{like.name}", "about": about}
    row, column = rng.choice(choices)
    noun, value = domain.by_name[row.table].noun, rng.choice(column.enum)
    about = f"Set the {phrases.noun(column)} of {_a(noun)} to {phrases.spoken(value)}, whatever it was."
    name = f"{like.name}_as_{value}".lower().replace("-", "_").replace(" ", "_")
    return {
        **spec,
        "kind": "effect",
        "name": name,
        "about": about,
        "arg": row.name,
        "column": column.name,
        "value": value,
    }


def _of_another_scope(at: Subject, rng: random.Random) -> Spec | None:
    domain = DOMAINS[at.case.place.domain]
    like = domain.tool[_model(at, rng)]
    verb, _, rest = like.name.partition("_")
    other = rng.choice(_SYNONYMS.get(verb, (f"do_{verb}",)))
    noun = domain.by_name[tables_of(domain, like)[0]].noun
    about = f"{like.about} Works on the archive of former years, where each id stands for another {noun} than today."
    name = "_".join(part for part in (other, rest) if part)
    return {"kind": "scope", "degree": 3, "name": name, "about": about, "like": like.name, "turn": rng.randrange(1000)}


_MAKERS: Mapping[int, Callable[[Subject, random.Random], Spec | None]] = {
    0: _of_another_domain,
    1: _of_the_same_rows,
    2: _of_the_same_schema,
    3: _of_another_scope,
}


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _row_argument(at: Subject, table: str) -> str:
    """Return what the domain's tools call the id of a row of a table."""
    return next(_row_arguments(at, table), f"{at.domain.by_name[table].noun.replace(' ', '_')}_id")


def _row_arguments(at: Subject, table: str) -> Iterator[str]:
    for tool in at.domain.tools:
        if isinstance(tool, Get) and tool.table == table and tool.by == ID:
            yield tool.arg
        if isinstance(tool, Write):
            yield from (param.name for param in tool.params if param.of == f"{table}.{ID}")
