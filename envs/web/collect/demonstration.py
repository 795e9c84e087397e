"""Demonstrations: what somebody did on a site, as the solution of the task that it turned out to be.

Nothing is written, and nothing read, that was not carried out again in an episode of its own: the goal is not met at
the start, and at the end the episode is paid.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from palestra.envs.actions import call_text
from palestra.envs.base import Budget, Json, Task, TaskError
from palestra.envs.reading import NOT_JSON, read_json
from palestra.envs.web import browsing
from palestra.envs.web.browsing import NotPossible, View
from palestra.envs.web.collect.explore import Call, Found
from palestra.envs.web.collect.wording import unlike
from palestra.envs.web.driver import carried_out
from palestra.envs.web.env import WebEnv
from palestra.envs.web.generate import KNOBS, solve, split_of, task_from
from palestra.envs.web.observe import shown
from palestra.envs.web.search import NEAR_NODES, TooLarge
from palestra.envs.web.site import Site
from palestra.envs.web.tasks import FAMILY, Problem, problem_of
from palestra.envs.web.telling import NotTold, told
from palestra.envs.web.verify import SAY

VERSION: Final = 1
BY_TEMPLATE: Final = "template"
_SPARE: Final = 10  # turns that a task leaves beyond its demonstration
_END: Final[Call] = (SAY, {"text": ""})


class NotShown(ValueError):
    """What was done is no demonstration; the message says why, in words that many have in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what is shown, what is done then, and how many steps were left at least, the end included."""

    observation: str
    action: str  # a tool call, as text
    distance: int | None  # None: too many states to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """A task and how somebody did it, mostly not by the shortest way."""

    task: Task
    steps: tuple[Step, ...]
    provenance: Mapping[str, Json]

    @property
    def actions(self) -> tuple[str, ...]:
        """What is done, for `palestra.agents.demos.demonstration`."""
        return tuple(step.action for step in self.steps)

    def to_json(self) -> dict[str, Json]:
        """Return it as a row of a file."""
        told_by = self.task.provenance
        steps = [{name: getattr(step, name) for name in Step.__dataclass_fields__} for step in self.steps]
        return {
            "version": VERSION,
            "instruction": self.task.public["intent"],
            "site": told_by["site"],
            "site_seed": told_by["site_seed"],
            "split": told_by["split"],
            "knobs": dict(self.task.difficulty),
            "steps": steps,
            "provenance": dict(self.provenance),
            "task": self.task.to_dict(),
        }


def shown_by(
    site: Site, found: Found, knobs: Mapping[str, Json], name: str, provenance: Mapping[str, Json]
) -> Demonstration:
    """Return what was found as a demonstration.

    Args:
        site: where.
        found: the goal, worded as the instruction will be, and what was done.
        knobs: of the family's tasks.
        name: ends the task's id.
        provenance: of the demonstration.

    Raises:
        NotShown: it is none.
    """
    if split_of(site, found.goal) != site.split:
        raise NotShown("its kind is of the other split")
    solved = solve(site, found.goal, {**KNOBS, **knobs})
    if solved is None:
        raise NotShown("no shortest solution was found, or not of the length that is wanted")
    task = task_from(site, solved, site.seed, {**KNOBS, **knobs, "origin": "walks"})
    budget = Budget(turns=max(task.budget.turns, _SPARE + len(found.calls)))
    task = replace(task, id=f"{FAMILY}/collected/{site.name}/{site.split}/{name}", budget=budget)
    problem = problem_of(task)
    views = list(_views(problem, found.calls))
    left = _distances(problem, views)
    steps = tuple(
        Step(observation=shown(view), action=call_text(*call), distance=distance)
        for view, call, distance in zip(views, (*found.calls, _END), left, strict=True)
    )
    made = Demonstration(task=task, steps=steps, provenance=provenance)
    verify(made)
    return made


def reworded(demonstration: Demonstration, intent: str, provenance: Mapping[str, Json]) -> Demonstration:
    """Return a demonstration whose instruction has other words.

    Raises:
        NotShown: it no longer holds.
    """
    task = demonstration.task
    page = task.instruction.removeprefix(task.public["intent"])
    hidden = {**task.hidden, "goal": {**task.hidden["goal"], "intent": intent}}
    task = replace(task, instruction=f"{intent}{page}", public={**task.public, "intent": intent}, hidden=hidden)
    made = Demonstration(task=task, steps=demonstration.steps, provenance=provenance)
    verify(made)
    return made


def verify(demonstration: Demonstration) -> None:
    """Do again what a demonstration does, in an episode of its own.

    Raises:
        NotShown: it does not do what it says, or shows what is not shown.
        TaskError: its task is none of this family.
    """
    task, problem = demonstration.task, problem_of(demonstration.task)
    goal = problem.goal
    if goal.kind != "change" or not goal.changes:
        raise NotShown("its goal is met at the start")
    if goal.intent != task.public.get("intent") or not task.instruction.startswith(f"{goal.intent}\n"):
        raise NotShown("its instruction is not that of its goal")
    _check_words(problem, demonstration.provenance.get("label") == BY_TEMPLATE)
    with closing(WebEnv(shaping="none")) as env:
        _, info = env.reset(seed=task.seed, options={"task": task})
        for place, step in enumerate(demonstration.steps, start=1):
            if step.observation not in str(info["messages"][-1]["content"]):
                raise NotShown("what it shows is not what is shown")
            _, _, terminated, truncated, info = env.step(step.action)
            if (terminated or truncated) != (place == len(demonstration.steps)):
                raise NotShown("it does not end where it ends")
    if not info["is_success"]:
        raise NotShown("it does not do what it says")


def read(path: Path) -> Iterator[Demonstration]:
    """Yield the demonstrations of a file, each of which was done again.

    Raises:
        TaskError: a line is damaged, or a demonstration does not do what it says; which one is told.
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                made = from_json(read_json(line))
                verify(made)
            except NotShown as why:
                raise TaskError(f"line {number} of {str(path)!r} is no demonstration: {why}") from why
            except (TaskError, ValueError) as error:
                raise TaskError(f"line {number} of {str(path)!r} is damaged: {error}") from error
            yield made


