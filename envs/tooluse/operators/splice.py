"""Steps put before an oracle's own: what they make known is not told in the request any more."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from palestra.envs.base import Json
from palestra.envs.tooluse.case import Case, Goal, Source, Step


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


def goal_without(case: Case) -> Goal:
    """Return the goal of a case in which nothing is to be done."""
    return replace(case.goal, changes=(), answer=None, sources=())


def asked_for(arguments: Mapping[str, Json], sources: Mapping[str, Source]) -> dict[str, Json]:
    """Return the arguments that the request tells."""
    return {name: value for name, value in arguments.items() if sources.get(name, Source(kind="query")).kind == "query"}
