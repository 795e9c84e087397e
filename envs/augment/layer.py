"""`Layer`: one augmentation at work in one episode, between what is below (the environment) and above (the agent)."""

import random
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from palestra.envs.actions import ToolCall, compact_json
from palestra.envs.augment.encodings import decode
from palestra.envs.base import Json, TaskError, canonical_json
from palestra.envs.reading import NOT_JSON, read_json

Tool = Mapping[str, Json]  # an OpenAI-style function tool
Spec = Mapping[str, Json]  # what a layer is built from
Solving = Generator[ToolCall, str, str]  # yields calls for above, is sent their replies, returns the reply from below


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the oracle is told, sees and does at one level: what a layer above it is drawn from and held against."""

    told: str  # the system prompt and the instruction
    tools: tuple[Tool, ...]
    steps: tuple[tuple[ToolCall, str], ...]  # every call with its reply
    turns: tuple[int, ...] = ()  # in which turn each of them is made

    @cached_property
    def text(self) -> str:
        """All that was told, called and replied, as one text."""
        calls = [f"{compact_json(call.arguments)}\n{reply}" for call, reply in self.steps]
        return "\n".join([self.told, *calls])

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every key of a reply or of arguments, at any depth, and every parameter of a tool."""
        found = [key for tool in self.tools for key in tool["function"]["parameters"].get("properties", {})]
        for call, reply in self.steps:
            found += keys_of(call.arguments)
            found += keys_of(read_json(reply))
        return frozenset(found)

    @cached_property
    def integers(self) -> frozenset[int]:
        """Every whole number that was told, called or replied."""
        return frozenset(int(digits) for digits in re.findall(r"\d{1,18}", self.text))

    @property
    def alone(self) -> list[int]:
        """The places of the steps that are made alone in their turn."""
        turns = self.turns or range(len(self.steps))
        count = Counter(turns)
        return [place for place, turn in enumerate(turns) if count[turn] == 1]

    @property
    def names(self) -> list[str]:
        """The tools' names, in order."""
        return [name_of(tool) for tool in self.tools]

    def shows(self, word: str) -> bool:
        """Tell whether a text stands somewhere, not as a part of a longer word."""
        return word in self.text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self.text) is not None


class Layer:
    """One augmentation; this one changes nothing, and subclasses override what they change.

    A layer is built from a spec, which is JSON and was drawn from a seed and a recorded run of the oracle. But
    for what `dump` returns it keeps nothing: equal calls in equal states have equal replies.

    Args:
        spec: as `draw` returned it.

    Raises:
        KeyError, TypeError, ValueError: the spec is malformed.
    """

    name: ClassVar[str]

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *_: Any, **knobs: Any) -> dict[str, Json]:
        """Return a spec for a task, such that the obligations hold; subclasses name their knobs.

        Raises:
            TypeError: a knob is unknown.
        """
        return {}

    def instruction(self, text: str) -> str:
        """Return the instruction as the agent reads it; nothing that it says may be lost."""
        return text

    def tools(self, tools: Sequence[Tool]) -> Sequence[Tool]:
        """Return the tools that are seen above, of those that are there below."""
        return tools

    def call(self, call: ToolCall) -> ToolCall | str:
        """Return a call from above as the one to make below, or a reply of the layer's own."""
        return call

    def reply(self, call: ToolCall, text: str) -> str:
        """Return what is seen above of a reply from below; `call` is the call as it was made below."""
        return text

    def solve(self, call: ToolCall) -> Solving:
        """Carry out a call of below from above: yield calls, be sent their replies, return the reply from below."""
        return (yield call)

    def dump(self) -> Json:
        """Return what changes within an episode, as JSON that the caller copies or writes at once."""
        return None

    def load(self, state: Json) -> None:
        """Make the layer's state what `dump` returned."""

    @property
    def forbidden(self) -> int:
        """How many writes were made that nobody may make."""
        return 0

    def keeps(self, before: str, after: str) -> bool:
        """Tell whether the instruction from above says all that the one from below says."""
        return before in after

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield what is wrong with the layer where the oracle sees this below it."""
        yield from ()


def name_of(tool: Tool) -> str:
    """Return a function tool's name."""
    return str(tool["function"]["name"])


def parameters_of(tool: Tool) -> Mapping[str, Json]:
    """Return a function tool's parameters by name."""
    properties: Mapping[str, Json] = tool["function"]["parameters"].get("properties", {})
    return properties


def same_reply(one: str, two: str) -> bool:
    """Tell whether two replies are the same text, or tell the same value, whatever their formats."""
    if one == two:
        return True
    values = decode(one), decode(two)
    if any(value is NOT_JSON for value in values):
        return False
    try:
        return canonical_json(values[0]) == canonical_json(values[1])
    except TaskError:  # too deep to be written
        return False


def keys_of(value: Json) -> Iterator[str]:
    """Yield every key in a JSON value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def token(rng: random.Random, seen: Seen, length: int = 5) -> str:
    """Return a made-up word that stands nowhere in what the oracle sees, nor within a word of it."""
    while True:
        word = "".join(rng.choice("bcdfghjklmnpqrstvwxz") for _ in range(length))
        if word not in seen.text.casefold() and not any(word in name.casefold() for name in (*seen.names, *seen.keys)):
            return word
