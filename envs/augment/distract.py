"""Tools of other trades, which are there and of no use."""

import random
from collections.abc import Iterator, Sequence
from typing import ClassVar

from palestra.envs.actions import ToolCall, compact_json, function_tool
from palestra.envs.augment.catalogue import CATALOGUE, Decoy
from palestra.envs.augment.layer import Layer, Seen, Spec, Tool, keys_of, name_of
from palestra.envs.base import Json

UNAVAILABLE = compact_json({"error": "this service is not available"})
DONE = compact_json({"status": "done"})


class Distract(Layer):
    """Tools of other trades among the tools; calls of them never reach below.

    Those that read reply something plausible or that they are not available. Those that write reply that it is
    done, and are counted: nobody asked for it (`forbidden`).

    Must hold: no tool has such a name below, and no value of a reply is one that the oracle sees.

    Knobs: ``count`` (of tools), ``writes`` (whether some of them write).
    """

    name: ClassVar[str] = "distract"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        known = {decoy.name: decoy for decoy in CATALOGUE}
        self._decoys: dict[str, Decoy] = {name: known[name] for name in spec["tools"]}
        self._places: Sequence[int] = spec["places"]
        self._replies: dict[str, str] = {
            name: compact_json(decoy.reply) if name in spec["replying"] else UNAVAILABLE
            for name, decoy in self._decoys.items()
        }
        self._writes = 0

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *, count: int = 3, writes: bool = True) -> dict[str, Json]:
        """Return tools whose names are free, and which of them reply something."""
        free = [decoy for decoy in CATALOGUE if decoy.name not in seen.names and (writes or decoy.kind == "read")]
        chosen = rng.sample(free, min(count, len(free)))
        replying = [decoy.name for decoy in chosen if decoy.reply and not any(_clashes(decoy, seen))]
        return {
            "tools": [decoy.name for decoy in chosen],
            "places": [rng.randint(0, len(seen.tools)) for _ in chosen],
            "replying": replying,
        }

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        """Return the tools with others between them."""
        made = list(tools)
        for place, decoy in zip(self._places, self._decoys.values(), strict=True):
            made.insert(min(place, len(made)), function_tool(decoy.name, decoy.description, decoy.parameters))
        return made

    def call(self, call: ToolCall) -> ToolCall | str:
        """Return the call, or what a tool of another trade replies."""
        decoy = self._decoys.get(call.name)
        if decoy is None:
            return call
        if decoy.kind == "read":
            return self._replies[call.name]
        self._writes += 1
        return DONE

    def dump(self) -> Json:
        return self._writes

    def load(self, state: Json) -> None:
        self._writes = state

    @property
    def forbidden(self) -> int:
        """How many of the calls wrote."""
        return self._writes

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield names that are taken, and replies that tell the oracle's values."""
        below = {name_of(tool) for tool in seen.tools}
        for name, decoy in self._decoys.items():
            if name in below:
                yield f"there is a tool {name!r} below"
            if self._replies[name] != UNAVAILABLE:
                yield from _clashes(decoy, seen)


def _clashes(decoy: Decoy, seen: Seen) -> Iterator[str]:
    for key in keys_of(decoy.reply):
        if key in seen.keys:
            yield f"the key {key!r} of {decoy.name}'s reply is one that the oracle sees"
    for value in decoy.reply.values():
        if str(value).casefold() in seen.text.casefold():
            yield f"the value {value!r} of {decoy.name}'s reply is one that the oracle sees"
