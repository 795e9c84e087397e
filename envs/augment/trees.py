"""JSON as YAML and XML; each returns None for what it does not carry."""

import json
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from palestra.envs.actions import compact_json
from palestra.envs.augment.tables import value_of
from palestra.envs.base import Json

DEEPEST = 40  # levels of nesting
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 _./-]*[A-Za-z0-9_./-])?")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_TAG = re.compile(r"(?!(?i:xml))[A-Za-z_][A-Za-z0-9_-]*")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_yaml(value: Json) -> tuple[str, str] | None:
    """Return an empty shape and the YAML text of a value."""
    lines: list[str] = []
    return ("", "\n".join(lines)) if _write_yaml(value, 0, lines) else None


def from_yaml(shape: str, text: str) -> Json:
    """Return the value of a YAML text as `to_yaml` writes it."""
    lines = [(len(line) - len(line.lstrip(" ")), line.lstrip(" ")) for line in text.split("\n")]
    value, end = _read_yaml(lines, 0)
    if end != len(lines):
        raise ValueError(f"line {end + 1} of the YAML text belongs to nothing")
    return value


def to_xml(value: Json) -> tuple[str, str] | None:
    """Return an empty shape and the XML text of a value."""
    parts: list[str] = []
    return ("", "".join(parts)) if _write_xml("reply", value, 0, parts) else None


def from_xml(shape: str, text: str) -> Json:
    """Return the value of an XML text as `to_xml` writes it."""
    return _read_xml(ElementTree.fromstring(text))


def _write_yaml(value: Json, depth: int, lines: list[str]) -> bool:
    if depth > DEEPEST:
        return False
    pad = "  " * depth
    if not value or not isinstance(value, (dict, list)):
        lines.append(pad + _scalar(value))
        return True
    items = value.items() if isinstance(value, dict) else (("", inner) for inner in value)
    for key, inner in items:
        head = f"{pad}{_scalar(key)}:" if isinstance(value, dict) else f"{pad}-"
        if inner and isinstance(inner, (dict, list)):
            lines.append(head)
            if not _write_yaml(inner, depth + 1, lines):
                return False
        else:
            lines.append(f"{head} {_scalar(inner)}")
    return True


def _scalar(value: Json) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.casefold() not in _RESERVED:
        return value
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", compact_json(value))


def _read_yaml(lines: Sequence[tuple[int, str]], start: int) -> tuple[Json, int]:
    """Return the value whose first line this is, and the line after it."""
    depth, first = lines[start]
    is_list = first.startswith(("- ", "-\n")) or first == "-"
    if not is_list and _key(first) is None:
        return value_of(first), start + 1
    made: Any = [] if is_list else {}
    place = start
    while place < len(lines) and lines[place][0] == depth:
        key, rest = ("", lines[place][1][1:]) if is_list else _key(lines[place][1]) or ("", "")
        place += 1
        if rest:
            value = value_of(rest[1:])
        else:
            value, place = _read_yaml(lines, place)
        if is_list:
            made.append(value)
        else:
            made[key] = value
    return made, place


def _key(line: str) -> tuple[str, str] | None:
    """Return a line's key and what follows its colon; None if it has no key."""
    if not line.startswith('"'):
        key, colon, rest = line.partition(":")
        return (key, rest) if colon and _PLAIN.fullmatch(key) else None
    key, end = json.JSONDecoder().raw_decode(line)
    return (str(key), line[end + 1 :]) if line[end : end + 1] == ":" else None


def _write_xml(tag: str, value: Json, depth: int, parts: list[str]) -> bool:
    if depth > DEEPEST or not _TAG.fullmatch(tag):
        return False
    kind = {dict: "object", list: "array", bool: "boolean", int: "number", float: "number"}.get(type(value), "null")
    if isinstance(value, str):
        if _NOT_XML.search(value):
            return False
        text = escape(value).replace("\r", "&#13;")
        parts.append(f"<{tag}>{text}</{tag}>")
        return True
    parts.append(f'<{tag} type="{kind}">')
    if isinstance(value, dict):
        if not all(_write_xml(key, inner, depth + 1, parts) for key, inner in value.items()):
            return False
    elif isinstance(value, list):
        if not all(_write_xml("item", inner, depth + 1, parts) for inner in value):
            return False
    elif value is not None:
        parts.append(compact_json(value))
    parts.append(f"</{tag}>")
    return True


def _read_xml(element: ElementTree.Element) -> Json:
    kind = element.get("type", "string")
    if kind == "object":
        return {inner.tag: _read_xml(inner) for inner in element}
    if kind == "array":
        return [_read_xml(inner) for inner in element]
    if kind == "null":
        return None
    return (element.text or "") if kind == "string" else value_of(element.text or "")
