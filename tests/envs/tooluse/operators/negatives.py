"""Operators that break the oracle, or what must hold, each in one way: none of what they make may pass its check."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from palestra.envs.base import Json
from palestra.envs.tooluse.case import Goal
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.interpret import call
from palestra.envs.tooluse.operators.ambiguous import LOOKUP, Ambiguous, allowed
from palestra.envs.tooluse.operators.indirect import Indirect, mentions, shuffled
from palestra.envs.tooluse.operators.irrelevant import REFUSAL, Bereft, Irrelevant
from palestra.envs.tooluse.operators.missing import Lack, Missing, Withheld, lacks
from palestra.envs.tooluse.operators.near import Near
from palestra.envs.tooluse.operators.operator import Change, Operator, Refused, Subject
from palestra.envs.tooluse.operators.over import Units
from palestra.envs.tooluse.operators.telling import fitting, telling
from palestra.envs.tooluse.operators.values import spots
from palestra.envs.tooluse.operators.wrong import Wrong
from palestra.envs.tooluse.planner import Draft, Rejected
from palestra.envs.tooluse.referral import listing
from palestra.envs.tooluse.schema import Search, Write, shown_as

# -- indirect ----------------------------------------------------------------------------------


class TwoMatches(Indirect):
    """Tells so little of a row that others fit it, too."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        for mention in mentions(at):
            for way in shuffled(rng, at, mention.table):
                if way.kind not in ("named", "listed"):
                    continue
                told = telling(at.world(), way, mention.id)
                if len(fitting(at.world(), told)) < 2:
                    continue
                try:
                    phrase, _ = listing(Draft(at.ground.base, at.case.place.split, rng), way, mention.id)
                except Rejected:
                    continue
                change = super().change(at, rng)
                params = {**change.params, "id": mention.id, "told": told}
                return replace(change, params=params, instruction=at.task.instruction.replace(mention.phrase, phrase))
        raise Refused("nothing can be told of a row that others share")


class StillTold(Indirect):
    """Tells the id after all."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        return replace(change, instruction=f"{change.instruction} ({change.params['id']})")


class NotLookedUp(Indirect):
    """Leaves the oracle as it was."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        return replace(super().change(at, rng), case=at.case)


class AnotherRow(Indirect):
    """Tells of another row than the one that is meant."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        told = change.params["told"]
        table, facts = (told["of"][0] if told["of"] else told["table"]), list(told["facts"])
        for path, value in facts:
            others = [
                other for row, _ in at.world().rows(table) if (other := at.world().value(table, row, path)) != value
            ]
            if isinstance(value, str) and others and isinstance(others[0], str):
                other = rng.choice(others)
                facts = [[p, other if p == path else v] for p, v in facts]
                params = {**change.params, "told": {**told, "facts": facts}}
                return replace(change, params=params, instruction=str(change.instruction).replace(value, other))
        raise Refused("what is told is no text")


# -- ambiguous ---------------------------------------------------------------------------------


class SilentUser(Ambiguous):
    """Has a user who does not know which row is meant."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        if change.params["by"] == LOOKUP:
            raise Refused("no user is asked")
        return replace(change, case=replace(change.case, user={}))


class UselessUser(Ambiguous):
    """Has a user who tells what fits all the rows."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        if change.params["by"] == LOOKUP:
            raise Refused("no user is asked")
        path, value = change.params["told"]["facts"][0]
        key = change.params["more"][2]
        params = {**change.params, "more": [path, value, key]}
        return replace(change, params=params, case=replace(change.case, user={key: f"The one with {value}."}))


class Unresolved(Ambiguous):
    """Says that a look at the rows would tell which one is meant, where all of them would do."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        told, right = change.params["told"], change.params["id"]
        every = frozenset(at.domain.by_name[told["table"]].by_name)
        if change.params["by"] == LOOKUP or len(allowed(at, every, fitting(at.world(), told), right)) == 1:
            raise Refused("a look does tell")
        return replace(change, params={**change.params, "by": LOOKUP})


