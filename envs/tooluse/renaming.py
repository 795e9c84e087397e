"""The same task with other ids: nothing that an agent could know in advance is left of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

import numpy as np

from palestra.envs.base import Json, Task, copy_json
from palestra.envs.tooluse.case import Case
from palestra.envs.tooluse.interpret import is_fault
from palestra.envs.tooluse.operators.ground import Ground, ground
from palestra.envs.tooluse.schema import ID
from palestra.envs.tooluse.world import Changes, World

_ID = re.compile(r"(?<!\w)[A-Za-z]+_\d{5}(?!\w)")
_NUMBERS = (10_000, 99_999)  # of drawn ids

Names = dict[str, str]  # old id -> new id


def other_ids(task: Task, rng: np.random.Generator) -> Task:
    """Return the task with other ids for all rows that it speaks of: in the world, the request and the oracle.

    New ids stand where the old ones stood in their table's order. A task whose operators brought other tools in is
    returned as it is, and so is one that speaks of no id.
    """
    case = Case.from_dict(task.hidden)
    found = ground(case)
    names = {} if case.twists else _drawn(case, task.instruction, found, rng)
    if not names:
        return task
    changes = _renamed_rows(World(found.base, _rows_of(case.place.changes)), names)
    hidden = _replayed(case, changes, found, names).to_dict()
    return replace(task, instruction=_spoken(task.instruction, names), hidden=hidden)


def _drawn(case: Case, instruction: str, found: Ground, rng: np.random.Generator) -> Names:
    world = World(found.base, case.place.changes)
    told = {id_ for text in _texts([instruction, asdict(case)]) for id_ in _ID.findall(text)}
    names: Names = {}
    for table in found.domain.tables:
        ids = [id_ for id_, _ in world.rows(table.name)]
        for place, id_ in enumerate(ids):
            if id_ in told:
                low = _number(names.get(ids[place - 1], ids[place - 1])) + 1 if place else _NUMBERS[0]
                high = _number(ids[place + 1]) if place + 1 < len(ids) else _NUMBERS[1]
                number = int(rng.integers(low, high)) if low < high else _number(id_)
                if number != _number(id_):
                    names[id_] = f"{table.prefix}_{number}"
    return names


def _renamed_rows(world: World, names: Names) -> Changes:
    """Return the changes that make a world one in which the rows have their new ids."""
    for table in world.domain.tables:
        refs = [column.name for column in table.columns if column.ref]
        for id_, row in list(world.rows(table.name)):
            new = dict(row) | {ref: names[row[ref]] for ref in refs if row[ref] in names}
            if id_ in names:
                world.delete(table.name, id_)
                world.changes.setdefault(table.name, {})[names[id_]] = new
            elif new != row:
                world.changes.setdefault(table.name, {})[id_] = new
    return world.save()


def _replayed(case: Case, changes: Changes, found: Ground, names: Names) -> Case:
    """Return a case with its oracle's steps, its goal and what is said of them under the new ids."""
    old, new = World(found.base, _rows_of(case.place.changes)), World(found.base, _rows_of(changes))
    names, steps = dict(names), []
    for step in case.steps:
        arguments = _renamed(step.arguments, names)
        before, after = found.call(old, step.tool, step.arguments), found.call(new, step.tool, arguments)
        if not is_fault(after) and "ok" in before and ID in before:
            names[before[ID]] = after[ID]  # of a row that was made, whose id follows from what it holds
        steps.append(replace(step, arguments=arguments))
    diff, answer = tuple(tuple(cell) for cell in new.diff()), _renamed(case.goal.answer, names)
    return replace(
        case,
        place=replace(case.place, changes=changes),
        steps=tuple(steps),
        goal=replace(case.goal, changes=diff, answer=answer),
        user=_renamed(case.user, names),
        layers=tuple(_renamed(layer, names) for layer in case.layers),
    )


def _rows_of(changes: Changes) -> Changes:
    return {table: dict(rows) for table, rows in changes.items()}


def _renamed(value: Json, names: Names) -> Json:
    if isinstance(value, str):
        return _spoken(value, names)
    if isinstance(value, Mapping):
        return {_spoken(name, names): _renamed(inner, names) for name, inner in value.items()}
    return [_renamed(inner, names) for inner in value] if isinstance(value, (list, tuple)) else copy_json(value)


def _spoken(text: str, names: Names) -> str:
    return re.sub(r"(?<!\w)[A-Za-z]+_\d{5,6}(?!\w)", lambda found: names.get(found[0], found[0]), text)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _number(id_: str) -> int:
    return int(id_.rpartition("_")[2])
