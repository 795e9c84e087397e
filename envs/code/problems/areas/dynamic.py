"""Problems that are solved by dynamic programming: knapsacks, coins, edit distances, ways on grids, subsequences."""

import functools
from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Values, archetype, code

_NEVER: Final = 1_000_000


@archetype("dynamic", "edits")
class Edits(Archetype):
    """The cost of turning one text into another."""

    def __init__(self, c: Choices) -> None:
        self.change = c.pick("change", ("any", "forbidden", "vowels free", "by distance"))
        self.where = c.pick("where", ("whole", "start of second", "anywhere in second"))
        self.swaps = c.pick("swaps", ("none", "neighbours"))
        self.objective = c.pick("objective", ("cost", "row", "kept"))
        self.add, self.drop = c.constant("insert", (1, 2), (3,)), c.constant("delete", (1, 3), (2,))
        self.put = c.constant("replace", (1, 3), (2, 4))
        if self.objective == "kept":
            self.add, self.drop, self.put = 0, 0, 0
        self.gives = "ints" if self.objective == "row" else "int"
        self.fields = (
            Field(name="s", sort="text", what="s", letters="abce", most=10),
            Field(name="t", sort="text", what="t", letters="abce", most=10),
        )

    def story(self) -> str:
        replacing = {
            "any": f"replacing a letter by another costs {self.put}",
            "forbidden": "letters cannot be replaced (but deleted and inserted)",
            "vowels free": f"replacing a letter by another costs {self.put}, but nothing if both are among a and e",
            "by distance": "replacing a letter by another costs how many places they are apart in the alphabet",
        }[self.change]
        target = {
            "whole": "t",
            "start of second": "some start of t (perhaps the empty one, perhaps all of t)",
            "anywhere in second": "some stretch of letters within t (perhaps an empty one, perhaps all of t)",
        }[self.where]
        exchange = (
            "; exchanging two neighbouring letters of s, neither of which is changed otherwise and which stay "
            "neighbours, costs 1 (also if they are equal)"
        )
        swapping = "" if self.swaps == "none" else exchange
        if self.objective == "row":
            goal = {
                "whole": "the start of t of that length",
                "start of second": "the start of t of that length",
                "anywhere in second": "some stretch of letters of t (perhaps an empty one) that ends right after its "
                "first so many letters",
            }[self.where]
            asked = f"for each length from 0 to the length of t, the least cost of turning s into {goal}"
        else:
            asked = f"the least cost of turning s into {target}"
        if self.objective == "kept":
            exchanged = (
                "Two neighbouring letters of s that are two neighbouring letters of t in exchanged order may be "
                "chosen together as if they were in order."
            )
            swap_kept = "" if self.swaps == "none" else exchanged
            story = (
                "Choose letters of s, not necessarily neighbours, that occur in the same order in t, one letter of t "
                f"for each. {swap_kept.strip()} The result is the greatest number of letters that can be chosen."
            )
        else:
            story = (
                f"Inserting a letter costs {self.add}, deleting one costs {self.drop}, {replacing}{swapping}. Letters "
                f"that stay as they are cost nothing. The result is {asked}."
            )
        return story

    def solve(self) -> str:
        cost = {
            "any": f"{self.put}",
            "forbidden": str(_NEVER),
            "vowels free": f'(0 if s[i - 1] in "ae" and t[j - 1] in "ae" else {self.put})',
            "by distance": "abs(ord(s[i - 1]) - ord(t[j - 1]))",
        }[self.change]
        if self.objective == "kept":
            cost = "0"
        better = "max" if self.objective == "kept" else "min"
        equal = (
            "best = max(best, table[i - 1][j - 1] + 1)"
            if self.objective == "kept"
            else "best = min(best, table[i - 1][j - 1])"
        )
        first = "0" if self.where == "anywhere in second" or self.objective == "kept" else f"j * {self.add}"
        swap = (
            f"""
if i > 1 and j > 1:
    if s[i - 1] == t[j - 2] and s[i - 2] == t[j - 1]:
        best = {better}(best, table[i - 2][j - 2] + {"2" if self.objective == "kept" else "1"})
"""
            if self.swaps != "none"
            else ""
        )
        end = {
            "whole": "return table[len(s)][len(t)]",
            "start of second": "best = table[len(s)][0]\nfor j in range(len(t) + 1):\n"
            f"    best = {better}(best, table[len(s)][j])\nreturn best",
        }
        last = end["whole"] if self.where == "whole" else end["start of second"]
        if self.objective == "row":
            last = "return table[len(s)][0:len(t) + 1]"
        return self.code(
            """
def solve(s: str, t: str) -> <type>:
    table = [[0] * (len(t) + 1) for _ in range(len(s) + 1)]
    for j in range(len(t) + 1):
        table[0][j] = <first>
    for i in range(1, len(s) + 1):
        table[i][0] = i * <drop>
        for j in range(1, len(t) + 1):
            best = <better>(table[i - 1][j] + <drop>, table[i][j - 1] + <add>)
            if s[i - 1] == t[j - 1]:
                <equal>
            else:
                best = <better>(best, table[i - 1][j - 1] + <cost>)
            <swap>
            table[i][j] = best
    <end>
""",
            first=first,
            drop=str(self.drop),
            add=str(self.add),
            better=better,
            equal=equal,
            cost=cost,
            swap=swap,
            end=last.replace("best", "final"),
        )

    def law(self, s: str, t: str) -> Any:
        pick = max if self.objective == "kept" else min

        def replaced(a: str, b: str) -> Any:
            if self.objective == "kept":
                return int(a == b)
            if a == b:
                return 0
            free = self.change == "vowels free" and a in "ae" and b in "ae"
            return {"any": self.put, "forbidden": _NEVER, "vowels free": 0 if free else self.put}.get(
                self.change, abs(ord(a) - ord(b))
            )

        @functools.cache
        def cost_of(a: str, b: str) -> Any:
            if not b:
                return len(a) * self.drop
            if not a:
                return 0 if self.where == "anywhere in second" else len(b) * self.add
            ways = [
                cost_of(a[:-1], b) + self.drop,
                cost_of(a, b[:-1]) + self.add,
                cost_of(a[:-1], b[:-1]) + replaced(a[-1], b[-1]),
            ]
            if self.swaps != "none" and len(a) > 1 and len(b) > 1 and a[-1] == b[-2] and a[-2] == b[-1]:
                ways.append(cost_of(a[:-2], b[:-2]) + (2 if self.objective == "kept" else 1))
            return pick(ways)

        starts = [cost_of(s, t[:size]) for size in range(len(t) + 1)]
        return starts if self.objective == "row" else starts[-1] if self.where == "whole" else pick(starts)


