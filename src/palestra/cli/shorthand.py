"""What a person types for a tool call: ``tool name=value other="two words"``."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from palestra.envs.actions import call_text
from palestra.envs.base import Json

_NAME = re.compile(r"\s*([A-Za-z_]\w*)=")
_HEREDOC = re.compile(r"(?:^|\s)([A-Za-z_]\w*)=<<([A-Za-z_]\w*)\s*$")


class ShorthandError(ValueError):
    """The line was meant as a tool call and cannot be read; nothing was sent."""


def action_text(line: str, tools: Sequence[Mapping[str, Json]], more: Iterator[str]) -> str:
    """Return the action that a line stands for; a line that names no tool is said as it is.

    Args:
        line: what was typed.
        tools: the task's tools.
        more: the lines that follow, of which ``name=<<END`` takes those before ``END``.

    Raises:
        ShorthandError: the line reads like a call and is none.
    """
    word, _, rest = line.strip().partition(" ")
    known = {tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in tools}
    if word in known:
        properties = known[word].get("properties", {})
        pairs = list(_arguments(rest, properties, more))
        if len(arguments := dict(pairs)) < len(pairs):
            raise ShorthandError(f"an argument is given twice: {' '.join(name for name, _ in pairs)}")
        return call_text(word, arguments)
    if re.fullmatch(r"\w+", word) and _NAME.match(rest):
        near = difflib.get_close_matches(word, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"tools: {', '.join(known)}"
        raise ShorthandError(f"no tool named {word!r}; {hint}")
    return line


def _arguments(
    text: str, properties: Mapping[str, Mapping[str, Json]], more: Iterator[str]
) -> Iterator[tuple[str, Json]]:
    heredoc = _HEREDOC.search(text)
    if heredoc:
        text = text[: heredoc.start()]
    text = text.strip()
    while text:
        match = _NAME.match(text)
        if match is None:
            raise ShorthandError(f"expected name=value, not {text[:40]!r}; known: {', '.join(properties) or 'none'}")
        name = match[1]
        value, text = _value(text[match.end() :], properties.get(name, {}))
        yield name, value
    if heredoc:
        yield heredoc[1], _lines_until(heredoc[2], more)


def _value(text: str, schema: Mapping[str, Json]) -> tuple[Json, str]:
    """Return the value that a text begins with, and the rest of the text."""
    if text[:1] in ('"', "[", "{"):
        try:
            value, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError) as error:
            raise ShorthandError(f"not valid JSON at {text[:40]!r}: {error}") from error
        return value, text[end:]
    if text[:1] == "'":
        body, quote, rest = text[1:].partition("'")
        if not quote:
            raise ShorthandError(f"no closing quotation mark after {text[:40]!r}")
        return body, rest
    word, _, rest = text.partition(" ")
    if schema.get("type") == "string":
        return word, rest
    try:
        return json.loads(word), rest
    except (ValueError, RecursionError):
        return word, rest


def _lines_until(marker: str, more: Iterator[str]) -> str:
    lines: list[str] = []
    for line in more:
        if line.strip() == marker:
            return "".join(f"{kept}\n" for kept in lines)
        lines.append(line)
    raise ShorthandError(f"the input ended before a line {marker!r}; nothing was sent")
