"""The levels of checks that a composed case must pass, each with a reason where it does not.

A case is judged by what it holds and by the words of its request alone, so that one which a person, a model or an
operator proposes is held to the same as one that the composer made.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from palestra.envs.actions import fits
from palestra.envs.base import Json, canonical_json
from palestra.envs.tooluse.case import Case, Source, Step
from palestra.envs.tooluse.closing import briefing, public_of
from palestra.envs.tooluse.describe import function, returns
from palestra.envs.tooluse.goals import derive
from palestra.envs.tooluse.interpret import call, is_fault
from palestra.envs.tooluse.literals import is_singled_out, occurs
from palestra.envs.tooluse.planner import ancestors, dig, leaves, place_of
from palestra.envs.tooluse.schema import ID, Search, Total, Write, shown_as
from palestra.envs.tooluse.solver import Asked, Solution, Wanted, fitting, solve
from palestra.envs.tooluse.world import Base, World

MAX_REQUEST_CHARS = 2000


@dataclass(slots=True, kw_only=True)
class Judged:
    """A case under judgement, and what the checks have found out of it so far."""

    base: Base
    case: Case
    request: str
    tools: Sequence[str]  # of the domain, that the task offers
    replies: list[Json] = field(default_factory=list)
    solution: Solution | None = None

    def tool_of(self, step: Step) -> object:
        """Return the declared tool of a step."""
        return self.base.domain.tool[step.tool]


def check(judged: Judged) -> str:
    """Return why a case is no good, with the name of the check that says so; "" if it is good."""
    for name, question in CHECKS.items():
        if reason := question(judged):
            return f"{name}: {reason}"
    return ""


def _schema(judged: Judged) -> str:
    for number, step in enumerate(judged.case.steps):
        if step.tool not in judged.tools:
            return f"step {number} calls {step.tool!r}, which is not among the tools"
        schema = function(judged.base.domain, judged.base.domain.tool[step.tool])["function"]["parameters"]
        if not fits(step.arguments, schema):
            return (
                f"the arguments of step {number} do not fit {step.tool}: {canonical_json(dict(step.arguments))[:200]}"
            )
        if set(step.sources) != set(step.arguments):
            return f"step {number} does not say where each argument comes from"
        if any(not 0 <= one < number for one in step.after):
            return f"step {number} comes after {list(step.after)}, which are not before it"
    return ""


def _execution(judged: Judged) -> str:
    world = World(judged.base)
    judged.replies = []
    for number, step in enumerate(judged.case.steps):
        reply = call(world, step.tool, step.arguments)
        if is_fault(reply):
            return f"step {number} fails: {reply['error']['message']}"
        if not fits(reply, returns(judged.base.domain, judged.base.domain.tool[step.tool])):
            return f"the reply of step {number} does not fit what {step.tool} declares"
        judged.replies.append(reply)
    if _keys(world.diff()) != _keys(judged.case.goal.changes):
        return "the steps do not lead to the goal's changes"
    return ""


def _provenance(judged: Judged) -> str:
    for number, step in enumerate(judged.case.steps):
        for name, source in step.sources.items():
            value = step.arguments[name]
            if source.kind == "query" and not occurs(value, judged.request):
                return f"argument {name!r} of step {number} is not in the request: {value!r}"
            if source.kind == "user":
                return f"argument {name!r} of step {number} would have to be asked for"
            if source.kind != "query" and not _same(resolve(source, judged.replies), value):
                return f"argument {name!r} of step {number} is not what its source shows"
            if any(leaf.step not in ancestors(judged.case.steps, number) for leaf in leaves(source)):
                return f"argument {name!r} of step {number} comes from a step that need not be before it"
    return ""


def _referral(judged: Judged) -> str:
    """Of every listing that the oracle picks a row from, the request tells which row."""
    used: dict[int, set[int]] = {}
    for leaf in (leaf for source in _sources(judged.case) for leaf in leaves(source)):
        way = leaf.path.split(".")
        if way[0] == "results" and len(way) > 2 and resolve(leaf, judged.replies) is not None:
            used.setdefault(leaf.step, set()).add(int(way[1]))
    for number, rows in used.items():
        reply = judged.replies[number]
        for row in rows:
            if len(rows) < reply["total"] and not is_singled_out(reply, row, judged.request):
                return f"the request does not tell which of {reply['total']} rows of step {number} is meant"
    return ""


def _answer(judged: Judged) -> str:
    goal = judged.case.goal
    if goal.answer is None:
        return "an answer has sources, but is none" if goal.sources else ""
    answers = goal.answer if isinstance(goal.answer, list | tuple) else [goal.answer]
    if len(answers) != len(goal.sources):
        return f"{len(answers)} answers have {len(goal.sources)} sources"
    system = briefing(public_of(judged.base))
    for answer, source in zip(answers, goal.sources, strict=True):
        if type(answer) not in (str, int, float) or (isinstance(answer, str) and not answer.strip()):
            return f"the answer {answer!r} is no text and no number"
        if source.kind not in ("reply", "derived") or not list(leaves(source)):
            return "an answer does not come from replies"
        if not _same(resolve(source, judged.replies), answer):
            return f"the answer {answer!r} is not what its source shows"
        if occurs(answer, judged.request):
            return f"the answer {answer!r} stands in the request"
        if not _is_listed(judged, source) and occurs(answer, system):
            return f"the answer {answer!r} stands in the system text"
    if len(answers) > 1 and len({canonical_json(one) for one in answers}) < len(answers):
        return "two answers are the same"
    return ""


def _necessity(judged: Judged) -> str:
    """Leaving an acting step out misses the goal; what a reading step shows is used."""
    case = judged.case
    if not case.goal.changes and not case.goal.sources:
        return "nothing is asked for"
    used = {leaf.step for source in case.goal.sources for leaf in leaves(source)}
    used |= {leaf.step for step in case.steps for source in step.sources.values() for leaf in leaves(source)}
    for number, step in enumerate(case.steps):
        if isinstance(judged.tool_of(step), Write):
            world = World(judged.base)
            for other, left in enumerate(case.steps):
                if other != number:
                    call(world, left.tool, left.arguments)
            if _keys(world.diff()) == _keys(case.goal.changes):
                return f"step {number} can be left out"
        elif number not in used:
            return f"nothing that step {number} shows is used"
        told = [value for value in _used_of(case, judged.replies, number) if occurs(value, judged.request)]
        if told:
            return f"the request tells {told[0]!r}, which step {number} is to find out"
    return ""


def _order(judged: Judged) -> str:
    """Whatever order the edges leave open, every step finds what it is to find, and the end is the same."""
    writing = frozenset(n for n, step in enumerate(judged.case.steps) if isinstance(judged.tool_of(step), Write))
    for order in _orders(judged.case.steps, writing):
        world = World(judged.base)
        replies: list[Json] = [None] * len(order)
        for number in order:
            step = judged.case.steps[number]
            replies[number] = call(world, step.tool, step.arguments)
        if any(is_fault(reply) for reply in replies) or _keys(world.diff()) != _keys(judged.case.goal.changes):
            return f"in the order {order} the steps lead elsewhere"
        for source in _sources(judged.case):
            if source.kind != "query" and not _same(resolve(source, replies), resolve(source, judged.replies)):
                return f"in the order {order} a step shows something else"
    return ""


def _second_solver(judged: Judged) -> str:
    case = judged.case
    asked = tuple(asked_of(judged, source) for source in case.goal.sources)
    wanted = Wanted(changes=case.goal.changes, asked=asked)
    judged.solution = found = solve(judged.base, judged.request, wanted, judged.tools)
    if found is None:
        return "it finds no way to the goal"
    answers = case.goal.answer if isinstance(case.goal.answer, list | tuple) else [case.goal.answer]
    if case.goal.answer is not None and _keys([[one] for one in found.answers]) != _keys([[one] for one in answers]):
        return f"it finds another answer: {found.answers}"
    if len(found.calls) < len(case.steps):
        return f"it finds a way of {len(found.calls)} calls where the oracle takes {len(case.steps)}"
    world = World(judged.base)
    for name, arguments in found.calls:
        if is_fault(call(world, name, arguments)):
            return f"its call of {name} fails"
    return "" if _keys(world.diff()) == _keys(case.goal.changes) else "its calls lead elsewhere"


def _words(judged: Judged) -> str:
    if not judged.request.strip() or len(judged.request) > MAX_REQUEST_CHARS:
        return f"the request must have 1 to {MAX_REQUEST_CHARS} characters, not {len(judged.request)}"
    return ""


CHECKS: Mapping[str, Callable[[Judged], str]] = MappingProxyType(
    {
        "words": _words,
        "schema": _schema,
        "execution": _execution,
        "provenance": _provenance,
        "referral": _referral,
        "answer": _answer,
        "necessity": _necessity,
        "order": _order,
        "second solver": _second_solver,
    }
)


def resolve(source: Source, replies: Sequence[Json]) -> Json:
    """Return the value that a source leads to in some replies; None where it leads nowhere."""
    if source.kind == "reply":
        return dig(replies[source.step], source.path) if 0 <= source.step < len(replies) else None
    values = [resolve(one, replies) for one in source.of]
    return None if not values or None in values else derive(source.how, values)


def asked_of(judged: Judged, source: Source) -> Asked:
    """Return what an answer's source is about, told without the steps that find it."""
    if (total := _over_all(judged, source)) is not None:
        return Asked(total=total)
    if source.kind != "reply":
        return Asked(how=source.how, of=tuple(asked_of(judged, one) for one in source.of))
    step, reply = judged.case.steps[source.step], judged.replies[source.step]
    tool, world = judged.base.domain.tool[step.tool], World(judged.base)
    if isinstance(tool, Total):
        return Asked(total=(tool.table, fitting(world, tool, step.arguments), tool.how, tool.of))
    if isinstance(tool, Write):
        return Asked(place=("", "", ""))  # what a write replies is no answer
    *way, key = source.path.split(".")
    if isinstance(tool, Search) and not way:
        return Asked(total=(tool.table, fitting(world, tool, step.arguments), "count", ""))
    shown = reply["results"][int(way[1])] if way else reply
    path = next(path for path in (ID, *tool.shows) if shown_as(path) == key)
    return Asked(place=place_of(world, tool.table, shown[ID], path))


