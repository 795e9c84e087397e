"""Replies in other formats than JSON, each read back exactly; what a format cannot carry stays JSON."""

import random
from collections.abc import Iterator, Mapping
from typing import ClassVar

from palestra.envs.actions import ToolCall, compact_json
from palestra.envs.augment.encodings import ENCODINGS, decode, encode
from palestra.envs.augment.layer import Layer, Seen, Solving, Spec, same_reply
from palestra.envs.base import Json
from palestra.envs.reading import NOT_JSON, read_json


class Formats(Layer):
    """JSON replies in another format, each tool's in its own; a reply that is no JSON passes unchanged.

    Must hold: what is read from every reply is exactly what was replied.

    Knobs: ``format`` (of `encodings.ENCODINGS`, else one is drawn for each tool).
    """

    name: ClassVar[str] = "formats"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._formats: Mapping[str, str] = spec["formats"]
        if unknown := set(self._formats.values()) - set(ENCODINGS):
            raise ValueError(f"unknown format {min(unknown)!r}; known: {', '.join(ENCODINGS)}")

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *, format: str = "") -> dict[str, Json]:
        """Return a format for each tool."""
        return {"formats": {name: format or rng.choice(list(ENCODINGS)) for name in seen.names}}

    def reply(self, call: ToolCall, text: str) -> str:
        """Return a reply in its tool's format."""
        value = read_json(text)
        return text if value is NOT_JSON or call.name not in self._formats else encode(self._formats[call.name], value)

    def solve(self, call: ToolCall) -> Solving:
        """Read the reply."""
        return self._read(call, (yield call))

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield replies that are not read back as they were."""
        for call, reply in seen.steps:
            if not same_reply(self._read(call, self.reply(call, reply)), reply):
                yield f"a reply of {call.name} is not read back: {reply[:80]!r}"

    def _read(self, call: ToolCall, reply: str) -> str:
        """Return a reply as JSON if it is one that this layer wrote, else as it is."""
        if call.name not in self._formats or read_json(reply) is not NOT_JSON:
            return reply
        value = decode(reply)
        is_own = value is not NOT_JSON and encode(self._formats[call.name], value) == reply
        return compact_json(value) if is_own else reply
