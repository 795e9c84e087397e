"""Problems about lists of integers: pairs, windows, segments, neighbours."""

from collections import Counter
from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Values, archetype, code

NOUNS: Final = (("prices", "scores", "heights"), ("weights", "depths", "loads"))
SMALL: Final = ((2, 3, 5), (4, 6, 7))


def numbers_field(c: Choices, **options: Any) -> Field:
    """Return the field of a list of numbers, named by a constant."""
    return Field(name="xs", sort="ints", what=f"the {c.constant('noun', *NOUNS)}", **options)


def _tall(draws: Draws, size: int) -> tuple[list[int]]:
    """Return numbers on which one that looks further back for each takes longest."""
    return ([50 - i * 100 // max(size, 1) for i in range(size)],)


def spread(draws: Draws, size: int) -> tuple[list[int]]:
    """Return numbers of a wide range."""
    return ([draws.between(-50, 50) for _ in range(size)],)


@archetype("arrays", "pairs")
class Pairs(Archetype):
    """Pairs of numbers whose sum or difference stands in some relation to a constant."""

    gives = "int"
    cost = "loglinear"
    before = "xs"

    def __init__(self, c: Choices) -> None:
        self.combine = c.pick("combine", ("sum", "difference"))
        self.relation = c.pick("relation", ("at most", "at least", "equal"))
        self.counts = c.pick("counts", ("positions", "values"))
        self.ends = c.pick("ends", ("any", "same parity"))
        self.k = c.constant("k", (3, 5, 10), (4, 8, 12))
        self.fields = (numbers_field(c),)

    def story(self) -> str:
        which = (
            "pairs of positions i < j"
            if self.counts == "positions"
            else "pairs of different values a < b that occur in the list"
        )
        names = "numbers there have" if self.counts == "positions" else "values have"
        parity = "" if self.ends == "any" else " and that are both even or both odd"
        return (
            f"Count the {which}, whose {names} {'a sum' if self.combine == 'sum' else 'an absolute difference'} of "
            f"{self.relation.replace('equal', 'exactly')} {self.k}{parity}. The result is their number."
        )

    def solve(self) -> str:
        # For each number the partners after it in sorted order are a stretch, found by bisection.
        low, high = {
            ("sum", "at most"): ("-1000000", f"{self.k} - x"),
            ("sum", "at least"): (f"{self.k} - x", "1000000"),
            ("sum", "equal"): (f"{self.k} - x", f"{self.k} - x"),
            ("difference", "at most"): ("-1000000", f"x + {self.k}"),
            ("difference", "at least"): (f"x + {self.k}", "1000000"),
            ("difference", "equal"): (f"x + {self.k}", f"x + {self.k}"),
        }[self.combine, self.relation]
        groups = "0" if self.ends == "any" else "one % 2"
        rounds = "1" if self.ends == "any" else "2"
        return code(
            """
def below(ys: list[int], start: int, limit: int) -> int:
    low = start
    high = len(ys)
    while low < high:
        middle = (low + high) // 2
        if ys[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low


def solve(xs: list[int]) -> int:
    found = 0
    for group in range(<rounds>):
        ys: list[int] = []
        for one in sorted(xs):
            if <groups> == group and <new>:
                ys.append(one)
        for i in range(len(ys)):
            x = ys[i]
            found += below(ys, i + 1, <high> + 1) - below(ys, i + 1, <low>)
    return found
""",
            rounds=rounds,
            groups=groups,
            new="True" if self.counts == "positions" else "(len(ys) == 0 or ys[len(ys) - 1] != one)",
            low=low,
            high=high,
        )

    def slow(self) -> str:
        made = {"sum": "ys[i] + ys[j]", "difference": "abs(ys[i] - ys[j])"}[self.combine]
        sign = {"at most": "<=", "at least": ">=", "equal": "=="}[self.relation]
        return code(
            """
def solve(xs: list[int]) -> int:
    ys: list[int] = []
    seen: dict[int, int] = {}
    for x in xs:
        if <new>:
            ys.append(x)
            seen[x] = 1
    found = 0
    for i in range(len(ys)):
        for j in range(i):
            if <made> <sign> <k> and <parity>:
                found += 1
    return found
""",
            new="True" if self.counts == "positions" else "x not in seen",
            made=made,
            sign=sign,
            k=str(self.k),
            parity="True" if self.ends == "any" else "(ys[i] - ys[j]) % 2 == 0",
        )

    def law(self, xs: list[int]) -> int:
        tally = Counter(xs) if self.counts == "positions" else Counter(set(xs))
        found = 0
        for a, times in tally.items():
            for b, others in tally.items():
                value = a + b if self.combine == "sum" else abs(a - b)
                fits = {"at most": value <= self.k, "at least": value >= self.k}.get(self.relation, value == self.k)
                if fits and (self.ends == "any" or a & 1 == b & 1):
                    found += times * (others - (a == b))
        return found // 2

    def large(self, draws: Draws, size: int) -> Values:
        return spread(draws, size)


@archetype("arrays", "windows")
class Windows(Archetype):
    """Something of every stretch of k numbers."""

    cost = "linear"
    before = "xs"

    def __init__(self, c: Choices) -> None:
        self.measure = c.pick("measure", ("sum", "greatest", "least", "different", "even"))
        self.objective = c.pick("objective", ("list", "greatest", "least", "first place", "above"))
        self.step = c.pick("step", ("one", "blocks"))
        self.short = c.pick("short", ("nothing", "all"))
        self.k = c.constant("k", (2, 3, 5), (4, 6))
        self.gives = "ints" if self.objective == "list" else "int"
        self.fields = (numbers_field(c),)

    def story(self) -> str:
        told = {
            "sum": "the sum",
            "greatest": "the greatest",
            "least": "the least",
            "different": "the number of different ones",
            "even": "the number of even ones",
        }[self.measure]
        which = (
            f"every stretch of {self.k} neighbouring numbers, from left to right"
            if self.step == "one"
            else (
                f"the list cut from its start into blocks of {self.k} numbers (an incomplete block at the end is left "
                "out), for each block"
            )
        )
        asked = {
            "list": "these values in order",
            "greatest": "the greatest of these values (0 if there is none)",
            "least": "the least of these values (0 if there is none)",
            "first place": "the position of the first greatest of these values, counted from 0 (-1 if there is none)",
            "above": f"how many of these values are greater than {self.k}",
        }[self.objective]
        few = "there is no value" if self.short == "nothing" else "the whole list, if it is not empty, is the only one"
        return (
            f"Take for {which}, {told} of its numbers. If there are fewer than {self.k} numbers, {few}. The result is "
            f"{asked}."
        )

    def solve(self) -> str:
        wide = {"sum": "total", "different": "len(tally)", "even": "evens"}
        take = {
            "sum": ("total += xs[i]", "total -= xs[i - size]"),
            "even": ("evens += 1 - xs[i] % 2", "evens -= 1 - xs[i - size] % 2"),
            "different": (
                "tally[xs[i]] = tally.get(xs[i], 0) + 1",
                (
                    "tally[xs[i - size]] = tally.get(xs[i - size], 0) - 1\nif tally.get(xs[i - size], 0) == 0:\n"
                    "    tally.pop(xs[i - size], None)"
                ),
            ),
        }
        start = {"sum": "total = 0", "even": "evens = 0", "different": "tally: dict[int, int] = {}"}
        sign = ">=" if self.measure == "greatest" else "<="
        if self.measure in wide:
            body = code(
                "<start>\nfor i in range(len(xs)):\n    <into>\n    if i >= size:\n        <out>\n"
                "    if i + 1 >= size and <turn>:\n        made.append(<value>)",
                start=start[self.measure],
                into=take[self.measure][0],
                out=take[self.measure][1],
                turn="True" if self.step == "one" else "(i + 1) % size == 0",
                value=wide[self.measure],
            )
        else:  # a queue of places, each better than all after it
            body = code(
                "queue: list[int] = []\nfirst = 0\nfor i in range(len(xs)):\n"
                "    while len(queue) > first and xs[i] <sign> xs[queue[len(queue) - 1]]:\n        queue.pop()\n"
                "    queue.append(i)\n    if queue[first] + size <= i:\n        first += 1\n"
                "    if i + 1 >= size and <turn>:\n        made.append(xs[queue[first]])",
                sign=sign,
                turn="True" if self.step == "one" else "(i + 1) % size == 0",
            )
        pick = {
            "list": "return made",
            "greatest": "best = 0\nfor i in range(len(made)):\n    if i == 0 or made[i] > best:\n"
            "        best = made[i]\nreturn best",
            "least": "best = 0\nfor i in range(len(made)):\n    if i == 0 or made[i] < best:\n"
            "        best = made[i]\nreturn best",
            "first place": "place = -1\nfor i in range(len(made)):\n    if place < 0 or made[i] > made[place]:\n"
            "        place = i\nreturn place",
            "above": f"count = 0\nfor one in made:\n    if one > {self.k}:\n        count += 1\nreturn count",
        }[self.objective]
        frame = """
def solve(xs: list[int]) -> <type>:
    size = <size>
    made: list[int] = []
    <body>
    <pick>
"""
        size = f"{self.k}" if self.short == "nothing" else f"max(min({self.k}, len(xs)), 1)"
        return self.code(frame, size=size, body=body, pick=pick)

    def law(self, xs: list[int]) -> Any:
        size = self.k if self.short == "nothing" else max(min(self.k, len(xs)), 1)
        stretches = [xs[i : i + size] for i in range(0, len(xs) - size + 1, 1 if self.step == "one" else size)]
        measures: dict[str, Any] = {"sum": sum, "greatest": max, "least": min, "different": lambda part: len(set(part))}
        made = [measures.get(self.measure, lambda part: sum(not one & 1 for one in part))(part) for part in stretches]
        match self.objective:
            case "list":
                return made
            case "greatest":
                return max(made, default=0)
            case "least":
                return min(made, default=0)
            case "first place":
                return made.index(max(made)) if made else -1
        return len([one for one in made if one > self.k])


@archetype("arrays", "neighbours")
class Neighbours(Archetype):
    """For each number the nearest that is greater or smaller."""

    cost = "linear"
    before = "xs"

    def __init__(self, c: Choices) -> None:
        self.side = c.pick("side", ("after", "before"))
        self.relation = c.pick("relation", ("greater", "greater or equal", "smaller", "smaller or equal"))
        self.output = c.pick("output", ("value", "distance", "difference", "place"))
        self.objective = c.pick("objective", ("list", "sum", "greatest", "without"))
        self.sign = {"greater": ">", "greater or equal": ">=", "smaller": "<", "smaller or equal": "<="}[self.relation]
        self.value = {"value": "xs[j]", "distance": "abs(i - j)", "difference": "abs(xs[i] - xs[j])", "place": "j"}[
            self.output
        ]
        self.nothing = "-1" if self.output == "place" else "0"
        self.end = {
            "list": "return made",
            "sum": "total = 0\nfor one in made:\n    total += one\nreturn total",
            "greatest": "best = -1000000\nfor one in made:\n    best = max(best, one)\n"
            "return best if len(made) > 0 else 0",
            "without": "return alone",
        }[self.objective]
        self.kind = "list[int]" if self.objective == "list" else "int"
        self.gives = "ints" if self.objective == "list" else "int"
        self.fields = (numbers_field(c),)

    def story(self) -> str:
        told = {
            "value": "its value",
            "distance": "its distance in positions",
            "difference": "the absolute difference of the two",
            "place": "its position, counted from 0",
        }[self.output]
        asked = {
            "list": "these, in the order of the list",
            "sum": "the sum of these (0 for an empty list)",
            "greatest": "the greatest of these (0 for an empty list)",
            "without": "how many numbers have no partner",
        }[self.objective]
        find = (
            ""
            if self.objective == "without"
            else f" Find for each number {told}, or {self.nothing} if it has no partner."
        )
        return (
            f"The partner of a number is the nearest one {self.side} it in the list that is "
            f"{self.relation}{' to it' if self.relation.endswith('equal') else ' than it'}.{find} The result is "
            f"{asked}."
        )

    def solve(self) -> str:
        order = "range(len(xs) - 1, -1, -1)" if self.side == "after" else "range(len(xs))"
        return self.code(
            """
def solve(xs: list[int]) -> <type>:
    made = [0] * len(xs)
    alone = 0
    stack: list[int] = []
    for i in <order>:
        while len(stack) > 0 and not (xs[stack[len(stack) - 1]] <sign> xs[i]):
            stack.pop()
        if len(stack) > 0:
            j = stack[len(stack) - 1]
            made[i] = <value>
        else:
            made[i] = <nothing>
            alone += 1
        stack.append(i)
    <end>
""",
            order=order,
            sign=self.sign,
            value=self.value,
            nothing=self.nothing,
            end=self.end,
        )

    def slow(self) -> str:
        return self.code(
            """
def solve(xs: list[int]) -> <type>:
    made: list[int] = []
    alone = 0
    for i in range(len(xs)):
        found = <nothing>
        j = i <step> 1
        is_found = False
        while j >= 0 and j < len(xs) and not is_found:
            if xs[j] <sign> xs[i]:
                found = <value>
                is_found = True
            j = j <step> 1
        if not is_found:
            alone += 1
        made.append(found)
    <end>
""",
            nothing=self.nothing,
            step="+" if self.side == "after" else "-",
            sign=self.sign,
            value=self.value,
            end=self.end,
        )

    def law(self, xs: list[int]) -> Any:
        made, alone = [], 0
        for i, x in enumerate(xs):
            others = range(i + 1, len(xs)) if self.side == "after" else range(i - 1, -1, -1)
            tests = {">": lambda y, x: y > x, ">=": lambda y, x: y >= x, "<": lambda y, x: y < x}
            found = [j for j in others if tests.get(self.sign, lambda y, x: y <= x)(xs[j], x)][:1]
            alone += not found
            for j in found:
                made.append(
                    {"value": xs[j], "distance": max(i, j) - min(i, j), "place": j}.get(self.output, abs(xs[j] - x))
                )
            made += [int(self.nothing)] if not found else []
        return {"list": made, "sum": sum(made), "greatest": max(made, default=0)}.get(self.objective, alone)

    def large(self, draws: Draws, size: int) -> Values:
        (xs,) = _tall(draws, size)
        return (xs if self.sign.startswith(">") == (self.side == "after") else xs[::-1],)
