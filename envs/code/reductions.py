"""Operations from a list of integers to one number. Most give 0 for an empty list, and say so."""

from collections import Counter
from functools import reduce
from itertools import combinations, groupby

from palestra.envs.code.catalogue import THRESHOLDS, operation

Ints = list[int]


@operation("ints", "number", "Add up the numbers.", "x = sum(x)")
def total(x: Ints) -> int:
    return reduce(int.__add__, x, 0)


@operation("ints", "number", "Take the greatest number (0 if there are none).", "x = max(x, default=0)")
def greatest(x: Ints) -> int:
    return sorted(x)[-1] if x else 0


@operation("ints", "number", "Take the smallest number (0 if there are none).", "x = min(x, default=0)")
def smallest(x: Ints) -> int:
    return sorted(x)[0] if x else 0


@operation("ints", "number", "Count the numbers.", "x = len(x)", heldout=True)
def size(x: Ints) -> int:
    return sum(1 for _ in x)


@operation(
    "ints",
    "number",
    "Take the greatest number minus the smallest (0 if there are none).",
    "x = max(x) - min(x) if x else 0",
)
def spread(x: Ints) -> int:
    return max((a - b for a in x for b in x), default=0)


@operation("ints", "number", "Count the different numbers.", "x = len(set(x))")
def distinct(x: Ints) -> int:
    return sum(1 for _ in groupby(sorted(x)))


@operation(
    "ints",
    "number",
    "Add the 1st number, subtract the 2nd, add the 3rd, and so on.",
    """
    t = 0
    for i, v in enumerate(x):
        if i % 2 == 0:
            t += v
        else:
            t -= v
    x = t
    """,
)
def alternating(x: Ints) -> int:
    return sum(x[::2]) - sum(x[1::2])


@operation(
    "ints",
    "number",
    "Count the pairs of an earlier and a later number where the earlier is greater.",
    """
    t = 0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            if x[i] > x[j]:
                t += 1
    x = t
    """,
)
def inversions(x: Ints) -> int:
    if len(x) < 2:
        return 0
    left, right = x[: len(x) // 2], x[len(x) // 2 :]
    return inversions(left) + inversions(right) + sum(a > b for a in left for b in right)


@operation(
    "ints",
    "number",
    "Count the pairs of two places whose numbers add up to {k}.",
    """
    t = 0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            if x[i] + x[j] == {k}:
                t += 1
    x = t
    """,
    k=THRESHOLDS,
    heldout=True,
)
def pairs_with_sum(x: Ints, k: int) -> int:
    return Counter(a + b for a, b in combinations(x, 2))[k]


@operation(
    "ints",
    "number",
    "Count the numbers that are at most {k}.",
    "x = sum(1 for v in x if v <= {k})",
    k=THRESHOLDS,
)
def count_at_most(x: Ints, k: int) -> int:
    return len(x) - len([v for v in x if v > k])


@operation(
    "ints",
    "number",
    "Take the number that occurs most often; of several the smallest (0 if there are none).",
    "x = max(sorted(x), key=x.count, default=0)",
)
def most_common(x: Ints) -> int:
    counts = Counter(x)
    return min((v for v in counts if counts[v] == max(counts.values())), default=0)


@operation(
    "ints",
    "number",
    "Take the length of the longest run of neighbours in which every number is greater than the one before.",
    """
    best = n = 0
    for i in range(len(x)):
        if i > 0 and x[i] > x[i - 1]:
            n += 1
        else:
            n = 1
        best = max(best, n)
    x = best
    """,
)
def longest_rise(x: Ints) -> int:
    spans = [x[i:j] for i in range(len(x)) for j in range(i + 1, len(x) + 1)]
    return max((len(span) for span in spans if span == sorted(set(span))), default=0)


@operation(
    "ints",
    "number",
    "Take the greatest sum of neighbouring numbers (0 for none of them).",
    """
    best = t = 0
    for v in x:
        t = max(0, t + v)
        best = max(best, t)
    x = best
    """,
)
def best_stretch(x: Ints) -> int:
    return max(sum(x[i:j]) for i in range(len(x) + 1) for j in range(i, len(x) + 1))


@operation(
    "ints",
    "number",
    "Take the second greatest of the different numbers (0 if there is none).",
    """
    y = sorted(set(x))
    x = y[-2] if len(y) > 1 else 0
    """,
)
def runner_up(x: Ints) -> int:
    rest = [v for v in x if v < max(x)]
    return max(rest, default=0)
