"""Other names for tools, arguments and the values of enums: one for each, and none that was there before."""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from palestra.envs.actions import ToolCall
from palestra.envs.augment.layer import Layer, Seen, Spec, Tool, name_of, parameters_of
from palestra.envs.base import Json, copy_json

LONGEST_NAME = 64  # that tool-calling interfaces take
_PLAIN_SCHEMA = frozenset({"type", "properties", "required", "additionalProperties", "description", "title", "$schema"})
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SYNONYMS = {
    "get": "fetch",
    "find": "look_up",
    "search": "query",
    "list": "enumerate",
    "show": "display",
    "create": "make",
    "add": "append",
    "update": "modify",
    "set": "assign",
    "change": "alter",
    "delete": "erase",
    "remove": "drop",
    "cancel": "call_off",
    "send": "dispatch",
    "book": "reserve",
    "move": "relocate",
    "open": "start",
    "close": "finish",
    "check": "inspect",
    "answer": "respond",
    "run": "execute",
    "submit": "hand_in",
    "id": "identifier",
    "name": "label",
    "value": "content",
    "number": "count",
    "date": "day",
    "amount": "quantity",
    "user": "account",
    "path": "location",
    "message": "note",
    "text": "wording",
    "code": "source",
}
_PREFIXES = ("api", "svc", "ext", "v2", "do")


def _pieces(name: str) -> list[str]:
    return [piece.lower() for piece in _PIECE.findall(name)] or ["x"]


def _camel(name: str) -> str:
    first, *others = _pieces(name)
    return first + "".join(map(str.capitalize, others or ["it"] * (first == name)))


def _synonym(name: str) -> str:
    return "_".join(_SYNONYMS.get(piece, piece) for piece in _pieces(name))


STYLES: Mapping[str, Callable[[str], str]] = {
    "camel": _camel,
    "pascal": lambda name: "".join(map(str.capitalize, _pieces(name))),
    "kebab": lambda name: "-".join(_pieces(name)),
    "synonym": _synonym,
    **{prefix: lambda name, prefix=prefix: f"{prefix}_{name}" for prefix in _PREFIXES},  # type: ignore[misc]
}
_ENUM_STYLES: Mapping[str, Callable[[str], str]] = {
    "upper": lambda value: re.sub(r"\W+", "_", value).upper(),
    "title": lambda value: re.sub(r"\W+", "_", value).title(),
    "kebab": lambda value: re.sub(r"[\W_]+", "-", value),
}


