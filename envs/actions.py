"""What an agent does in one turn: parsed from text or from an OpenAI-style assistant message.

Text is read by a JSON parser and nothing else; whatever does not parse becomes an `Action` with an
`error`, which the environment shows to the agent. No input makes this module raise.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from palestra.envs.base import Json, Message
from palestra.envs.reading import strict_json

MAX_ACTION_CHARS = 65_536
MAX_CALLS = 16
MAX_ERROR_CHARS = 400  # of what an agent is told about its own action
_BLOCK = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of one tool; `arguments` fit the tool's JSON Schema."""

    name: str
    arguments: dict[str, Json]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What the agent said and the calls it made; `error` tells what could not be read."""

    content: str
    calls: tuple[ToolCall, ...] = ()
    error: str = ""

    def message(self, turn: int) -> Message:
        """Return the action as an assistant message, its calls numbered within the episode."""
        message: Message = {"role": "assistant", "content": self.content}
        if self.calls:
            message["tool_calls"] = [
                {
                    "id": call.id or f"call_{turn}_{number}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": compact_json(call.arguments)},
                }
                for number, call in enumerate(self.calls)
            ]
        return message


def compact_json(value: Json) -> str:
    """Return a value's JSON text as a tool call or a tool result carries it: no spaces, order kept."""
    return _COMPACT.encode(value)


_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def call_text(name: str, arguments: Mapping[str, Json]) -> str:
    """Return a tool call as action text, in the form that `parse_action` and small models share."""
    return f"<tool_call>{compact_json({'name': name, 'arguments': dict(arguments)})}</tool_call>"


def function_tool(
    name: str, description: str, properties: Mapping[str, Json], required: Sequence[str] | None = None
) -> dict[str, Json]:
    """Return an OpenAI-style function tool; every property is required unless told otherwise."""
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": dict(properties),
                "required": list(properties if required is None else required),
                "additionalProperties": False,
            },
        },
    }


def signature(tool: Mapping[str, Json]) -> str:
    """Return a tool as one line: its name, its parameters and their types, optional ones with a ``?``."""
    function = tool["function"]
    parameters = function.get("parameters", {})
    required = parameters.get("required", ())
    named = [
        f"{name}{'' if name in required else '?'}: {_type(schema)}"
        for name, schema in parameters.get("properties", {}).items()
    ]
    return f"{function['name']}({', '.join(named)})"


def _type(schema: Mapping[str, Json]) -> str:
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    kind = schema.get("type", "any")
    return "|".join(kind) if isinstance(kind, list) else str(kind)


def parse_action(action: object, tools: Sequence[Mapping[str, Json]]) -> Action:
    """Return what an agent did, from action text or from an assistant message.

    Text may hold ``<tool_call>{"name": ..., "arguments": {...}}</tool_call>`` blocks, or be one such
    JSON object or a list of them (``tool``/``args`` are understood too). Anything else is content
    without calls. Calls are checked against the tools' schemas.
    """
    if isinstance(action, str):
        content, raw, error = _read_text(action)
    elif isinstance(action, Mapping):
        content, raw, error = _read_message(action)
    else:
        content, raw, error = "", [], f"an action is text or an assistant message, not {type(action).__name__}"
    if error:
        return Action(content, error=error[:MAX_ERROR_CHARS])
    if len(raw) > MAX_CALLS:
        return Action(content, error=f"{len(raw)} calls in one turn; at most {MAX_CALLS} are allowed")
    calls = []
    for value in raw:
        call, error = _check_call(value, tools)
        if call is None:
            return Action(content, error=error[:MAX_ERROR_CHARS])
        calls.append(call)
    return Action(content, tuple(calls))


def _read_text(text: str) -> tuple[str, list[Json], str]:
    if len(text) > MAX_ACTION_CHARS:
        kept = text[:MAX_ACTION_CHARS]
        return kept, [], f"the action has {len(text)} characters; at most {MAX_ACTION_CHARS} are read"
    blocks = _BLOCK.findall(text)
    if blocks:
        content = _BLOCK.sub("", text).strip()
    elif text.lstrip().startswith(("{", "[")):
        blocks, content = [text], ""
    else:
        return text, [], ""
    raw: list[Json] = []
    for block in blocks:
        try:
            value = strict_json(block)
        except (ValueError, RecursionError) as error:
            return text, [], f"the tool call is not valid JSON: {error}"
        raw.extend(value if isinstance(value, list) else [value])
    return content, raw, ""