@archetype("dynamic", "grid_sums")
class GridSums(Archetype):
    """Ways through a grid of numbers."""

    gives = "int"

    def __init__(self, c: Choices) -> None:
        self.moves = c.pick("moves", ("right down", "down fan", "right down diagonal", "right down two"))
        self.objective = c.pick("objective", ("greatest", "least", "ways", "reachable"))
        self.blocked = c.pick("blocked", ("negative", "multiples", "none"))
        self.begin = c.pick("from", ("corner", "any of first row"))
        self.finish = c.pick("to", ("corner", "any of last row"))
        self.m = c.constant("modulus", (97, 1000), (101, 500))
        self.k = c.constant("k", (3, 4), (5, 7))
        self.steps = {
            "right down": ((0, 1), (1, 0)),
            "down fan": ((1, -1), (1, 0), (1, 1)),
            "right down diagonal": ((0, 1), (1, 0), (1, 1)),
            "right down two": ((0, 1), (1, 0), (0, 2), (2, 0)),
        }[self.moves]
        self.fields = (
            Field(
                name="rows",
                sort="rows",
                what="the rows of the grid",
                least=1,
                most=6,
                columns=("4 integers from -5 to 9", "", "", ""),
            ),
        )

    def story(self) -> str:
        how = {
            "right down": "one cell right or one down",
            "down fan": "one row down, to the cell below or diagonally to its left or right",
            "right down diagonal": "one cell right, one down, or diagonally one right and one down",
            "right down two": "one or two cells right, or one or two down (what is jumped over does not matter)",
        }[self.moves]
        closed = {
            "negative": "Cells with a negative number may not be entered.",
            "multiples": f"Cells with a multiple of {self.k} (0 is one) may not be entered.",
            "none": "Every cell may be entered.",
        }[self.blocked]
        start = "the top left cell" if self.begin == "corner" else "any cell of the first row"
        goal = "the bottom right cell" if self.finish == "corner" else "any cell of the last row"
        asked = {
            "greatest": f"the greatest sum of the numbers on a way, its first and last cell included; -{_NEVER} if "
            "there is no way",
            "least": f"the least sum of the numbers on a way, its first and last cell included; {_NEVER} if there is "
            "no way",
            "ways": f"the number of different ways, modulo {self.m}",
            "reachable": "how many cells can be reached, the first ones included",
        }[self.objective]
        head = f"A way leads from {start} to {goal}" if self.objective != "reachable" else f"One starts in {start}"
        rule = (
            "neither the first cell of a way nor any later one may be a closed one"
            if self.objective != "reachable"
            else "a start must not be closed either"
        )
        shut_words = "" if self.blocked == "none" else f" ({rule})"
        return (
            f"A grid has 4 columns of integers. {head}, by steps each of which goes {how}. {closed[:-1]}{shut_words}. "
            f"The result is {asked}."
        )

    def solve(self) -> str:
        shut = {"negative": "row[j] < 0", "multiples": f"row[j] % {self.k} == 0", "none": "False"}[self.blocked]
        starts = "i == 0 and j == 0" if self.begin == "corner" else "i == 0"
        join = {
            "greatest": "if ways[a][b] > 0 and (count == 0 or best[a][b] > value):\n    value = best[a][b]\n"
            "count = min(count + ways[a][b], 1)",
            "least": "if ways[a][b] > 0 and (count == 0 or best[a][b] < value):\n    value = best[a][b]\n"
            "count = min(count + ways[a][b], 1)",
            "ways": f"count = (count + ways[a][b]) % {self.m}",
            "reachable": "count = max(count, ways[a][b])",
        }[self.objective]
        first_value = {
            "greatest": "if not (count > 0 and value > 0):\n    value = 0",
            "least": "if not (count > 0 and value < 0):\n    value = 0",
        }.get(self.objective, "")
        seed = {"ways": f"count = (count + 1) % {self.m}", "reachable": "count = 1"}.get(self.objective, "count = 1")
        return code(
            """
def solve(rows: list[list[int]]) -> int:
    down: list[int] = [<down>]
    right: list[int] = [<right>]
    width = 4
    best = [[0] * width for _ in range(len(rows))]
    ways = [[0] * width for _ in range(len(rows))]
    total = 0
    found = 0
    cells = 0
    i = 0
    for row in rows:
        for j in range(width):
            count = 0
            value = 0
            for way in range(len(down)):
                a = i - down[way]
                b = j - right[way]
                if a >= 0 and b >= 0 and b < width:
                    <join>
            if <starts>:
                <first>
                <seed>
            if <shut>:
                count = 0
            ways[i][j] = count
            best[i][j] = value + row[j]
            if count > 0:
                cells += 1
            <gather>
        i += 1
    <end>
""",
            down=", ".join(str(a) for a, _ in self.steps),
            right=", ".join(str(b) for _, b in self.steps),
            join=join,
            starts=starts,
            first=first_value,
            seed=seed,
            shut=shut,
            gather=self._gathered(),
            end=self._end(),
        )

    def _gathered(self) -> str:
        """Return what happens with the value of a cell in which a way may end."""
        last = "i == len(rows) - 1" + (" and j == width - 1" if self.finish == "corner" else "")
        gather = {
            "greatest": "if ways[i][j] > 0 and (found == 0 or best[i][j] > total):\n    total = best[i][j]\n"
            "found = max(found, ways[i][j])",
            "least": "if ways[i][j] > 0 and (found == 0 or best[i][j] < total):\n    total = best[i][j]\n"
            "found = max(found, ways[i][j])",
            "ways": f"total = (total + ways[i][j]) % {self.m}",
            "reachable": "",
        }[self.objective]
        return code("if <last>:\n    <gather>", last=last, gather=gather) if gather else ""

    def _end(self) -> str:
        return {
            "greatest": f"return total if found > 0 else -{_NEVER}",
            "least": f"return total if found > 0 else {_NEVER}",
            "ways": "return total",
            "reachable": "return cells",
        }[self.objective]

    def law(self, rows: list[list[int]]) -> Any:
        open_ = {
            (i, j): n
            for i, row in enumerate(rows)
            for j, n in enumerate(row)
            if not {"negative": n < 0, "multiples": n % self.k == 0}.get(self.blocked, False)
        }

        @functools.cache
        def onward(i: int, j: int) -> tuple[int, int, int]:
            """Return number, greatest and least sum of the ways from a cell to a goal."""
            ends = i == len(rows) - 1 and (self.finish != "corner" or j == 3)
            found = [(1, open_[i, j], open_[i, j])] if ends else []
            for a, b in self.steps:
                if (i + a, j + b) in open_:
                    number, high, low = onward(i + a, j + b)
                    if number:
                        found.append((number, high + open_[i, j], low + open_[i, j]))
            if not found:
                return 0, 0, 0
            return sum(one[0] for one in found), max(one[1] for one in found), min(one[2] for one in found)

        firsts = [(0, j) for j in range(4) if (0, j) in open_ and (self.begin != "corner" or j == 0)]
        if self.objective == "reachable":
            reached = set(firsts)
            for _ in range(len(rows) * 4):
                reached |= {(i + a, j + b) for i, j in reached for a, b in self.steps if (i + a, j + b) in open_}
            return len(reached)
        own = [one for one in (onward(*first) for first in firsts) if one[0]]
        if self.objective == "ways":
            return sum(one[0] for one in own) % self.m
        if not own:
            return -_NEVER if self.objective == "greatest" else _NEVER
        return max(one[1] for one in own) if self.objective == "greatest" else min(one[2] for one in own)

    def draw(self, draws: Draws, size: int) -> Values:
        return (_grid(draws, min(size, 6)),)

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("one row", ([[1, 2, 3, 4]],)),
            ("all closed", ([[-1, -1, -1, -1], [-2, -2, -2, -2]],)),
            ("equal numbers", ([[1, 1, 1, 1]] * 3,)),
            ("a dear detour", ([[1, 9, 1, 1], [1, 1, 8, 1], [2, 1, 1, 1]],)),
        )