def from_json(row: Any) -> Demonstration:
    """Return the demonstration that `Demonstration.to_json` wrote.

    Raises:
        TaskError: it is none.
    """
    if row is NOT_JSON or not isinstance(row, dict) or row.get("version") != VERSION:
        raise TaskError(f"a demonstration is a JSON object of version {VERSION}")
    try:
        steps = tuple(Step(**step) for step in row["steps"])
        made = Demonstration(task=Task.from_dict(row["task"]), steps=steps, provenance=dict(row["provenance"]))
        again = made.to_json()
    except (KeyError, TypeError, ValueError) as error:
        raise TaskError(f"a demonstration is malformed: {error!r}") from error
    if not steps or not all(isinstance(part, str) for step in steps for part in (step.observation, step.action)):
        raise TaskError("a demonstration has steps, of texts")
    if wrong := next((name for name, value in again.items() if row.get(name) != value), ""):
        raise TaskError(f"{wrong} of a demonstration is not that of its task")
    return made


def _check_words(problem: Problem, is_plain: bool) -> None:
    """Refuse an instruction that is not the template's, or, of a model, names other things than that."""
    said = problem.goal.intent
    try:
        plain = ". ".join(told(problem.site, problem.site.start().data, problem.goal.changes))
    except NotTold as why:
        raise NotShown("its goal cannot be told") from why
    if not said.startswith(plain) if is_plain else unlike(plain, said):
        raise NotShown("its instruction does not tell its goal")


def _views(problem: Problem, calls: Sequence[Call]) -> Iterator[View]:
    """Yield what is shown before each action, and at the end."""
    view = View(problem.site, browsing.begin(problem.site))
    yield view
    for name, arguments in calls:
        try:
            view = View(problem.site, carried_out(view, name, arguments))
        except NotPossible as error:
            raise NotShown("it cannot be done again") from error
        yield view


def _distances(problem: Problem, views: Sequence[View]) -> list[int | None]:
    """Return how many steps are left at each view: at most one more than at the next."""
    left: list[int | None] = [1]
    for view in reversed(views[:-1]):
        after = left[-1]
        try:
            node = problem.graph.node(view.state, 0)
            near = None if after is None else problem.graph.distance(node, after, NEAR_NODES)
            left.append(near if near is not None or after is None else after + 1)
        except TooLarge:
            left.append(None)
    return left[::-1]