def _read_message(message: Mapping[Any, Any]) -> tuple[str, list[Json], str]:
    content, calls = message.get("content"), message.get("tool_calls")
    if content is None:
        content = ""
    if not isinstance(content, str):
        return "", [], f"the message's content must be text, not {type(content).__name__}"
    if len(content) > MAX_ACTION_CHARS:
        return _read_text(content)
    if message.get("role", "assistant") != "assistant":
        return content, [], "an action's role is 'assistant'"
    if calls is not None and not isinstance(calls, (list, tuple)):
        return content, [], f"tool_calls must be a list, not {type(calls).__name__}"
    if not calls:
        return _read_text(content)
    raw: list[Json] = []
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping):
            return content, [], "each of tool_calls must be an object with a 'function'"
        value = {"name": function.get("name"), "arguments": function.get("arguments")}
        try:
            text = value["arguments"]
            text = text if isinstance(text, str) else json.dumps(text, allow_nan=False)
            if len(text) > MAX_ACTION_CHARS:
                raise ValueError(f"{len(text)} characters; at most {MAX_ACTION_CHARS} are read")
            value["arguments"] = strict_json(text)
        except (TypeError, ValueError, RecursionError) as error:
            return content, [], f"the arguments of a tool call are not valid JSON: {error}"
        if isinstance(call.get("id"), str):
            value["id"] = call["id"]
        raw.append(value)
    return content, raw, ""


def _check_call(value: Json, tools: Sequence[Mapping[str, Json]]) -> tuple[ToolCall | None, str]:
    if not isinstance(value, Mapping):
        return None, 'a tool call is {"name": ..., "arguments": {...}}, not ' + type(value).__name__
    unknown = sorted(map(str, set(value) - {"name", "arguments", "tool", "args", "id"}))
    if unknown:
        return None, f"unknown key {unknown[0][:80]!r} in a tool call; it has 'name' and 'arguments'"
    name = value.get("name", value.get("tool"))
    arguments = value.get("arguments", value.get("args"))
    known = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
    if not isinstance(name, str) or name not in known:
        return None, f"no tool named {str(name)[:80]!r}; tools: {', '.join(known)}"
    if not isinstance(arguments, Mapping):
        return None, f"the arguments of {name} must be a JSON object"
    if _fits_plainly(arguments, known[name]):
        return ToolCall(name, dict(arguments), str(value.get("id", ""))), ""
    try:
        problem = best_match(_validator(compact_json(known[name])).iter_errors(dict(arguments)))
    except RecursionError:
        return None, f"the arguments of {name} are nested too deeply"
    if problem is not None:
        where = "".join(f".{part}" for part in problem.absolute_path)
        return None, f"bad arguments for {name}{where}: {problem.message[:200]}"
    return ToolCall(name, dict(arguments), str(value.get("id", ""))), ""


_PLAIN_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def _fits_plainly(arguments: Mapping[str, Json], schema: Mapping[str, Json]) -> bool:
    """Tell whether arguments fit a schema that asks for nothing but properties of plain types, within bounds.

    True is final. False only says that this quick look, which saves most calls a validator, cannot tell.
    """
    if not _PLAIN_SCHEMA.issuperset(schema) or schema.get("type") != "object":
        return False
    properties = schema.get("properties", {})
    for name, value in arguments.items():
        part = properties.get(name)
        if not isinstance(part, Mapping) or not _PLAIN_PROPERTY.issuperset(part):
            return False
        kind = part.get("type")
        if not isinstance(kind, str) or value.__class__ not in _PLAIN_TYPES.get(kind, ()):
            return False
        if not _ONLY_TYPED.issuperset(part) and not _is_within(part, kind, value):
            return False
    return all(name in arguments for name in schema.get("required", ()))


_PLAIN_SCHEMA = frozenset({"type", "properties", "required", "additionalProperties", "description", "title"})
_ONLY_TYPED = frozenset({"type", "description", "title", "format"})  # a format is told, not checked
_PLAIN_PROPERTY = _ONLY_TYPED | {"enum", "minLength", "maxLength", "minimum", "maximum"}


def _is_within(part: Mapping[str, Json], kind: str, value: Json) -> bool:
    """Tell whether a text or a number is within bounds, and a text one of an enum."""
    if kind == "string":
        is_long_enough = part.get("minLength", 0) <= len(value) <= part.get("maxLength", len(value))
        return is_long_enough and ("enum" not in part or value in part["enum"])
    if kind in ("integer", "number") and "enum" not in part:
        return bool(part.get("minimum", value) <= value <= part.get("maximum", value))
    return False


def fits(arguments: Mapping[str, Json], schema: Mapping[str, Json]) -> bool:
    """Tell whether arguments fit a tool's JSON Schema."""
    return _fits_plainly(arguments, schema) or _validator(compact_json(schema)).is_valid(dict(arguments))


@lru_cache(maxsize=256)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))
