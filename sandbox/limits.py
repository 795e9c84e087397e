"""Whether a spec and its limits make sense, and a backend enforces them, before anything is started."""

import os
import re
import resource
from collections.abc import Mapping
from dataclasses import fields

from palestra.sandbox.base import MIB, Capabilities, CapabilityError, Limits, Spec

_SECONDS, _BYTES = (0.001, 1e6), (1, 1 << 40)
_RANGES: dict[str, tuple[float, float]] = {
    "wall_s": _SECONDS,
    "cpu_s": _SECONDS,
    "memory_bytes": (MIB, 1 << 40),  # in less, no program comes to its first line
    "processes": (1, 1 << 20),  # the kernel counts to 1 << 22
    "file_bytes": _BYTES,
    "disk_bytes": _BYTES,
    "output_bytes": _BYTES,
}
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def check_spec(backend: str, spec: Spec, capabilities: Capabilities) -> None:
    """Refuse a spec that makes no sense, or that a backend was not seen to hold to.

    Raises:
        ValueError: a field makes no sense; the message names it, with its value.
        CapabilityError: something that the spec needs is not proven here.
    """
    if not isinstance(spec, Spec):
        raise ValueError(f"a spec is Spec(...), not {spec!r}")
    _check_kinds(spec)
    check_limits(spec.limits)
    check_variables(spec.env)
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


def _check_kinds(spec: Spec) -> None:
    preload = spec.preload
    is_modules = isinstance(preload, tuple) and all(
        isinstance(name, str) and all(part.isidentifier() for part in name.split(".")) for name in preload
    )
    checks = {
        "limits": (isinstance(spec.limits, Limits), "Limits(...)"),
        "needs": (isinstance(spec.needs, frozenset | set), "a frozenset of names, such as frozenset({'network_off'})"),
        "env": (isinstance(spec.env, Mapping), "a dictionary of texts"),
        "preload": (is_modules, "a tuple of modules' names, such as ('numpy',)"),
        "image": (isinstance(spec.image, str), "an image's name, or ''"),
        "terminal": (isinstance(spec.terminal, bool), "True or False"),
    }
    for name, (is_right, wanted) in checks.items():
        if not is_right:
            raise ValueError(f"{name} must be {wanted}, not {getattr(spec, name)!r}")


def check_limits(limits: Limits) -> None:
    """Raise ValueError when a limit is no number of its kind, or out of its range; NaN is in none."""
    for entry in fields(limits):
        value, (lowest, highest) = getattr(limits, entry.name), _RANGES[entry.name]
        is_time = entry.name.endswith("_s")
        if type(value) not in ((int, float) if is_time else (int,)) or not lowest <= value <= highest:
            kind = "a number" if is_time else "an int"
            raise ValueError(f"limit {entry.name} must be {kind} from {lowest:.10g} to {highest:.13g}, not {value!r}")


def check_variables(env: Mapping[str, str]) -> None:
    """Raise ValueError when a variable could never be passed to a program."""
    for name, value in env.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError(f"an environment variable is text, not {name!r} = {value!r}")
        if not name or "=" in name or not can_be_passed(name + value):
            raise ValueError(f"no program can be given the variable {name!r} = {value!r}")


def can_be_passed(word: str) -> bool:
    """Whether a text can be an argument: it has no NUL, and no half of a character."""
    try:
        return b"\0" not in os.fsencode(word)
    except UnicodeEncodeError:
        return False


def lower_limit(pid: int, name: str, wanted: tuple[int, int]) -> None:
    """Lower a resource limit of a process (0: this one); what is lower already stays as it is."""
    which = getattr(resource, name)
    highest = resource.prlimit(pid, which)[1]
    soft, hard = (value if highest == resource.RLIM_INFINITY else min(value, highest) for value in wanted)
    resource.prlimit(pid, which, (soft, hard))
