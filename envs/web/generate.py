"""Web tasks from seeds: a site, one of its goals, and a shortest solution that a search found and the simulator played.

Held-out tasks have kinds of goals, names and words that no training task has. A goal is kept only if it is not met at
the start, if a solution exists and earns the outcome (of one that cannot be met: if no state that can be reached meets
it, as far as the goal says what meeting it would be), and if nothing that the answer needs is told at the start.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from palestra.envs.base import (
    SPLITS,
    Budget,
    Json,
    Split,
    Task,
    TaskError,
    canonical_json,
    derive_seed,
    digest,
    merge_knobs,
)
from palestra.envs.draws import Draws
from palestra.envs.web import browsing
from palestra.envs.web.actions import WEB_TOOLS
from palestra.envs.web.browsing import View
from palestra.envs.web.observe import shown
from palestra.envs.web.search import MOST_NODES, Graph, TooLarge, call_of, moved
from palestra.envs.web.site import Goal, Site
from palestra.envs.web.sites.catalogue import SITES
from palestra.envs.web.tasks import FAMILY, SITE_KNOBS, graph_of, parts_of, site_of
from palestra.envs.web.verify import KINDS, REPORT, SAY, goal_to_json, is_solved, said, seen_on
from palestra.envs.web.walked import is_walked
from palestra.envs.web.walks import walked_goals

GENERATOR_VERSION: Final = 1
KNOBS: Final[Mapping[str, Json]] = {
    **SITE_KNOBS,
    "site": "any",
    "kind": "any",
    "template": "any",
    "infeasible": 0.1,
    "parts": 0,
    "warm": 0,
    "longest": 20,
    "nearest": 1,
    "origin": "goals",
    "walk": 12,
}
_TRIES: Final = 24
_WALKED_TRIES: Final = 6  # goals of walks that are searched for on one site
_WALKED_NODES: Final = 1500  # of such a search
_HELD_OUT: Final = 3  # one kind of goal in so many
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "size": (4, 60),
    "fields": (1, 12),
    "pages": (1, 6),
    "distractors": (0, 20),
    "infeasible": (0, 1),
    "parts": (0, 10),
    "warm": (0, 50),
    "longest": (2, 50),
    "nearest": (1, 50),
    "walk": (2, 100),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A goal with its proof: a shortest solution, or how many states were looked at in vain."""

    goal: Goal
    calls: tuple[tuple[str, Mapping[str, Json]], ...]
    first: str  # what is shown when the agent's turn comes
    states: int  # that can be reached, of a goal that cannot be met; else 0


class WebTasks:
    """The family's `TaskSource`.

    Knobs: those of `palestra.envs.web.site.Knobs` (how large and how hard sites are); ``site`` and ``template`` (a
    name, or any); ``kind`` (change, answer, infeasible, or any); the share of ``infeasible`` tasks among those of any
    kind; ``parts`` (0: the whole goal; n: the n-th shorter one on the way to it, the easiest first, where a goal has
    such); ``warm`` (how many steps of the solution are done before the agent's turn, always less than all);
    ``longest`` and ``nearest`` (steps of the shortest solution, at most and at least); ``origin``: "goals" of the
    sites, or "walks": what a random walk of at most ``walk`` steps has changed.

    Raises:
        TaskError: the split is unknown.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(KNOBS)

    def __iter__(self) -> Iterator[Task]:
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed, the same bytes in any process.

        Raises:
            TaskError: a knob is unknown or out of range, or there is no such task.
        """
        knobs = merge_knobs(self.knobs, difficulty)
        check_knobs(knobs)
        return _sampled(self.split, seed, canonical_json(knobs))


@lru_cache(maxsize=256)
def _sampled(split: Split, seed: int, told: str) -> Task:
    """Return the task of a seed; searching for a solution takes long, and the same seeds are asked for again."""
    knobs = {name: json.loads(told)[name] for name in KNOBS}
    kind = _kind(knobs, Draws(FAMILY, split, seed, "kind"))
    for attempt in range(_TRIES):
        draws = Draws(FAMILY, split, seed, f"site {attempt}")
        name = draws.pick(sorted(SITES)) if knobs["site"] == "any" else knobs["site"]
        site_seed = derive_seed(FAMILY, name, seed, f"site {attempt}") % 2**31
        site = site_of(name, site_seed, split, knobs)
        is_late = knobs["kind"] == "any" and attempt >= _TRIES // 2  # a split may lack the kind on some sites
        wanted = "whichever" if is_late else kind
        for goal in _candidates(site, wanted, knobs, draws):
            if (solved := solve(site, goal, knobs)) is not None:
                return task_from(site, solved, seed, knobs)
    changed = {name: value for name, value in knobs.items() if value != KNOBS[name]}
    raise TaskError(f"no task was found for seed {seed} with the knobs {changed}")


def _candidates(site: Site, kind: str, knobs: Mapping[str, Any], draws: Draws) -> Iterable[Goal]:
    """Return goals of a site that are worth a search."""
    if knobs["origin"] == "goals":
        return draws.shuffled(list(_fitting(site, kind, knobs, site.goals())))
    found = walked_goals(site, Draws(FAMILY, site.split, site.seed, "walk"), knobs["walk"], knobs["nearest"])
    return islice(_fitting(site, kind, knobs, found), _WALKED_TRIES)


