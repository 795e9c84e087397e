"""The oracle's run below, and how it is carried out above: without an environment, by the recorded replies."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from palestra.envs.actions import Action, ToolCall, call_text, parse_action
from palestra.envs.augment.layer import Layer, Seen, Solving, Tool
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.augment.stack import Stack
from palestra.envs.base import Json, Task, TaskError, derive_seed
from palestra.envs.env import AgentEnv

MOST_ROUNDS = 128  # turns above for one turn below
_ROUNDING = 1e-9

Choice = str | Mapping[str, Any]  # an operator's name, or {"operator": name, knob: value}
Act = Callable[[int, str, Mapping[int, ToolCall]], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that the oracle does: what it says, its calls, and what each is answered with."""

    action: Action
    replies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The oracle's run on a task, without augmentations."""

    system: str  # the system prompt
    instruction: str
    tools: tuple[Tool, ...]
    turns: tuple[Turn, ...]

    @classmethod
    def of_calls(
        cls, instruction: str, tools: Sequence[Tool], steps: Sequence[tuple[ToolCall, str]], system: str = ""
    ) -> "Run":
        """Return the run that makes one call a turn."""
        turns = tuple(Turn(Action("", (call,)), (reply,)) for call, reply in steps)
        return cls(system=system, instruction=instruction, tools=tuple(tools), turns=turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How the oracle acts above, and what it sees there."""

    actions: tuple[str, ...]
    seen: Seen
    replies: tuple[tuple[str, ...], ...]  # to the calls below, turn by turn, as they were understood above
    optional: Mapping[str, str]  # tools of which some calls only repeat or continue others, and why


def record(env: AgentEnv, task: Task) -> Run:
    """Play the oracle and return its run.

    Args:
        env: where; its episode is used up, and its shaping must leave returns as they are.
        task: which has to be solved.

    Raises:
        TaskError: the oracle does not solve the task.
    """
    info = env.reset(seed=task.seed, options={"task": task})[1]
    turns: list[Turn] = []
    total = 0.0
    for text in env.oracle():
        said, tools = len(info["messages"]), info["tools"]
        _, reward, _, _, info = env.step(text)
        replies = tuple(str(message["content"]) for message in info["messages"][said + 1 :])
        turns.append(Turn(parse_action(text, tools), replies))
        total += reward
        if info["outcome"] is not None:
            break
    if not info["is_success"] or abs(total - 1.0) > _ROUNDING:
        raise TaskError(f"{task.id!r} cannot be augmented: its oracle earned {total:g}; only a solved task can be")
    return Run(system=env.system_prompt, instruction=task.instruction, tools=task.tools, turns=tuple(turns))


def carry_out(stack: Stack, turns: Sequence[Turn], act: Act) -> list[tuple[str, ...]]:
    """Carry out the oracle's turns above; calls of one turn are made together, and so are those that repeat them.

    Args:
        stack: whose layers say how each call is carried out.
        turns: from below.
        act: takes the turn's number, an action's text and its calls, each under the place of the call below that
            it is made for, and returns what the agent sees of the replies under the same places.

    Returns:
        The replies from below as they were understood above.

    Raises:
        TaskError: a call is not carried out in `MOST_ROUNDS` turns.
    """
    understood: list[tuple[str, ...]] = []
    for number, turn in enumerate(turns):
        if not turn.action.calls:
            act(number, turn.action.content, {})
            understood.append(())
            continue
        solving = {place: stack.solve(call) for place, call in enumerate(turn.action.calls)}
        asked = {place: next(one) for place, one in solving.items()}
        done: dict[int, str] = {}
        content = turn.action.content
        for _ in range(MOST_ROUNDS):
            if not asked:
                break
            text = content + "".join(call_text(call.name, call.arguments) for call in asked.values())
            asked = _sent(solving, act(number, text, asked), done)
            content = ""
        else:
            raise TaskError(f"turn {number + 1} of the oracle does not end: {MOST_ROUNDS} turns were not enough")
        understood.append(tuple(done[place] for place in solving))
    return understood


def _sent(solving: Mapping[int, Solving], replies: Mapping[int, str], done: dict[int, str]) -> dict[int, ToolCall]:
    """Send the replies and return the calls that follow; what is through goes into `done`."""
    asked: dict[int, ToolCall] = {}
    for place, reply in replies.items():
        try:
            asked[place] = solving[place].send(reply)
        except StopIteration as end:
            done[place] = str(end.value)
    return asked


def rehearse(stack: Stack, run: Run) -> Rehearsal:
    """Return how the oracle acts above; the stack is left as the run leaves it.

    Raises:
        TaskError: the stack does not let the oracle's calls through, or not in `MOST_ROUNDS` turns.
    """
    rehearsing = _Rehearsing(stack, run)
    replies = carry_out(stack, run.turns, rehearsing.act)
    seen = Seen(
        told="\n".join([run.system, stack.instruction(run.instruction)]),
        tools=stack.tools(run.tools),
        steps=tuple(rehearsing.steps),
        turns=tuple(rehearsing.turns),
    )
    return Rehearsal(actions=tuple(rehearsing.actions), seen=seen, replies=tuple(replies), optional=rehearsing.optional)


class _Rehearsing:
    """Answers calls as the recorded run says."""

    def __init__(self, stack: Stack, run: Run) -> None:
        self.stack, self.run = stack, run
        self.actions: list[str] = []
        self.steps: list[tuple[ToolCall, str]] = []
        self.turns: list[int] = []  # of each step
        self.optional: dict[str, str] = {}
        self._made: set[tuple[int, int]] = set()
        self._turn = -1

    def act(self, turn: int, text: str, asked: Mapping[int, ToolCall]) -> dict[int, str]:
        """Return what is seen above of an action."""
        self.actions.append(text)
        passages = {place: self.stack.call(call) for place, call in asked.items()}
        if turn == self._turn:  # the turn goes on: its calls are repeated or continued
            self.optional.update({call.name: "its calls repeat or continue others" for call in asked.values()})
        self._turn = turn
        replies: dict[int, str] = {}
        for place, passage in passages.items():
            if passage.call is None:
                self.optional.setdefault(asked[place].name, "its calls may have to be repeated")
                replies[place] = passage.answer
            else:
                replies[place] = self.stack.reply(passage, self._below(turn, place, passage.call))
            self.steps.append((asked[place], replies[place]))
            self.turns.append(len(self.actions))
        return replies

    def _below(self, turn: int, place: int, call: ToolCall) -> str:
        wanted = self.run.turns[turn].action.calls[place]
        if (call.name, call.arguments) != (wanted.name, wanted.arguments):
            raise TaskError(f"the oracle's call of {wanted.name} arrives below as one of {call.name}, or changed")
        if (turn, place) in self._made:
            raise TaskError(f"the oracle's call of {wanted.name} is made below more than once")
        self._made.add((turn, place))
        return self.run.turns[turn].replies[place]


def draw(
    choices: Sequence[Choice], run: Run, seed: int, key: str, known: Mapping[str, type[Layer]] = OPERATORS
) -> list[dict[str, Json]]:
    """Return the specs of a stack for a task, each layer drawn from what the oracle sees below it.

    Args:
        choices: the operators, the lowest first, each with knobs if need be.
        run: the oracle's.
        seed: of the draws.
        key: names the task, such as its digest.
        known: the operators that there are.

    Raises:
        TaskError: an operator or a knob is unknown, or the oracle cannot act above a layer.
    """
    specs: list[dict[str, Json]] = []
    for place, choice in enumerate(choices):
        knobs = {} if isinstance(choice, str) else dict(choice)
        name = choice if isinstance(choice, str) else str(knobs.pop("operator", None))
        if name not in known:
            raise TaskError(f"unknown augmentation operator {name!r}; known: {', '.join(known)}")
        rng = random.Random(derive_seed("augment", name, seed, f"{place}/{key}"))
        seen = rehearse(Stack(specs, known), run).seen
        try:
            spec = known[name].draw(rng, seen, **knobs)
        except (LookupError, TypeError, ValueError) as error:
            raise TaskError(f"the operator {name!r} takes no such knobs: {error!r}") from error
        specs.append({"operator": name, **spec})
    return specs
