"""Oracles taken apart and put together again: steps put before others, in between, or left out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from palestra.envs.base import Json
from palestra.envs.tooluse.case import Case, Source, Step
from palestra.envs.tooluse.planner import leaves
from palestra.envs.tooluse.schema import ID


def before(case: Case, first: Sequence[Step], value: Json, source: Source) -> Case:
    """Return a case whose oracle begins with other steps and takes a value of the request from one of them.

    A step that the oracle made already is not made twice.

    Args:
        case: as it was.
        first: steps, their numbers from 0.
        value: that the request told.
        source: where it comes from now.
    """
    place = _places(case.steps, first)
    steps = list(first)
    for number, step in enumerate(case.steps):
        moved = _step(step, place, value, source)
        if place[number] == len(steps):
            steps.append(moved)
    goal = replace(case.goal, sources=tuple(_source(one, place) for one in case.goal.sources))
    return replace(case, steps=tuple(steps), goal=goal)


def _places(steps: Sequence[Step], first: Sequence[Step]) -> list[int]:
    """Return the new number of each step: where an equal one is among the first, its number."""
    known = [(step.tool, dict(step.arguments)) for step in first]
    places: list[int] = []
    free = len(first)
    for step in steps:
        made = (step.tool, dict(step.arguments))
        if made in known:
            places.append(known.index(made))
        else:
            places.append(free)
            free += 1
    return places


def _step(step: Step, place: Sequence[int], value: Json, source: Source) -> Step:
    sources = {name: _source(one, place) for name, one in step.sources.items()}
    after = {place[one] for one in step.after}
    for name, one in sources.items():
        if one.kind == "query" and step.arguments[name] == value and type(step.arguments[name]) is type(value):
            sources[name] = source
            after |= set(_steps_of(source))
    return replace(step, after=tuple(sorted(after)), sources=sources)


def _source(source: Source, place: Sequence[int]) -> Source:
    step = place[source.step] if source.kind == "reply" else source.step
    return replace(source, step=step, of=tuple(_source(one, place) for one in source.of))


def _steps_of(source: Source) -> list[int]:
    found = [source.step] if source.kind == "reply" else []
    return [*found, *(step for one in source.of for step in _steps_of(one))]


def inserted(case: Case, at: int, step: Step) -> Case:
    """Return a case whose oracle takes one more step, which speaks of the steps before it by their numbers."""
    place = [number + (number >= at) for number in range(len(case.steps))]
    steps = [_moved(one, place) for one in case.steps]
    goal = replace(case.goal, sources=tuple(_source(one, place) for one in case.goal.sources))
    return replace(case, steps=(*steps[:at], step, *steps[at:]), goal=goal)


def without(case: Case, number: int) -> Case:
    """Return a case whose oracle leaves out a step that nothing comes from; what it came after, others come after."""
    place = [one - (one > number) for one in range(len(case.steps))]
    gone = case.steps[number].after
    steps = []
    for one in (step for other, step in enumerate(case.steps) if other != number):
        after = {*one.after, *gone} - {number} if number in one.after else set(one.after)
        steps.append(_moved(replace(one, after=tuple(sorted(after))), place))
    goal = replace(case.goal, sources=tuple(_source(one, place) for one in case.goal.sources))
    return replace(case, steps=tuple(steps), goal=goal)


def only(case: Case, last: int) -> Case:
    """Return a case whose oracle takes a step, and before it those that it needs; the goal is left as it is."""
    needed = {last}
    for number in range(last, -1, -1):
        if number in needed:
            step = case.steps[number]
            needed |= {*step.after, *(one for source in step.sources.values() for one in _steps_of(source))}
    kept = sorted(needed)
    place = [sum(one < number for one in kept) for number in range(len(case.steps))]
    return replace(case, steps=tuple(_moved(case.steps[number], place) for number in kept))


def uses(case: Case, number: int) -> bool:
    """Tell whether an argument or the answer comes from a step's reply."""
    sources = [source for step in case.steps for source in step.sources.values()]
    return any(number in _steps_of(source) for source in (*sources, *case.goal.sources))


def resourced(case: Case, old: Source, new: Source) -> Case:
    """Return a case in which what came from one place comes from another."""
    steps = []
    for step in case.steps:
        sources = {name: _resourced(one, old, new) for name, one in step.sources.items()}
        more = {one for source in sources.values() for one in _steps_of(source)}
        is_other = sources != dict(step.sources)
        steps.append(
            replace(step, sources=sources, after=tuple(sorted({*step.after, *more})) if is_other else step.after)
        )
    goal = replace(case.goal, sources=tuple(_resourced(one, old, new) for one in case.goal.sources))
    return replace(case, steps=tuple(steps), goal=goal)


def shortened(case: Case, replies: Sequence[Json]) -> Case:
    """Return a case whose oracle does not look at a row again for what an earlier reply shows of it."""
    for number in range(len(case.steps) - 1, -1, -1):
        row = replies[number]
        if not isinstance(row, Mapping) or ID not in row or "ok" in row:
            continue
        taken = {leaf for leaf in _leaves(case) if leaf.kind == "reply" and leaf.step == number}
        known = {leaf: _shown_before(replies[:number], row[ID], leaf.path) for leaf in taken}
        if taken and None not in known.values():
            for leaf, earlier in known.items():
                assert earlier is not None
                case = resourced(case, leaf, earlier)
            case = without(case, number)
            replies = [*replies[:number], *replies[number + 1 :]]
    return case


def _leaves(case: Case) -> list[Source]:
    sources = [source for step in case.steps for source in step.sources.values()]
    return [leaf for source in (*sources, *case.goal.sources) for leaf in leaves(source)]


def _shown_before(replies: Sequence[Json], id_: Json, key: str) -> Source | None:
    """Return where replies show what a row holds under a key, if they do."""
    for number, reply in enumerate(replies):
        rows = reply.get("results", ()) if isinstance(reply, Mapping) else ()
        for at, row in enumerate(rows):
            if row.get(ID) == id_ and key in row:
                return Source(kind="reply", step=number, path=f"results.{at}.{key}")
        if isinstance(reply, Mapping) and reply.get(ID) == id_ and key in reply and "ok" not in reply:
            return Source(kind="reply", step=number, path=key)
    return None


def _resourced(source: Source, old: Source, new: Source) -> Source:
    return new if source == old else replace(source, of=tuple(_resourced(one, old, new) for one in source.of))


def _moved(step: Step, place: Sequence[int]) -> Step:
    sources = {name: _source(one, place) for name, one in step.sources.items()}
    return replace(step, after=tuple(place[one] for one in step.after), sources=sources)
