"""A task from a draft: the one way in which what was composed, or proposed, becomes a task."""

import random
from collections.abc import Mapping, Sequence

from palestra.envs.base import Budget, Json, Task
from palestra.envs.tooluse.case import Case, Goal, Place
from palestra.envs.tooluse.catalog import DOMAINS
from palestra.envs.tooluse.closing import CLOSING, closing_tools, public_of
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.planner import Draft, Known, Rejected, depth
from palestra.envs.tooluse.proofs import idle_steps
from palestra.envs.tooluse.schema import Domain
from palestra.envs.tooluse.validate import Judged, check
from palestra.envs.tooluse.world import FAMILY, fill

GENERATOR_VERSION = 1
SPARE_TURNS = 8  # beyond the oracle's


def assemble(
    draft: Draft,
    world_seed: int,
    request: str,
    answers: Sequence[Known],
    *,
    template: str,
    seed: int,
    knobs: Mapping[str, Json],
) -> Task:
    """Return the task that a draft solves, after every check.

    Args:
        draft: all of whose calls were made.
        world_seed: of the draft's world.
        request: in words.
        answers: to its questions, in the order asked.
        template: its name.
        seed: of the task.
        knobs: that it was made with.

    Raises:
        Rejected: a check fails; the message names it.
    """
    base, domain = draft.base, draft.domain
    steps = draft.steps([known.source for known in answers])
    values = [known.value for known in answers]
    goal = Goal(
        changes=tuple(tuple(cell) for cell in draft.world.diff()),
        answer=None if not values else values[0] if len(values) == 1 else values,
        sources=tuple(known.source for known in answers),
    )
    place = Place(domain=domain.name, split=draft.split, seed=world_seed, scale=knobs["scale"], digest=base.digest())
    case = Case(place=place, steps=steps, goal=goal)
    tools = _tools(draft.rng, domain, case, knobs["tools"])
    judged = Judged(base=base, case=case, request=request, tools=[tool["function"]["name"] for tool in tools])
    if reason := check(judged):
        raise Rejected(reason)
    task = Task(
        id=f"{FAMILY}/{domain.name}/{template}/{draft.split}/{seed}",
        family=FAMILY,
        seed=seed,
        instruction=request,
        difficulty=dict(knobs),
        tools=(*tools, *closing_tools(goal.answer)),
        budget=Budget(turns=len(steps) + 1 + SPARE_TURNS),
        public=public_of(base),
        hidden=case.to_dict(),
        provenance={
            "template": template,
            "split": draft.split,
            "generator": GENERATOR_VERSION,
            "calls": len(steps),  # and no solver knows a way of fewer
            "depth": depth(steps),
        },
    )
    if idle := idle_steps(task):
        raise Rejected(f"nothing shows that its step {min(idle) + 1} is needed")
    return task


def judged_of(task: Task) -> Judged:
    """Return a plain task's case and request, ready to be checked.

    Raises:
        Rejected: its case has changes, tools or layers beyond its world's, so that it is no longer plain.
    """
    case = Case.from_dict(task.hidden)
    place = case.place
    if place.changes or case.twists or case.layers:
        raise Rejected("only a plain case can be checked or reworded; augment afterwards")
    names = [tool["function"]["name"] for tool in task.tools]
    return Judged(
        base=fill(DOMAINS[place.domain], place.split, place.seed, place.scale),
        case=case,
        request=task.instruction,
        tools=[name for name in names if name not in CLOSING],
    )


def _tools(rng: random.Random, domain: Domain, case: Case, others: int) -> list[Mapping[str, Json]]:
    """Return the oracle's tools and so many others, in the domain's order; all if fewer than none are named."""
    needed = {step.tool for step in case.steps}
    spare = [tool.name for tool in domain.tools if tool.name not in needed]
    kept = needed | set(spare if others < 0 else rng.sample(spare, min(others, len(spare))))
    return [function(domain, tool) for tool in domain.tools if tool.name in kept]