def _grid(draws: Draws, size: int) -> list[list[int]]:
    low = draws.pick((-5, -1, 1))
    return [[draws.between(low, 9) for _ in range(4)] for _ in range(draws.between(1, size))]


@archetype("dynamic", "subsequence")
class Subsequence(Archetype):
    """Numbers chosen from a list, in order."""

    gives = "int"
    before = "xs"

    def __init__(self, c: Choices) -> None:
        self.relation = c.pick("relation", ("greater", "greater or equal", "near", "divides", "other parity"))
        self.objective = c.pick("objective", ("length", "sum", "count", "end"))
        self.gap = c.pick("gap", ("any", "not neighbours", "at most k apart"))
        self.k = c.constant("k", (2, 3), (4, 5))
        self.m = c.constant("modulus", (97, 1000), (101, 500))
        self.fields = (Field(name="xs", sort="ints", what="the numbers", low=-9, high=20),)

    def story(self) -> str:
        what = {
            "greater": "is greater than the one chosen before it",
            "greater or equal": "is at least as great as the one chosen before it",
            "near": f"differs by at most {self.k} from the one chosen before it",
            "divides": "is a multiple of the one chosen before it, which is not 0 (0 is a multiple of any number)",
            "other parity": "is even if the one chosen before it is odd, and odd if that is even",
        }[self.relation]
        far = {
            "any": "",
            "not neighbours": " No two chosen numbers one after the other are neighbours in the list.",
            "at most k apart": f" The positions of two numbers chosen one after the other differ by at most {self.k}.",
        }[self.gap]
        asked = {
            "length": "the greatest number of numbers that can be chosen so (0 for an empty list)",
            "sum": "the greatest sum of numbers that are chosen so (0 for an empty list)",
            "count": f"the number of ways to choose so, modulo {self.m}; ways with other positions are different, "
            "also if the numbers are equal",
            "end": "the position (from 0) of the last number of a longest choice; of several the least such "
            "position; -1 for an empty list",
        }[self.objective]
        return (
            "Choose one or more numbers of a list, in their order, not necessarily neighbours, such that each but the "
            f"first {what}.{far} The result is {asked}."
        )

    def solve(self) -> str:
        fits = {
            "greater": "xs[i] > xs[j]",
            "greater or equal": "xs[i] >= xs[j]",
            "near": f"abs(xs[i] - xs[j]) <= {self.k}",
            "divides": "xs[j] != 0 and xs[i] % max(abs(xs[j]), 1) == 0",
            "other parity": "(xs[i] - xs[j]) % 2 == 1",
        }[self.relation]
        apart = {"any": "True", "not neighbours": "i - j > 1", "at most k apart": f"i - j <= {self.k}"}[self.gap]
        start, join = {
            "length": ("1", "best[i] = max(best[i], best[j] + 1)"),
            "end": ("1", "best[i] = max(best[i], best[j] + 1)"),
            "sum": ("xs[i]", "best[i] = max(best[i], best[j] + xs[i])"),
            "count": ("1", f"best[i] = (best[i] + best[j]) % {self.m}"),
        }[self.objective]
        end = {
            "length": "found = 0\nfor one in best:\n    found = max(found, one)\nreturn found",
            "sum": "found = 0\nfor p in range(len(best)):\n    if p == 0 or best[p] > found:\n"
            "        found = best[p]\nreturn found",
            "count": f"found = 0\nfor one in best:\n    found = (found + one) % {self.m}\nreturn found",
            "end": "place = -1\nfor p in range(len(best)):\n    if place < 0 or best[p] > best[place]:\n"
            "        place = p\nreturn place",
        }[self.objective]
        return code(
            """
def solve(xs: list[int]) -> int:
    best = [0] * len(xs)
    for i in range(len(xs)):
        best[i] = <start>
        for j in range(i):
            if <fits> and <apart>:
                <join>
    <end>
""",
            start=start,
            fits=fits,
            apart=apart,
            join=join,
            end=end,
        )

    def law(self, xs: list[int]) -> Any:
        def follows(j: int, i: int) -> Any:
            a, b = xs[j], xs[i]
            near = {"any": True, "not neighbours": i > j + 1}.get(self.gap, i - j <= self.k)
            return near and {
                "greater": b > a,
                "greater or equal": b >= a,
                "near": -self.k <= b - a <= self.k,
                "divides": a != 0 and b in range(-abs(b), abs(b) + 1, abs(a) or 1) and abs(b) % (abs(a) or 1) == 0,
            }.get(self.relation, (a ^ b) & 1 == 1)

        @functools.cache
        def onward(j: int) -> tuple[int, int, int]:
            """Return greatest length, greatest sum and number of the choices that begin at a place."""
            own = [onward(i) for i in range(j + 1, len(xs)) if follows(j, i)]
            return (
                1 + max((one[0] for one in own), default=0),
                xs[j] + max((one[1] for one in own if one[1] > 0), default=0),
                1 + sum(one[2] for one in own),
            )

        lengths = [onward(j) for j in range(len(xs))]
        if self.objective == "end":
            ends: dict[int, int] = {}
            for i in range(len(xs)):
                ends[i] = 1 + max((ends[j] for j in range(i) if follows(j, i)), default=0)
            return min((i for i in ends if ends[i] == max(ends.values())), default=-1)
        return {
            "length": max((one[0] for one in lengths), default=0),
            "sum": max((one[1] for one in lengths), default=0),
        }.get(self.objective, sum(one[2] for one in lengths) % self.m)
