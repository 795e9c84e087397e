"""Predicates on files that hold values: JSON, TOML, INI and CSV, each read by a parser and never by its letters."""

import configparser
import csv
import datetime
import io
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.reading import strict_json
from palestra.envs.terminal.predicates.content import Predicate, UnmetError, check_items, check_value, shown, text_of
from palestra.envs.terminal.tree import Tree

_NOTHING: Final = object()


def json_file(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless the value of a JSON file is as asked; a key that occurs twice is no JSON."""
    path = asked["path"]
    try:
        value = strict_json(text_of(tree, path))
    except (ValueError, RecursionError) as error:
        raise UnmetError(f"{path} is no JSON: {error!s:.200}") from error
    _check_at(path, value, asked)


def toml_file(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless the value of a TOML file is as asked."""
    path = asked["path"]
    try:
        value = tomllib.loads(text_of(tree, path))
    except (ValueError, RecursionError) as error:
        raise UnmetError(f"{path} is no TOML: {error!s:.200}") from error
    _check_at(path, _plain(value), asked)


def ini_file(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless a key of a section is as asked."""
    path, (section, key) = asked["path"], asked["at"]
    parser = configparser.RawConfigParser(strict=True, interpolation=None, allow_no_value=True, default_section="")
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys as they are written
    try:
        parser.read_string(text_of(tree, path))
    except configparser.Error as error:
        raise UnmetError(f"{path} is no INI file: {error!s:.200}") from error
    values: Mapping[str, Any] = parser[section] if parser.has_section(section) else {}
    _check_at(path, {section: dict(values)}, {**asked, "at": [section, key]})


def csv_file(tree: Tree, asked: Predicate) -> None:
    """Raise UnmetError unless the rows of a CSV file are as asked."""
    path, wanted = asked["path"], asked["rows"]
    text = text_of(tree, path)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=asked.get("delimiter", ","), strict=True))
    except csv.Error as error:
        raise UnmetError(f"{path} is no CSV: {error!s:.200}") from error
    if "header" in asked:
        check_value(f"{path}, its header,", rows[0] if rows else [], asked["header"])
        rows = rows[1:]
    if asked.get("any_order"):
        check_items(path, rows, wanted)
    else:
        check_value(f"{path}: rows", rows, wanted)


def _check_at(path: str, value: Any, asked: Predicate) -> None:
    place, what = asked.get("at", ()), path
    for step in place:
        what += f"[{step}]" if isinstance(step, int) else f".{step}"
        value = _inner(value, step)
        if value is _NOTHING:
            break
    if asked.get("absent"):
        if value is not _NOTHING:
            raise UnmetError(f"{what} is {shown(value)}; nothing was to be there")
        return
    if value is _NOTHING:
        raise UnmetError(f"{what} is missing; {shown(asked['equals'])} was wanted")
    tolerance = asked.get("tolerance", 0.0)
    if asked.get("any_order"):
        if not isinstance(value, list):
            raise UnmetError(f"{what} is {shown(value)}, no list")
        check_items(what, value, asked["equals"], tolerance)
    else:
        check_value(what, value, asked["equals"], tolerance)


def _inner(value: Any, step: Json) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, Sequence) and -len(value) <= step < len(value) else _NOTHING
    return value.get(step, _NOTHING) if isinstance(value, Mapping) else _NOTHING


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
