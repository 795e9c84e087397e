"""Problems about intervals of integers: what they cover, where they overlap, what they leave free."""

import itertools
from collections import Counter
from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code

DAY: Final = 40  # times are from 0 to this


def _rows(draws: Draws, size: int) -> tuple[list[list[int]]]:
    rows: list[list[int]] = []
    wide = draws.pick((3, 8, DAY))
    for _ in range(draws.between(0, size)):
        start = draws.between(0, DAY - 1)
        if rows and draws.chance(0.35):
            start = min(rows[-1][draws.between(0, 1)], DAY - 1)  # they touch
        rows.append([start, min(DAY, start + draws.between(1, wide))])
    return (draws.shuffled(rows),)


_CORNERS: Final[tuple[tuple[str, tuple[list[list[int]]]], ...]] = (
    ("no intervals", ([],)),
    ("one", ([[0, DAY]],)),
    ("equal", ([[3, 7], [3, 7], [3, 7]],)),
    ("touching", ([[5, 9], [9, 12], [2, 5]],)),
    ("one apart", ([[1, 4], [5, 8], [9, 11]],)),
    ("nested", ([[2, 30], [4, 6], [10, 29]],)),
    ("at the ends", ([[0, 1], [DAY - 1, DAY]],)),
)


def _field(c: Choices) -> Field:
    noun = c.constant("noun", ("bookings", "shifts"), ("meetings", "trips"))
    columns = ("the start s", f"the end e (0 <= s < e <= {DAY})")
    return Field(name="rows", sort="rows", what=f"the {noun}", columns=columns)


