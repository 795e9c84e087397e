"""Tools told otherwise: in another order, in other words around the old ones, with a parameter that nobody reads."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from palestra.envs.actions import ToolCall
from palestra.envs.augment.layer import Layer, Seen, Spec, Tool, name_of, parameters_of
from palestra.envs.base import Json, copy_json

_BEFORE = ("", "Use this tool as follows. ", "Operation of the service. ", "[stable] ", "Available to all clients. ")
_AFTER = ("", " Returns what the service answers.", " See the service's manual.", " Takes effect at once.")
_EXTRAS: Sequence[tuple[str, Mapping[str, Json]]] = (
    ("trace_id", {"type": "string", "description": "Optional, for the service's log; it changes nothing."}),
    ("verbose", {"type": "boolean", "description": "Optional and without effect; kept for old clients."}),
    ("client_version", {"type": "integer", "description": "Optional; ignored."}),
    ("api_revision", {"type": "string", "enum": ["a", "b"], "description": "Optional; both behave alike."}),
)


class SchemaWording(Layer):
    """The same tools told otherwise.

    Must hold: nothing of a description is lost, and a call with the extra parameter is the call without it.

    Knobs: ``extras`` (the share of tools that get an optional parameter which is ignored).
    """

    name: ClassVar[str] = "schema"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._order = {name: place for place, name in enumerate(spec["order"])}
        self._properties = {
            tool: {name: place for place, name in enumerate(names)} for tool, names in spec["properties"].items()
        }
        self._words: Mapping[str, Sequence[str]] = spec["words"]
        self._extras: Mapping[str, Sequence[Json]] = spec["extras"]

    @classmethod
    def draw(cls, rng: random.Random, seen: Seen, *, extras: float = 0.5) -> dict[str, Json]:
        """Return an order, words and extra parameters."""
        chosen: dict[str, Json] = {}
        for tool in seen.tools:
            free = [extra for extra in _EXTRAS if extra[0] not in seen.keys]
            if free and rng.random() < extras and "properties" in tool["function"]["parameters"]:
                chosen[name_of(tool)] = list(copy_json(rng.choice(free)))
        return {
            "order": rng.sample(seen.names, len(seen.names)),
            "properties": {
                name_of(tool): rng.sample(list(parameters_of(tool)), len(parameters_of(tool))) for tool in seen.tools
            },
            "words": {name: [rng.choice(_BEFORE), rng.choice(_AFTER)] for name in seen.names},
            "extras": chosen,
        }

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        """Return the tools in another order and in other words."""
        ordered = sorted(tools, key=lambda tool: self._order.get(name_of(tool), len(self._order)))
        return [self._tool(tool) for tool in ordered]

    def call(self, call: ToolCall) -> ToolCall:
        """Return the call without the extra parameter."""
        extra = self._extras.get(call.name)
        if extra is None or extra[0] not in call.arguments:
            return call
        return replace(call, arguments={name: value for name, value in call.arguments.items() if name != extra[0]})

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield extra parameters that are none, and descriptions that lost something."""
        after = {name_of(tool): tool for tool in self.tools(seen.tools)}
        for tool in seen.tools:
            extra = self._extras.get(name_of(tool))
            if extra is not None and extra[0] in parameters_of(tool):
                yield f"the extra parameter {extra[0]!r} of {name_of(tool)} is one that it has"
            if str(tool["function"].get("description", "")) not in after[name_of(tool)]["function"]["description"]:
                yield f"the description of {name_of(tool)} lost something"

    def _tool(self, tool: Tool) -> Tool:
        name = name_of(tool)
        made: dict[str, Json] = copy_json(tool)
        function = made["function"]
        before, after = self._words.get(name, ("", ""))
        function["description"] = f"{before}{function.get('description', '')}{after}"
        parameters = function["parameters"]
        order = self._properties.get(name, {})
        if "properties" in parameters:
            parts = parameters["properties"]
            parameters["properties"] = {key: parts[key] for key in sorted(parts, key=lambda key: order.get(key, 0))}
            if name in self._extras:
                extra, schema = self._extras[name]
                parameters["properties"][extra] = copy_json(schema)
        return made