class OnlyOne(Ambiguous):
    """Calls ambiguous what fits one row alone."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = Indirect().change(at, rng)
        return replace(change, params={"by": LOOKUP, "id": change.params["id"], "told": change.params["told"]})


# -- a missing parameter ---------------------------------------------------------------------------


def _readable(at: Subject) -> Lack:
    """Return an argument whose value a listing shows."""
    for tool in at.domain.tools:
        if isinstance(tool, Search) and tool.name in at.tools and not any(one.is_required for one in tool.filters):
            shown = {row[shown_as(path)] for row in call(at.world(), tool.name, {})["results"] for path in tool.shows}
            for lack in lacks(at):
                if isinstance(lack.value, str) and lack.value in shown:
                    return lack
    raise Refused("no argument is shown by a listing")


class Readable(Missing):
    """Leaves out what a reading tool tells."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        lack = _readable(at)
        told = {"tool": at.case.steps[lack.step].tool, "parameter": lack.param.name}
        said = str(lack.value).replace("_", " ")
        text = at.task.instruction.replace(str(lack.value), "something").replace(said, "something")
        goal = Goal(ending="ask", told=told)
        return Change(
            params={**told, "value": lack.value}, case=replace(at.case, steps=(), goal=goal), instruction=text
        )


class NotMissing(Missing):
    """Asks for what the request tells."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        return replace(super().change(at, rng), instruction=at.task.instruction)


class AskAndWrite(Missing):
    """Asks, and has the writes made all the same."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        goal = replace(at.case.goal, ending="ask", told=change.case.goal.told)
        return replace(change, case=replace(at.case, goal=goal))


class AskForAnother(Missing):
    """Asks for another parameter than the one that is missing."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        goal = replace(change.case.goal, told={**change.case.goal.told, "parameter": "reference"})
        return replace(change, case=replace(change.case, goal=goal))


class Forgetful(Withheld):
    """Has a user who does not know it either."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        return replace(change, case=replace(change.case, user={key: "I forgot." for key in change.case.user}))


# -- nothing that could be done ----------------------------------------------------------------------


class Servable(Irrelevant):
    """Calls irrelevant what one of the tools does."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        writes = [tool.name for tool in at.domain.tools if isinstance(tool, Write)]
        params = {"domain": at.case.place.domain, "tool": rng.choice(writes)}
        return Change(params=params, case=replace(at.case, steps=(), goal=REFUSAL, user={}))


class RefuseAndWrite(Irrelevant):
    """Declines, and has the writes made all the same."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        if not at.case.goal.changes:
            raise Refused("nothing is written")
        change = super().change(at, rng)
        return replace(change, case=replace(at.case, goal=replace(at.case.goal, ending="refuse", told=REFUSAL.told)))


class StillServed(Bereft):
    """Leaves a tool that does what is asked for."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        return replace(super().change(at, rng), tools=None)


# -- wrong values -----------------------------------------------------------------------------------


class Undetectable(Wrong):
    """Shows a value that may well be right."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        if change.params["rule"]:
            raise Refused("a rule tells that it is wrong")
        spot = next(one for one in spots(at) if (one.tool, one.id, one.key) == _where(change.params))
        rows = at.ground.base.rows[spot.kind[0]].values()
        values = {row.get(spot.kind[1]) for row in rows} - {None}
        value: Json = rng.choice(sorted(values, key=str)) if values else 10
        return replace(change, params={**change.params, "value": value}, case=_shown(change, value))


class Unruled(Wrong):
    """Shows a value that another tool contradicts, and does not say which of them is right."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        if not change.params["rule"]:
            raise Refused("the value cannot be at all")
        return replace(change, public={})


class Believed(Wrong):
    """Leaves the oracle to believe the wrong value."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        params = {**change.params, "ending": "solve"}
        return replace(change, params=params, case=replace(at.case, twists=change.case.twists))


