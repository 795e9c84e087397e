"""Whether limits make sense, before anything is started with them."""

import math
import resource
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


def lower_limit(pid: int, name: str, wanted: tuple[int, int]) -> None:
    """Lower a resource limit of a process (0: this one); what is lower already stays as it is."""
    which = getattr(resource, name)
    highest = resource.prlimit(pid, which)[1]
    soft, hard = (value if highest == resource.RLIM_INFINITY else min(value, highest) for value in wanted)
    resource.prlimit(pid, which, (soft, hard))
