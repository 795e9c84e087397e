"""JSON texts, read strictly: twice the same key, NaN, infinities and numbers too large for a float are none."""

import json
import math
from typing import NoReturn

from palestra.envs.base import Json


class NotJson:
    """What `read_json` returns for a text that is no JSON."""


NOT_JSON = NotJson()


def strict_json(text: str) -> Json:
    """Return the value of a JSON text.

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
