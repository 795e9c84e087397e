"""Problems about the intervals of a day's schedule: which are accepted, and what they leave free."""

from typing import Any

from palestra.envs.code.problems.areas.intervals import DAY, OnIntervals, intervals_field
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.parts import archetype


@archetype("intervals", "chosen")
class Chosen(OnIntervals):
    """Intervals accepted one after the other if they go with those before."""

    def __init__(self, c: Choices) -> None:
        self.order = c.pick("order", ("arrival", "end", "start", "length", "last arrival"))
        self.ends = c.pick("touching", ("allowed", "not allowed", "pause"))
        self.rooms = c.pick("rooms", ("1", "2"))
        self.objective = c.pick("objective", ("count", "total", "rejected", "list"))
        self.k = c.constant("pause", (1, 2), (3,))
        self.apart = {"allowed": 0, "not allowed": 1, "pause": self.k}[self.ends]
        self.gives = "words" if self.objective == "list" else "int"
        self.fields = (intervals_field(c),)

    def story(self) -> str:
        first = {
            "arrival": "in the order of the input",
            "last arrival": "in the reversed order of the input",
            "end": "the one with the smallest end first, equal ones in the order of the input",
            "start": "the one with the smallest start first, equal ones in the order of the input",
            "length": "the shortest first, equally long ones in the order of the input",
        }[self.order]
        clash = {
            "allowed": "they may touch (one ends where the other starts)",
            "not allowed": "they must not even touch: between one's end and another's start at least 1 must lie",
            "pause": f"between one's end and another's start at least {self.k} must lie",
        }[self.ends]
        where = (
            "There is one room."
            if self.rooms == "1"
            else "There are two rooms; an interval takes the first room if it fits there, else the second."
        )
        asked = {
            "count": "how many are accepted",
            "total": "the sum of e - s of those that are accepted",
            "rejected": "how many are rejected",
            "list": "an entry for each that is accepted, in the order in which they are: start, a - and end, without "
            "spaces",
        }[self.objective]
        return (
            f"Requests for the time from s to e are looked at one after the other, {first}. {where} A request fits "
            f"into a room if it does not overlap any that was accepted there; {clash}. One that fits nowhere is "
            f"rejected for good. The result is {asked}."
        )

    def solve(self) -> str:
        key = {
            "arrival": "i",
            "last arrival": "0 - i",
            "end": "rows[i][1] * 1000 + i",
            "start": "rows[i][0] * 1000 + i",
            "length": "(rows[i][1] - rows[i][0]) * 1000 + i",
        }[self.order]
        start, yes, no = {
            "count": ("made = 0", "made += 1", ""),
            "total": ("made = 0", "made += e - s", ""),
            "rejected": ("made = 0", "", "made += 1"),
            "list": ("made: list[str] = []", 'made.append(str(s) + "-" + str(e))', ""),
        }[self.objective]
        return self.code(
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
            key=key,
            length=str(DAY),
            rooms=self.rooms,
            start=start,
            apart=str(self.apart),
            yes=yes,
            otherwise=f"else:\n    {no}" if no else "",
        )

    def law(self, rows: list[list[int]]) -> Any:
        places = range(len(rows))
        by = {
            "arrival": list(places),
            "last arrival": list(places)[::-1],
            "end": sorted(places, key=lambda i: rows[i][1]),
            "start": sorted(places, key=lambda i: rows[i][0]),
        }.get(self.order, sorted(places, key=lambda i: rows[i][1] - rows[i][0]))
        taken: list[list[tuple[int, int]]] = [[] for _ in range(int(self.rooms))]
        accepted = []
        for s, e in (rows[i] for i in by):
            free = [room for room in taken if all(e + self.apart <= a or b + self.apart <= s for a, b in room)]
            if free:
                free[0].append((s, e))
                accepted.append((s, e))
        return {
            "count": len(accepted),
            "total": sum(e - s for s, e in accepted),
            "rejected": len(rows) - len(accepted),
        }.get(self.objective, [f"{s}-{e}" for s, e in accepted])


@archetype("intervals", "free")
class FreeTime(OnIntervals):
    """The time that intervals leave free within a day."""

    def __init__(self, c: Choices) -> None:
        self.objective = c.pick("objective", ("first slot", "last slot", "count", "total", "longest", "list"))
        self.pause = c.pick("pause", ("none", "after each", "around each"))
        only = c.pick("slots", ("any", "at least k"))
        border = c.pick("day", ("whole", "inner"))
        k = c.constant("k", (2, 3), (4, 5))
        self.low, self.high = (0, DAY) if border == "whole" else (8, 32)
        self.lead, self.tail = {"none": (0, 0), "after each": (0, 1), "around each": (1, 1)}[self.pause]
        self.least = k if only == "at least k" or self.objective in ("first slot", "last slot") else 1
        self.gives = "words" if self.objective == "list" else "int"
        self.fields = (intervals_field(c),)

    def story(self) -> str:
        pause = {
            "none": "",
            "after each": " After each interval one unit more of time is busy.",
            "around each": " One unit of time before and one after each interval are busy as well.",
        }[self.pause]
        long_enough = f", if it is at least {self.least} long" if self.least > 1 else ""
        good = f"A slot is a longest stretch of time within the day that is not busy{long_enough}."
        asked = {
            "first slot": f"the earliest time in a slot from which on {self.least} units are free; -1 if there is no "
            "slot",
            "last slot": f"the latest time in a slot from which on {self.least} units are free; -1 if there is no slot",
            "count": "how many slots there are",
            "total": "the sum of the lengths of the slots",
            "longest": "the length of the longest slot (0 if there is none)",
            "list": "an entry for each slot in order of time: its start, a - and its end, without spaces",
        }[self.objective]
        return (
            f"The day goes from {self.low} to {self.high}. An interval is busy from s to e.{pause} {good} The result "
            f"is {asked}."
        )

    def solve(self) -> str:
        start, each = {
            "first slot": ("made = -1", "if made < 0:\n    made = begin"),
            "last slot": ("made = -1", f"made = t - {self.least}"),
            "count": ("made = 0", "made += 1"),
            "total": ("made = 0", "made += t - begin"),
            "longest": ("made = 0", "made = max(made, t - begin)"),
            "list": ("made: list[str] = []", 'made.append(str(begin) + "-" + str(t))'),
        }[self.objective]
        return self.code(
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
            day=str(DAY),
            lead=str(self.lead),
            tail=str(self.tail),
            start=start,
            low=str(self.low),
            high=str(self.high),
            least=str(self.least),
            each=each,
        )

    def law(self, rows: list[list[int]]) -> Any:
        slots, now = [], self.low
        for s, e in sorted((s - self.lead, e + self.tail) for s, e in rows):
            if s > now:
                slots.append((now, min(s, self.high)))
            now = max(now, e)
        slots.append((now, self.high))
        slots = [(s, e) for s, e in slots if e - s >= self.least]
        firsts = [s for s, _ in slots]
        return {
            "first slot": min(firsts, default=-1),
            "last slot": max((e for _, e in slots), default=self.least - 1) - self.least,
            "count": len(slots),
            "total": sum(e - s for s, e in slots),
            "longest": max((e - s for s, e in slots), default=0),
        }.get(self.objective, [f"{s}-{e}" for s, e in slots])
