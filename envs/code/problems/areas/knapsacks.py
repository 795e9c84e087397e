"""Problems about things and coins that are chosen to make up an amount."""

import functools
import itertools
from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Values, archetype, code

_NEVER: Final = 1_000_000


@archetype("dynamic", "knapsack")
class Knapsack(Archetype):
    """Things with weights and values."""

    gives = "int"

    def __init__(self, c: Choices) -> None:
        self.often = c.pick("each thing", ("once", "any number of times", "up to twice"))
        self.fill = c.pick("fill", ("at most", "exactly"))
        self.objective = c.pick("objective", ("value", "least things", "ways", "reachable"))
        self.extra = c.pick("things", ("all", "odd weights", "valuable"))
        self.m = c.constant("modulus", (97, 1000), (101, 500))
        self.k = c.constant("k", (3, 4), (2, 5))
        self.fields = (
            Field(name="capacity", sort="int", what="the capacity", low=0, high=30),
            Field(
                name="rows",
                sort="rows",
                what="the things",
                columns=("the weight (1 to 12)", "the value (0 to 15)"),
                most=10,
            ),
        )

    def story(self) -> str:
        which = {
            "all": "",
            "odd weights": " Only things of odd weight may be taken.",
            "valuable": f" Only things with a value of at least {self.k} may be taken.",
        }[self.extra]
        times = {"once": "at most once", "any number of times": "any number of times", "up to twice": "at most twice"}[
            self.often
        ]
        room = "at most the capacity" if self.fill == "at most" else "exactly the capacity"
        asked = {
            "value": f"the greatest sum of values of things whose weights add up to {room}"
            + (
                " (taking nothing is allowed)"
                if self.fill == "at most"
                else "; -1 if no choice does (for capacity 0 nothing is taken)"
            ),
            "least things": (
                "the least number of things whose weights add up to exactly the capacity; -1 if no choice does (for "
                "capacity 0 it is 0)"
            )
            if self.fill == "exactly"
            else (
                "the least number of things with which the greatest sum of weights that is at most the capacity is "
                "reached"
            ),
            "ways": f"the number of ways to choose things whose weights add up to {room}, modulo {self.m}; two ways "
            "are the same if they take each line's thing equally often (taking nothing is a way)",
            "reachable": "how many different sums of weights of at most the capacity there are (0, taking nothing, "
            "is one)"
            if self.fill == "at most"
            else "1 if some choice of things weighs exactly the capacity (for capacity 0 nothing is taken), else 0",
        }[self.objective]
        return (
            "Things have a weight and a value; each line is a thing of its own, also if two lines are equal. Each "
            f"thing may be taken {times}.{which} The result is {asked}."
        )

    def solve(self) -> str:
        skip = {"all": "True", "odd weights": "row[0] % 2 == 1", "valuable": f"row[1] >= {self.k}"}[self.extra]
        start = {"value": "-1", "least things": "-1", "ways": "0", "reachable": "0"}[self.objective]
        first = {"value": "0", "least things": "0", "ways": "1", "reachable": "1"}[self.objective]
        take = {
            "value": "if best[w - row[0]] >= 0:\n    best[w] = max(best[w], best[w - row[0]] + row[1])",
            "least things": "if best[w - row[0]] >= 0 and (best[w] < 0 or best[w - row[0]] + 1 < best[w]):\n"
            "    best[w] = best[w - row[0]] + 1",
            "ways": f"best[w] = (best[w] + best[w - row[0]]) % {self.m}",
            "reachable": "best[w] = max(best[w], best[w - row[0]])",
        }[self.objective]
        loop = {
            "once": "for w in range(capacity, row[0] - 1, -1):\n    <take>",
            "any number of times": "for w in range(row[0], capacity + 1):\n    <take>",
            "up to twice": "for turn in range(2):\n    for w in range(capacity, row[0] - 1, -1):\n        <take>",
        }[self.often]
        if (
            self.often == "up to twice" and self.objective == "ways"
        ):  # two copies are alike: add those with one and with two
            loop = (
                "before = best.copy()\nfor w in range(row[0], capacity + 1):\n"
                f"    best[w] = (best[w] + before[w - row[0]]) % {self.m}\n    if w >= 2 * row[0]:\n"
                f"        best[w] = (best[w] + before[w - 2 * row[0]]) % {self.m}"
            )
        gather = {
            "value": ("-1", "found = max(found, best[w])"),
            "least things": ("-1", "if best[w] >= 0:\n    found = max(found, best[w])"),
            "ways": ("0", f"found = (found + best[w]) % {self.m}"),
            "reachable": ("0", "found += best[w]"),
        }[self.objective]
        low = "0" if self.fill == "at most" else "capacity"
        if self.objective == "least things" and self.fill == "at most":
            # the fewest things that fill as much as can be filled
            gather = ("-1", "if best[w] >= 0:\n    found = best[w]")
        return code(
            """
def solve(capacity: int, rows: list[list[int]]) -> int:
    best = [<start>] * (capacity + 1)
    best[0] = <first>
    for row in rows:
        if <skip>:
            <loop>
    found = <nothing>
    for w in range(<low>, capacity + 1):
        <gather>
    return found
""",
            start=start,
            first=first,
            skip=skip,
            loop=loop.replace(
                "        <take>", "".join(f"        {line}\n" for line in take.splitlines()).rstrip("\n")
            ).replace("    <take>", "".join(f"    {line}\n" for line in take.splitlines()).rstrip("\n")),
            nothing=gather[0],
            low=low,
            gather=gather[1],
        )

    def law(self, capacity: int, rows: list[list[int]]) -> Any:
        things = [(w, v) for w, v in rows if {"all": True, "odd weights": w % 2 == 1}.get(self.extra, v >= self.k)]

        @functools.cache
        def ways(place: int, left: int) -> tuple[tuple[int, int, int, int], ...]:
            """Return for each load that things from a place on can have: most value, fewest things, number of ways."""
            if place == len(things):
                return ((0, 0, 0, 1),)
            w, v = things[place]
            most = {"once": 1, "up to twice": 2}.get(self.often, left // w)
            loads: dict[int, tuple[int, int, int]] = {}
            for times in range(min(most, left // w) + 1):
                for load, value, count, number in ways(place + 1, left - times * w):
                    total = load + times * w
                    old = loads.get(total, (-1, _NEVER, 0))
                    loads[total] = (max(old[0], value + times * v), min(old[1], count + times), old[2] + number)
            return tuple((load, *rest) for load, rest in sorted(loads.items()))

        own = [one for one in ways(0, capacity) if self.fill == "at most" or one[0] == capacity]
        match self.objective:
            case "value":
                return max((one[1] for one in own), default=-1)
            case "least things":
                return own[-1][2] if own else -1
            case "ways":
                return sum(one[3] for one in own) % self.m
        return len(own)

    def draw(self, draws: Draws, size: int) -> Values:
        return (
            draws.between(0, 30) if draws.chance(0.7) else draws.between(8, 20),
            [
                [draws.between(1, draws.pick((4, 12))), draws.between(0, 15)]
                for _ in range(draws.between(0, min(size, 10)))
            ],
        )

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("nothing", (7, [])),
            ("no capacity", (0, [[1, 5], [2, 3]])),
            ("just fits", (5, [[5, 9]])),
            ("too heavy", (4, [[5, 9]])),
            ("equal things", (6, [[3, 4], [3, 4], [3, 4]])),
            ("weight before value", (10, [[6, 9], [5, 5], [5, 5]])),
        )


@archetype("dynamic", "coins")
class Coins(Archetype):
    """Amounts made of coins."""

    gives = "int"

    def __init__(self, c: Choices) -> None:
        self.objective = c.pick("objective", ("fewest", "ways", "most", "unreachable", "greedy gap"))
        self.order = c.pick("sequences", ("matter", "do not"))
        self.often = c.pick("coins", ("any number", "one of each"))
        self.limit = c.pick("limit", ("none", "at most k coins"))
        self.m = c.constant("modulus", (97, 1000), (101, 500))
        self.k = c.constant("k", (3, 4), (2, 5))
        self.fields = (
            Field(name="coins", sort="ints", what="the values of the coins", low=1, high=12, most=6),
            Field(name="amount", sort="int", what="the amount", low=0, high=25),
        )

    def story(self) -> str:
        coin_words = "any number of times" if self.often == "any number" else "at most once"
        most_words = "" if self.limit == "none" else f" No more than {self.k} coins may be used."
        sequence = {
            "matter": "different orders of the same coins are different ways",
            "do not": "the order of the coins does not matter",
        }[self.order]
        asked = {
            "fewest": "the least number of coins that make exactly the amount, -1 if it cannot be made",
            "most": "the greatest number of coins that make exactly the amount, -1 if it cannot be made",
            "ways": f"the number of ways to make exactly the amount, modulo {self.m}, where {sequence} (amount 0 is "
            "made in one way, by no coins)",
            "unreachable": "how many of the amounts from 1 to the given one cannot be made",
            "greedy gap": "how many coins more than necessary this takes: go through the values from the greatest to "
            "the least and use each as often as possible (within what is allowed); -1 if that does not end exactly "
            "at the amount although the amount can be made; -2 if the amount cannot be made",
        }[self.objective]
        return (
            "Given are values of coins (a value that occurs twice is one value) and an amount. Each value may be used "
            f"{coin_words}.{most_words} The result is {asked}."
        )

    def solve(self) -> str:
        most = str(self.k) if self.limit != "none" else ("amount" if self.often == "any number" else "len(values)")
        return code(
            """
def solve(coins: list[int], amount: int) -> int:
    values: list[int] = []
    for coin in sorted(coins):
        if len(values) == 0 or values[len(values) - 1] != coin:
            values.append(coin)
    most = <most>
    ways = [[0] * (amount + 1) for _ in range(most + 1)]
    ways[0][0] = 1
    <loop>
    <end>
""",
            most=most,
            loop=self._loop(),
            end=self._end(),
        )

    def _loop(self) -> str:
        """Return how ways[j][a] is filled: the number of choices of j coins that make a."""
        if self.often == "one of each":
            loop = (
                "for piece in values:\n    for j in range(most, 0, -1):\n"
                "        for a in range(amount, piece - 1, -1):\n"
                "            ways[j][a] = (ways[j][a] + ways[j - 1][a - piece]) % <m>"
            )
        elif self.order == "matter":
            loop = (
                "for j in range(1, most + 1):\n    for a in range(1, amount + 1):\n        for piece in values:\n"
                "            if piece <= a:\n                ways[j][a] = (ways[j][a] + ways[j - 1][a - piece]) % <m>"
            )
        else:
            loop = (
                "for piece in values:\n    for j in range(1, most + 1):\n        for a in range(piece, amount + 1):\n"
                "            ways[j][a] = (ways[j][a] + ways[j - 1][a - piece]) % <m>"
            )
        return code(loop, m=str(self.m if self.objective == "ways" else 1_000_003))

    def _end(self) -> str:
        total = f"total = 0\nfor j in range(most + 1):\n    total = (total + ways[j][amount]) % {self.m}\nreturn total"
        if self.often == "one of each" and self.order == "matter":
            total = (
                f"total = 0\nfactor = 1\nfor j in range(most + 1):\n    factor = factor * max(j, 1) % {self.m}\n"
                f"    total = (total + ways[j][amount] * factor) % {self.m}\nreturn total"
            )
        stop = "\n        break" if self.often == "one of each" else ""
        return {
            "fewest": "for j in range(most + 1):\n    if ways[j][amount] > 0:\n        return j\nreturn -1",
            "most": "for j in range(most, -1, -1):\n    if ways[j][amount] > 0:\n        return j\nreturn -1",
            "ways": total,
            "unreachable": "missed = 0\nfor a in range(1, amount + 1):\n    is_made = False\n"
            "    for j in range(most + 1):\n        if ways[j][a] > 0:\n            is_made = True\n"
            "    if not is_made:\n        missed += 1\nreturn missed",
            "greedy gap": "left = amount\nused = 0\nfor top in values[::-1]:\n"
            f"    while top <= left and used < most:\n        left -= top\n        used += 1{stop}\n"
            "for j in range(most + 1):\n    if ways[j][amount] > 0:\n        return used - j if left == 0 else -1\n"
            "return -2",
        }[self.objective]

    def law(self, coins: list[int], amount: int) -> Any:
        values = sorted(set(coins))
        top = self.k if self.limit != "none" else (amount if self.often == "any number" else len(values))

        @functools.cache
        def counts(total: int, place: int) -> dict[int, int]:
            """Return how many choices of the coins from a place on make a total, by their numbers of coins."""
            if place == len(values):
                return {0: 1} if total == 0 else {}
            found = dict(counts(total, place + 1))
            if total >= values[place]:
                again = counts(total - values[place], place + (self.often == "one of each"))
                for number, n in again.items():
                    found[number + 1] = found.get(number + 1, 0) + n
            return {number: n for number, n in found.items() if number <= top}

        @functools.cache
        def sequences(total: int, number: int) -> Any:
            if number == 0:
                return int(total == 0)
            return sum(sequences(total - coin, number - 1) for coin in values if coin <= total)

        own = counts(amount, 0)
        match self.objective:
            case "fewest":
                return min(own, default=-1)
            case "most":
                return max(own, default=-1)
            case "unreachable":
                return sum(not counts(a, 0) for a in range(1, amount + 1))
            case "ways":
                if self.order == "matter" and self.often == "any number":
                    return sum(sequences(amount, number) for number in range(top + 1)) % self.m
                shuffles = [
                    len(list(itertools.permutations(range(n))))
                    if n < 7
                    else functools.reduce(int.__mul__, range(1, n + 1))
                    for n in own
                ]
                return (
                    sum(
                        n * (times if self.order == "matter" else 1)
                        for n, times in zip(own.values(), shuffles, strict=True)
                    )
                    % self.m
                )
        left, used = amount, 0
        for coin in reversed(values):
            times = min(left // coin, top - used, 1 if self.often == "one of each" else amount)
            left, used = left - coin * times, used + times
        if not own:
            return -2
        return used - min(own) if left == 0 else -1
