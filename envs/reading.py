"""Texts of others, read strictly (JSON) or safely beside other threads (Python)."""

import ast
import json
import math
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from palestra.envs.base import Json

_PARSING_TRIES: Final = 100
_Tree = TypeVar("_Tree")


class NotJson:
    """What `read_json` returns for a text that is no JSON."""


NOT_JSON = NotJson()


def strict_json(text: str) -> Json:
    """Return the value of a JSON text.

    Twice the same key, NaN, infinities and numbers too large for a float are none of JSON.

    Raises:
        ValueError: it is none; the message says why.
        RecursionError: it is nested too deep.
    """
    return json.loads(text) if text.startswith("\ufeff") else _STRICT.decode(text)  # `loads` says what is wrong


def read_json(text: str) -> Json:
    """Return the value of a JSON text, or `NOT_JSON`."""
    try:
        return strict_json(text)
    except (ValueError, RecursionError):
        return NOT_JSON


def python_tree(source: str | bytes) -> ast.Module:
    """Return the tree of a Python module, like `ast.parse`, also where other threads parse at the same time.

    CPython before 3.11.8 and 3.12.2 keeps the depth of all trees that are being made in one place
    (python/cpython issue 106905), so that a parse which another one interrupts may end with a SystemError that says
    nothing about the source.

    Raises:
        SyntaxError: the source is not Python.
        ValueError: it holds null bytes.
        RecursionError, MemoryError: it is nested too deep.
    """
    return _undisturbed(lambda: ast.parse(source))


def python_expression(source: str) -> ast.expr:
    """Return the tree of one Python expression; as `python_tree` otherwise."""
    return _undisturbed(lambda: ast.parse(source, mode="eval")).body


def _undisturbed(parse: Callable[[], _Tree]) -> _Tree:
    for _ in range(_PARSING_TRIES - 1):
        try:
            return parse()
        except SystemError:
            continue
    return parse()


def _pairs(items: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(items)
    if len(made) != len(items):
        raise ValueError("a key occurs twice")
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _decimal(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _constant(digits[:20])


_STRICT = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_decimal)
