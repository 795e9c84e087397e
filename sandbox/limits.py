"""Whether a spec and its limits make sense, and a backend enforces them, before anything is started."""

import math
import re
import resource
from dataclasses import fields

from palestra.sandbox.base import Capabilities, CapabilityError, Limits, Spec

_LARGEST = 1 << 40
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def check_spec(backend: str, spec: Spec, capabilities: Capabilities) -> None:
    """Refuse a spec that makes no sense, or that a backend was not seen to hold to.

    Raises:
        ValueError: a limit, a need, the image or the imports make no sense; the message names the field.
        CapabilityError: something that the spec needs is not proven here.
    """
    check_limits(spec.limits)
    if spec.image and not _IMAGE.fullmatch(spec.image):
        raise ValueError(f"image must be a name of small letters, digits, '.', '_' and '-', not {spec.image!r}")
    if spec.preload and (spec.terminal or spec.image):
        raise ValueError(
            f"preload {spec.preload!r} goes with the warm interpreter of a sandbox without terminal and image only"
        )
    if missing := capabilities.missing(spec.required):
        raise CapabilityError(
            f"the {backend} backend does not enforce {', '.join(missing)} here, which this task needs; "
            "`palestra sandbox doctor` says which backend does, and what would enable it"
        )


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
