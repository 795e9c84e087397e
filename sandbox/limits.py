"""Whether limits make sense, before anything is started with them."""

import math
from dataclasses import fields

from palestra.sandbox.base import Limits

_LARGEST = 1 << 40


def check_limits(limits: Limits) -> None:
    """Raise ValueError when a limit is not a positive, finite number of its kind."""
    for entry in fields(limits):
        value = getattr(limits, entry.name)
        kinds: tuple[type, ...] = (int, float) if entry.name.endswith("_s") else (int,)
        if type(value) not in kinds or not math.isfinite(value) or not 0 < value <= _LARGEST:
            raise ValueError(f"limit {entry.name} must be a positive {kinds[-1].__name__}, not {value!r}")
