"""Ambiguous queries: several rows fit what the request tells, and one is found by looking, or by asking the user."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from palestra.envs.base import Json
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.case import Case, Source, Step
from palestra.envs.tooluse.interpret import call, is_fault
from palestra.envs.tooluse.operators.indirect import MOST_WAYS, Mention, mentions, shuffled, spliced
from palestra.envs.tooluse.operators.operator import Change, Operator, Refused, Subject, kept
from palestra.envs.tooluse.operators.replay import mistaken, stands, told
from palestra.envs.tooluse.operators.telling import fitting, telling, untold
from palestra.envs.tooluse.planner import Draft, Rejected, leaves
from palestra.envs.tooluse.referral import Way, filters_of, listing
from palestra.envs.tooluse.schema import ID, Cell, Search, Write
from palestra.envs.tooluse.validate import resolve
from palestra.envs.tooluse.verify import same

MOST_CANDIDATES = 12
LOOKUP, USER = "lookup", "user"
_Manner = Callable[[Subject, random.Random, Mention, Way], Change | None]


class Ambiguous(Operator):
    """Tells of a row such that others fit it, too.

    lookup: what is asked for is allowed for one of the rows only, and the listing of the rows shows why. user: the
    user tells more when asked which row is meant.

    Must hold: two rows at least, and not too many, fit what is told; with what the listing shows, or with what the
    user tells, exactly one does, and it is the right one; whoever takes any of the others reaches another end.
    """

    name: ClassVar[str] = "ambiguous"

    def change(self, at: Subject, rng: random.Random) -> Change:
        found = list(mentions(at))
        if not found:
            raise Refused("the request names no row by its id")
        rng.shuffle(found)
        for mention in found:
            for way in shuffled(rng, at, mention.table)[:MOST_WAYS]:
                for manner in rng.sample((_by_looking, _by_asking), 2):
                    change = _tried(manner, at, rng, mention, way)
                    if change is not None:
                        return change
        raise Refused("what can be told of the rows fits one alone, or too many, or nothing tells them apart")

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        right, world = params["id"], new.world()
        found = [*kept(old, new), *untold(params["told"], new.task.instruction)]
        fits = fitting(world, params["told"])
        if not 2 <= len(fits) <= MOST_CANDIDATES or right not in fits:
            found.append(
                f"{len(fits)} rows fit what is told, {right} among them or not; it must be 2 to {MOST_CANDIDATES}"
            )
        if stands(right, new.task.instruction):
            found.append(f"the request names {right}")
        if params["by"] == USER:
            found += _unclear_when_told(new, params)
        elif (left := allowed(new, _shown(new, params["told"]["table"]), fits, right)) != [right]:
            found.append(f"by what the listing shows, {len(left)} of {len(fits)} rows can be meant")
        return [*found, *_harmless(new, right, fits)]


def _tried(manner: _Manner, at: Subject, rng: random.Random, mention: Mention, way: Way) -> Change | None:
    """Return a change for which the obligation holds, if there is one."""
    try:
        return manner(at, rng, mention, way)
    except Rejected:
        return None


def allowed(at: Subject, shown: frozenset[str], rows: list[str], right: str) -> list[str]:
    """Return the rows that can be meant: what is asked for is not seen to be forbidden by what is shown of them."""
    wanted = [step for step in at.case.steps if _is_wanted(at, step, right)]
    return [
        row
        for row in rows
        if row == right or not any(_is_seen_forbidden(at, step, right, row, shown) for step in wanted)
    ]


def _shown(at: Subject, table: str) -> frozenset[str]:
    """Return the paths that the oracle's listings of a table show."""
    listed = [tool for step in at.case.steps if isinstance(tool := at.domain.tool[step.tool], Search)]
    return frozenset(path for tool in listed if tool.table == table for path in tool.shows)


def _is_wanted(at: Subject, step: Step, right: str) -> bool:
    return isinstance(at.domain.tool[step.tool], Write) and right in step.arguments.values()


def _is_seen_forbidden(at: Subject, step: Step, right: str, row: str, shown: frozenset[str]) -> bool:
    tool = at.domain.tool[step.tool]
    assert isinstance(tool, Write)
    arguments = {name: row if value == right else value for name, value in step.arguments.items()}
    reply = call(at.world(), tool.name, arguments)
    if not is_fault(reply):
        return False
    words = {name: str(value) for name, value in arguments.items()}
    return any(
        isinstance(rule.left, Cell)
        and arguments.get(rule.left.arg) == row
        and rule.left.path in shown
        and rule.error.format_map(words) == reply["error"]["message"]
        for rule in tool.requires
    )


