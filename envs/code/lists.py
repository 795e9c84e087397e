"""Operations from a list of integers to a list of integers."""

from bisect import insort
from collections import Counter, deque
from itertools import accumulate, groupby, pairwise

from palestra.envs.code.catalogue import ADDENDS, COUNTS, SMALL, STRIDES, THRESHOLDS, operation

Ints = list[int]


@operation("ints", "ints", "Keep the numbers greater than {k}.", "x = [v for v in x if v > {k}]", k=THRESHOLDS)
def keep_greater(x: Ints, k: int) -> Ints:
    return list(filter(k.__lt__, x))


@operation("ints", "ints", "Keep the multiples of {k}.", "x = [v for v in x if v % {k} == 0]", k=SMALL)
def keep_multiples(x: Ints, k: int) -> Ints:
    return [v for v in x if abs(v) // k * k == abs(v)]


@operation("ints", "ints", "Keep the even numbers.", "x = [v for v in x if v % 2 == 0]")
def keep_even(x: Ints) -> Ints:
    return [v for v in x if not v & 1]


@operation("ints", "ints", "Add {k} to every number.", "x = [v + {k} for v in x]", k=ADDENDS)
def add(x: Ints, k: int) -> Ints:
    return list(map(k.__add__, x))


@operation("ints", "ints", "Multiply every number by {k}.", "x = [v * {k} for v in x]", k=SMALL)
def multiply(x: Ints, k: int) -> Ints:
    return [sum([v] * k) for v in x]


@operation("ints", "ints", "Square every number.", "x = [v * v for v in x]")
def square(x: Ints) -> Ints:
    return [(v + 1) * (v - 1) + 1 for v in x]


@operation("ints", "ints", "Replace every number by its absolute value.", "x = [abs(v) for v in x]")
def absolute(x: Ints) -> Ints:
    return [max(v, -v) for v in x]


@operation("ints", "ints", "Lower every number above {k} to {k}.", "x = [min(v, {k}) for v in x]", k=THRESHOLDS)
def cap(x: Ints, k: int) -> Ints:
    return [k if v > k else v for v in x]


@operation(
    "ints",
    "ints",
    "Replace every number by its remainder modulo {k} (never negative).",
    "x = [v % {k} for v in x]",
    k=SMALL,
)
def remainders(x: Ints, k: int) -> Ints:
    return [v - v // k * k for v in x]


@operation(
    "ints",
    "ints",
    "Replace every number by the sum of its digits, ignoring the sign.",
    "x = [sum(int(d) for d in str(abs(v))) for v in x]",
)
def digit_sums(x: Ints) -> Ints:
    def total(v: int) -> int:
        return 0 if v == 0 else v % 10 + total(v // 10)

    return [total(abs(v)) for v in x]


@operation("ints", "ints", "Sort the numbers in ascending order.", "x = sorted(x)")
def ascending(x: Ints) -> Ints:
    made: Ints = []
    for v in x:
        insort(made, v)
    return made


@operation("ints", "ints", "Sort the numbers in descending order.", "x = sorted(x, reverse=True)")
def descending(x: Ints) -> Ints:
    left, made = list(x), []
    while left:
        made.append(max(left))
        left.remove(made[-1])
    return made


@operation(
    "ints",
    "ints",
    "Sort the numbers by their last digit, ignoring the sign; ties stay in order.",
    "x = sorted(x, key=lambda v: abs(v) % 10)",
)
def by_last_digit(x: Ints) -> Ints:
    return [v for digit in "0123456789" for v in x if str(v).endswith(digit)]


@operation(
    "ints",
    "ints",
    "Sort the numbers by their distance from {k}; of two as far, the smaller first.",
    "x = sorted(x, key=lambda v: (abs(v - {k}), v))",
    k=THRESHOLDS,
    heldout=True,
)
def by_distance(x: Ints, k: int) -> Ints:
    left, made = list(x), []
    while left:
        nearest = min(max(v - k, k - v) for v in left)
        first = k - nearest if k - nearest in left else k + nearest
        left.remove(first)
        made.append(first)
    return made


@operation(
    "ints",
    "ints",
    "Drop repeated numbers, keeping the first of each.",
    """
    y = []
    for v in x:
        if v not in y:
            y.append(v)
    x = y
    """,
)
def unique(x: Ints) -> Ints:
    return list(dict.fromkeys(x))


@operation("ints", "ints", "Keep the numbers that occur exactly once.", "x = [v for v in x if x.count(v) == 1]")
def only_once(x: Ints) -> Ints:
    counts = Counter(x)
    return [v for v in x if counts[v] < 2]


@operation("ints", "ints", "Reverse the list.", "x = x[::-1]")
def reverse(x: Ints) -> Ints:
    made: deque[int] = deque()
    made.extendleft(x)
    return list(made)


@operation("ints", "ints", "Keep only the first {k} numbers.", "x = x[:{k}]", k=COUNTS)
def first(x: Ints, k: int) -> Ints:
    return [v for v, _ in zip(x, range(k), strict=False)]


@operation("ints", "ints", "Drop the first {k} numbers.", "x = x[{k}:]", k=COUNTS)
def drop_first(x: Ints, k: int) -> Ints:
    return [v for place, v in enumerate(x) if place >= k]


@operation(
    "ints",
    "ints",
    "Keep the numbers at the places {k}, 2*{k}, 3*{k} and so on, counted from 1.",
    "x = x[{k} - 1::{k}]",
    k=STRIDES,
)
def every(x: Ints, k: int) -> Ints:
    return [v for place, v in enumerate(x, start=1) if place % k == 0]


@operation(
    "ints",
    "ints",
    "Move the first number to the end; do this {k} times.",
    """
    for _ in range({k}):
        x = x[1:] + x[:1]
    """,
    k=COUNTS,
)
def rotate(x: Ints, k: int) -> Ints:
    ring = deque(x)
    ring.rotate(-k)
    return list(ring)


@operation(
    "ints",
    "ints",
    "Swap the 1st number with the 2nd, the 3rd with the 4th, and so on; an odd last one stays.",
    """
    for i in range(0, len(x) - 1, 2):
        x[i], x[i + 1] = x[i + 1], x[i]
    """,
    heldout=True,
)
def swap_pairs(x: Ints) -> Ints:
    return [v for start in range(0, len(x), 2) for v in reversed(x[start : start + 2])]


@operation(
    "ints",
    "ints",
    "Replace every number by the sum of all numbers up to and including it.",
    """
    t = 0
    y = []
    for v in x:
        t += v
        y.append(t)
    x = y
    """,
)
def prefix_sums(x: Ints) -> Ints:
    return list(accumulate(x))


@operation(
    "ints",
    "ints",
    "Replace every number by the greatest so far, itself included.",
    """
    y = []
    for v in x:
        if y and y[-1] > v:
            v = y[-1]
        y.append(v)
    x = y
    """,
)
def running_max(x: Ints) -> Ints:
    return [max(x[: place + 1]) for place in range(len(x))]


@operation(
    "ints",
    "ints",
    "Replace the list by the differences of neighbours: the next number minus this one.",
    "x = [x[i + 1] - x[i] for i in range(len(x) - 1)]",
)
def differences(x: Ints) -> Ints:
    return [after - before for before, after in pairwise(x)]


@operation(
    "ints",
    "ints",
    "Replace the list by the sums of every {k} neighbours, from left to right.",
    "x = [sum(x[i:i + {k}]) for i in range(len(x) - {k} + 1)]",
    k=STRIDES,
    heldout=True,
)
def window_sums(x: Ints, k: int) -> Ints:
    sums = [0, *accumulate(x)]
    return [high - low for low, high in zip(sums, sums[k:], strict=False)]


@operation(
    "ints",
    "ints",
    "Keep the numbers greater than the number just before them; drop the first number.",
    "x = [x[i] for i in range(1, len(x)) if x[i] > x[i - 1]]",
)
def rises(x: Ints) -> Ints:
    return [after for before, after in pairwise(x) if before < after]


@operation(
    "ints",
    "ints",
    "Of every run of equal neighbours keep one number.",
    """
    y = []
    for v in x:
        if not y or y[-1] != v:
            y.append(v)
    x = y
    """,
)
def collapse(x: Ints) -> Ints:
    return [v for v, _ in groupby(x)]


@operation(
    "ints",
    "ints",
    "Replace every run of equal neighbours by its length.",
    """
    y = []
    for i in range(len(x)):
        if i > 0 and x[i] == x[i - 1]:
            y[-1] += 1
        else:
            y.append(1)
    x = y
    """,
)
def run_lengths(x: Ints) -> Ints:
    return [len(list(run)) for _, run in groupby(x)]


@operation(
    "ints",
    "ints",
    "A balance is 0. Add each number to it unless that makes it negative; list the balance after each.",
    """
    t = 0
    y = []
    for v in x:
        if t + v >= 0:
            t += v
        y.append(t)
    x = y
    """,
)
def balances(x: Ints) -> Ints:
    return list(accumulate(x, lambda held, v: held if held < -v else held + v, initial=0))[1:]
