"""`Stack`: layers on top of each other, from JSON specs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from palestra.envs.actions import ToolCall
from palestra.envs.augment.layer import Layer, Solving, Spec, Tool
from palestra.envs.augment.operators import OPERATORS
from palestra.envs.base import Json, TaskError


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of a call from above: `call` is to be made below, or if it is None, `answer` is the reply."""

    call: ToolCall | None
    answer: str
    sent: tuple[ToolCall, ...]  # the call as each layer handed it down, the highest first


class Stack:
    """The composition of layers; the first spec is the lowest.

    Args:
        specs: each with the name of its operator under ``operator``, and what that operator drew.
        known: the operators that there are, by name.

    Raises:
        TaskError: an operator is unknown, or a spec is malformed.
    """

    def __init__(self, specs: Sequence[Spec] = (), known: Mapping[str, type[Layer]] = OPERATORS) -> None:
        self.specs = tuple(specs)
        self.layers = tuple(_built(spec, known) for spec in self.specs)

    def instruction(self, text: str) -> str:
        """Return the instruction as the agent reads it."""
        for layer in self.layers:
            text = layer.instruction(text)
        return text

    def tools(self, tools: Sequence[Tool]) -> tuple[Tool, ...]:
        """Return the tools that the agent sees, of those that are there below."""
        for layer in self.layers:
            tools = layer.tools(tools)
        return tuple(tools)

    def call(self, call: ToolCall) -> Passage:
        """Hand an agent's call down; a layer may answer it, and what it says passes those above it only."""
        sent: list[ToolCall] = []
        for place in range(len(self.layers) - 1, -1, -1):
            found = self.layers[place].call(call)
            if isinstance(found, str):
                return Passage(None, self._up(found, place + 1, sent), ())
            sent.append(found)
            call = found
        return Passage(call, "", tuple(sent))

    def reply(self, passage: Passage, text: str) -> str:
        """Return what the agent sees of the reply to a call that was made below."""
        return self._up(text, 0, passage.sent)

    def solve(self, call: ToolCall) -> Solving:
        """Carry out a call of below: yield the agent's calls, be sent what it sees, return the reply from below."""
        return (yield from self._solve(0, call))

    def dump(self) -> list[Json]:
        """Return what changes within an episode, as JSON that the caller copies or writes at once."""
        return [layer.dump() for layer in self.layers]

    def load(self, state: Sequence[Json]) -> None:
        """Make the state what `dump` returned."""
        for layer, part in zip(self.layers, state, strict=True):
            layer.load(part)

    @property
    def forbidden(self) -> int:
        """How many writes were made that nobody may make."""
        return sum(layer.forbidden for layer in self.layers)

    def _up(self, text: str, lowest: int, sent: Sequence[ToolCall]) -> str:
        for place in range(lowest, len(self.layers)):
            text = self.layers[place].reply(sent[len(self.layers) - 1 - place], text)
        return text

    def _solve(self, place: int, call: ToolCall) -> Solving:
        if place == len(self.layers):
            return (yield call)
        solving = self.layers[place].solve(call)
        try:
            asked = next(solving)
            while True:
                reply = yield from self._solve(place + 1, asked)
                asked = solving.send(reply)
        except StopIteration as end:
            return str(end.value)


def _built(spec: Spec, known: Mapping[str, type[Layer]]) -> Layer:
    name = str(spec.get("operator") if isinstance(spec, Mapping) else None)
    if name not in known:
        raise TaskError(f"unknown augmentation operator {name!r}; known: {', '.join(known)}")
    try:
        return known[name](spec)
    except (KeyError, TypeError, ValueError) as error:
        raise TaskError(f"the spec of the operator {name!r} is malformed: {error!r}") from error