class Rename(Layer):
    """The same tools under other names.

    Must hold: the mappings are bijective, so that each call has one meaning; every renamed tool was not called
    so before; the instruction is the same but for tool names that it quotes.

    Knobs: ``style`` (of `STYLES`, else drawn), ``tools``, ``arguments``, ``values`` (whether they are renamed).
    A tool that the prompts mention by a bare word, or a reply by any, keeps its name: there it could not be changed
    without changing what is told.
    """

    name: ClassVar[str] = "rename"

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self._tools: Mapping[str, str] = spec["tools"]
        self._arguments: Mapping[str, Mapping[str, str]] = spec["arguments"]
        self._values: Mapping[str, Mapping[str, Mapping[str, str]]] = spec["values"]
        self._below = {above: below for below, above in self._tools.items()}
        self._arguments_below = {tool: _inverse(names) for tool, names in self._arguments.items()}
        self._values_below = {
            tool: {argument: _inverse(values) for argument, values in named.items()}
            for tool, named in self._values.items()
        }

    @classmethod
    def draw(
        cls,
        rng: random.Random,
        seen: Seen,
        *,
        style: str = "",
        tools: bool = True,
        arguments: bool = True,
        values: bool = True,
    ) -> dict[str, Json]:
        """Return new names in one style for tools, in one for arguments and in one for values."""
        ways = [STYLES[style] if style else STYLES[rng.choice(list(STYLES))] for _ in range(2)]
        way = _ENUM_STYLES[rng.choice(list(_ENUM_STYLES))]
        kept = {name for name in seen.names if _is_bare(name, seen)}
        named = [name for name in seen.names if name not in kept] if tools else []
        renamed = _renamed(named, ways[0], seen.names)
        plain = [tool for tool in seen.tools if _PLAIN_SCHEMA.issuperset(tool["function"]["parameters"])]
        return {
            "tools": renamed,
            "arguments": {
                name_of(tool): _renamed(list(parameters_of(tool)), ways[1], parameters_of(tool)) for tool in plain
            }
            if arguments
            else {},
            "values": {name_of(tool): _values(tool, way) for tool in plain if _values(tool, way)} if values else {},
        }

    def instruction(self, text: str) -> str:
        """Return the instruction with the quoted names of tools changed."""
        return _requoted(text, self._tools)

    def keeps(self, before: str, after: str) -> bool:
        """Tell whether the old names in place of the new ones give the old instruction."""
        return _requoted(after, self._below) == before

    def tools(self, tools: Sequence[Tool]) -> list[Tool]:
        """Return the tools under their new names."""
        return [self._tool(tool) for tool in tools]

    def call(self, call: ToolCall) -> ToolCall:
        """Return the call under the old names."""
        tool = self._below.get(call.name, call.name)
        names, values = self._arguments_below.get(tool, {}), self._values_below.get(tool, {})
        arguments = {names.get(name, name): value for name, value in call.arguments.items()}
        for name, olds in values.items():
            if isinstance(arguments.get(name), str):
                arguments[name] = olds.get(arguments[name], arguments[name])
        return replace(call, name=tool, arguments=arguments)

    def solve(self, call: ToolCall) -> Any:
        """Make the call under the new names."""
        names, values = self._arguments.get(call.name, {}), self._values.get(call.name, {})
        arguments = {}
        for name, value in call.arguments.items():
            news = values.get(name, {})
            arguments[names.get(name, name)] = news.get(value, value) if isinstance(value, str) else value
        return (yield replace(call, name=self._tools.get(call.name, call.name), arguments=arguments))

    def problems(self, seen: Seen) -> Iterator[str]:
        """Yield mappings that are not bijective, and new names that mean something already."""
        maps: list[tuple[str, Mapping[str, str], Sequence[str]]] = [("tools", self._tools, seen.names)]
        for tool in seen.tools:
            name = name_of(tool)
            maps.append((f"arguments of {name}", self._arguments.get(name, {}), list(parameters_of(tool))))
            for argument, values in self._values.get(name, {}).items():
                maps.append((f"values of {name}.{argument}", values, parameters_of(tool)[argument]["enum"]))
        for what, mapping, names in maps:
            after = [mapping.get(one, one) if isinstance(one, str) else one for one in names]
            if len(set(after)) != len(names):
                yield f"the {what} are not renamed one to one: {after}"
        if mentioned := [name for name in self._tools if name in seen.names and _is_bare(name, seen)]:
            yield f"{mentioned[0]!r} is mentioned in what the agent is told, where it keeps its old name"

    def _tool(self, tool: Tool) -> Tool:
        name = name_of(tool)
        names, values = self._arguments.get(name, {}), self._values.get(name, {})
        made: dict[str, Json] = copy_json(tool)
        function = made["function"]
        function["name"] = self._tools.get(name, name)
        if "description" in function:
            function["description"] = _requoted(function["description"], self._tools)
        parameters = function["parameters"]
        for argument, news in values.items():
            part = parameters["properties"][argument]
            part["enum"] = [news.get(value, value) if isinstance(value, str) else value for value in part["enum"]]
            if isinstance(part.get("default"), str):
                part["default"] = news.get(part["default"], part["default"])
        if "properties" in parameters:
            parameters["properties"] = {names.get(key, key): part for key, part in parameters["properties"].items()}
        if "required" in parameters:
            parameters["required"] = [names.get(key, key) for key in parameters["required"]]
        return made


def _renamed(
    names: Sequence[str], way: Callable[[str], str], taken: Sequence[str] | Mapping[str, Json]
) -> dict[str, str]:
    """Return a new name for each name, but for those that it would make too long."""
    used, made = set(taken), {}
    for name in names:
        new = way(name)
        while new in used:
            new += "_x"
        if len(new) <= LONGEST_NAME:
            made[name] = new
            used.add(new)
    return made


def _values(tool: Tool, way: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """Return new values for each argument that is one of a few texts, where they stay different."""
    made: dict[str, dict[str, str]] = {}
    for name, part in parameters_of(tool).items():
        texts = part.get("enum", []) if isinstance(part, Mapping) and part.get("type") == "string" else []
        news = {text: way(text) for text in texts if isinstance(text, str)}
        changed = {text: new for text, new in news.items() if new != text and new}
        after = [changed.get(text, text) for text in texts]
        if changed and len(set(after)) == len(texts):
            made[name] = changed
    return made


def _inverse(mapping: Mapping[str, str]) -> dict[str, str]:
    return {new: old for old, new in mapping.items()}


def _quoted(name: str) -> str:
    return rf"(?<=[`'\"]){re.escape(name)}(?=[`'\"])"


def _requoted(text: str, names: Mapping[str, str]) -> str:
    """Return a text with the names changed where they stand in quotes."""
    if not any(name in text for name in names):
        return text
    found = "|".join(_quoted(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(found, lambda match: names[match[0]], text)


def _is_bare(name: str, seen: Seen) -> bool:
    """Tell whether a tool's name is told where it stays as it is: unquoted, in a reply, or as an oracle's value."""
    told = re.sub(_quoted(name), "", seen.told)
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    if word.search(told) or any(word.search(reply) for _, reply in seen.steps):
        return True
    return name in seen.told and any(name in str(call.arguments) for call, _ in seen.steps)
