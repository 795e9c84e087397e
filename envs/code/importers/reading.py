"""Files of others, read with suspicion: bounded, as UTF-8, each row held against a schema.

Errors name file, line and field.
"""

import ast
import gzip
import json
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jsonschema
import jsonschema.exceptions

from palestra.envs.base import Json, TaskError
from palestra.envs.reading import python_tree

MOST_BYTES: Final = 16 * 2**20  # of a line, or of a file that is read whole
MOST_LINES: Final = 1_000_000
TEXT: Final = {"type": "string"}
FULL_TEXT: Final = {"type": "string", "pattern": r"\S"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a JSONL file."""

    file: Path
    line: int
    fields: dict[str, Json]

    def wrong(self, field: str, problem: str) -> TaskError:
        """Return the error that tells of a field."""
        return TaskError(f"{self.file}: line {self.line}: {field}: {problem}")


def read_rows(file: Path, schema: dict[str, Json], name: str) -> Iterator[Row]:
    """Yield the rows of a JSONL file, or of one that gzip compressed; empty lines are left out.

    Args:
        file: ends in .jsonl or .jsonl.gz.
        schema: a JSON Schema that each row must fit.
        name: the field that tells rows apart, so that no two may have the same.

    Raises:
        TaskError: the file cannot be read, has no rows, or one of them makes no sense.
    """
    validator = jsonschema.Draft202012Validator(schema)
    lines_by_name: dict[str, int] = {}
    for number, text in _lines(file):
        fields = _parsed(text, f"{file}: line {number}")
        error = jsonschema.exceptions.best_match(validator.iter_errors(fields))
        if error is not None:
            raise TaskError(f"{file}: line {number}: {_place(error)}: {error.message:.300}")
        row = Row(file, number, fields)
        if (other := lines_by_name.setdefault(str(fields[name]), number)) != number:
            raise row.wrong(name, f"{fields[name]!r} is that of line {other} already")
        yield row
    if not lines_by_name:
        raise TaskError(f"{file}: has no rows")


def read_text(file: Path) -> str:
    """Return a file's text.

    Raises:
        TaskError: it is no plain file, is too large, or is no UTF-8.
    """
    try:
        if file.is_symlink() or not file.is_file():
            raise TaskError(f"{file}: is no plain file")
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise TaskError(f"{file}: cannot be read: {error.strerror or error}") from error
    if len(data) > MOST_BYTES:
        raise TaskError(f"{file}: is larger than {MOST_BYTES // 2**20} MiB")
    return _decoded(data, str(file)).replace("\r\n", "\n")


def parse_python(source: str, place: str) -> ast.Module:
    """Return the syntax tree of a source.

    Args:
        source: Python.
        place: what errors call it.

    Raises:
        TaskError: it is no Python; the line is that of the source.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return python_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        told = error.msg if isinstance(error, SyntaxError) else str(error)
        raise TaskError(f"{place}: {line}is no Python: {told}") from error


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
            number = 0
            while line := opened.readline(MOST_BYTES + 1):
                number += 1
                if len(line) > MOST_BYTES:
                    raise TaskError(f"{file}: line {number}: is longer than {MOST_BYTES // 2**20} MiB")
                if number > MOST_LINES:
                    raise TaskError(f"{file}: has more than {MOST_LINES} lines; split it")
                if text := _decoded(line, f"{file}: line {number}").strip():
                    yield number, text
    except (OSError, EOFError, zlib.error) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise TaskError(f"{file}: cannot be read: {told}") from error


def _decoded(data: bytes, place: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise TaskError(f"{place}: is no UTF-8: {error.reason} at byte {error.start}") from error


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{place}: is no JSON: {error}") from error


def _place(error: jsonschema.exceptions.ValidationError) -> str:
    """Return the field that an error is about, such as ``tests[2].output``."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return place.removeprefix(".") or "the whole row"
