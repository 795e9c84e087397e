"""Problems about stretches and triples of a list of integers."""

import itertools
from typing import Any

from palestra.envs.code.problems.areas.arrays import SMALL, numbers_field, spread
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code


@archetype("arrays")
def segments(c: Choices) -> Parts:
    """The longest stretch, or how many there are, in which some condition holds."""
    condition = c.pick("condition", ("spread", "kinds", "ascending", "alternating", "steps"))
    objective = c.pick("objective", ("length", "sum", "start", "stretch", "count"))
    tie = c.pick("tie", ("first", "last", "greatest sum"))
    least = c.pick("least length", ("1", "2", "3"))
    k = c.constant("k", *SMALL)
    # Every part of such a stretch is one as well, so that only its start has to move.
    holds = {
        "spread": f"biggest - smallest <= {k}",
        "kinds": f"len(seen) <= {k % 3 + 1}",
        "ascending": "is_fine",
        "alternating": "is_fine",
        "steps": "is_fine",
    }[condition]
    fine = {
        "ascending": "xs[j] > xs[j - 1]",
        "alternating": "(xs[j] - xs[j - 1]) % 2 == 1",
        "steps": f"abs(xs[j] - xs[j - 1]) <= {k}",
    }.get(condition, "True")
    better = {
        "first": "size > best",
        "last": "size >= best",
        "greatest sum": "size > best or (size == best and total > sum)",
    }
    gives: Gives = "ints" if objective == "stretch" else "int"
    end = {
        "length": "best",
        "sum": "sum",
        "start": "place",
        "stretch": "xs[place:place + best] if place >= 0 else xs[0:0]",
        "count": "count",
    }[objective]
    if objective == "stretch":
        end = "xs[max(place, 0):max(place, 0) + best]"
    solve = code(
        """
def solve(xs: list[int]) -> <type>:
    best = 0
    place = -1
    sum = 0
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
                        sum = total
            j += 1
    return <end>
""".replace("sum", "highest"),
        type="list[int]" if gives == "ints" else "int",
        fine=fine,
        holds=holds,
        least=least,
        better=better[tie].replace("sum", "highest"),
        end=end.replace("sum", "highest"),
    )

    def is_good(part: list[int]) -> Any:
        steps = [b - a for a, b in itertools.pairwise(part)]
        match condition:
            case "spread":
                return max(part) - min(part) <= k
            case "kinds":
                return len(set(part)) <= k % 3 + 1
            case "ascending":
                return all(step > 0 for step in steps)
            case "alternating":
                return all(step & 1 for step in steps)
        return all(-k <= step <= k for step in steps)

    def law(xs: list[int]) -> Any:
        found = [(i, xs[i:j]) for i in range(len(xs)) for j in range(i + int(least), len(xs) + 1)]
        found = [one for one in found if is_good(one[1])]
        if objective == "count" or not found:
            return {"count": len(found), "start": -1, "stretch": []}.get(objective, 0)
        longest = [one for one in found if len(one[1]) == max(len(part) for _, part in found)]
        place, part = {"first": longest[0], "last": longest[-1]}.get(tie, max(longest, key=lambda one: sum(one[1])))
        return {"length": len(part), "sum": sum(part), "start": place}.get(objective, part)

    what = {
        "spread": f"its greatest and its least number differ by at most {k}",
        "kinds": f"it has at most {k % 3 + 1} different values",
        "ascending": "each of its numbers is greater than the one before",
        "alternating": "of any two neighbours one is even and one is odd",
        "steps": f"any two neighbours differ by at most {k}",
    }[condition]
    of_ties = {
        "first": "the first of them",
        "last": "the last of them",
        "greatest sum": "the one with the greatest sum, and of those the first",
    }[tie]
    asked = {
        "length": "the length of the longest good stretch (0 if there is none)",
        "sum": "the sum of the longest good stretch (0 if there is none)",
        "start": "the position at which the longest good stretch starts, counted from 0 (-1 if there is none)",
        "stretch": "the numbers of the longest good stretch (empty if there is none)",
        "count": "how many good stretches there are",
    }[objective]
    ties = f" If several are equally long, take {of_ties}." if objective in ("sum", "start", "stretch") else ""
    return Parts(
        story=f"A stretch of neighbouring numbers is good if it is at least {least} long and {what} (one number alone "
        f"has no neighbours). The result is {asked}.{ties}",
        fields=(numbers_field(c),),
        gives=gives,
        solve=solve,
        law=law,
        cost="quadratic",
        before="xs",
    )


@archetype("arrays")
def triples(c: Choices) -> Parts:
    """Triples of positions whose sum stands in some relation to a constant."""
    relation = c.pick("relation", ("at most", "equal", "nearest"))
    same = c.pick("values", ("any", "all different"))
    signs = c.pick("middle", ("plus", "minus"))
    k = c.constant("k", (0, 6, 9), (3, 4, 10))
    sign = "+" if signs == "plus" else "-"
    test = {"at most": f"total <= {k}", "equal": f"total == {k}", "nearest": f"abs(total - {k}) <= 2"}[relation]
    distinct_all = "True" if same == "any" else "xs[h] != xs[i] and xs[h] != xs[j] and xs[i] != xs[j]"
    low, high = {"at most": (-(10**6), k), "equal": (k, k), "nearest": (k - 2, k + 2)}[relation]
    # For each pair i < j, how many h < i have a value in a range: told from counts of what is below each value.
    solve = code(
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
        fits="True" if same == "any" else "xs[i] != xs[j]",
        sign=sign,
        low=str(low),
        high=str(high),
        less=""
        if same == "any"
        else f"for taken in [xs[i], xs[j]]:\n    total = taken + rest - least\n"
        f"    if total >= {low} and total <= {high}:\n"
        "        found -= below[taken - least + 1] - below[taken - least]",
    )
    slow = code(
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
        sign=sign,
        test=test,
        distinct=distinct_all,
    )

    def law(xs: list[int]) -> int:
        found = 0
        for j in range(len(xs)):
            for i in range(j):
                for h in range(i):
                    total = sum((xs[h], xs[j], xs[i] if signs == "plus" else -xs[i]))
                    if low <= total <= high and (same == "any" or len({xs[h], xs[i], xs[j]}) == 3):
                        found += 1
        return found

    what = {"at most": f"at most {k}", "equal": f"exactly {k}", "nearest": f"from {k - 2} to {k + 2}"}[relation]
    different = "" if same == "any" else " and whose three numbers are all different"
    return Parts(
        story=f"Count the triples of positions h < i < j for which xs[h] {sign} xs[i] + xs[j] is {what}{different}, "
        "where xs "
        "is the list that is given. The result is their number.",
        fields=(numbers_field(c),),
        gives="int",
        solve=solve,
        law=law,
        cost="quadratic",
        slow=slow,
        before="xs",
        large=spread,
    )
