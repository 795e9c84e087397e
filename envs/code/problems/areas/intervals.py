"""Problems about intervals of integers: what they cover, where they overlap, what they leave free."""

import itertools
from collections import Counter
from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Values, archetype

DAY: Final = 40  # times are from 0 to this


class OnIntervals(Archetype):
    """A problem about intervals with a start and an end within a day."""

    def draw(self, draws: Draws, size: int) -> tuple[list[list[int]]]:
        rows: list[list[int]] = []
        wide = draws.pick((3, 8, DAY))
        for _ in range(draws.between(0, size)):
            start = draws.between(0, DAY - 1)
            if rows and draws.chance(0.35):
                start = min(rows[-1][draws.between(0, 1)], DAY - 1)  # they touch
            rows.append([start, min(DAY, start + draws.between(1, wide))])
        return (draws.shuffled(rows),)

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("no intervals", ([],)),
            ("one", ([[0, DAY]],)),
            ("equal", ([[3, 7], [3, 7], [3, 7]],)),
            ("touching", ([[5, 9], [9, 12], [2, 5]],)),
            ("one apart", ([[1, 4], [5, 8], [9, 11]],)),
            ("nested", ([[2, 30], [4, 6], [10, 29]],)),
            ("at the ends", ([[0, 1], [DAY - 1, DAY]],)),
        )


def intervals_field(c: Choices) -> Field:
    """Return the field of a day's intervals, named by a constant."""
    noun = c.constant("noun", ("bookings", "shifts"), ("meetings", "trips"))
    columns = ("the start s", f"the end e (0 <= s < e <= {DAY})")
    return Field(name="rows", sort="rows", what=f"the {noun}", columns=columns)


