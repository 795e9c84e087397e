"""Operators that put a layer over a case: those of every family, and other ways to write days and numbers."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from palestra.envs.actions import ToolCall, compact_json
from palestra.envs.augment.layer import Seen, name_of
from palestra.envs.augment.rehearse import Rehearsal, Run, rehearse
from palestra.envs.augment.stack import Stack
from palestra.envs.base import Json, Task, TaskError
from palestra.envs.reading import NOT_JSON, read_json
from palestra.envs.tooluse.closing import CLOSING, briefing
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.operators.ground import Ground
from palestra.envs.tooluse.operators.layers import DATES, LAYERS, Locale
from palestra.envs.tooluse.operators.operator import Change, Operator, Refused, Subject, kept
from palestra.envs.tooluse.schema import Column, Domain, Get, Search, Total, Write, shown_as

SMALLER: Mapping[str, tuple[str, int]] = {
    "USD": ("cents", 100),
    "km": ("metres", 1000),
    "minutes": ("seconds", 60),
    "hours": ("minutes", 60),
    "litres": ("millilitres", 1000),
    "kg": ("grams", 1000),
}
_HALF_A_CENT = 0.005


class Over(Operator):
    """Puts one of the layers that every family may have on top of those that are there.

    Must hold: the layer's own obligations; the oracle's calls arrive as they were and their replies are understood;
    the request stands there whole; every tool has a name of its own.

    Args:
        name: of the layer.
    """

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]  # of the one operator that is several

    def change(self, at: Subject, rng: random.Random) -> Change:
        spec = {"operator": self.name, **self.draw(at, rng)}
        layer = LAYERS[self.name](spec)
        case = replace(at.case, layers=(*at.case.layers, spec))
        tools = [tool for tool in at.task.tools if name_of(tool) not in CLOSING]
        closing = [tool for tool in at.task.tools if name_of(tool) in CLOSING]
        try:
            turns = len(_rehearsed(at, case.layers).actions) - len(_rehearsed(at, at.case.layers).actions)
        except TaskError as error:
            raise Refused(f"{self.name}: {error}") from error
        return Change(
            params={"spec": spec},
            case=case,
            instruction=layer.instruction(at.task.instruction),
            tools=[*layer.tools(tools), *closing],
            turns=turns,
        )

    def draw(self, at: Subject, rng: random.Random) -> Mapping[str, Json]:
        """Return the layer's spec."""
        return LAYERS[self.name].draw(rng, seen(at))

    def check(self, before: Task, after: Task) -> list[str]:
        """Return why the oracle does not survive: what it does below is as it was, so only the layer is asked about."""
        old, new = Subject(before), Subject(after)
        if [layer["operator"] for layer in new.case.layers[len(old.case.layers) :]] != [self.name]:
            return [f"the layer {self.name} is not there"]
        found = self.problems(old, new, {})
        return found if old.played == new.played else [*found, "the oracle does something else"]

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        spec = new.case.layers[-1]
        layer = LAYERS[spec["operator"]](spec)
        found = [*kept(old, new), *layer.problems(seen(old))]
        if not layer.keeps(old.task.instruction, new.task.instruction):
            found.append("a part of the request is lost")
        names = [name_of(tool) for tool in new.task.tools]
        found += [f"two tools are named {name}" for name in dict.fromkeys(names) if names.count(name) > 1]
        try:
            understood = _rehearsed(new, new.case.layers).replies
        except TaskError as error:
            return [*found, str(error)]
        plain = [compact_json(reply) for reply in new.played.replies]
        found += [
            f"the reply to step {number + 1} is not understood"
            for number, (one, other) in enumerate(zip(plain, understood, strict=True))
            if not _same(read_json(one), read_json(other[0]))
        ]
        return found


class Units(Over):
    """Has days written in another way and numbers given in a smaller unit; the request says how.

    Must hold: as for `Over`, and every value that the world holds in such a field can be told without loss.
    """

    def __init__(self) -> None:
        super().__init__(Locale.name)

    def draw(self, at: Subject, rng: random.Random) -> Mapping[str, Json]:
        if at.case.layers:
            raise Refused("other layers are there already, which know values as they were")
        kinds = {*_kinds(at.domain, is_argument=True).values(), *_kinds(at.domain, is_argument=False).values()}
        units = sorted({kind.rstrip("!") for kind in kinds} & SMALLER.keys())
        dates = rng.choice([*DATES]) if "date" in kinds and (not units or rng.random() < _SHARE) else ""
        some = [unit for unit in units if rng.random() < _SHARE] or ([] if dates else units[:1])
        if not dates and not some:
            raise Refused("there are neither days nor numbers with a unit here")
        return locale(at.domain, dates, some)

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        layer = LAYERS[self.name](new.case.layers[-1])
        assert isinstance(layer, Locale)
        return [*super().problems(old, new, params), *lossy(new.ground, layer)]