def _fitting(site: Site, kind: str, knobs: Mapping[str, Any], goals: Iterable[Goal]) -> Iterator[Goal]:
    """Yield the goals that are of the site's split and of the kind that is wanted."""
    return (
        goal
        for goal in goals
        if split_of(site, goal) == site.split
        and knobs["template"] in ("any", goal.template)
        and (kind in (goal.kind, "whichever") or (kind == "any" and goal.kind != "infeasible"))
        and (not knobs["parts"] or goal.parts)
    )


def task_from(site: Site, solved: Solved, seed: int, knobs: Mapping[str, Json]) -> Task:
    """Return the task of a goal with its proof."""
    goal = solved.goal
    other = "" if dict(knobs) == dict(KNOBS) else f"-{digest(dict(knobs))[:8]}"
    return Task(
        id=f"{FAMILY}/{site.name}/{goal.template.replace(' ', '_')}/{site.split}{other}/{seed}",
        family=FAMILY,
        seed=seed,
        instruction=f"{goal.intent}\n\n{solved.first}",
        difficulty=dict(knobs),
        tools=WEB_TOOLS,
        budget=Budget(turns=10 + 3 * len(solved.calls)),
        public={"site": site.name, "intent": goal.intent},
        hidden={
            "goal": goal_to_json(goal),
            "oracle": [[name, dict(arguments)] for name, arguments in solved.calls],
        },
        provenance={
            "site": site.name,
            "site_seed": site.seed,
            "template": goal.template,
            "kind": goal.kind,
            "split": site.split,
            "distance": len(solved.calls),
            "states": solved.states,
            "generator": GENERATOR_VERSION,
        },
    )


def split_of(site: Site, goal: Goal) -> Split:
    """Return the split that a kind of goals belongs to."""
    is_held_out = derive_seed(FAMILY, f"{site.name}/{goal.template}", 0, "split") % _HELD_OUT == 0
    return "heldout" if is_held_out else "train"


def check_knobs(knobs: Mapping[str, Any]) -> None:
    """Refuse knobs that are out of range.

    Raises:
        TaskError: one is.
    """
    named = {"site": ("any", *sorted(SITES)), "kind": ("any", *KINDS), "origin": ("goals", "walks")}
    for knob, values in named.items():
        if knobs[knob] not in values:
            raise TaskError(f"knob {knob!r} must be {', '.join(values)}, not {knobs[knob]!r}")
    for knob, (low, high) in _RANGES.items():
        if not low <= knobs[knob] <= high:
            raise TaskError(f"knob {knob!r} must be {low:g} to {high:g}, not {knobs[knob]}")
    if knobs["origin"] == "walks" and (knobs["parts"] or knobs["kind"] not in ("any", "change")):
        raise TaskError("what walks change has no parts, and its kind is 'change'")


def solve(site: Site, goal: Goal, knobs: Mapping[str, Any]) -> Solved | None:
    """Return a goal with its proof; None if it is no fair task."""
    if knobs["parts"]:
        parts = list(parts_of(goal))
        goal = parts[min(knobs["parts"], len(parts)) - 1]
    graph = graph_of(site, goal)
    try:
        states = _vain(graph) if goal.kind == "infeasible" and goal.changes else 0
        moves = graph.plan(_WALKED_NODES if is_walked(goal) else MOST_NODES)
    except TooLarge:
        return None
    if moves is None or states is None or not knobs["nearest"] <= len(moves) + 1 <= knobs["longest"]:
        return None
    if not moves:
        return None  # met, or told, at the start
    view, calls = View(site, browsing.begin(site)), []
    if goal.kind == "answer" and str(goal.answer) in view.text and isinstance(goal.answer, str):
        return None
    seen, first = seen_on(view.page, goal.facts), shown(view)
    for place, move in enumerate(moves, start=1):
        calls.append(call_of(view, move))
        view = View(site, moved(view, move))
        seen |= seen_on(view.page, goal.facts)
        first = shown(view) if place == knobs["warm"] else first
    calls.append(_end(goal))
    name, arguments = calls[-1]
    told = said(goal, name, arguments.get("text", ""))
    is_right = is_solved(goal, site.start().data, view.state.data, told, seen)
    return Solved(goal=goal, calls=tuple(calls), first=first, states=states) if is_right else None


def _vain(graph: Graph) -> int | None:
    """Return how many states there are, none of which is what the goal asks for; None if one is."""
    return Graph(graph.site, replace(graph.goal, kind="change", facts=())).exhausted() or None


def _end(goal: Goal) -> tuple[str, dict[str, Json]]:
    if goal.kind == "infeasible":
        return REPORT, {}
    return SAY, {"text": str(goal.answer)} if goal.kind == "answer" else {}


def _kind(knobs: Mapping[str, Any], draws: Draws) -> str:
    if knobs["kind"] != "any" or knobs["parts"] or knobs["origin"] == "walks":
        return str(knobs["kind"]) if knobs["origin"] == "goals" and not knobs["parts"] else "change"
    return "infeasible" if draws.chance(knobs["infeasible"]) else "any"
