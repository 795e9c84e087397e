"""`Operator`: changes a task, and says by machine why its oracle survives."""

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

from palestra.envs.base import Budget, Json, Task
from palestra.envs.tooluse.case import Case
from palestra.envs.tooluse.operators.ground import Ground, ground
from palestra.envs.tooluse.operators.replay import Played, flaws, play
from palestra.envs.tooluse.schema import Domain
from palestra.envs.tooluse.world import World

AUGMENTATIONS = "augmentations"  # in a task's provenance: what was done to it, in order
TRIES = 4  # draws whose obligation does not hold before a task is refused


class Refused(ValueError):
    """An operator does not fit a task; the message says why."""


@dataclass(frozen=True)
class Subject:
    """A task as operators look at it."""

    task: Task

    @cached_property
    def case(self) -> Case:
        """What is hidden of the task."""
        return Case.from_dict(self.task.hidden)

    @cached_property
    def ground(self) -> Ground:
        """What the case is played on."""
        return ground(self.case)

    @property
    def domain(self) -> Domain:
        """What can be done there."""
        return self.ground.domain

    @cached_property
    def played(self) -> Played:
        """The oracle's run."""
        return play(self.ground, self.case)

    @property
    def tools(self) -> frozenset[str]:
        """The names of the tools that the agent may call, closing tools included."""
        return frozenset(tool["function"]["name"] for tool in self.task.tools)

    def world(self) -> World:
        """Return the world as the case begins in it."""
        return World(self.ground.base, {table: dict(rows) for table, rows in self.case.place.changes.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an operator makes of a task; what is not named stays."""

    params: Mapping[str, Json]  # what was chosen: recorded, and what `check` goes by
    case: Case
    instruction: str | None = None
    tools: Sequence[Mapping[str, Json]] | None = None
    public: Mapping[str, Json] = field(default_factory=dict)
    turns: int = 0  # more than before


class Operator(ABC):
    """One way to change a task such that what solves it stays known."""

    name: ClassVar[str]

    def apply(self, task: Task, rng: random.Random) -> Task:
        """Return the changed task; what was done is added to its provenance.

        Raises:
            Refused: the operator does not fit the task, or its obligation does not hold there.
        """
        reasons: list[str] = []
        for _ in range(TRIES):
            after = self.made(task, rng.getrandbits(32))
            reasons = self.check(task, after)
            if not reasons:
                return after
        raise Refused(reasons[0])

    def made(self, task: Task, seed: int) -> Task:
        """Return the changed task, unchecked.

        Raises:
            Refused: the operator does not fit the task.
        """
        change = self.change(Subject(task), random.Random(seed))
        done = [*task.provenance.get(AUGMENTATIONS, ()), {"name": self.name, "params": change.params, "seed": seed}]
        budget = Budget(turns=task.budget.turns + change.turns, seconds=task.budget.seconds)
        return replace(
            task,
            id=f"{task.id}+{self.name}",
            instruction=task.instruction if change.instruction is None else change.instruction,
            tools=task.tools if change.tools is None else tuple(change.tools),
            budget=budget,
            public={**task.public, **change.public},
            hidden=change.case.to_dict(),
            provenance={**task.provenance, AUGMENTATIONS: done},
        )

    @abstractmethod
    def change(self, at: Subject, rng: random.Random) -> Change:
        """Return what becomes of a task.

        Raises:
            Refused: the operator does not fit it.
        """

    def check(self, before: Task, after: Task) -> list[str]:
        """Return why the oracle does not survive; nothing if it does.

        Args:
            before: a task.
            after: what `made` returned for it.
        """
        old, new = Subject(before), Subject(after)
        return [*flaws(new.ground, new.case, after), *self.problems(old, new, params_of(after))]

    @abstractmethod
    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        """Return what of the operator's own obligation does not hold."""


def params_of(task: Task) -> Mapping[str, Json]:
    """Return the parameters of what was done to a task last."""
    params: Mapping[str, Json] = task.provenance[AUGMENTATIONS][-1]["params"]
    return params


def kept(old: Subject, new: Subject) -> list[str]:
    """Return what the request does not ask any more: an operator that only changes the way must change none of it."""
    before, after = old.case.goal, new.case.goal
    lost = [name for name in ("ending", "changes", "answer") if getattr(before, name) != getattr(after, name)]
    return [f"the goal's {', '.join(lost)} is not what it was"] if lost else []
