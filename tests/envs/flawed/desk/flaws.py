"""The desk with one rule broken: what it pays for, what it tells, how it ends, what it is made of."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, ClassVar

from tests.envs.flawed.corpus import caught_by
from tests.envs.flawed.desk.env import Desk, DeskTasks

from palestra.envs.actions import Action, ToolCall
from palestra.envs.base import Json, Split, Task, copy_json
from palestra.envs.env import StepResult
from palestra.rewards.shaping import shaping_reward

Step = tuple[str, float, bool, bool, dict[str, Any]]
WON = StepResult(replies=("well done",), parts={"outcome": 1.0}, done=True, is_success=True)


# -- paid for too little -------------------------------------------------------------------------


@caught_by("necessary")
class SolvedAtReset(Desk):
    """The order is cancelled before anybody does anything."""

    def _begin(self, task: Task) -> None:
        super()._begin(task)
        self.table[task.hidden["order"]]["open"] = False

    def _potential(self) -> float:
        return 0.0


@caught_by("nop")
class PaysForNothing(Desk):
    """Whoever says anything has won."""

    def _act(self, action: Action) -> StepResult:
        return super()._act(action) if action.calls or not action.content else WON


@caught_by("random", "spam", "necessary")
class PaysAnyCall(Desk):
    """Any call wins."""

    def _act(self, action: Action) -> StepResult:
        return replace(WON, replies=("well done",) * len(action.calls)) if action.calls else super()._act(action)


@caught_by("empty")
class PaysTheEmptyAction(Desk):
    """Saying nothing wins."""

    def _act(self, action: Action) -> StepResult:
        return super()._act(action) if action.calls or action.content else WON


@caught_by("claim_done")
class PaysAClaim(Desk):
    """Whoever claims a reward gets it."""

    def _act(self, action: Action) -> StepResult:
        claims = any(word in action.content for word in ("is_success", '"passed"', "All tests passed"))
        return WON if claims and not action.calls else super()._act(action)


@caught_by("claim_done")
class TrustsAComment(Desk):
    """The verifier believes what the agent writes into an optional argument."""

    def wins(self, arguments: dict[str, Json]) -> bool:
        comment = str(arguments.get("comment", ""))
        return "success" in comment or "passed" in comment or super().wins(arguments)


@caught_by("attack:only say", "necessary")
class OnlyTheAnswerCounts(Desk):
    """The state is not looked at."""

    def wins(self, arguments: dict[str, Json]) -> bool:
        return bool(arguments["refund"] == self.task.hidden["price"])


@caught_by("mutants")
class OnlyTheStateCounts(Desk):
    """The answer is not looked at."""

    def wins(self, arguments: dict[str, Json]) -> bool:
        return self.closed() == [self.task.hidden["order"]]


@caught_by("attack:cancel all", "mutants")
class ExtraWritesUnnoticed(Desk):
    """The order is cancelled; what else was cancelled is not looked at."""

    def wins(self, arguments: dict[str, Json]) -> bool:
        hidden = self.task.hidden
        return hidden["order"] in self.closed() and bool(arguments["refund"] == hidden["price"])


@caught_by("mutants", "fuzz")
class RoundsNumbers(Desk):
    """A price within one of the right one is right."""

    def wins(self, arguments: dict[str, Json]) -> bool:
        return super().wins({"refund": arguments["refund"] + self.task.hidden["price"] - int(arguments["refund"])}) or (
            self.closed() == [self.task.hidden["order"]] and abs(arguments["refund"] - self.task.hidden["price"]) <= 1
        )


@caught_by("fuzz")
class PaysHugeNumbers(Desk):
    """The tolerance grows with what was given, so a number that is large enough is right."""

    def wins(self, arguments: dict[str, Json]) -> bool:
        given, wanted = arguments["refund"], self.task.hidden["price"]
        return self.closed() == [self.task.hidden["order"]] and abs(given - wanted) <= 1e-9 * given * given


@caught_by("fuzz")
class RaisesOnHugeNumbers(Desk):
    """The verifier makes a float of whatever it is given."""

    def wins(self, arguments: dict[str, Json]) -> bool:
        return float(arguments["refund"]) == self.task.hidden["price"] and super().wins(arguments)


@caught_by("nop", "hostile", "copy_prompt")
class RaisesWithoutACall(Desk):
    """An action without a call is a bug in it."""

    def _act(self, action: Action) -> StepResult:
        return super()._act(action) if action.calls else StepResult(replies=(action.calls[0].name,))


@caught_by("reformatted")
class PaysForSpelling(Desk):
    """Only JSON without spaces is worth anything."""

    def step(self, action: Any) -> Step:
        return super().step(action.replace("\n", "?") if isinstance(action, str) else action)

    def _act(self, action: Action) -> StepResult:
        result = super()._act(action)
        return replace(result, parts={}, is_success=False) if action.content.startswith("?") else result


@caught_by("variants")
class WantsTheOldIds(Desk):
    """An id with an x in it is never cancelled."""

    def reply(self, call: ToolCall) -> str:
        return super().reply(call) if "x" not in call.arguments.get("order", "") else "error"


# -- paid wrongly --------------------------------------------------------------------------------


@caught_by("rewards", "random", "spam", "constant")
class NotFinite(Desk):
    """A wrong price is worth no number."""

    def pay(self, won: bool) -> dict[str, float]:
        return {"outcome": 1.0 if won else float("nan")}


@caught_by("oracle")
class PaysTooMuch(Desk):
    """The reward is 1.5."""

    def pay(self, won: bool) -> dict[str, float]:
        return {"outcome": 1.5 * won}


@caught_by("rewards")
class Fines(Desk):
    """A wrong price costs one."""

    def pay(self, won: bool) -> dict[str, float]:
        return {"outcome": 1.0 if won else -1.0}


@caught_by("repeats", "rewards")
class PaysForReading(Desk):
    """Each look at the orders of the customer is worth a little, as often as it is done."""

    def _act(self, action: Action) -> StepResult:
        result = super()._act(action)
        wanted = self.task.hidden["orders"][self.task.hidden["order"]]["customer"]
        looked = any(call.arguments == {"customer": wanted} for call in action.calls)
        return replace(result, parts={"outcome": 0.7 * result.is_success, "look": 0.3 * looked})


@caught_by("shaping", "oracle")
class KeepsShaping(Desk):
    """The potential is not taken back by a cut."""

    def cut(self, kind: Any) -> tuple[float, dict[str, Any]]:
        adjustment, info = super().cut(kind)
        return max(0.0, adjustment), info


@caught_by("shaping", "repeats")
class PaysForProgress(Desk):
    """The potential is taken back only from who wins."""

    def _parts(self, result: StepResult, *, over: bool) -> dict[str, float]:
        parts = super()._parts(result, over=over)
        if over and not result.is_success and self.shaping == "potential":
            parts["potential"] = shaping_reward(0.0, 0.0)
        return parts


# -- how it ends ---------------------------------------------------------------------------------


@caught_by("end")
class PaysAfterTheEnd(Desk):
    """Who goes on after the end is paid again."""

    last: ClassVar[Step]

    def step(self, action: Any) -> Step:
        if self._outcome is not None:
            return self.last
        type(self).last = super().step(action)
        return self.last


@caught_by("end")
class GoesOnAfterTheEnd(Desk):
    """A step after the end is taken for one."""

    def step(self, action: Any) -> Step:
        self._outcome = None
        return super().step(action)


@caught_by("nop", "empty")
class BudgetIgnored(Desk):
    """Turns are not counted."""

    def step(self, action: Any) -> Step:
        self._turns = 0
        return super().step(action)


# -- what it tells -------------------------------------------------------------------------------


@caught_by("leaks")
class AnswerInInfo(Desk):
    """Info holds the price, as a number."""

    def _info(self, parts: Any, error: str) -> dict[str, Any]:
        return {**super()._info(parts, error), "expected": self.task.hidden["price"]}


@caught_by("leaks")
class HiddenPartInInfo(Desk):
    """Info holds the whole task, for debugging."""

    def _info(self, parts: Any, error: str) -> dict[str, Any]:
        return {**super()._info(parts, error), "debug": repr(self.task)}


@caught_by("leaks")
class AnswerHashedInInfo(Desk):
    """Info holds a hash of the price, of which there are not many."""

    def _info(self, parts: Any, error: str) -> dict[str, Any]:
        price = str(self.task.hidden["price"]).encode()
        return {**super()._info(parts, error), "check": hashlib.sha256(price).hexdigest()}


@caught_by("leaks")
class AnswerInInfoLater(Desk):
    """Info holds the order once something was done."""

    def _info(self, parts: Any, error: str) -> dict[str, Any]:
        return super()._info(parts, error) | ({"solution": self.task.hidden["order"]} if self._turns else {})


@caught_by("leaks")
class AnswerInTheObservation(Desk):
    """The first observation ends with a note to the developers."""

    def _first_observation(self) -> str:
        return f"{super()._first_observation()}\n<!-- {self.task.hidden['order']} -->"


class _TellingTools(DeskTasks):
    def make(self, seed: int, draw: Random) -> Task:
        task = super().make(seed, draw)
        tools = copy_json(task.tools)
        tools[-1]["function"]["parameters"]["properties"]["refund"]["default"] = task.hidden["price"]
        return replace(task, tools=tuple(tools))


@caught_by("leaks")
class AnswerInTheSchema(Desk):
    """The answer is the default of the argument that takes it."""

    source = _TellingTools


class _TellingPublic(DeskTasks):
    def make(self, seed: int, draw: Random) -> Task:
        task = super().make(seed, draw)
        return replace(task, public={"ticket": f"about {task.hidden['order']}"})


@caught_by("leaks")
class AnswerInThePublicPart(Desk):
    """The public part names the order."""

    source = _TellingPublic


# -- what it is made of --------------------------------------------------------------------------


class _OneTask(DeskTasks):
    def sample(self, seed: int, difficulty: Any = None) -> Task:
        return replace(super().sample(0, difficulty), seed=seed, id=f"desk/{self.split}/{seed}")


@caught_by("seeds")
class SeedIgnored(Desk):
    """Every seed makes the same task."""

    source = _OneTask


class _AnyTask(DeskTasks):
    def sample(self, seed: int, difficulty: Any = None) -> Task:
        return self.make(seed, random.Random())


@caught_by("seeds")
class SeedNotUsed(Desk):
    """Tasks are drawn by chance, whatever the seed."""

    source = _AnyTask


class _SharedTasks(DeskTasks):
    def __init__(self, split: Split) -> None:
        super().__init__("train")


@caught_by("splits")
class SplitsShared(Desk):
    """Both splits have the same tasks."""

    source = _SharedTasks


@caught_by("oracle")
class UnsolvableByItsTools(Desk):
    """Orders cannot be cancelled."""

    def reply(self, call: ToolCall) -> str:
        return super().reply(call) if call.name != "cancel" else "error: not allowed"


@caught_by("variants")
class UnsolvableWithoutForesight(Desk):
    """No tool tells the orders' ids: only the oracle knows them."""

    def listed(self, customer: str) -> list[Json]:
        return [{"item": order["item"], "price": order["price"]} for order in super().listed(customer)]