class ReportedThoughTold(Wrong):
    """Ends with a report where another tool tells the value."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        change = super().change(at, rng)
        if change.params["ending"] != "solve":
            raise Refused("no other tool tells the value")
        spot = next(one for one in spots(at) if (one.tool, one.id, one.key) == _where(change.params))
        told = {"code": "wrong_value", "tool": spot.tool, "parameter": spot.key}
        steps = at.case.steps[: spot.step + 1]
        case = replace(at.case, steps=steps, twists=change.case.twists, goal=Goal(ending="report", told=told))
        return Change(params={**change.params, "ending": "report"}, case=case)


def _where(params: Mapping[str, Json]) -> tuple[str, str, str]:
    return params["tool"], params["id"], params["key"]


def _shown(change: Change, value: Json) -> Any:
    *others, last = change.case.twists
    return replace(change.case, twists=(*others, {**last, "value": value}))


# -- distractors ------------------------------------------------------------------------------------


class Alias(Near):
    """Adds a tool that writes what is asked for."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        for table, id_, column, value in at.case.goal.changes:
            held = at.ground.base.rows[str(table)].get(str(id_))
            if held is None or column == "id" or at.domain.by_name[str(table)].by_name[str(column)].ref:
                continue
            if len(at.case.goal.changes) > 1 or value is None:
                continue
            spec = {"kind": "column", "degree": 1, "name": "put_it", "about": "Put it there.", "arg": "row_id"}
            return _given(at, [{**spec, "table": table, "column": column}])
        raise Refused("no single cell is asked for")


class Teller(Near):
    """Adds a tool that shows the answer as the oracle's own does."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        for spot in spots(at):
            if (
                spot.id
                and at.case.goal.answer is not None
                and not at.case.goal.changes
                and len(at.case.goal.sources) == 1
            ):
                spec = {"kind": "column", "degree": 1, "name": "tell_it", "about": "Tell it.", "arg": "row_id"}
                return _given(at, [{**spec, "table": spot.kind[0], "shows": [spot.kind[1]]}])
        raise Refused("no cell alone is asked for")


class Namesake(Near):
    """Adds a tool that is called like one of the oracle's."""

    def made(self, task: Any, seed: int) -> Any:
        after = super().made(task, seed)
        last = dict(after.provenance)
        entry = dict(last["augmentations"][-1])
        used = Subject(task).case.steps
        if not used:
            raise Refused("the oracle calls nothing")
        entry["params"] = {"tools": [{**entry["params"]["tools"][0], "name": used[0].tool}]}
        last["augmentations"] = [*last["augmentations"][:-1], entry]
        return replace(after, provenance=last)


class Unlisted(Near):
    """Adds tools that the agent is not told of."""

    def change(self, at: Subject, rng: random.Random) -> Change:
        return replace(super().change(at, rng), tools=None)


def _given(at: Subject, specs: list[dict[str, Json]]) -> Change:
    case = replace(at.case, twists=(*at.case.twists, *specs))
    more = Subject(replace(at.task, hidden=case.to_dict()))
    tools = [function(more.domain, more.domain.tool[str(spec["name"])]) for spec in specs]
    return Change(params={"tools": specs}, case=case, tools=[*tools, *at.task.tools])


# -- units ------------------------------------------------------------------------------------------


class Lossy(Units):
    """Tells amounts in whole units."""

    def draw(self, at: Subject, rng: random.Random) -> Mapping[str, Json]:
        spec = dict(super().draw(at, rng))
        if "USD" not in spec["units"]:
            raise Refused("there are no amounts")
        return {**spec, "units": {**spec["units"], "USD": ["cents", 1]}}


class Unannounced(Units):
    """Says nothing of the units."""

    def draw(self, at: Subject, rng: random.Random) -> Mapping[str, Json]:
        return {**super().draw(at, rng), "told": "Note that the tools have been changed."}


NEGATIVES: Mapping[str, Operator] = {
    f"{operator.name}: {type(operator).__name__}": operator
    for operator in (
        TwoMatches(),
        StillTold(),
        NotLookedUp(),
        AnotherRow(),
        SilentUser(),
        UselessUser(),
        Unresolved(),
        OnlyOne(),
        Readable(),
        NotMissing(),
        AskAndWrite(),
        AskForAnother(),
        Forgetful(),
        Servable(),
        RefuseAndWrite(),
        StillServed(),
        Undetectable(),
        Unruled(),
        Believed(),
        ReportedThoughTold(),
        Alias(),
        Teller(),
        Namesake(),
        Unlisted(),
        Lossy(),
        Unannounced(),
    )
}
