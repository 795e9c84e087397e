"""`palestra/ToolUse-v0`: do what a user asks by tool calls, in one of many worlds, and end as the request deserves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Unpack

from palestra.envs.actions import Action, ToolCall, compact_json, fits
from palestra.envs.augment.stack import Stack
from palestra.envs.base import Json, Split, Task, TaskSource
from palestra.envs.env import AgentEnv, EnvOptions, StepResult
from palestra.envs.tooluse.closing import ASK, CLOSING, End, briefing
from palestra.envs.tooluse.describe import function
from palestra.envs.tooluse.generate import ToolUseSource
from palestra.envs.tooluse.interpret import fault
from palestra.envs.tooluse.pay import REWARDS, Reward, closing, graded
from palestra.envs.tooluse.progress import Cell, Edges, counts_for, joined, matched, shown, written
from palestra.envs.tooluse.sandboxed import SandboxedWorld
from palestra.envs.tooluse.schema import Write
from palestra.envs.tooluse.stage import Stage, stage
from palestra.envs.tooluse.user import Talk, is_named
from palestra.envs.tooluse.verify import Final, changes_of, verify
from palestra.envs.tooluse.world import World
from palestra.rewards.base import Verdict
from palestra.rewards.heads import Saying, paid_for_calls, paid_for_saying
from palestra.rewards.judge import Judge, tempered
from palestra.sandbox.base import InfraError

NO_CALL = compact_json({"error": "call a tool; finish is one, too"})
ENDED = compact_json({"ended": True})


class ToolUseEnv(AgentEnv):
    """Requests to whoever serves a shop, a bank, a travel agency ..., each a seeded database behind typed tools.

    Calls of one turn are carried out in their order. An episode ends with ``finish``, ``report_problem`` or
    ``decline``, or with ``ask_user`` where only the user could have known; the task decides which is right.
    Otherwise ``ask_user`` is answered by a user who knows some things and does not listen for ever.

    The outcome is 1.0 when the world holds exactly the expected changes, the answer and the ending are right,
    and no cell was ever written that the request does not speak of. The potential is the share of the oracle's
    steps that were done, by whichever calls (see `progress`).

    Args:
        reward: "exact", the outcome alone; "graded", parts of it; "ftrl", a reward for each turn (see `pay`).
        judge: may lower what the outcome is worth, and never raises it.
        sandboxed: carry out tools in a sandbox of the native backend, one process for an episode; replies are the same.
    """

    env_id: ClassVar[str] = "palestra/ToolUse-v0"
    state_tells_answer: ClassVar[bool] = True

    _stage: Stage
    _world: World
    _stack: Stack | None
    _strayed: set[Cell]  # cells that were written and are none of the goal's
    _talk: Talk
    _edges: Edges
    _done: frozenset[int]  # the oracle's steps that were done
    _calls: int  # that reached the world
    _end: End | None

    def __init__(
        self,
        *,
        reward: Reward = "exact",
        judge: Judge | None = None,
        sandboxed: bool = False,
        **options: Unpack[EnvOptions],
    ) -> None:
        if reward not in REWARDS:
            raise ValueError(f"reward must be one of {', '.join(REWARDS)}, not {reward!r}")
        super().__init__(**options)
        self.reward: Reward = reward
        self.judge = judge
        self.sandboxed = sandboxed
        self._inside: SandboxedWorld | None = None  # started at an episode's first call

    @property
    def system_prompt(self) -> str:  # type: ignore[override]  # each task has its own
        """What the agent is told before the request: who it is, the rules, the day, and how to end."""
        return "" if self._task is None else briefing(self._task.public)

    def _source(self, split: Split) -> TaskSource:
        return ToolUseSource(split)

    def close(self) -> None:
        """Give back the sandbox, if there is one."""
        if self._inside is not None:
            inside, self._inside = self._inside, None
            inside.close()

    def _begin(self, task: Task) -> None:
        self.close()
        self._stage = stage(task)
        self._world, self._stack = self._stage.world(), self._stage.stack()
        self._strayed, self._talk, self._edges, self._done, self._calls = set(), Talk(), [], frozenset(), 0
        self._end = None

    # -- a turn ------------------------------------------------------------------------------

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return self._said(action.content)
        before, calls = len(self._done), 0
        replies: list[str] = []
        for call in action.calls:
            if call.name in CLOSING:
                replies.append(self._close(call))
            else:
                replies.append(self._call(call))
                calls += 1
            if self._end is not None:
                replies += [ENDED] * (len(action.calls) - len(replies))
                break
        parts: dict[str, float] = {}
        if self.reward == "ftrl" and calls:
            parts["calls"] = paid_for_calls(calls, len(self._done) - before)
        return StepResult(replies=tuple(replies), parts=parts) if self._end is None else self._ended(replies, parts)

    def _said(self, content: str) -> StepResult:
        """Return what comes of a turn without calls; in FTRL it is the last one."""
        if self.reward != "ftrl":
            return StepResult(replies=(NO_CALL,))
        saying: Saying = "other" if content.strip() else "empty"
        return StepResult(replies=(ENDED,), parts={"saying": paid_for_saying(saying, self._unsolved)}, done=True)

    def _refuse(self, action: Action) -> StepResult:
        result = super()._refuse(action)
        if self.reward != "ftrl":
            return result
        return replace(result, parts={"saying": paid_for_saying("broken", self._unsolved)})

    def _close(self, call: ToolCall) -> str:
        if call.name != ASK:
            self._end = End.of(call)
            return ENDED
        about = str(call.arguments["about"])
        if is_named(about, self._stage.missing) and self._stage.user.is_patient(self._talk):
            self._end = End("ask", None, self._stage.target.named)
            return ENDED
        said, self._talk = self._stage.user.answer(about, self._talk)
        return compact_json({"user": said})

    def _call(self, call: ToolCall) -> str:
        if self._stack is None:
            return compact_json(self._carry_out(call.name, call.arguments))
        passage = self._stack.call(call)
        if passage.call is None:
            return passage.answer
        name, arguments = passage.call.name, passage.call.arguments
        tool = self._stage.tools.get(name)
        if tool is None or not fits(arguments, function(self._stage.ground.domain, tool)["function"]["parameters"]):
            reply = fault("bad_arguments", "the arguments do not fit; look at the tool's schema")
        else:
            reply = self._carry_out(name, arguments)
        return self._stack.reply(passage, compact_json(reply))

    def _carry_out(self, name: str, arguments: Mapping[str, Json]) -> Json:
        """Make a call in the world and note what it did."""
        tool, world = self._stage.tools[name], self._world
        self._calls += 1
        if isinstance(tool, Write):
            before = world.save()
            reply = self._reply(name, arguments)
            delta = written(world, before)
            self._strayed.update(set(delta.cells) - self._stage.target.cells)
            effect = delta.facts
        else:
            reply = self._reply(name, arguments)
            effect = shown(tool, arguments, reply)
        edges = joined(self._edges, counts_for(effect, self._stage.wanted, self._stage.case.steps, self._edges))
        if edges is not self._edges:
            self._edges, self._done = edges, matched(edges)
        return reply

    def _reply(self, name: str, arguments: Mapping[str, Json]) -> Json:
        """Return the reply to a call, which changes the world here or, by way of a sandbox, there."""
        if not self.sandboxed:
            return self._stage.ground.call(self._world, name, arguments)
        try:
            if self._inside is None:
                self._inside = SandboxedWorld(self._stage.case)
            reply, self._world.changes = self._inside.call(self._world.changes, name, arguments)
        except InfraError:
            self.close()
            raise
        return reply

    # -- its worth ---------------------------------------------------------------------------

    @property
    def final(self) -> Final:
        """What the episode has come to."""
        forbidden = 0 if self._stack is None else self._stack.forbidden
        changes = changes_of(self._world.diff())
        return Final(end=self._end, changes=changes, touched=self._strayed, forbidden=forbidden)

    def verdict(self) -> Verdict:
        """Return what is right of the episode as it stands; a judge may object.

        Raises:
            EpisodeOver: before `reset`, or after a fault.
        """
        return self._judged()[0]

    def _judged(self) -> tuple[Verdict, float]:
        """Return the verdict, and the share of what it is worth that the judge leaves."""
        found = verify(stage(self.task).target, self.final)
        if self.judge is None:
            return found, 1.0
        judgement = self.judge(self.messages, found)
        return tempered(found, judgement), judgement.score

    @property
    def _unsolved(self) -> int:
        return len(self._stage.wanted) - len(self._done)

    def _ended(self, replies: Sequence[str], parts: Mapping[str, float]) -> StepResult:
        (verdict, share), target = self._judged(), self._stage.target
        if self.reward == "exact":
            worth = verdict.score
        elif self.reward == "graded":
            worth = share * graded(target, self.final, len(self._stage.case.steps), self._calls)
        else:
            worth = share * closing(target, self.final, self._unsolved)
        return StepResult(
            replies=tuple(replies), parts={**parts, "outcome": worth}, done=True, is_success=verdict.passed
        )

    def _potential(self) -> float:
        return len(self._done) / max(1, len(self._stage.wanted))

    # -- its state ---------------------------------------------------------------------------

    def _dump(self) -> Json:
        return {
            "changes": self._world.changes,
            "strayed": sorted(self._strayed),
            "end": None if self._end is None else [self._end.kind, self._end.answer, dict(self._end.named)],
            "talk": self._talk.dump(),
            "edges": self._edges,
            "calls": self._calls,
            "layers": None if self._stack is None else self._stack.dump(),
        }

    def _load(self, state: Json) -> None:
        self.close()
        self._stage = stage(self.task)
        self._world, self._stack = World(self._stage.ground.base, state["changes"]), self._stage.stack()
        if self._stack is not None:
            self._stack.load(state["layers"])
        self._strayed = {(table, id_, column) for table, id_, column in state["strayed"]}
        self._talk, self._calls, self._edges = Talk.load(state["talk"]), state["calls"], state["edges"]
        self._done = matched(self._edges)
        end = state["end"]
        self._end = None if end is None else End(*end)

    def oracle(self) -> Iterator[str]:
        """Yield the actions that solve the current task, one call a turn."""
        return iter(self._stage.actions)