@archetype("intervals", "union")
class Merged(OnIntervals):
    """Intervals merged into blocks."""

    cost = "loglinear"

    def __init__(self, c: Choices) -> None:
        self.ends = c.pick("ends", ("open", "closed"))
        self.touching = c.pick("touching", ("merge", "stay"))
        self.short = c.pick("short", ("kept", "left out"))
        self.objective = c.pick("objective", ("total", "blocks", "longest", "list", "gaps", "largest gap"))
        self.k = c.constant("k", (2, 3), (4, 5))
        self.more = 1 if self.ends == "closed" else 0  # a closed interval from s to e has e - s + 1 integers
        self.reach = f"end + {self.more}" if self.touching == "merge" else f"end - {1 - self.more}"
        self.start, self.each = {
            "total": ("made = 0", f"made += end - first + {self.more}"),
            "blocks": ("made = 0", "made += 1"),
            "longest": ("made = 0", f"made = max(made, end - first + {self.more})"),
            "list": ("made: list[str] = []", 'made.append(str(first) + "-" + str(end))'),
            "gaps": (
                "made = 0\nlast = -1",
                f"if last >= 0:\n    made += first - last - {self.more}\nlast = end",
            ),
            "largest gap": (
                "made = 0\nlast = -1",
                f"if last >= 0:\n    made = max(made, first - last - {self.more})\nlast = end",
            ),
        }[self.objective]
        self.gives = "words" if self.objective == "list" else "int"
        self.fields = (intervals_field(c),)

    def story(self) -> str:
        meaning = (
            "An interval covers the integers from s to e, both included; its length is how many these are."
            if self.more
            else "An interval covers the time from s to e; its length is e - s."
        )
        joins = {
            ("open", "merge"): "Intervals that overlap or touch (one ends where another starts) belong to one block.",
            ("open", "stay"): "Intervals that overlap belong to one block; those that only touch (one ends where "
            "another starts) do not.",
            ("closed", "merge"): "Intervals that have an integer in common, or that follow each other with no "
            "integer between them, belong to one block.",
            ("closed", "stay"): "Intervals that have an integer in common belong to one block; others do not, even "
            "if no integer is between them.",
        }[self.ends, self.touching]
        left_out = (
            "" if self.short == "kept" else f" Intervals with e - s less than {self.k} are left out at the beginning."
        )
        asked = {
            "total": "the sum of the lengths of all blocks",
            "blocks": "the number of blocks",
            "longest": "the length of the longest block (0 if there is none)",
            "list": "an entry for each block, the one that starts first coming first: its start, a - and its end, "
            "without spaces",
            "gaps": "the sum of the lengths of the gaps between neighbouring blocks (0 if there is no gap)",
            "largest gap": "the length of the longest gap between neighbouring blocks (0 if there is none)",
        }[self.objective]
        gap_words = ""
        if "gap" in self.objective:
            gap_words = " A gap's length is " + (
                "how many integers lie between the two." if self.more else "the time between the two."
            )
        return (
            f"{meaning}{left_out} {joins} This goes on: blocks are as large as can be.{gap_words} The result is "
            f"{asked}."
        )

    def solve(self) -> str:
        return self.code(
            """
def solve(rows: list[list[int]]) -> <type>:
    packed: list[int] = []
    for row in rows:
        if <long>:
            packed.append(row[0] * 1000 + row[1])
    <start>
    first = -1
    end = -1
    for one in sorted(packed):
        if first < 0:
            first = one // 1000
            end = one % 1000
        elif one // 1000 <= <reach>:
            end = max(end, one % 1000)
        else:
            <each>
            first = one // 1000
            end = one % 1000
    if first >= 0:
        <each>
    return made
""",
            long="True" if self.short == "kept" else f"row[1] - row[0] >= {self.k}",
            start=self.start,
            reach=self.reach,
            each=self.each,
        )

    def slow(self) -> str:
        return self.code(
            """
def solve(rows: list[list[int]]) -> <type>:
    left: list[int] = []
    for row in rows:
        if <long>:
            left.append(row[0] * 1000 + row[1])
    <start>
    used = [0] * len(left)
    first = -1
    end = -1
    for turn in range(len(left)):
        best = -1
        for i in range(len(left)):
            if used[i] == 0 and (best < 0 or left[i] < left[best]):
                best = i
        used[best] = 1
        one = left[best]
        if first < 0:
            first = one // 1000
            end = one % 1000
        elif one // 1000 <= <reach>:
            end = max(end, one % 1000)
        else:
            <each>
            first = one // 1000
            end = one % 1000
    if first >= 0:
        <each>
    return made
""",
            long="True" if self.short == "kept" else f"row[1] - row[0] >= {self.k}",
            start=self.start,
            reach=self.reach,
            each=self.each,
        )

    def law(self, rows: list[list[int]]) -> Any:
        kept = [(s, e) for s, e in rows if self.short == "kept" or e - s >= self.k]
        # Cells of half integers: closed intervals share an end, open ones do not; a merge bridges what only touches.
        cells = {x for s, e in kept for x in range(2 * s, 2 * e + 1)}
        if self.ends == "closed" and self.touching == "merge":
            cells |= {x for x in range(2 * DAY) if x % 2 and {x - 1, x + 1} <= cells}
        if self.ends == "open" and self.touching == "stay":
            inner = {x for s, e in kept for x in range(2 * s + 1, 2 * e)}
            starts = sorted({x for x in inner if x - 1 not in inner})
            blocks = [(a // 2, next(x for x in range(a, 2 * DAY + 2) if x not in inner) // 2) for a in starts]
        else:
            starts = sorted(x for x in cells if x - 1 not in cells)
            blocks = [(a // 2, (next(x for x in range(a, 2 * DAY + 3) if x not in cells) - 1) // 2) for a in starts]
        sizes = [e - s + self.more for s, e in blocks]
        gaps = [b[0] - a[1] - self.more for a, b in itertools.pairwise(blocks)]
        return {
            "total": sum(sizes),
            "blocks": len(blocks),
            "longest": max(sizes, default=0),
            "gaps": sum(gaps),
            "list": [f"{s}-{e}" for s, e in blocks],
        }.get(self.objective, max(gaps, default=0))

    def large(self, draws: Draws, size: int) -> Values:
        return ([[start, start + 1] for start in (draws.between(0, DAY - 1) for _ in range(size))],)


@archetype("intervals", "overlap")
class Overlap(OnIntervals):
    """How many intervals hold at a time."""

    def __init__(self, c: Choices) -> None:
        ends = c.pick("ends", ("open", "closed"))
        self.objective = c.pick("objective", ("most", "first time", "last time", "times", "list"))
        self.level = c.pick("level", ("at least", "exactly", "at most"))
        self.counts = c.pick("equal intervals", ("each", "once"))
        self.k = c.constant("k", (2,), (3,))
        self.more = 1 if ends == "closed" else 0
        self.gives = "ints" if self.objective == "list" else "int"
        self.fields = (intervals_field(c),)

    def story(self) -> str:
        meaning = "from s to e, both included" if self.more else "from s on, but no longer at e"
        span = f"0 to {DAY + self.more - 1}"
        busy = f"A time t is good if {self.level} {self.k} intervals hold at t. "
        asked = {
            "most": f"the greatest number of intervals that hold at the same time, for the integer times {span}",
            "first time": f"the first good time from {span}, -1 if there is none",
            "last time": f"the last good time from {span}, -1 if there is none",
            "times": f"how many of the times {span} are good",
            "list": f"all good times from {span}, in order",
        }[self.objective]
        once = " Intervals with the same start and end count as one." if self.counts == "once" else ""
        return (
            f"An interval holds at the integer times {meaning}.{once} {busy if self.objective != 'most' else ''}The "
            f"result is {asked}."
        )

    def solve(self) -> str:
        test = {"at least": f">= {self.k}", "exactly": f"== {self.k}", "at most": f"<= {self.k}"}[self.level]
        end = {
            "most": "return most",
            "first time": "return times[0] if len(times) > 0 else -1",
            "last time": "return times[len(times) - 1] if len(times) > 0 else -1",
            "times": "return len(times)",
            "list": "return times",
        }[self.objective]
        return self.code(
            """
def solve(rows: list[list[int]]) -> <type>:
    change = [0] * <size>
    seen: dict[int, int] = {}
    for row in rows:
        code = row[0] * 1000 + row[1]
        if <new>:
            change[row[0]] += 1
            change[row[1] + <more>] -= 1
        seen[code] = 1
    now = 0
    most = 0
    times: list[int] = []
    for t in range(<last>):
        now += change[t]
        most = max(most, now)
        if now <test>:
            times.append(t)
    <end>
""",
            size=str(DAY + 2),
            new="True" if self.counts == "each" else "code not in seen",
            more=str(self.more),
            last=str(DAY + self.more),
            test=test,
            end=end,
        )

    def law(self, rows: list[list[int]]) -> Any:
        tally = Counter((s, e) for s, e in rows)
        weights = tally if self.counts == "each" else Counter(set(tally))
        held = [sum(n for (s, e), n in weights.items() if s <= t < e + self.more) for t in range(DAY + self.more)]
        tests = {"at least": lambda n: n >= self.k, "exactly": lambda n: n == self.k}
        times = [t for t, n in enumerate(held) if tests.get(self.level, lambda n: n <= self.k)(n)]
        return {
            "most": max(held),
            "first time": min(times, default=-1),
            "last time": max(times, default=-1),
            "times": len(times),
        }.get(self.objective, times)
