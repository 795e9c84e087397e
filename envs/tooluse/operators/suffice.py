"""The proof that distractors do not do: neither alone nor in the place of one of the oracle's calls, nor unseen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product

from palestra.envs.base import Json
from palestra.envs.tooluse.case import Source, Step
from palestra.envs.tooluse.interpret import is_fault
from palestra.envs.tooluse.operators.operator import Subject
from palestra.envs.tooluse.operators.reading import Kind, Known, kind_of, readable
from palestra.envs.tooluse.operators.replay import mistaken
from palestra.envs.tooluse.planner import leaves
from palestra.envs.tooluse.progress import Cell, written
from palestra.envs.tooluse.schema import ID, Get, Search, Tool, Write, shown_as
from palestra.envs.tooluse.validate import resolve
from palestra.envs.tooluse.verify import same

LENGTH = 2  # of sequences of distractors' writing calls
MOST_ARGUMENTS = 12  # of one tool's calls that are tried
_TOTALS = frozenset({"sum", "count", "max", "min", "mean", "total"})  # what replies call values that are in no column
_SPARE = 2  # values of a column that are tried where none is known


def insufficient(at: Subject, names: Sequence[str]) -> list[str]:
    """Return how distractors reach what only the oracle's tools may reach, or write without a trace.

    Args:
        at: a task with distractors.
        names: theirs.
    """
    tools = {name: at.domain.tool[name] for name in names}
    known = pool(at)
    calls = [(tool, one) for tool in tools.values() for one in arguments_of(at, tool, known)]
    writing = [(tool, one) for tool, one in calls if isinstance(tool, Write)]
    allowed = _allowed(at)
    return [
        *_alone(at, tools, writing),
        *(name for tool, one in calls for name in _instead(at, tool, one)),
        *(name for tool, one in writing for name in _unseen(at, allowed, tool, one)),
    ]


def pool(at: Subject) -> Known:
    """Return all that the goal, and what the oracle is told, gives and sees, is made of, by what it is of."""
    known = Known()
    for table, id_, column, value in at.case.goal.changes:
        known.add((str(table), ID), id_)
        known.add(kind_of(at.domain, str(table), str(column)), value)
    for step, reply in zip(at.case.steps, at.played.replies, strict=True):
        tool = at.domain.tool[step.tool]
        for name, value in step.arguments.items():
            known.add(argument_kind(at, tool, name), value)
        if isinstance(tool, Get | Search) and not is_fault(reply):
            for row in reply["results"][:MOST_ARGUMENTS] if isinstance(tool, Search) else [reply]:
                for path in (ID, *tool.shows):
                    known.add(kind_of(at.domain, tool.table, path), row[shown_as(path)])
    return known


def argument_kind(at: Subject, tool: Tool, name: str) -> Kind:
    """Return in whose terms an argument of a tool is told."""
    if isinstance(tool, Write):
        param = next(param for param in tool.params if param.name == name)
        return kind_of(at.domain, param.table, param.column)
    if isinstance(tool, Get):
        return kind_of(at.domain, tool.table, tool.by)
    path = next((one.path for one in tool.filters if one.arg == name), "")
    return kind_of(at.domain, tool.table, path) if path else (tool.table, name)


def arguments_of(at: Subject, tool: Tool, known: Known) -> Iterator[dict[str, Json]]:
    """Yield arguments for a tool, from what is known and where nothing is, from what the world holds."""
    if isinstance(tool, Write):
        names = [param.name for param in tool.params if param.is_required]
    elif isinstance(tool, Get):
        names = [tool.arg]
    else:
        names = [one.arg for one in tool.filters if one.is_required] or [one.arg for one in tool.filters][:2]
    values = [_values(at, tool, name, known) for name in names]
    for chosen in islice(product(*values), MOST_ARGUMENTS):
        yield dict(zip(names, chosen, strict=True))


def _values(at: Subject, tool: Tool, name: str, known: Known) -> list[Json]:
    table, column = kind = argument_kind(at, tool, name)
    listed = at.domain.by_name[table].by_name[column].enum if column in at.domain.by_name[table].by_name else ()
    if found := _latest(at, name, [*dict.fromkeys((*known.of(_original(kind)), *listed))]):
        return found
    rows = islice(at.ground.base.rows.get(table, {}).items(), _SPARE)
    return [id_ if column == ID else row[column] for id_, row in rows]


def _original(kind: Kind) -> Kind:
    """Return a kind; a table of another scope, whose name ends in a number, holds ids of the table that it copies."""
    table, _, turn = kind[0].rpartition("_")
    return (table, kind[1]) if turn.isdecimal() else kind


def _latest(at: Subject, name: str, values: list[Json]) -> list[Json]:
    """Return values, those that the oracle gives for an argument of this name first."""
    given = [step.arguments[name] for step in at.case.steps if name in step.arguments]
    given += [part for cell in at.case.goal.changes for part in cell[1:]]
    return [*(value for value in values if value in given), *(value for value in values if value not in given)]


# -- what must not be --------------------------------------------------------------------------------


def _alone(at: Subject, tools: Mapping[str, Tool], calls: Sequence[tuple[Tool, dict[str, Json]]]) -> list[str]:
    """Return how distractors alone reach the goal: by writing its changes, or by showing its answer."""
    goal = at.case.goal
    if goal.ending != "solve":
        return []
    if not goal.changes:
        shown = [name for name, tool in tools.items() if not isinstance(tool, Write) and _shows_answer(at, tool)]
        return [f"{name} shows the answer" for name in shown]
    cells = {(str(table), str(column)) for table, _, column, *_ in goal.changes}
    reached = {cell for tool in tools.values() for cell in at.domain.written(tool)}
    if not cells <= reached:  # no sequence of any length writes what is asked for
        return []
    wanted = [list(cell) for cell in goal.changes]
    for length in range(1, LENGTH + 1):
        for some in islice(product(calls, repeat=length), MOST_ARGUMENTS**LENGTH):
            world = at.world()
            for tool, arguments in some:
                at.ground.call(world, tool.name, arguments)
            if world.diff() == wanted:
                return [f"{' and '.join(tool.name for tool, _ in some)} reach the goal alone"]
    return []


def _shows_answer(at: Subject, tool: Tool) -> bool:
    """Tell whether a distractor shows a value that the answer is made of, in a column called as its own is."""
    made_of = [(leaf.path.rpartition(".")[2], resolve(leaf, at.played.replies)) for leaf in _answer_of(at)]
    return any(
        (column == name or name in _TOTALS) and same(value, shown)
        for (_, column), shown in readable(at.ground, at.world(), {tool.name: tool}, pool(at))
        for name, value in made_of
        if shown is not None
    )


def _answer_of(at: Subject) -> list[Source]:
    return [leaf for source in at.case.goal.sources for leaf in leaves(source)]


def _instead(at: Subject, tool: Tool, arguments: Mapping[str, Json]) -> list[str]:
    """Return for which of the oracle's calls a distractor does as well."""
    goal, steps = at.case.goal, at.case.steps
    if goal.ending != "solve":
        return []
    wanted = [list(cell) for cell in goal.changes]
    found = []
    for number, step in enumerate(steps):
        if isinstance(at.domain.tool[step.tool], Write) != isinstance(tool, Write):
            continue
        other = replace(step, tool=tool.name, arguments={**arguments, **_common(at, tool, step)}, sources={})
        changed = (*steps[:number], other, *steps[number + 1 :])
        changes, answer = mistaken(at.ground, at.case, steps=changed)
        if changes == wanted and same(goal.answer, answer):
            found.append(f"{tool.name} does as well as {step.tool}")
    return found


