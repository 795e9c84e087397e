"""Problems about stretches and triples of a list of integers."""

import itertools
from typing import Any

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.areas.arrays import SMALL, numbers_field, spread
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.parts import Archetype, Values, archetype, code


@archetype("arrays", "segments")
class Segments(Archetype):
    """The longest stretch, or how many there are, in which some condition holds."""

    cost = "quadratic"
    before = "xs"

    def __init__(self, c: Choices) -> None:
        self.condition = c.pick("condition", ("spread", "kinds", "ascending", "alternating", "steps"))
        self.objective = c.pick("objective", ("length", "sum", "start", "stretch", "count"))
        self.tie = c.pick("tie", ("first", "last", "greatest sum"))
        self.least = c.pick("least length", ("1", "2", "3"))
        self.k = c.constant("k", *SMALL)
        self.gives = "ints" if self.objective == "stretch" else "int"
        self.fields = (numbers_field(c),)

    def story(self) -> str:
        what = {
            "spread": f"its greatest and its least number differ by at most {self.k}",
            "kinds": f"it has at most {self.k % 3 + 1} different values",
            "ascending": "each of its numbers is greater than the one before",
            "alternating": "of any two neighbours one is even and one is odd",
            "steps": f"any two neighbours differ by at most {self.k}",
        }[self.condition]
        of_ties = {
            "first": "the first of them",
            "last": "the last of them",
            "greatest sum": "the one with the greatest sum, and of those the first",
        }[self.tie]
        asked = {
            "length": "the length of the longest good stretch (0 if there is none)",
            "sum": "the sum of the longest good stretch (0 if there is none)",
            "start": "the position at which the longest good stretch starts, counted from 0 (-1 if there is none)",
            "stretch": "the numbers of the longest good stretch (empty if there is none)",
            "count": "how many good stretches there are",
        }[self.objective]
        ties = f" If several are equally long, take {of_ties}." if self.objective in ("sum", "start", "stretch") else ""
        return (
            f"A stretch of neighbouring numbers is good if it is at least {self.least} long and {what} (one number "
            f"alone has no neighbours). The result is {asked}.{ties}"
        )

    def solve(self) -> str:
        # Every part of such a stretch is one as well, so that only its start has to move.
        holds, fine = {
            "spread": (f"biggest - smallest <= {self.k}", "True"),
            "kinds": (f"len(seen) <= {self.k % 3 + 1}", "True"),
            "ascending": ("is_fine", "xs[j] > xs[j - 1]"),
            "alternating": ("is_fine", "(xs[j] - xs[j - 1]) % 2 == 1"),
            "steps": ("is_fine", f"abs(xs[j] - xs[j - 1]) <= {self.k}"),
        }[self.condition]
        better = {
            "first": "size > best",
            "last": "size >= best",
            "greatest sum": "size > best or (size == best and total > highest)",
        }[self.tie]
        end = {
            "length": "best",
            "sum": "highest",
            "start": "place",
            "stretch": "xs[max(place, 0):max(place, 0) + best]",
            "count": "count",
        }[self.objective]
        return self.code(
            """
def solve(xs: list[int]) -> <type>:
    best = 0
    place = -1
    highest = 0
    count = 0
    for i in range(len(xs)):
        biggest = xs[i]
        smallest = xs[i]
        seen: dict[int, int] = {}
        total = 0
        is_fine = True
        j = i
        while j < len(xs) and is_fine:
            biggest = max(biggest, xs[j])
            smallest = min(smallest, xs[j])
            seen[xs[j]] = 1
            if j > i:
                is_fine = <fine>
            is_fine = is_fine and <holds>
            if is_fine:
                total += xs[j]
                size = j - i + 1
                if size >= <least>:
                    count += 1
                    if <better>:
                        best = size
                        place = i
                        highest = total
            j += 1
    return <end>
""",
            fine=fine,
            holds=holds,
            least=self.least,
            better=better,
            end=end,
        )

    def law(self, xs: list[int]) -> Any:
        found = [(i, xs[i:j]) for i in range(len(xs)) for j in range(i + int(self.least), len(xs) + 1)]
        found = [one for one in found if self._is_good(one[1])]
        if self.objective == "count" or not found:
            return {"count": len(found), "start": -1, "stretch": []}.get(self.objective, 0)
        longest = [one for one in found if len(one[1]) == max(len(part) for _, part in found)]
        place, part = {"first": longest[0], "last": longest[-1]}.get(
            self.tie, max(longest, key=lambda one: sum(one[1]))
        )
        return {"length": len(part), "sum": sum(part), "start": place}.get(self.objective, part)

    def _is_good(self, part: list[int]) -> Any:
        steps = [b - a for a, b in itertools.pairwise(part)]
        match self.condition:
            case "spread":
                return max(part) - min(part) <= self.k
            case "kinds":
                return len(set(part)) <= self.k % 3 + 1
            case "ascending":
                return all(step > 0 for step in steps)
            case "alternating":
                return all(step & 1 for step in steps)
        return all(-self.k <= step <= self.k for step in steps)


