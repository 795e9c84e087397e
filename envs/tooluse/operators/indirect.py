"""Indirect queries: a row that the request names by its id is told of by what it holds, and has to be looked up."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from palestra.envs.base import Json
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.case import Case, Source, Step
from palestra.envs.tooluse.operators import splice
from palestra.envs.tooluse.operators.operator import Change, Operator, Refused, Subject, kept
from palestra.envs.tooluse.operators.replay import play, stands
from palestra.envs.tooluse.operators.telling import fitting, telling, untold
from palestra.envs.tooluse.planner import Draft, Rejected
from palestra.envs.tooluse.referral import Way, refer, ways
from palestra.envs.tooluse.schema import ID
from palestra.envs.tooluse.validate import Judged, check

MOST_WAYS = 12  # tried for a row
_KINDS = ("unique", "named", "listed", "reference", "extreme")


@dataclass(frozen=True, slots=True)
class Mention:
    """A row that the request names by its id."""

    table: str
    id: str
    phrase: str  # as it stands in the request: "order ord_48213"


class Indirect(Operator):
    """Tells of a row by what it holds instead of by its id; the oracle looks it up first.

    Must hold: the id is told nowhere; all that is told is; exactly one row fits it, which is the one; the lookup
    finds its id within the turns that there are; the goal is what it was.
    """

    name: ClassVar[str] = "indirect"

    def change(self, at: Subject, rng: random.Random) -> Change:
        found = list(mentions(at))
        if not found:
            raise Refused("the request names no row by its id")
        rng.shuffle(found)
        reason = "no tool finds such a row by what it holds"
        for mention in found:
            for way in shuffled(rng, at, mention.table)[:MOST_WAYS]:
                try:
                    phrase, steps, source = looked_up(at, rng, way, mention.id)
                except Rejected as error:
                    reason = str(error)
                    continue
                case = spliced(at, steps, mention.id, source)
                return Change(
                    params={"id": mention.id, "way": way.name, "told": telling(at.world(), way, mention.id)},
                    case=case,
                    instruction=at.task.instruction.replace(mention.phrase, phrase),
                    turns=len(case.steps) - len(at.case.steps),
                )
        raise Refused(f"the rows cannot be told otherwise: {reason}")

    def problems(self, old: Subject, new: Subject, params: Mapping[str, Json]) -> list[str]:
        found = [*kept(old, new), *untold(params["told"], new.task.instruction)]
        if stands(params["id"], new.task.instruction):
            found.append(f"the request still names {params['id']}")
        fits = fitting(new.world(), params["told"])
        if fits != [params["id"]]:
            found.append(f"{len(fits)} rows fit what is told of {params['id']}: {', '.join(fits[:5])}")
        return found or held_to_the_rest(new)


def held_to_the_rest(new: Subject) -> list[str]:
    """Return what the checks of composed tasks say; of users who tell more and of more tools they know nothing."""
    if new.case.user or new.case.twists or new.case.place.changes:
        return []
    judged = Judged(base=new.ground.base, case=new.case, request=new.task.instruction, tools=sorted(new.tools))
    return [reason] if (reason := check(judged)) else []


def mentions(at: Subject) -> Iterator[Mention]:
    """Yield the rows that the request names by their ids, and steps take from there."""
    known: set[str] = set()
    for step in at.case.steps:
        for name, source in step.sources.items():
            value = step.arguments.get(name)
            if source.kind != "query" or not isinstance(value, str) or value in known:
                continue
            known.add(value)
            for table in at.domain.tables:
                phrase = phrases.by_id(table, value)
                if value in at.ground.base.rows[table.name] and phrase in at.task.instruction:
                    yield Mention(table.name, value, phrase)


def spliced(at: Subject, steps: tuple[Step, ...], value: str, source: Source) -> Case:
    """Return the case with steps before its own that show a value of the request; none is made for what they show."""
    case = splice.before(at.case, steps, value, source)
    return splice.shortened(case, play(at.ground, case).replies)


def shuffled(rng: random.Random, at: Subject, table: str) -> list[Way]:
    """Return the ways to name a row of a table but by its id, in any order."""
    found = [way for way in ways(at.domain, table) if way.kind in _KINDS]
    rng.shuffle(found)
    return found


def looked_up(at: Subject, rng: random.Random, way: Way, id_: str) -> tuple[str, tuple[Step, ...], Source]:
    """Return a phrase for a row, the steps that resolve it, and where they show the row's id.

    Raises:
        Rejected: the phrase would not be clear.
    """
    draft = Draft(at.ground.base, at.case.place.split, rng)
    draft.world = at.world()
    phrase = refer(draft, way, id_)
    source = draft.know(way.table, id_, ID).source
    return phrase, draft.steps(), source
