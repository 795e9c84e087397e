"""Twins of a task: one value in the world is another, which only one step of the oracle shows, and matters.

Whether a reading step is needed cannot always be told from a replay: a comparison reads values that its answer does
not name, and an answer may be a word that stands elsewhere, too. In a twin the same words are asked, and all that
the other steps show is the same; yet something else is right.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
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
from palestra.envs.tooluse.verify import changes_of
from palestra.envs.tooluse.world import Base, World

_OTHERS = 6  # values tried in place of one, from below and from above
_ENOUGH = 2  # twins for a step
_SWAPS = 8  # rows that one is exchanged with
_TWIN = "twin"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def twins(task: Task) -> Iterator[Task]:
    """Yield twins of a task, a few for each step that tells one."""
    yield from (replace(task, hidden=twin.to_dict()) for _, twin in twins_of(Case.from_dict(task.hidden)))


def twins_of(case: Case) -> Iterator[tuple[int, Case]]:
    """Yield twins, each with the step whose reply alone tells it; -1 where it is the user who says something else."""
    found = ground(case)
    start = World(found.base, {table: dict(rows) for table, rows in case.place.changes.items()})
    if case.goal.ending == "report":
        yield from ((len(case.steps) - 1, other) for other in _other_reports(case, found, start))
        return
    replies, end = _replies(case, found, start.copy()), _ends(case, found.base)
    for number in range(len(case.steps)):
        worlds = _other_worlds(case, found, number, start)
        made = (_worked_out(case, found, world) for world in worlds)
        yield from itertools.islice(
            (
                (number, twin)
                for twin, others in filter(None, made)
                if _ends(twin, found.base) != end and _tells(case, replies, twin, others) == [number]
            ),
            _ENOUGH,
        )
    made = (_worked_out(other, found, start.copy()) for other in _other_users(case, found, start))
    yield from ((-1, twin) for twin, _ in filter(None, made) if _ends(twin, found.base) != end)


def _tells(case: Case, replies: Sequence[Json], twin: Case, others: Sequence[Json]) -> list[int]:
    """Return the steps whose replies tell a twin, if nothing before the first differs."""
    pairs = zip(case.steps, twin.steps, strict=True)
    alike = [one.tool == two.tool and one.arguments == two.arguments for one, two in pairs]
    told = [number for number, is_alike in enumerate(alike) if is_alike and replies[number] != others[number]]
    return told if told and all(alike[: told[0]]) else []


def _ends(case: Case, base: Base) -> tuple[Json, ...]:
    """Return what is right at the end: the answer, and what the oracle changes."""
    start = changes_of(World(base, case.place.changes).diff())
    return case.goal.answer, start ^ changes_of(case.goal.changes)


def _worked_out(case: Case, found: Ground, world: World) -> tuple[Case, list[Json]] | None:
    """Return the case in another world, its oracle carried out as the sources of its values say, and the replies."""
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
    return replace(case, place=place, steps=tuple(steps), goal=goal), replies


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
