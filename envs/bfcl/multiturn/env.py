"""`palestra/BFCLMultiTurn-v0`: a user's requests, one after the other, to services that keep state."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from palestra.envs.actions import Action, compact_json
from palestra.envs.base import Json, Split, Task, TaskError, TaskSource
from palestra.envs.bfcl.multiturn.load import FAMILY, MultiTurnSource
from palestra.envs.bfcl.multiturn.oracle import END_TURN, solution
from palestra.envs.bfcl.multiturn.verify import judge_turn, most_calls, precision
from palestra.envs.bfcl.multiturn.world import World
from palestra.envs.env import AgentEnv, StepResult

NO_CALL = compact_json({"error": f"call a tool; {END_TURN} gives the turn back to the user"})
ENDED = compact_json({"ended": True})
UNHEARD = compact_json({"error": "not carried out: the user spoke first"})


class MultiTurnEnv(AgentEnv):
    """BFCL's multi-turn categories under rules of our own; needs the package `bfcl-eval`.

    The user says what is wanted, the agent calls tools, and its call of ``end_turn`` ends the user's turn. Then
    the world must show exactly what the wanted calls lead to, and each of their answers must have been got in
    this turn; else the episode is lost. Where nothing can be done (a tool or a value is missing), the world
    must be left alone. A turn of too many calls is lost as well. Once all turns are passed the outcome is
    1.0, less where many more calls were made than were wanted (see `verify.precision`).

    The potential is the share of the wanted answers that were got, each in its turn.
    """

    env_id: ClassVar[str] = "palestra/BFCLMultiTurn-v0"
    system_prompt: ClassVar[str] = (
        f"Do what the user asks, with the tools, and nothing that was not asked. Call {END_TURN} when you have done "
        "all of it, or to say what is missing."
    )

    state_tells_answer: ClassVar[bool] = True  # what is said to the user is not judged

    _world: World
    _here: tuple[Mapping[str, Json], ...]  # the tools that may be called now
    _turn: int  # which of the user's turns
    _left: list[str]  # the wanted answers of this turn that are still missing
    _got: int  # wanted answers, in all turns
    _calls: int  # in this turn
    _all_calls: int

    def _source(self, split: Split) -> TaskSource:
        return MultiTurnSource(split)

    @property
    def _script(self) -> Sequence[Mapping[str, Json]]:
        return self.task.hidden["turns"]  # type: ignore[no-any-return]

    def _begin(self, task: Task) -> None:
        lacking = {"services", "configs", "is_long", "turns"} - set(task.hidden)
        if task.family != FAMILY or lacking or "tools" not in task.public:
            raise TaskError(f"{task.id!r} is not a {FAMILY} task, or its hidden part lacks {sorted(lacking)}")
        self._world = World.create(task.hidden["services"], task.hidden["configs"], long_context=task.hidden["is_long"])
        self._turn = self._got = self._calls = self._all_calls = 0
        self._left, self._here = list(self._script[0]["results"]), self._tools_here()

    def _tools(self) -> Sequence[Mapping[str, Json]]:
        return self._here

    def _tools_here(self) -> tuple[Mapping[str, Json], ...]:
        """Return the tools that were there at the start and those that came since."""
        known = {
            *self.task.public["tools"],
            *(name for turn in self._script[1 : self._turn + 1] for name in turn["came"]),
        }
        return tuple(tool for tool in self.task.tools if tool["function"]["name"] in known)

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=(NO_CALL,))
        replies: list[str] = []
        for number, call in enumerate(action.calls, start=1):
            if call.name == END_TURN:
                # What comes after it was said before the user's next words, so it is not carried out.
                return self._end_turn(replies, len(action.calls) - number)
            reply, key = self._world.call(call.name, call.arguments)
            replies.append(reply)
            self._calls, self._all_calls = self._calls + 1, self._all_calls + 1
            if key in self._left:
                self._left.remove(key)
                self._got += 1
        if self._calls > most_calls(len(self._script[self._turn]["calls"])) or self._world.is_outgrown:
            return StepResult(replies=tuple(replies), parts={"outcome": 0.0}, done=True)
        return StepResult(replies=tuple(replies))

    def _end_turn(self, replies: Sequence[str], unheard: int) -> StepResult:
        wanted = self._script[self._turn]
        is_passed = self._calls <= most_calls(len(wanted["calls"])) and (
            judge_turn(self._world, wanted["state"], self._left).passed
        )
        is_last = self._turn + 1 == len(self._script)
        if is_last or not is_passed:
            worth = precision(self._all_calls, self._wanted_calls(), len(self._script)) if is_passed else 0.0
            ends = (ENDED,) * (1 + unheard)
            return StepResult(replies=(*replies, *ends), parts={"outcome": worth}, done=True, is_success=is_passed)
        self._turn, self._calls = self._turn + 1, 0
        self._left, self._here = list(self._script[self._turn]["results"]), self._tools_here()
        said = compact_json({"user": self._script[self._turn]["user"]})
        return StepResult(replies=(*replies, said, *(UNHEARD,) * unheard))

    def _wanted_calls(self) -> int:
        return sum(len(turn["calls"]) for turn in self._script)

    def _potential(self) -> float:
        return self._got / max(1, self._wanted_calls())

    def _dump(self) -> Json:
        return {
            "world": self._world.dump(),
            "turn": self._turn,
            "left": self._left,
            "got": self._got,
            "calls": self._calls,
            "all_calls": self._all_calls,
        }

    def _load(self, state: Json) -> None:
        self._world = World.load(state["world"])
        self._turn, self._left, self._got = state["turn"], state["left"], state["got"]
        self._calls, self._all_calls = state["calls"], state["all_calls"]
        self._here = self._tools_here()

    def oracle(self) -> Iterator[str]:
        """Yield the actions that solve the current task, one call a turn."""
        return solution(self.task)
