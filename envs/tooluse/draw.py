"""How the values of a column are drawn, many at a time, from a seed."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

from palestra.envs.base import Json

Row = Mapping[str, Json]
Rows = dict[str, dict[str, dict[str, Json]]]  # table -> id -> row
_TRIES = 50  # draws for each of the values that must differ


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a draw may look at."""

    rng: random.Random
    pools: Mapping[str, tuple[str, ...]]
    ids: Mapping[str, list[str]]  # of the tables before
    today: date


class Draw(Protocol):
    """A way to draw values."""

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n values."""
        ...


class Pick:
    """A word of each pool, in order, with a separator between."""

    def __init__(self, *pools: str, joined_by: str = " ") -> None:
        """Take pools by name."""
        self.pools, self.joined_by = pools, joined_by

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n texts."""
        words = [at.rng.choices(at.pools[pool], k=n) for pool in self.pools]
        return words[0] if len(words) == 1 else [self.joined_by.join(some) for some in zip(*words, strict=True)]


class OneOf:
    """One of some values, which may have weights."""

    def __init__(self, *values: Json, weights: tuple[float, ...] | None = None) -> None:
        """Take the values."""
        self.values, self.weights = values, weights

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n of the values."""
        return at.rng.choices(self.values, self.weights, k=n)


class Whole:
    """A whole number from low to high, in steps."""

    def __init__(self, low: int, high: int, step: int = 1) -> None:
        """Take the range, both ends in it."""
        self.low, self.step, self.span = low, step, (high - low) // step + 1

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n integers."""
        rand, low, step, span = at.rng.random, self.low, self.step, self.span
        return [low + step * int(rand() * span) for _ in range(n)]


class Money:
    """An amount with two decimals."""

    def __init__(self, low: float, high: float) -> None:
        """Take the range in whole units."""
        self.low, self.span = round(low * 100), round((high - low) * 100)

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n amounts."""
        rand, low, span = at.rng.random, self.low, self.span
        return [(low + int(rand() * span)) / 100 for _ in range(n)]


class Day:
    """An ISO date, so many days from the world's day."""

    def __init__(self, first: int, last: int) -> None:
        """Take the range in days; negative ones are past."""
        self.first, self.last = first, last

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n dates."""
        today = at.today.toordinal()
        return [_iso(day) for day in at.rng.choices(range(today + self.first, today + self.last + 1), k=n)]


class Clock:
    """A time of day such as "09:30"."""

    def __init__(self, first: int, last: int, step: int = 30) -> None:
        """Take the first and the last hour, and the step in minutes."""
        self.times = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(first * 60, last * 60 + 1, step)]

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n times."""
        return at.rng.choices(self.times, k=n)


class Code:
    """A text of a pattern: each # is a digit, each ? a capital letter."""

    def __init__(self, pattern: str) -> None:
        """Take the pattern."""
        self.runs = re.findall(r"#{1,9}|\?|[^#?]+", pattern)

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n codes."""
        parts = [self._drawn(run, at.rng, n) for run in self.runs]
        return ["".join(some) for some in zip(*parts, strict=True)]

    def _drawn(self, run: str, rng: random.Random, n: int) -> list[str]:
        if run == "?":
            return rng.choices(_CAPITALS, k=n)
        if not run.startswith("#"):
            return [run] * n
        digits, rand = len(run), rng.random
        return [f"{int(rand() * 10**digits):0{digits}d}" for _ in range(n)]


class Ref:
    """The id of a row of a table before."""

    def __init__(self, table: str) -> None:
        """Take the table's name."""
        self.table = table

    def many(self, at: Drawing, n: int) -> list[Json]:
        """Return n ids."""
        return at.rng.choices(at.ids[self.table], k=n)


_CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@lru_cache(maxsize=4096)
def _iso(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def distinct(draw: Draw, at: Drawing, n: int) -> list[Json]:
    """Return n values of which no two are equal.

    Raises:
        ValueError: there are too few.
    """
    found = dict.fromkeys(draw.many(at, n))
    for _ in range(_TRIES):
        if len(found) >= n:
            return list(found)[:n]
        found |= dict.fromkeys(draw.many(at, n))
    raise ValueError(f"{n} different values were asked for and {len(found)} were found; the pools are too small")
