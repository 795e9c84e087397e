"""Whether two results are the same: what a query returned, and what it was to return."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

TOLERANCE = 1e-9  # of numbers, relative, and absolute near 0


def same_rows(found: Sequence[Sequence[Any]], wanted: Sequence[Sequence[Any]], *, ordered: bool) -> bool:
    """Return whether two results hold the same rows, equally often, and in the same order if that was asked for.

    Columns count by their position. Integers and reals are numbers, equal within a tolerance; a number is never
    equal to a text, nor is a missing value to anything but another.
    """
    if len(found) != len(wanted):
        return False
    if ordered:
        return all(_same(one, other) for one, other in zip(found, wanted, strict=True))
    groups: dict[tuple[Any, ...], list[Sequence[Any]]] = defaultdict(list)
    for row in wanted:
        groups[_exact(row)].append(row)
    for row in found:
        left = groups[_exact(row)]
        match = next((place for place, other in enumerate(left) if _same(row, other)), None)
        if match is None:
            return False
        del left[match]
    return True


def _exact(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return what of a row must be equal without any tolerance."""
    return tuple("number" if _is_number(value) else (type(value).__name__, repr(value)) for value in row)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return len(one) == len(other) and all(map(_same_value, one, other))


def _same_value(one: Any, other: Any) -> bool:
    if _is_number(one) and _is_number(other):
        if type(one) is int and type(other) is int:
            return one == other
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(one) is type(other) and bool(one == other)
