"""Formats that a JSON value can be told in, each with its exact inverse.

A text begins with a line that names its format, as a service would; without one it is JSON. `encode` reads what
it wrote before it returns it, and what is not read back exactly is told as JSON instead.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from palestra.envs.actions import compact_json
from palestra.envs.augment import tables, trees
from palestra.envs.base import Json
from palestra.envs.reading import NOT_JSON, read_json

_HEAD = re.compile(r"Content-Type: ([a-z/-]+)(?:; shape=([\w ]+))?\n\n", re.ASCII)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format: its media type, how a value is written (its shape and its text, or None), and how it is read."""

    media: str
    write: Callable[[Json], tuple[str, str] | None]
    read: Callable[[str, str], Json]


def _pretty(value: Json) -> tuple[str, str]:
    return "", json.dumps(value, indent=2, ensure_ascii=False)


def _compact(shape: str, text: str) -> Json:
    return read_json(text)


ENCODINGS: Mapping[str, Encoding] = {
    "json": Encoding("application/json", _pretty, _compact),
    "csv": Encoding("text/csv", tables.to_csv, tables.from_csv),
    "markdown": Encoding("text/markdown", tables.to_markdown, tables.from_markdown),
    "lines": Encoding("text/plain", tables.to_lines, tables.from_lines),
    "yaml": Encoding("application/yaml", trees.to_yaml, trees.from_yaml),
    "xml": Encoding("application/xml", trees.to_xml, trees.from_xml),
}
_BY_MEDIA = {encoding.media: encoding for encoding in ENCODINGS.values()}


def encode(name: str, value: Json) -> str:
    """Return a value in a format, or as compact JSON where the format does not carry exactly this value.

    Raises:
        KeyError: there is no such format.
    """
    encoding, plain = ENCODINGS[name], compact_json(value)
    try:
        written = encoding.write(value)
        if written is None:
            return plain
        shape, body = written
        text = f"Content-Type: {encoding.media}{f'; shape={shape}' if shape else ''}\n\n{body}"
        found = decode(text)
        return text if found is not NOT_JSON and compact_json(found) == plain else plain
    except (ValueError, RecursionError, csv.Error):
        return plain


def decode(text: str) -> Json:
    """Return the value of a text that `encode` wrote, or of a JSON text; `NOT_JSON` for any other."""
    head = _HEAD.match(text)
    if head is None:
        return read_json(text)
    encoding = _BY_MEDIA.get(head[1])
    if encoding is None:
        return NOT_JSON
    try:
        return encoding.read(head[2] or "", text[head.end() :])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError, csv.Error, ParseError, StopIteration):
        return NOT_JSON