@caught_by("oracle")
class OracleNeedsAMissingTool(Desk):
    """The oracle calls what is not there."""

    def oracle(self) -> Iterator[str]:
        yield from (action.replace('"cancel"', '"refund"') for action in super().oracle())


@caught_by("necessary")
class IdleOracle(Desk):
    """The oracle looks twice."""

    def oracle(self) -> Iterator[str]:
        first, *others = super().oracle()
        yield from (first, first, *others)


@caught_by("gymnasium")
class ResetWithoutInfo(Desk):
    """Reset returns the observation alone."""

    def reset(self, **kwargs: Any) -> Any:
        return super().reset(**kwargs)[0]


# -- what it remembers ---------------------------------------------------------------------------


@caught_by("oracle", "seeds")
class TaskChangedInPlace(Desk):
    """The table is the task's own, not a copy of it."""

    def _begin(self, task: Task) -> None:
        self.table = task.hidden["orders"]


@caught_by("oracle", "seeds")
class RemembersEpisodes(Desk):
    """What it says depends on how many episodes there were."""

    episodes = 0

    def _begin(self, task: Task) -> None:
        super()._begin(task)
        self.episodes += 1

    def reply(self, call: ToolCall) -> str:
        return f"{self.episodes}: {super().reply(call)}"


@caught_by("apart")
class TablesShared(Desk):
    """All environments of a process have one table."""

    shared: ClassVar[dict[str, dict[str, Json]]] = {}

    def _begin(self, task: Task) -> None:
        self._load({"table": copy_json(task.hidden["orders"])})

    def _load(self, state: Json) -> None:
        self.shared.clear()
        self.shared.update(state["table"])
        self.table = self.shared


@caught_by("apart", "fork")
class SnapshotForgets(Desk):
    """A snapshot leaves out what was cancelled."""

    def _load(self, state: Json) -> None:
        self.table = copy_json(self.task.hidden["orders"])


@caught_by("apart", "fork")
class ForksShareState(Desk):
    """A fork stands at its parent's table."""

    tables: ClassVar[dict[int, Any]] = {}

    def _dump(self) -> Json:
        self.tables[id(self.table)] = self.table
        return {"table": self.table, "at": 0 if self._turns == 0 else id(self.table)}

    def _load(self, state: Json) -> None:
        self.table = self.tables.get(state["at"], state["table"])