def _by_asking(at: Subject, rng: random.Random, mention: Mention, way: Way) -> Change | None:
    """Leave out of what is told one thing that the user then tells."""
    if way.kind not in ("named", "listed") or not way.paths or len(way.paths) + (way.via is not None) < 2:
        return None
    path = rng.choice(way.paths)
    looser = replace(way, paths=tuple(one for one in way.paths if one != path))
    if way.via is None and not set(looser.paths) & set(at.domain.by_name[way.table].named_by):
        return None
    phrase = _listed(at, rng, looser, mention)[1]
    case, _, number = _listed(at, rng, way, mention)
    noun, tool = at.domain.by_name[way.table].noun, at.domain.tool[way.tool]
    assert isinstance(tool, Search)
    asked = {one.arg: Source(kind="user", path=noun) for one in filters_of(tool, path)}
    step = replace(case.steps[number], sources={**case.steps[number].sources, **asked})
    key = f"{noun}|{phrases.spoken(path)} of {noun}"
    if key in at.case.user or noun in at.case.user:
        return None
    value = at.world().value(way.table, mention.id, path)
    return Change(
        params={
            "by": USER,
            "id": mention.id,
            "told": telling(at.world(), looser, mention.id),
            "more": [path, value, key],
        },
        case=replace(
            case,
            steps=(*case.steps[:number], step, *case.steps[number + 1 :]),
            user={**at.case.user, key: _more(at, way, path, value)},
        ),
        instruction=at.task.instruction.replace(mention.phrase, phrase),
        turns=len(case.steps) - len(at.case.steps) + 1,
    )


def _more(at: Subject, way: Way, path: str, value: Json) -> str:
    """Return what the user says when asked which row is meant."""
    before, name, after = phrases.attribute(at.domain, way.table, path, value)
    return f"I mean{name}." if name else f"The {before}one{after}."


def _by_looking(at: Subject, rng: random.Random, mention: Mention, way: Way) -> Change | None:
    """Tell so little that what is asked for could be meant of several rows, and is allowed for one."""
    if way.kind not in ("named", "listed") or not any(_is_wanted(at, step, mention.id) for step in at.case.steps):
        return None
    told_of = telling(at.world(), way, mention.id)
    fits, tool = fitting(at.world(), told_of), at.domain.tool[way.tool]
    assert isinstance(tool, Search)
    if not 2 <= len(fits) <= MOST_CANDIDATES or len(allowed(at, frozenset(tool.shows), fits, mention.id)) > 1:
        return None
    case, phrase, _ = _listed(at, rng, way, mention)
    return Change(
        params={"by": LOOKUP, "id": mention.id, "told": told_of},
        case=case,
        instruction=at.task.instruction.replace(mention.phrase, phrase),
        turns=len(case.steps) - len(at.case.steps),
    )


def _listed(at: Subject, rng: random.Random, way: Way, mention: Mention) -> tuple[Case, str, int]:
    """Return the case with the row looked up in a listing, a phrase for the rows in it, and the listing's number."""
    draft = Draft(at.ground.base, at.case.place.split, rng)
    draft.world = at.world()
    phrase, number = listing(draft, way, mention.id)
    source = draft.know(way.table, mention.id, ID).source
    return spliced(at, draft.steps(), mention.id, source), phrase, number


def _unclear_when_told(new: Subject, params: Mapping[str, Json]) -> list[str]:
    path, value, key = params["more"]
    told_of = {**params["told"], "facts": [*params["told"]["facts"], [path, value]]}
    fits, says = fitting(new.world(), told_of), new.case.user.get(key, "")
    found = [] if fits == [params["id"]] else [f"{len(fits)} rows fit even with what the user tells"]
    if not told(value, says):
        found.append(f"the user does not tell the {path}, {value!r}")
    if any(same(value, resolve(leaf, new.played.replies)) for leaf in taken(new.case)):
        found.append(f"the user tells {value!r}, which is to be found out")
    if stands(params["id"], says):
        found.append(f"the user tells {params['id']} itself")
    return found


def taken(case: Case) -> list[Source]:
    """Return where in replies the oracle takes values from."""
    sources = [source for step in case.steps for source in step.sources.values()]
    return [leaf for source in (*sources, *case.goal.sources) for leaf in leaves(source) if leaf.kind == "reply"]


def _harmless(new: Subject, right: str, fits: list[str]) -> list[str]:
    """Return which wrong rows lead to the right end."""
    goal = new.case.goal
    wanted = [list(cell) for cell in goal.changes]
    ends = {row: mistaken(new.ground, new.case, right, row) for row in fits if row != right}
    wrong = [row for row, (changes, answer) in ends.items() if changes == wanted and same(goal.answer, answer)]
    return [f"whoever takes {wrong[0]} for {right} is right, too"] if wrong else []