@archetype("intervals")
def union(c: Choices) -> Parts:
    """Intervals merged into blocks."""
    ends = c.pick("ends", ("open", "closed"))
    touching = c.pick("touching", ("merge", "stay"))
    short = c.pick("short", ("kept", "left out"))
    objective = c.pick("objective", ("total", "blocks", "longest", "list", "gaps", "largest gap"))
    k = c.constant("k", (2, 3), (4, 5))
    more = 1 if ends == "closed" else 0  # a closed interval from s to e has e - s + 1 integers
    reach = f"end + {more}" if touching == "merge" else f"end - {1 - more}"
    start, each, end = {
        "total": ("made = 0", f"made += end - first + {more}", "made"),
        "blocks": ("made = 0", "made += 1", "made"),
        "longest": ("made = 0", f"made = max(made, end - first + {more})", "made"),
        "list": ("made: list[str] = []", 'made.append(str(first) + "-" + str(end))', "made"),
        "gaps": ("made = 0\nlast = -1", f"if last >= 0:\n    made += first - last - {more}\nlast = end", "made"),
        "largest gap": (
            "made = 0\nlast = -1",
            f"if last >= 0:\n    made = max(made, first - last - {more})\nlast = end",
            "made",
        ),
    }[objective]
    gives: Gives = "words" if objective == "list" else "int"
    solve = code(
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
    return <end>
""",
        type="int" if gives == "int" else "list[str]",
        long="True" if short == "kept" else f"row[1] - row[0] >= {k}",
        start=start,
        reach=reach,
        each=each,
        end=end,
    )
    slow = code(
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
    return <end>
""",
        type="int" if gives == "int" else "list[str]",
        long="True" if short == "kept" else f"row[1] - row[0] >= {k}",
        start=start,
        reach=reach,
        each=each,
        end=end,
    )

    def law(rows: list[list[int]]) -> Any:
        kept = [(s, e) for s, e in rows if short == "kept" or e - s >= k]
        # Cells of half integers: closed intervals share an end, open ones do not; a merge bridges what only touches.
        cells = {x for s, e in kept for x in range(2 * s, 2 * e + 1)}
        if ends == "closed" and touching == "merge":
            cells |= {x for x in range(2 * DAY) if x % 2 and {x - 1, x + 1} <= cells}
        if ends == "open" and touching == "stay":
            inner = {x for s, e in kept for x in range(2 * s + 1, 2 * e)}
            starts = sorted({x for x in inner if x - 1 not in inner})
            blocks = [(a // 2, next(x for x in range(a, 2 * DAY + 2) if x not in inner) // 2) for a in starts]
        else:
            starts = sorted(x for x in cells if x - 1 not in cells)
            blocks = [(a // 2, (next(x for x in range(a, 2 * DAY + 3) if x not in cells) - 1) // 2) for a in starts]
        sizes = [e - s + more for s, e in blocks]
        gaps = [b[0] - a[1] - more for a, b in itertools.pairwise(blocks)]
        return {
            "total": sum(sizes),
            "blocks": len(blocks),
            "longest": max(sizes, default=0),
            "gaps": sum(gaps),
            "list": [f"{s}-{e}" for s, e in blocks],
        }.get(objective, max(gaps, default=0))

    meaning = (
        "An interval covers the integers from s to e, both included; its length is how many these are."
        if more
        else "An interval covers the time from s to e; its length is e - s."
    )
    joins = {
        ("open", "merge"): "Intervals that overlap or touch (one ends where another starts) belong to one block.",
        ("open", "stay"): "Intervals that overlap belong to one block; those that only touch (one ends where another "
        "starts) do not.",
        ("closed", "merge"): "Intervals that have an integer in common, or that follow each other with no integer "
        "between "
        "them, belong to one block.",
        ("closed", "stay"): "Intervals that have an integer in common belong to one block; others do not, even if no "
        "integer is between them.",
    }[ends, touching]
    left_out = "" if short == "kept" else f" Intervals with e - s less than {k} are left out at the beginning."
    asked = {
        "total": "the sum of the lengths of all blocks",
        "blocks": "the number of blocks",
        "longest": "the length of the longest block (0 if there is none)",
        "list": "an entry for each block, the one that starts first coming first: its start, a - and its end, without "
        "spaces",
        "gaps": "the sum of the lengths of the gaps between neighbouring blocks (0 if there is no gap)",
        "largest gap": "the length of the longest gap between neighbouring blocks (0 if there is none)",
    }[objective]
    gap_words = ""
    if "gap" in objective:
        gap_words = " A gap's length is " + (
            "how many integers lie between the two." if more else "the time between the two."
        )
    return Parts(
        story=f"{meaning}{left_out} {joins} This goes on: blocks are as large as can be.{gap_words} The result is "
        f"{asked}.",
        fields=(_field(c),),
        gives=gives,
        solve=solve,
        law=law,
        cost="loglinear",
        slow=slow,
        draw=_rows,
        corners=_CORNERS,
        large=lambda draws, size: ([[start, start + 1] for start in (draws.between(0, DAY - 1) for _ in range(size))],),
    )


@archetype("intervals")
def overlap(c: Choices) -> Parts:
    """How many intervals hold at a time."""
    ends = c.pick("ends", ("open", "closed"))
    objective = c.pick("objective", ("most", "first time", "last time", "times", "list"))
    level = c.pick("level", ("at least", "exactly", "at most"))
    counts = c.pick("equal intervals", ("each", "once"))
    k = c.constant("k", (2,), (3,))
    more = 1 if ends == "closed" else 0
    test = {"at least": f">= {k}", "exactly": f"== {k}", "at most": f"<= {k}"}[level]
    end = {
        "most": "return most",
        "first time": "return times[0] if len(times) > 0 else -1",
        "last time": "return times[len(times) - 1] if len(times) > 0 else -1",
        "times": "return len(times)",
        "list": "return times",
    }[objective]
    gives: Gives = "ints" if objective == "list" else "int"
    solve = code(
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
        type="int" if gives == "int" else "list[int]",
        size=str(DAY + 2),
        new="True" if counts == "each" else "code not in seen",
        more=str(more),
        last=str(DAY + more),
        test=test,
        end=end,
    )

    def law(rows: list[list[int]]) -> Any:
        tally = Counter((s, e) for s, e in rows)
        weights = tally if counts == "each" else Counter(set(tally))
        held = [sum(n for (s, e), n in weights.items() if s <= t < e + more) for t in range(DAY + more)]
        tests = {"at least": lambda n: n >= k, "exactly": lambda n: n == k}
        times = [t for t, n in enumerate(held) if tests.get(level, lambda n: n <= k)(n)]
        return {
            "most": max(held),
            "first time": min(times, default=-1),
            "last time": max(times, default=-1),
            "times": len(times),
        }.get(objective, times)

    meaning = "from s to e, both included" if more else "from s on, but no longer at e"
    span = f"0 to {DAY + more - 1}"
    busy = f"A time t is good if {level.replace('exactly', 'exactly')} {k} intervals hold at t. "
    asked = {
        "most": f"the greatest number of intervals that hold at the same time, for the integer times {span}",
        "first time": f"the first good time from {span}, -1 if there is none",
        "last time": f"the last good time from {span}, -1 if there is none",
        "times": f"how many of the times {span} are good",
        "list": f"all good times from {span}, in order",
    }[objective]
    once = " Intervals with the same start and end count as one." if counts == "once" else ""
    return Parts(
        story=f"An interval holds at the integer times {meaning}.{once} {busy if objective != 'most' else ''}"
        f"The result is {asked}.",
        fields=(_field(c),),
        gives=gives,
        solve=solve,
        law=law,
        draw=_rows,
        corners=_CORNERS,
    )


@archetype("intervals")
def chosen(c: Choices) -> Parts:
    """Intervals accepted one after the other if they go with those before."""
    order = c.pick("order", ("arrival", "end", "start", "length", "last arrival"))
    ends = c.pick("touching", ("allowed", "not allowed", "pause"))
    rooms = c.pick("rooms", ("1", "2"))
    objective = c.pick("objective", ("count", "total", "rejected", "list"))
    k = c.constant("pause", (1, 2), (3,))
    apart = {"allowed": 0, "not allowed": 1, "pause": k}[ends]
    key = {
        "arrival": "i",
        "last arrival": "0 - i",
        "end": "rows[i][1] * 1000 + i",
        "start": "rows[i][0] * 1000 + i",
        "length": "(rows[i][1] - rows[i][0]) * 1000 + i",
    }[order]
    start, yes, no = {
        "count": ("made = 0", "made += 1", ""),
        "total": ("made = 0", "made += e - s", ""),
        "rejected": ("made = 0", "", "made += 1"),
        "list": ("made: list[str] = []", 'made.append(str(s) + "-" + str(e))', ""),
    }[objective]
    gives: Gives = "words" if objective == "list" else "int"
    solve = code(
        """
def solve(rows: list[list[int]]) -> <type>:
    keys: list[int] = []
    for i in range(len(rows)):
        keys.append((<key>) * 1000 + i)
    room = [[0] * <length> for _ in range(<rooms>)]
    <start>
    for key in sorted(keys):
        s = rows[key % 1000][0]
        e = rows[key % 1000][1]
        place = -1
        for r in range(<rooms>):
            is_free = True
            for t in range(max(s - <apart>, 0), min(e + <apart>, <length>)):
                if room[r][t] == 1:
                    is_free = False
            if is_free and place < 0:
                place = r
        if place >= 0:
            for t in range(s, e):
                room[place][t] = 1
            <yes>
        <otherwise>
    return made
""",
        type="int" if gives == "int" else "list[str]",
        key=key,
        length=str(DAY),
        rooms=rooms,
        start=start,
        apart=str(apart),
        yes=yes,
        otherwise=f"else:\n    {no}" if no else "",
    )

    def law(rows: list[list[int]]) -> Any:
        places = range(len(rows))
        by = {
            "arrival": list(places),
            "last arrival": list(places)[::-1],
            "end": sorted(places, key=lambda i: rows[i][1]),
            "start": sorted(places, key=lambda i: rows[i][0]),
        }.get(order, sorted(places, key=lambda i: rows[i][1] - rows[i][0]))
        taken: list[list[tuple[int, int]]] = [[] for _ in range(int(rooms))]
        accepted = []
        for s, e in (rows[i] for i in by):
            free = [room for room in taken if all(e + apart <= a or b + apart <= s for a, b in room)]
            if free:
                free[0].append((s, e))
                accepted.append((s, e))
        return {
            "count": len(accepted),
            "total": sum(e - s for s, e in accepted),
            "rejected": len(rows) - len(accepted),
        }.get(objective, [f"{s}-{e}" for s, e in accepted])

    first = {
        "arrival": "in the order of the input",
        "last arrival": "in the reversed order of the input",
        "end": "the one with the smallest end first, equal ones in the order of the input",
        "start": "the one with the smallest start first, equal ones in the order of the input",
        "length": "the shortest first, equally long ones in the order of the input",
    }[order]
    clash = {
        "allowed": "they may touch (one ends where the other starts)",
        "not allowed": "they must not even touch: between one's end and another's start at least 1 must lie",
        "pause": f"between one's end and another's start at least {k} must lie",
    }[ends]
    where = (
        "There is one room."
        if rooms == "1"
        else "There are two rooms; an interval takes the first room if it fits there, else the second."
    )
    asked = {
        "count": "how many are accepted",
        "total": "the sum of e - s of those that are accepted",
        "rejected": "how many are rejected",
        "list": "an entry for each that is accepted, in the order in which they are: start, a - and end, without "
        "spaces",
    }[objective]
    return Parts(
        story=f"Requests for the time from s to e are looked at one after the other, {first}. {where} A request fits "
        "into a room "
        f"if it does not overlap any that was accepted there; {clash}. One that fits nowhere is rejected for good. "
        f"The result is {asked}.",
        fields=(_field(c),),
        gives=gives,
        solve=solve,
        law=law,
        draw=_rows,
        corners=_CORNERS,
    )


@archetype("intervals")
def free(c: Choices) -> Parts:
    """The time that intervals leave free within a day."""
    objective = c.pick("objective", ("first slot", "last slot", "count", "total", "longest", "list"))
    before = c.pick("pause", ("none", "after each", "around each"))
    only = c.pick("slots", ("any", "at least k"))
    border = c.pick("day", ("whole", "inner"))
    k = c.constant("k", (2, 3), (4, 5))
    low, high = (0, DAY) if border == "whole" else (8, 32)
    lead, tail = {"none": (0, 0), "after each": (0, 1), "around each": (1, 1)}[before]
    least = k if only == "at least k" or objective in ("first slot", "last slot") else 1
    start, each = {
        "first slot": ("made = -1", "if made < 0:\n    made = begin"),
        "last slot": ("made = -1", f"made = t - {least}"),
        "count": ("made = 0", "made += 1"),
        "total": ("made = 0", "made += t - begin"),
        "longest": ("made = 0", "made = max(made, t - begin)"),
        "list": ("made: list[str] = []", 'made.append(str(begin) + "-" + str(t))'),
    }[objective]
    gives: Gives = "words" if objective == "list" else "int"
    solve = code(
        """
def solve(rows: list[list[int]]) -> <type>:
    busy = [0] * <day>
    for row in rows:
        for t in range(max(row[0] - <lead>, 0), min(row[1] + <tail>, <day>)):
            busy[t] = 1
    <start>
    begin = -1
    for t in range(<low>, <high> + 1):
        is_free = False
        if t < <high>:
            is_free = busy[t] == 0
        if is_free and begin < 0:
            begin = t
        if not is_free and begin >= 0:
            if t - begin >= <least>:
                <each>
            begin = -1
    return made
""",
        type="int" if gives == "int" else "list[str]",
        day=str(DAY),
        lead=str(lead),
        tail=str(tail),
        start=start,
        low=str(low),
        high=str(high),
        least=str(least),
        each=each,
    )

    def law(rows: list[list[int]]) -> Any:
        slots, now = [], low
        for s, e in sorted((s - lead, e + tail) for s, e in rows):
            if s > now:
                slots.append((now, min(s, high)))
            now = max(now, e)
        slots.append((now, high))
        slots = [(s, e) for s, e in slots if e - s >= least]
        firsts = [s for s, _ in slots]
        return {
            "first slot": min(firsts, default=-1),
            "last slot": max((e for _, e in slots), default=least - 1) - least,
            "count": len(slots),
            "total": sum(e - s for s, e in slots),
            "longest": max((e - s for s, e in slots), default=0),
        }.get(objective, [f"{s}-{e}" for s, e in slots])

    pause = {
        "none": "",
        "after each": " After each interval one unit more of time is busy.",
        "around each": " One unit of time before and one after each interval are busy as well.",
    }[before]
    long_enough = f", if it is at least {least} long" if least > 1 else ""
    good = f"A slot is a longest stretch of time within the day that is not busy{long_enough}."
    asked = {
        "first slot": f"the earliest time in a slot from which on {least} units are free; -1 if there is no slot",
        "last slot": f"the latest time in a slot from which on {least} units are free; -1 if there is no slot",
        "count": "how many slots there are",
        "total": "the sum of the lengths of the slots",
        "longest": "the length of the longest slot (0 if there is none)",
        "list": "an entry for each slot in order of time: its start, a - and its end, without spaces",
    }[objective]
    return Parts(
        story=f"The day goes from {low} to {high}. An interval is busy from s to e.{pause} {good} The result is "
        f"{asked}.",
        fields=(_field(c),),
        gives=gives,
        solve=solve,
        law=law,
        draw=_rows,
        corners=_CORNERS,
    )
