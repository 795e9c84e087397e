"""Whether every reading step of a composed task is needed: what the gate asks, without playing an episode.

A step is needed if it is the first to show a value that a later step or the answer names, or if a twin of the task
can be told from it by this step's reply alone (see `twins`). Coincidences make steps idle: a customer's id that a
listing for another question happens to show, or a number that stands in the request, too.
"""

import json
from collections.abc import Sequence

from palestra.envs.actions import compact_json
from palestra.envs.base import Task
from palestra.envs.certify.oracle import leaves, shows
from palestra.envs.tooluse.case import Case
from palestra.envs.tooluse.closing import briefing
from palestra.envs.tooluse.operators.ground import ground
from palestra.envs.tooluse.schema import Write
from palestra.envs.tooluse.twins import twins_of
from palestra.envs.tooluse.world import World


def idle_steps(task: Task) -> frozenset[int]:
    """Return the reading steps of a task without augmentations of which nothing shows that they are needed."""
    case = Case.from_dict(task.hidden)
    tools, replies = ground(case).domain.tool, _replies(case)
    tools_text = json.dumps(task.tools, ensure_ascii=False, default=dict)
    told = "\n".join([briefing(task.public), task.instruction, tools_text])
    used = [*(list(leaves(step.arguments)) for step in case.steps), list(leaves([case.goal.answer]))]
    reads = [number for number, step in enumerate(case.steps) if not isinstance(tools[step.tool], Write)]
    idle = {number for number in reads if not _informs(number, told, replies, used)}
    proofs = twins_of(case) if idle else iter(())
    while idle and (proven := next(proofs, None)) is not None:
        idle.discard(proven[0])
    return frozenset(idle)


def _replies(case: Case) -> list[str]:
    found = ground(case)
    world = World(found.base, {table: dict(rows) for table, rows in case.place.changes.items()})
    return [compact_json(found.call(world, step.tool, step.arguments)) for step in case.steps]


def _informs(number: int, told: str, replies: Sequence[str], used: Sequence[Sequence[str]]) -> bool:
    """Tell whether a step shows what a later one uses and nothing else showed before; as `certify.oracle.informs`."""
    for later in range(number + 1, len(used)):
        for leaf in used[later]:
            shown_by = [place for place in range(later) if shows(replies[place], leaf)]
            if (not shown_by or shown_by[0] == number) and not shows(told, leaf):
                return True
    return False
