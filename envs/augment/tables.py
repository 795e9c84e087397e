"""JSON as tables and lines: CSV, Markdown and key=value; each returns None for what it does not carry."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from palestra.envs.actions import compact_json
from palestra.envs.base import Json
from palestra.envs.reading import NOT_JSON, read_json

Table = tuple[str, Sequence[str], Sequence[Sequence[Json]]]  # its shape, the columns, the rows
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")
_ESCAPES = {"\\": "\\\\", "|": "\\|", "\n": "\\n", "\r": "\\r"}
_ESCAPED = {written: char for char, written in _ESCAPES.items()}


def cell(value: Json) -> str:
    """Return a value as the text of a cell: a text as it is where it cannot be taken for JSON, else JSON."""
    is_plain = isinstance(value, str) and value and value == value.strip() and read_json(value) is NOT_JSON
    return str(value) if is_plain else compact_json(value)


def value_of(text: str) -> Json:
    """Return the value of a cell."""
    value = read_json(text)
    return text if value is NOT_JSON else value


def to_csv(value: Json) -> tuple[str, str] | None:
    """Return the shape and the text of a table."""
    if (table := _table(value)) is None:
        return None
    shape, columns, rows = table
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([[cell(inner) for inner in row] for row in (columns, *rows)])
    return shape, out.getvalue()


def from_csv(shape: str, text: str) -> Json:
    """Return the value of a CSV text."""
    columns, *rows = list(csv.reader(io.StringIO(text, newline="")))
    return _untable(shape, columns, rows)


def to_markdown(value: Json) -> tuple[str, str] | None:
    """Return the shape and the text of a table."""
    if (table := _table(value)) is None:
        return None
    shape, columns, rows = table
    lines = [[_escaped(cell(inner)) for inner in row] for row in (columns, *rows)]
    lines.insert(1, ["---"] * len(columns))
    return shape, "\n".join(f"| {' | '.join(line)} |" for line in lines)


def from_markdown(shape: str, text: str) -> Json:
    """Return the value of a Markdown table."""
    columns, _, *rows = [_split(line) for line in text.split("\n")]
    return _untable(shape, columns, rows)


def to_lines(value: Json) -> tuple[str, str] | None:
    """Return every leaf with its path, a line each; the shape is empty."""
    if not value or not isinstance(value, (dict, list)):
        return None
    lines: list[str] = []
    return ("", "\n".join(lines)) if _flatten("", value, lines) else None


def from_lines(shape: str, text: str) -> Json:
    """Return the value of lines that `to_lines` wrote."""
    made: Any = None
    for line in text.split("\n"):
        path, _, written = line.partition("=")
        steps = [word or int(number) for word, number in _STEP.findall(path)]
        made = _placed(made, steps, value_of(written))
    return made


def _table(value: Json) -> Table | None:
    if _is_rows(value):
        return "rows", list(value[0]), [list(row.values()) for row in value]
    if not isinstance(value, dict) or not value:
        return None
    name, inner = next(iter(value.items()))
    if len(value) == 1 and _is_rows(inner) and _WORD.fullmatch(name):
        return f"rows of {name}", list(inner[0]), [list(row.values()) for row in inner]
    return "record", list(value), [list(value.values())]


def _is_rows(value: Json) -> bool:
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) and row for row in value):
        return False
    return all(list(row) == list(value[0]) for row in value)


def _untable(shape: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Json:
    names = [str(value_of(column)) for column in columns]
    records = [dict(zip(names, map(value_of, row), strict=True)) for row in rows]
    if shape == "record":
        (record,) = records
        return record
    return {shape.removeprefix("rows of "): records} if shape != "rows" else records


def _escaped(text: str) -> str:
    return re.sub(r"[\\|\n\r]", lambda found: _ESCAPES[found[0]], text)


def _split(line: str) -> list[str]:
    cells = re.findall(r"\| ((?:\\.|[^\\|])*) (?=\|)", line)
    return [re.sub(r"\\.", lambda found: _ESCAPED[found[0]], text) for text in cells]


def _flatten(path: str, value: Json, lines: list[str]) -> bool:
    """Add a value's leaves to the lines; False if a key is no plain word."""
    if isinstance(value, Mapping) and value:
        return all(
            _WORD.fullmatch(key) is not None and _flatten(f"{path}.{key}" if path else key, inner, lines)
            for key, inner in value.items()
        )
    if isinstance(value, list) and value:
        return all(_flatten(f"{path}[{place}]", inner, lines) for place, inner in enumerate(value))
    text = cell(value)
    lines.append(f"{path}={text if text.isprintable() else compact_json(value)}")
    return True


def _placed(whole: Any, steps: Sequence[str | int], value: Json) -> Any:
    """Return a structure with the value put at the path, made where it does not reach yet."""
    if not steps:
        return value
    step = steps[0]
    if whole is None:
        whole = [] if isinstance(step, int) else {}
    if isinstance(step, int) and step == len(whole):
        whole.append(None)
    known = whole[step] if isinstance(step, int) else whole.get(step)
    whole[step] = _placed(known, steps[1:], value)
    return whole
