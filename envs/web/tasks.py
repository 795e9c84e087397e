"""Web tasks as data: what of a task names its site, its goal and its solution, and how these are got back from it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final

from palestra.envs.base import SPLITS, Json, Split, Task, TaskError, canonical_json, merge_knobs
from palestra.envs.web.search import Graph
from palestra.envs.web.site import Goal, Knobs, Site
from palestra.envs.web.sites.catalogue import SITES
from palestra.envs.web.verify import goal_from_json, goal_to_json
from palestra.envs.web.walked import Walked, is_walked

FAMILY: Final = "web"
SITE_KNOBS: Final[Mapping[str, Json]] = {one.name: one.default for one in fields(Knobs)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a web task asks for, and where."""

    site: Site
    goal: Goal
    oracle: tuple[tuple[str, Mapping[str, Json]], ...]  # actions from the start to the end
    warm: int  # how many of them are carried out before the agent's turn
    graph: Graph  # what can be reached on the site


def problem_of(task: Task) -> Problem:
    """Return what a task asks for.

    Raises:
        TaskError: it is no task of this family.
    """
    try:
        told, hidden = task.provenance, task.hidden
        if task.family != FAMILY or told["split"] not in SPLITS:
            raise TaskError(f"{task.id!r} is not a {FAMILY} task")
        goal = goal_from_json(hidden["goal"])
        site = site_of(told["site"], int(told["site_seed"]), told["split"], task.difficulty)
        oracle = tuple((str(name), dict(arguments)) for name, arguments in hidden["oracle"])
        warm = min(int(task.difficulty["warm"]), len(oracle) - 1)
    except (KeyError, TypeError, ValueError) as error:
        raise TaskError(f"{task.id!r} is not a {FAMILY} task: {error!r}") from error
    if not oracle or warm < 0:
        raise TaskError(f"{task.id!r} has no solution, or begins before its start")
    return Problem(site=site, goal=goal, oracle=oracle, warm=warm, graph=graph_of(site, goal))


def site_of(name: str, seed: int, split: Split, difficulty: Mapping[str, Json]) -> Site:
    """Return a site.

    Args:
        name: in the catalogue.
        seed: which it is drawn by.
        split: whose names and words it has.
        difficulty: knobs, those of `Knobs` among them.

    Raises:
        TaskError: there is no such site, or a knob of another type.
    """
    if name not in SITES:
        raise TaskError(f"unknown site {name!r}; known: {', '.join(sorted(SITES))}")
    chosen = {knob: value for knob, value in difficulty.items() if knob in SITE_KNOBS}
    return _site(name, seed, split, tuple(sorted(merge_knobs(SITE_KNOBS, chosen).items())))


def graph_of(site: Site, goal: Goal) -> Graph:
    """Return what can be reached on a site with a goal; one for all who ask in this process, as far as it is kept."""
    return _graph(site, canonical_json(goal_to_json(goal)))


def parts_of(goal: Goal) -> Iterator[Goal]:
    """Yield the shorter goals that stand on the way to one, the easiest first."""
    for intent, changed in goal.parts:
        yield Goal(
            kind="change",
            template=goal.template,
            intent=intent,
            changes=changed,
            forbidden=goal.forbidden,
            values=goal.values,
        )


@lru_cache(maxsize=64)
def _site(name: str, seed: int, split: Split, knobs: tuple[tuple[str, Any], ...]) -> Site:
    return SITES[name](seed, split, Knobs(**dict(knobs)))


@lru_cache(maxsize=32)
def _graph(site: Site, goal: str) -> Graph:
    told = goal_from_json(json.loads(goal))
    return Graph(Walked(site) if is_walked(told) else site, told)
