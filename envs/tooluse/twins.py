"""Twins of a task: one value in the world is another, which only one step of the oracle shows, and matters.

Whether a reading step is needed cannot always be told from a replay: a comparison reads values that its answer does
not name, and an answer may be a word that stands elsewhere, too. In a twin the same words are asked, and all that
the other steps show is the same; yet something else is right.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from palestra.envs.base import Json, Task
from palestra.envs.tooluse.case import Case, Step
from palestra.envs.tooluse.interpret import is_fault, matching
from palestra.envs.tooluse.operators.ground import WRONG, Ground, ground
from palestra.envs.tooluse.planner import leaves
from palestra.envs.tooluse.schema import ID, Get, Search, Tool, Total, Write, shown_as
from palestra.envs.tooluse.user import key_of
from palestra.envs.tooluse.validate import resolve
from palestra.envs.tooluse.world import World

_OTHERS = 6  # values tried in place of one, from below and from above
_SWAPS = 8  # rows that one is exchanged with
_TWIN = "twin"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def twins(task: Task) -> Iterator[Task]:
    """Yield twins of a task, for each reading step those that its oracle's program solves in another way."""
    case = Case.from_dict(task.hidden)
    found = ground(case)
    start = World(found.base, {table: dict(rows) for table, rows in case.place.changes.items()})
    others = [(case, world) for number in range(len(case.steps)) for world in _other_worlds(case, found, number, start)]
    others += [(other, start.copy()) for other in _other_users(case, found, start)]
    if case.goal.ending == "report":
        yield from (replace(task, hidden=other.to_dict()) for other in _other_reports(case, found, start))
        return
    for told, world in others:
        twin = _worked_out(told, found, world)
        if twin is not None and _ends(twin) != _ends(case):
            yield replace(task, hidden=twin.to_dict())


def _ends(case: Case) -> tuple[Json, ...]:
    return case.goal.answer, case.goal.changes


def _worked_out(case: Case, found: Ground, world: World) -> Case | None:
    """Return the case in another world, its oracle carried out as the sources of its values say."""
    place = replace(case.place, changes=world.save())
    replies: list[Json] = []
    steps: list[Step] = []
    for step in case.steps:
        taken = {
            name: resolve(source, replies)
            for name, source in step.sources.items()
            if source.kind in ("reply", "derived") and _is_of_replies(source)
        }
        arguments = {**step.arguments, **taken}
        if None in taken.values() or is_fault(reply := found.call(world, step.tool, arguments)):
            return None
        replies.append(reply)
        steps.append(replace(step, arguments=arguments))
    answer = case.goal.answer
    if case.goal.sources:
        answers = [resolve(source, replies) for source in case.goal.sources]
        answer = answers if isinstance(answer, (list, tuple)) else answers[0]
        if None in answers:
            return None
    goal = replace(case.goal, changes=tuple(tuple(cell) for cell in world.diff()), answer=answer)
    return replace(case, place=place, steps=tuple(steps), goal=goal)


def _is_of_replies(source: object) -> bool:
    return all(one.kind == "reply" for one in leaves(source) if not one.of)  # type: ignore[arg-type]


def _other_reports(case: Case, found: Ground, world: World) -> Iterator[Case]:
    """Yield the case with another field of the same reply shown wrong."""
    wrong = next((one for one in case.twists if one["kind"] == WRONG), None)
    if wrong is None or not case.steps:
        return
    others, reply = [one for one in case.twists if one is not wrong], _replies(case, found, world)[-1]
    for row in [reply, *reply.get("results", ())]:
        for key in (key for key in row if row.get(ID, "") == wrong["id"] and key not in (ID, wrong["key"])):
            goal = replace(case.goal, told={**case.goal.told, "parameter": key})
            yield replace(case, twists=({**wrong, "key": key}, *others), goal=goal)


def _other_users(case: Case, found: Ground, world: World) -> Iterator[Case]:
    """Yield the case with users who say something else, and steps that take it from them."""
    for number, step in enumerate(case.steps):
        for name, source in step.sources.items():
            key = key_of(case.user, source.path or name) if source.kind == "user" else ""
            value = step.arguments.get(name)
            if not key or str(value) not in case.user[key]:
                continue
            for other in _other_arguments(world, found.domain.tool[step.tool], name, value):
                said = case.user[key].replace(str(value), str(other))
                steps = list(case.steps)
                steps[number] = replace(step, arguments={**step.arguments, name: other})
                yield replace(case, user={**case.user, key: said}, steps=tuple(steps))


