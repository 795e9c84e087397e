"""The oracle's steps carried out again: what they reply, what they leave, and where every value comes from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from palestra.envs.base import Json, Task
from palestra.envs.tooluse.case import Case, Source, Step
from palestra.envs.tooluse.goals import derive
from palestra.envs.tooluse.interpret import is_fault
from palestra.envs.tooluse.operators.ground import Ground
from palestra.envs.tooluse.planner import leaves as leaves_of
from palestra.envs.tooluse.schema import ID
from palestra.envs.tooluse.user import key_of
from palestra.envs.tooluse.validate import resolve
from palestra.envs.tooluse.verify import same
from palestra.envs.tooluse.world import World

MISSING = object()  # what a path that leads nowhere has
UNTOLD = object()  # what no reply tells


@dataclass(frozen=True, slots=True)
class Played:
    """A run of some steps."""

    replies: tuple[Json, ...]
    changes: list[list[Json]]  # `World.diff` at its end


def play(on: Ground, case: Case, steps: Sequence[Step] | None = None) -> Played:
    """Carry out steps from the beginning of a case; without `steps`, the oracle's."""
    world = World(on.base, {table: dict(rows) for table, rows in case.place.changes.items()})
    replies = [on.call(world, step.tool, step.arguments) for step in (case.steps if steps is None else steps)]
    return Played(tuple(replies), world.diff())


def mistaken(
    on: Ground, case: Case, right: str = "", wrong: str = "", steps: Sequence[Step] | None = None
) -> tuple[list[list[Json]], Json]:
    """Return what the oracle leaves and answers if it takes one row for another, or takes other steps.

    What it takes from replies it reads from those that it then gets; a step that it cannot make it leaves out.
    """
    world = World(on.base, {table: dict(rows) for table, rows in case.place.changes.items()})
    replies: list[Json] = []
    for step in case.steps if steps is None else steps:
        arguments = {name: _mistaken(step, name, right, wrong, replies) for name in step.arguments}
        known = all(value is not MISSING for value in arguments.values())
        replies.append(on.call(world, step.tool, arguments) if known else {})
    answers = [_read(source, replies, right, wrong) for source in case.goal.sources]
    return world.diff(), answers[0] if len(answers) == 1 else answers or None


def _mistaken(step: Step, name: str, right: str, wrong: str, replies: Sequence[Json]) -> Json:
    value, source = step.arguments[name], step.sources.get(name, Source(kind="query"))
    if right and value == right and source.kind != "query":
        return wrong
    found = _read(source, replies, right, wrong)
    return value if found is UNTOLD else found


def _read(source: Source, replies: Sequence[Json], right: str, wrong: str) -> Json:
    """Return what a source has in other replies than the oracle's; `UNTOLD` where it is none of them."""
    if source.kind == "derived":
        values = [_read(one, replies, right, wrong) for one in source.of]
        return MISSING if MISSING in values or UNTOLD in values else derive(source.how, values)
    if source.kind != "reply":
        return UNTOLD
    reply, path = replies[source.step], source.path
    rows = reply.get("results", ()) if isinstance(reply, Mapping) else ()
    for at, row in enumerate(rows):
        if row.get(ID) == right and path.startswith(f"results.{at}."):
            other = next((place for place, row in enumerate(rows) if row.get(ID) == wrong), len(rows))
            return at_path(reply, path.replace(f"results.{at}.", f"results.{other}.", 1))
    return at_path(reply, path)


def flaws(on: Ground, case: Case, task: Task) -> list[str]:
    """Return why a case's oracle does not do what its goal says, or not by what it can know."""
    if unknown := [step.tool for step in case.steps if step.tool not in _names(task)]:
        return [f"the oracle calls {unknown[0]}, which the agent is not given"]
    played = play(on, case)
    found = [
        f"step {number + 1}, {step.tool}, fails: {reply['error']['message']}"
        for number, (step, reply) in enumerate(zip(case.steps, played.replies, strict=True))
        if is_fault(reply)
    ]
    wanted = [list(cell) for cell in case.goal.changes]
    if played.changes != wanted:
        found.append(f"the oracle leaves {played.changes}, and the goal is {wanted}")
    if played != play(on, case):
        found.append("the oracle's steps do something else when they are done again")
    if len(case.steps) + 1 > task.budget.turns:
        found.append(f"the oracle takes {len(case.steps) + 1} turns of {task.budget.turns}")
    return [*found, *unfounded(case, task, played), *idle(case, played)]


def unfounded(case: Case, task: Task, played: Played) -> list[str]:
    """Return which arguments and answers are not where they are said to come from."""
    found = []
    for number, step in enumerate(case.steps):
        for name, source in step.sources.items():
            if not _holds(source, step.arguments.get(name), case, task, played.replies[:number]):
                found.append(f"step {number + 1}, {step.tool}: {name} does not come from the {source.kind}")
    answers = case.goal.answer if len(case.goal.sources) > 1 else [case.goal.answer]
    for value, source in zip(answers, case.goal.sources, strict=False):
        if not _holds(source, value, case, task, played.replies):
            found.append(f"the answer {value!r} does not come from the {source.kind}")
    return found


def idle(case: Case, played: Played) -> list[str]:
    """Return the reading steps whose replies nothing comes from; the last one before a report is what is reported."""
    sources = [*case.goal.sources, *(source for step in case.steps for source in step.sources.values())]
    used = {leaf.step for source in sources for leaf in leaves_of(source)}
    used |= {len(case.steps) - 1} if case.goal.ending == "report" else set()
    found = []
    for number, (step, reply) in enumerate(zip(case.steps, played.replies, strict=True)):
        is_write = isinstance(reply, Mapping) and "ok" in reply
        if not is_write and number not in used:
            found.append(f"step {number + 1}, {step.tool}, tells nothing that is needed")
    return found


def told(value: Json, text: str) -> bool:
    """Tell whether a value stands in a text, in one of the ways in which one says it."""
    return any(stands(form, text) for form in forms(value))


def forms(value: Json) -> list[str]:
    """Return the ways in which a value is said."""
    if isinstance(value, bool):
        return ["yes" if value else "no", str(value)]
    if isinstance(value, float):
        return list(dict.fromkeys([str(value), f"{value:.2f}", f"{value:g}"]))
    text = str(value)
    return list(dict.fromkeys([text, text.replace("_", " ")]))


def stands(word: str, text: str) -> bool:
    """Tell whether a word stands in a text, not as a part of a longer one."""
    return bool(word) and re.search(rf"(?<![\w]){re.escape(word)}(?!\w|\.\d)", text, re.IGNORECASE) is not None


def at_path(reply: Json, path: str) -> Json:
    """Return what a reply holds at a path, `MISSING` if it leads nowhere."""
    for part in path.split(".") if path else ():
        if isinstance(reply, Mapping) and part in reply:
            reply = reply[part]
        elif isinstance(reply, list) and part.isdecimal() and int(part) < len(reply):
            reply = reply[int(part)]
        else:
            return MISSING
    return reply


def _holds(source: Source, value: Json, case: Case, task: Task, replies: Sequence[Json]) -> bool:
    if source.kind == "query":
        return told(value, task.instruction)
    if source.kind == "user":
        return told(value, case.user.get(key_of(case.user, source.path), ""))
    if source.kind == "reply":
        shown = at_path(replies[source.step], source.path) if 0 <= source.step < len(replies) else MISSING
        return type(shown) is type(value) and bool(shown == value)
    return same(value, resolve(source, replies))


def _names(task: Task) -> set[str]:
    return {tool["function"]["name"] for tool in task.tools}
