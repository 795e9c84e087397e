"""Where two texts differ, line by line, and a text with some of the differences put in."""

import difflib
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WIDE: Final = 100  # characters; a longer line counts as several


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Neighbouring lines of a text that are others in another one; none of `old` is an insertion."""

    first: int  # the number of lines before it
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def end(self) -> int:
        """The number of lines up to its last."""
        return self.first + len(self.old)


def hunks(before: Sequence[str], after: Sequence[str]) -> tuple[Hunk, ...]:
    """Return what makes the second text of the first, from top to bottom."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return tuple(
        Hunk(first=i, old=tuple(before[i:j]), new=tuple(after[k:m]))
        for tag, i, j, k, m in matcher.get_opcodes()
        if tag != "equal"
    )


def patched(lines: Sequence[str], chosen: Iterable[Hunk]) -> list[str]:
    """Return the text with these of its hunks put in."""
    made = list(lines)
    for hunk in sorted(chosen, key=lambda hunk: hunk.first, reverse=True):
        made[hunk.first : hunk.end] = hunk.new
    return made


def are_apart(chosen: Sequence[Hunk]) -> bool:
    """Return whether there is a line between any two of the hunks."""
    in_order = sorted(chosen, key=lambda hunk: hunk.first)
    return all(one.end < other.first for one, other in itertools.pairwise(in_order))


def lines_changed(before: Sequence[str], after: Sequence[str], most: int) -> int:
    """Return how many lines one must change, add or take away at least, or `most + 1` for any number above `most`.

    A new line of more than `WIDE` characters counts as the lines that it would fill.
    """
    if abs(len(before) - len(after)) > most:
        return most + 1
    row = [0]
    for line in after:
        row.append(row[-1] + _weight(line))
    for count, old in enumerate(before, start=1):
        last, row = row, [count]
        for place, line in enumerate(after, start=1):
            weight = _weight(line)
            kept = last[place - 1] + (0 if line == old else weight)
            row.append(min(kept, last[place] + 1, row[-1] + weight))
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def _weight(line: str) -> int:
    return max(1, math.ceil(len(line) / WIDE))
