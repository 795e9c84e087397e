"""What a run did at each decision, and how far that is from the target."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from palestra.envs.fuzz.target import Target

_LINE: Final = re.compile(rb"(\d{1,4}) (\d{1,9}) (\d{1,9}) (-1|\d{1,18}) (-1|\d{1,18})")
_DIGITS: Final = 6  # of a distance
_MOST_BITS: Final = 32  # what is farther is as far as can be


class Taken(NamedTuple):
    """How often a decision was true and false, and how near it came to either when it was not; -1: it always was."""

    true: int
    false: int
    near_true: int
    near_false: int

    def times(self, way: bool) -> int:
        """Return how often the decision was taken this way."""
        return self.true if way else self.false

    def nearness(self, way: bool) -> int:
        """Return the least distance to this way of the times that the other was taken; -1 if it never was."""
        return self.near_true if way else self.near_false


@dataclass(frozen=True, slots=True)
class Trace:
    """The decisions that a run came to, by number."""

    taken: Mapping[int, Taken]

    @classmethod
    def of(cls, rows: Mapping[int, tuple[int, int, int, int]]) -> "Trace":
        """Return the trace that the probes measured."""
        return cls({number: Taken(*rows[number]) for number in sorted(rows)})

    @classmethod
    def read(cls, report: bytes) -> "Trace | None":
        """Return the trace that a probed program printed; None if this is no such report."""
        rows: dict[int, tuple[int, int, int, int]] = {}
        for line in report.splitlines():
            if not (found := _LINE.fullmatch(line)):
                return None
            number, true, false, near_true, near_false = map(int, found.groups())
            rows[number] = true, false, near_true, near_false
        return cls.of(rows) if rows else None

    def hits(self, target: Target) -> bool:
        """Return whether the target was reached."""
        number, way = target.path[-1]
        return number in self.taken and self.taken[number].times(way) > 0

    def stop(self, target: Target) -> int | None:
        """Return the last place of the target's path that was taken wrongly; None if there is none."""
        wrong = [place for place, (number, way) in enumerate(target.path) if self._is_wrong(number, way)]
        return wrong[-1] if wrong else None

    def distance(self, target: Target) -> float:
        """Return how far the run was from the target: 0 if and only if it was reached, at most `farthest`.

        Whole numbers count the decisions of the path that were still to come (the approach level), the fraction says
        how far the last that was taken wrongly was from the other way, as `normalised` tells it.

        Source: Wegener, Baresel, Sthamer 2001, "Evolutionary test environment for automatic structural testing".
        """
        if self.hits(target):
            return 0.0
        place = self.stop(target)
        if place is None:
            return farthest(target)
        number, way = target.path[place]
        near = self.taken[number].nearness(way)
        return round(len(target.path) - 1 - place + normalised(near), _DIGITS)

    def _is_wrong(self, number: int, way: bool) -> bool:
        return number in self.taken and self.taken[number].times(not way) > 0


def normalised(distance: int) -> float:
    """Return a branch distance within 0 and 1: halving it is worth the same wherever one is.

    It is the logarithm, with straight lines between the powers of 2, so that it is the same bits on every machine.
    """
    bits = distance.bit_length()
    return min(1.0, (bits + distance / (1 << (bits - 1)) - 1) / _MOST_BITS) if distance else 0.0


def farthest(target: Target) -> float:
    """Return the distance of a run that came to no decision of the path."""
    return float(len(target.path))