@archetype("arrays", "triples")
class Triples(Archetype):
    """Triples of positions whose sum stands in some relation to a constant."""

    gives = "int"
    cost = "quadratic"
    before = "xs"

    def __init__(self, c: Choices) -> None:
        self.relation = c.pick("relation", ("at most", "equal", "nearest"))
        self.same = c.pick("values", ("any", "all different"))
        self.signs = c.pick("middle", ("plus", "minus"))
        self.k = c.constant("k", (0, 6, 9), (3, 4, 10))
        self.sign = "+" if self.signs == "plus" else "-"
        self.low, self.high = {
            "at most": (-(10**6), self.k),
            "equal": (self.k, self.k),
            "nearest": (self.k - 2, self.k + 2),
        }[self.relation]
        self.fields = (numbers_field(c),)

    def story(self) -> str:
        what = {
            "at most": f"at most {self.k}",
            "equal": f"exactly {self.k}",
            "nearest": f"from {self.k - 2} to {self.k + 2}",
        }[self.relation]
        different = "" if self.same == "any" else " and whose three numbers are all different"
        return (
            f"Count the triples of positions h < i < j for which xs[h] {self.sign} xs[i] + xs[j] is {what}{different}, "
            "where xs is the list that is given. The result is their number."
        )

    def solve(self) -> str:
        # For each pair i < j, how many h < i have a value in a range: told from counts of what is below each value.
        return code(
            """
def solve(xs: list[int]) -> int:
    found = 0
    least = 0
    most = 0
    for i in range(len(xs)):
        if i == 0 or xs[i] < least:
            least = xs[i]
        if i == 0 or xs[i] > most:
            most = xs[i]
    span = most - least + 1
    below = [0] * (span + 1)
    for i in range(len(xs)):
        for j in range(i + 1, len(xs)):
            if <fits>:
                rest = xs[j] <sign> xs[i] + least
                first = max(0, min(<low> - rest, span))
                last = max(0, min(<high> - rest + 1, span))
                found += below[last] - below[first]
                <less>
        for place in range(xs[i] - least + 1, span + 1):
            below[place] += 1
    return found
""",
            fits="True" if self.same == "any" else "xs[i] != xs[j]",
            sign=self.sign,
            low=str(self.low),
            high=str(self.high),
            less=""
            if self.same == "any"
            else (
                "for taken in [xs[i], xs[j]]:\n    total = taken + rest - least\n"
                f"    if total >= {self.low} and total <= {self.high}:\n"
                "        found -= below[taken - least + 1] - below[taken - least]"
            ),
        )

    def slow(self) -> str:
        test = {
            "at most": f"total <= {self.k}",
            "equal": f"total == {self.k}",
            "nearest": f"abs(total - {self.k}) <= 2",
        }[self.relation]
        distinct_all = "True" if self.same == "any" else "xs[h] != xs[i] and xs[h] != xs[j] and xs[i] != xs[j]"
        return code(
            """
def solve(xs: list[int]) -> int:
    found = 0
    for j in range(len(xs)):
        for i in range(j):
            for h in range(i):
                total = xs[h] + xs[j] <sign> xs[i]
                if <test> and <distinct>:
                    found += 1
    return found
""",
            sign=self.sign,
            test=test,
            distinct=distinct_all,
        )

    def law(self, xs: list[int]) -> int:
        found = 0
        for j in range(len(xs)):
            for i in range(j):
                for h in range(i):
                    total = sum((xs[h], xs[j], xs[i] if self.signs == "plus" else -xs[i]))
                    if self.low <= total <= self.high and (self.same == "any" or len({xs[h], xs[i], xs[j]}) == 3):
                        found += 1
        return found

    def large(self, draws: Draws, size: int) -> Values:
        return spread(draws, size)