_SHARE = 0.7  # of the draws in which days, or a unit, are written in another way


def locale(domain: Domain, dates: str, units: Sequence[str]) -> dict[str, Json]:
    """Return the spec of a `Locale` for a domain.

    Args:
        domain: whose fields it knows.
        dates: one of `DATES`, or "".
        units: that are told in smaller ones.
    """
    chosen = {unit: list(SMALLER[unit]) for unit in units}
    told = [f"days as {dates}"] if dates else []
    told += [f"{unit} in {name}" for unit, (name, _) in chosen.items()]
    answers = ["days as YYYY-MM-DD"] if dates else []
    answers += [f"amounts in {unit}" for unit in chosen]
    note = f"Note that the tools take and show {' and '.join(told)}."
    return {
        "dates": dates,
        "units": chosen,
        "arguments": _by_tool(domain, is_argument=True),
        "replies": _by_tool(domain, is_argument=False),
        "told": f"{note} In an answer to me, give {' and '.join(answers)}.",
    }


def lossy(on: Ground, layer: Locale) -> list[str]:
    """Return the columns that hold what cannot be told and understood without loss."""
    found = []
    for table in on.domain.tables:
        for column in table.columns:
            values = {row[column.name] for row in on.base.rows[table.name].values()} - {None}
            kind = _kind(column)
            if kind and any(not _same(layer.below(kind, layer.above(kind, value)), value) for value in values):
                found.append(f"{table.name}.{column.name} is not told without loss")
    return found


def seen(at: Subject) -> Seen:
    """Return what the oracle is told, sees and does above the layers that there are."""
    steps = _rehearsed(at, at.case.layers).seen.steps
    return Seen(told=f"{briefing(at.task.public)}\n{at.task.instruction}", tools=at.task.tools, steps=steps)


def _rehearsed(at: Subject, layers: Sequence[Mapping[str, Json]]) -> Rehearsal:
    steps = [
        (ToolCall(step.tool, dict(step.arguments)), compact_json(reply))
        for step, reply in zip(at.case.steps, at.played.replies, strict=True)
    ]
    tools = [function(at.domain, tool) for tool in at.domain.tools]
    return rehearse(Stack(layers, LAYERS), Run.of_calls("", tools, steps))


def _same(one: Json, other: Json) -> bool:
    """Tell whether two values are the same; numbers are to the cent."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)) and not isinstance(one, bool):
        return abs(one - other) < _HALF_A_CENT
    return one is not NOT_JSON and type(one) is type(other) and bool(one == other)


def _by_tool(domain: Domain, *, is_argument: bool) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for (tool, field), kind in _kinds(domain, is_argument=is_argument).items():
        found.setdefault(tool, {})[field] = kind
    return found


def _kinds(domain: Domain, *, is_argument: bool) -> dict[tuple[str, str], str]:
    """Return of what kind the fields of calls, or of replies, are: of days, or of a unit."""
    fields = _arguments(domain) if is_argument else _replies(domain)
    return {(tool, name): kind for tool, name, column in fields if column is not None and (kind := _kind(column))}


def _kind(column: Column) -> str:
    if column.format == "date":
        return "date"
    if column.unit not in SMALLER:
        return ""
    return f"{column.unit}!" if column.type == "integer" else column.unit


def _arguments(domain: Domain) -> Iterator[tuple[str, str, Column | None]]:
    for tool in domain.tools:
        if isinstance(tool, Write):
            yield from ((tool.name, param.name, domain.column(param.table, param.column)) for param in tool.params)
        elif isinstance(tool, Get):
            yield tool.name, tool.arg, domain.column(tool.table, tool.by)
        else:
            yield from ((tool.name, one.arg, domain.column(tool.table, one.path)) for one in tool.filters)


def _replies(domain: Domain) -> Iterator[tuple[str, str, Column | None]]:
    for tool in domain.tools:
        if isinstance(tool, Get | Search):
            yield from ((tool.name, shown_as(path), domain.column(tool.table, path)) for path in tool.shows)
        elif isinstance(tool, Total) and tool.of:
            column = domain.column(tool.table, tool.of)
            is_mean = tool.how == "mean" and column is not None
            yield tool.name, tool.how, replace(column, type="number") if column is not None and is_mean else column