def _other_arguments(world: World, tool: Tool, name: str, value: Json) -> list[Json]:
    """Return other values that an argument may have: such as stand in the column that it is about."""
    table, path = "", ""
    if isinstance(tool, Write):
        table, path = next((one.table, one.column) for one in tool.params if one.name == name)
    elif isinstance(tool, Get):
        table, path = tool.table, tool.by
    else:
        table, path = tool.table, next((one.path for one in tool.filters if one.arg == name), ID)
    held = {world.value(table, id_, path) for id_, _ in world.rows(table)} - {None, value}
    return sorted(held, key=_order)[:_SWAPS]


def _other_worlds(case: Case, found: Ground, number: int, start: World) -> Iterator[World]:
    """Yield worlds in which a step shows something else."""
    step = case.steps[number]
    tool = found.domain.tool[step.tool]
    if isinstance(tool, Write):
        return
    sources = [one for other in case.steps for one in other.sources.values()]
    used = {one.path for source in (*sources, *case.goal.sources) for one in leaves(source) if one.step == number}
    replies = _replies(case, found, start.copy())
    for path in sorted(used):
        for table, id_, column in _cells(start, tool, step.arguments, path, replies[number]):
            for value in _others(start, table, id_, column):
                world = start.copy()
                world.set(table, id_, column, value)
                yield world
        if path.rpartition(".")[2] == ID:
            yield from _swapped(start, tool, _row_at(replies[number], path)[ID])
    is_counted = tool.how == "count" if isinstance(tool, Total) else isinstance(tool, Search) and "total" in used
    if is_counted and not isinstance(tool, Get):
        for id_, row in matching(start, tool.table, tool.filters, step.arguments)[:_OTHERS]:
            world = start.copy()
            world.changes.setdefault(tool.table, {})[f"{id_}_{_TWIN}"] = dict(row)
            yield world


def _cells(
    world: World, tool: Tool, arguments: Mapping[str, Json], path: str, reply: Json
) -> Iterator[tuple[str, str, str]]:
    """Yield the cells of the tool's own table that a path of its reply shows."""
    assert not isinstance(tool, Write)
    if isinstance(tool, Total):
        if tool.of and "." not in tool.of:
            yield from ((tool.table, id_, tool.of) for id_, _ in matching(world, tool.table, tool.filters, arguments))
        return
    row, key = _row_at(reply, path), path.rpartition(".")[2]
    column = next((one for one in tool.shows if shown_as(one) == key and "." not in one), "")
    if column and isinstance(row, dict) and ID in row:
        yield tool.table, row[ID], column


def _others(world: World, table: str, id_: str, column: str) -> Iterator[Json]:
    """Yield other values of a cell: such as other rows hold, and numbers and days beyond all of them."""
    now = world.value(table, id_, column)
    values = sorted({row[column] for _, row in world.rows(table) if row[column] not in (None, now)}, key=_order)
    yield from dict.fromkeys((*values[:_OTHERS], *values[-_OTHERS:]))
    if isinstance(now, (int, float)) and not isinstance(now, bool):
        yield from (max([now, *values]) + 1, min([now, *values]) - 1)
    elif isinstance(now, str) and _DAY.fullmatch(now):
        last, first = (date.fromisoformat(pick([now, *values])) for pick in (max, min))
        yield from ((last + timedelta(days=1)).isoformat(), (first - timedelta(days=1)).isoformat())


def _swapped(world: World, tool: Get | Search | Total, id_: str) -> Iterator[World]:
    """Yield worlds in which what leads to a row leads to another one."""
    names = [tool.by] if isinstance(tool, Get) else [one.path for one in tool.filters]
    columns = [name for name in names if name != ID and "." not in name]
    for other, row in list(world.rows(tool.table))[:: max(1, len(world.base.rows[tool.table]) // _SWAPS)]:
        mine = world.row(tool.table, id_)
        if other != id_ and mine is not None and any(mine[column] != row[column] for column in columns):
            twin = world.copy()
            for column in columns:
                twin.set(tool.table, id_, column, row[column])
                twin.set(tool.table, other, column, mine[column])
            yield twin


def _row_at(reply: Json, path: str) -> Json:
    """Return what a path's last part is a key of."""
    for part in path.split(".")[:-1]:
        reply = reply[int(part)] if isinstance(reply, list) else reply[part]
    return reply


def _replies(case: Case, found: Ground, world: World) -> list[Json]:
    return [found.call(world, step.tool, step.arguments) for step in case.steps]


def _order(value: Json) -> tuple[str, Json]:
    is_number = isinstance(value, (int, float))
    return ("number" if is_number else "text", value if is_number else str(value))