def _common(at: Subject, tool: Tool, step: Step) -> dict[str, Json]:
    """Return the arguments of one of the oracle's calls that a distractor takes, too."""
    if isinstance(tool, Write):
        names = {param.name for param in tool.params}
    else:
        names = {tool.arg} if isinstance(tool, Get) else {one.arg for one in tool.filters}
    return {name: value for name, value in step.arguments.items() if name in names}


def _allowed(at: Subject) -> frozenset[Cell]:
    """Return the cells that the oracle writes, and may be written."""
    world = at.world()
    cells: set[Cell] = set()
    for step in at.case.steps:
        before = world.save()
        at.ground.call(world, step.tool, step.arguments)
        cells |= set(written(world, before).cells)
    return frozenset(cells)


def _unseen(at: Subject, allowed: frozenset[Cell], tool: Tool, arguments: Mapping[str, Json]) -> list[str]:
    """Return a write that leaves no trace beside the goal, though it did something."""
    world = at.world()
    before = world.save()
    if is_fault(at.ground.call(world, tool.name, arguments)) or not (cells := written(world, before).cells):
        return []
    if set(cells) - allowed:
        return []
    for step in at.case.steps:
        at.ground.call(world, step.tool, step.arguments)
    if world.diff() == [list(cell) for cell in at.case.goal.changes]:
        return [f"{tool.name} writes, and nothing is seen of it at the end"]
    return []