def _over_all(judged: Judged, source: Source) -> tuple[str, frozenset[str], str, str] | None:
    """Return the total that a derived value amounts to, if it follows from every row that one search lists."""
    steps = {leaf.step for leaf in leaves(source)}
    if source.kind != "derived" or len(steps) != 1 or any(one.kind != "reply" for one in source.of):
        return None
    number = steps.pop()
    tool, reply = judged.base.domain.tool[judged.case.steps[number].tool], judged.replies[number]
    keys = {one.path.rpartition(".")[2] for one in source.of}
    if not isinstance(tool, Search) or len(keys) != 1 or len(source.of) != reply["total"]:
        return None
    path = next((path for path in tool.shows if shown_as(path) in keys), None)
    how = {"sum": "sum", "largest": "max", "smallest": "min"}.get(source.how)
    return (
        None if path is None or how is None else (tool.table, frozenset(row[ID] for row in reply["results"]), how, path)
    )


def _is_listed(judged: Judged, source: Source) -> bool:
    """Tell whether the answer is one of a column's few values, all of which the tools' schemas list anyway."""
    place = asked_of(judged, source).place
    return place is not None and place[2] != ID and bool(judged.base.domain.by_name[place[0]].by_name[place[2]].enum)


def _sources(case: Case) -> list[Source]:
    return [*(source for step in case.steps for source in step.sources.values()), *case.goal.sources]


def _used_of(case: Case, replies: Sequence[Json], number: int) -> Iterator[Json]:
    """Yield every value of a step's reply that an argument or an answer is taken from."""
    for source in _sources(case):
        yield from (resolve(one, replies) for one in leaves(source) if one.step == number)


def _orders(steps: Sequence[Step], writing: frozenset[int]) -> Iterator[list[int]]:
    """Yield the orders that are farthest from the one given: last steps first, and writes as early as can be."""
    for rank in (lambda number: -number, lambda number: (number not in writing, number)):
        order: list[int] = []
        while len(order) < len(steps):
            free = [n for n in range(len(steps)) if n not in order and set(steps[n].after) <= set(order)]
            order.append(min(free, key=rank))
        yield order


def _same(one: Json, other: Json) -> bool:
    return canonical_json(one) == canonical_json(other)


def _keys(cells: Iterable[Sequence[Json]]) -> list[str]:
    return [canonical_json(list(cell)) for cell in cells]
