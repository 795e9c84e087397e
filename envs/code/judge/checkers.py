"""Comparisons of what was printed with what was wanted, made out of the program's reach.

All are functions of two byte strings. Words are what white space separates; a carriage return is white space.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from palestra.envs.code.judge.case import Case, Checker
from palestra.rewards.base import VerifierError

_NUMBER: Final = re.compile(rb"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?")


def exact(printed: bytes, wanted: bytes) -> bool:
    """Return whether two outputs are the same bytes."""
    return printed == wanted


def lines(printed: bytes, wanted: bytes) -> bool:
    """Return whether two outputs have the same words line by line, but for blank lines at the end."""
    return _lines(printed) == _lines(wanted)


def tokens(printed: bytes, wanted: bytes) -> bool:
    """Return whether two outputs have the same words in the same order, wherever lines end."""
    return printed.split() == wanted.split()


def unordered_lines(printed: bytes, wanted: bytes) -> bool:
    """Return whether two outputs have the same lines in any order, each as often; blank lines do not count."""
    return _counted(_lines(printed)) == _counted(_lines(wanted))


def unordered_tokens(printed: bytes, wanted: bytes) -> bool:
    """Return whether two outputs have the same words in any order, each as often."""
    return Counter(printed.split()) == Counter(wanted.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Floats:
    """Words as `tokens`, but numbers may differ by the larger of two tolerances.

    Numbers are decimal, such as ``-1``, ``.5`` and ``2e-3``; what else a language may print for a number
    (``nan``, ``inf``, ``0x1p3``) is a word like any other.
    """

    absolute: float = 1e-6
    relative: float = 1e-6  # of the number that was wanted

    def __post_init__(self) -> None:
        for name in ("absolute", "relative"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value < 1:
                raise VerifierError(f"the {name} tolerance of numbers is from 0 to below 1, not {value!r}")

    def __call__(self, printed: bytes, wanted: bytes) -> bool:
        """Return whether two outputs have the same words, numbers within the tolerances."""
        ours, theirs = printed.split(), wanted.split()
        return len(ours) == len(theirs) and all(map(self._is_close, ours, theirs))

    def _is_close(self, printed: bytes, wanted: bytes) -> bool:
        if printed == wanted:
            return True
        if not (_NUMBER.fullmatch(printed) and _NUMBER.fullmatch(wanted)):
            return False
        ours, theirs = float(printed), float(wanted)
        if not (math.isfinite(ours) and math.isfinite(theirs)):
            return False
        return abs(ours - theirs) <= max(self.absolute, self.relative * abs(theirs))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The checker that a comparison is."""

    same: Callable[[bytes, bytes], bool]

    def accepts(self, case: Case, printed: bytes) -> bool:
        """Return whether the output is the case's, as the comparison sees it."""
        return self.same(printed, case.stdout)


LINES: Final[Checker] = Comparison(lines)
KINDS: Final[Mapping[str, Callable[..., Callable[[bytes, bytes], bool]]]] = {
    "exact": lambda: exact,
    "lines": lambda: lines,
    "tokens": lambda: tokens,
    "unordered_lines": lambda: unordered_lines,
    "unordered_tokens": lambda: unordered_tokens,
    "floats": Floats,
}


def read_checker(told: Any) -> Checker:
    """Return the checker that a task tells of: a name in `KINDS`, or ``{"kind": "floats", "relative": 1e-9}``.

    Raises:
        VerifierError: there is no such checker, or it is told what it does not know.
    """
    fields: Mapping[str, Any] = {"kind": told} if isinstance(told, str) else told if isinstance(told, Mapping) else {}
    options = {name: value for name, value in fields.items() if name != "kind"}
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise VerifierError(f"a checker is one of {', '.join(KINDS)}, not {told!r:.80}")
    try:
        return Comparison(KINDS[kind](**options))
    except TypeError:
        raise VerifierError(f"the checker {kind!r} knows nothing of {', '.join(map(str, options))}") from None


def _lines(output: bytes) -> list[list[bytes]]:
    return [line.split() for line in output.rstrip().split(b"\n")]


def _counted(found: list[list[bytes]]) -> Counter[tuple[bytes, ...]]:
    return Counter(tuple(line) for line in found if line)
