"""Operations on one integer: to another, or to a list."""

from collections import deque

from palestra.envs.code.catalogue import ADDENDS, SMALL, STRIDES, Pool, operation

Ints = list[int]


@operation("number", "number", "Add {k}.", "x = x + {k}", k=ADDENDS)
def plus(x: int, k: int) -> int:
    return sum((x, k))


@operation("number", "number", "Multiply by {k}.", "x = x * {k}", k=SMALL)
def times(x: int, k: int) -> int:
    return sum([x] * k)


@operation(
    "number",
    "number",
    "Take the remainder modulo {k} (never negative).",
    "x = x % {k}",
    k=Pool((7, 11, 100), (9, 13, 50)),
)
def remainder(x: int, k: int) -> int:
    return divmod(x, k)[1]


@operation("number", "number", "Add up its digits, ignoring the sign.", "x = sum(int(d) for d in str(abs(x)))")
def digit_sum(x: int) -> int:
    left, made = abs(x), 0
    while left:
        left, digit = divmod(left, 10)
        made += digit
    return made


@operation(
    "number",
    "number",
    "Take its greatest digit, ignoring the sign.",
    "x = max(int(d) for d in str(abs(x)))",
    heldout=True,
)
def greatest_digit(x: int) -> int:
    return next(digit for digit in range(9, -1, -1) if str(digit) in str(x))


@operation(
    "number",
    "number",
    "Drop the sign, write the digits backwards and drop leading zeros.",
    "x = int(str(abs(x))[::-1])",
)
def backwards(x: int) -> int:
    left, made = abs(x), 0
    while left:
        left, digit = divmod(left, 10)
        made = made * 10 + digit
    return made


@operation(
    "number",
    "number",
    "Halve it if it is even, else triple it and add 1; count how often until it is 1.",
    """
    t = 0
    while x != 1:
        if x % 2 == 0:
            x = x // 2
        else:
            x = 3 * x + 1
        t += 1
    x = t
    """,
    domain=(1, 10_000),
)
def collatz_steps(x: int) -> int:
    return 0 if x == 1 else 1 + collatz_steps((x >> 1, 3 * x + 1)[x & 1])


@operation(
    "number",
    "number",
    "Count its divisors, 1 and itself included.",
    """
    t = 0
    for d in range(1, x + 1):
        if x % d == 0:
            t += 1
    x = t
    """,
    domain=(1, 10_000),
)
def divisor_count(x: int) -> int:
    return len(divisors(x))


@operation(
    "number",
    "number",
    "People 1 to this number stand in a circle. Count round from person 1; who is counted {k} leaves and the count "
    "starts again at the next, until one is left. Take who is left.",
    """
    y = list(range(1, x + 1))
    i = 0
    while len(y) > 1:
        i = (i + {k} - 1) % len(y)
        y.pop(i)
    x = y[0]
    """,
    k=STRIDES,
    domain=(1, 500),
)
def circle(x: int, k: int) -> int:
    ring = deque(range(1, x + 1))
    while len(ring) > 1:
        ring.rotate(1 - k)
        ring.popleft()
    return ring[0]


@operation(
    "number", "number", "Count the ones in its binary form.", 'x = bin(x).count("1")', domain=(0, 10**12), heldout=True
)
def one_bits(x: int) -> int:
    return 0 if x == 0 else (x & 1) + one_bits(x >> 1)


@operation(
    "number", "ints", "List its digits from left to right, ignoring the sign.", "x = [int(d) for d in str(abs(x))]"
)
def digits(x: int) -> Ints:
    made = [abs(x) % 10]
    left = abs(x) // 10
    while left:
        made.insert(0, left % 10)
        left //= 10
    return made


@operation(
    "number",
    "ints",
    "List its divisors in ascending order.",
    "x = [d for d in range(1, x + 1) if x % d == 0]",
    domain=(1, 10_000),
)
def divisors(x: int) -> Ints:
    low = [d for d in range(1, int(x**0.5) + 1) if x % d == 0]
    return low + [x // d for d in reversed(low) if d * d != x]


@operation(
    "number",
    "ints",
    "List its prime factors in ascending order, repeated as often as they divide it.",
    """
    y = []
    d = 2
    while x > 1:
        if x % d == 0:
            y.append(d)
            x = x // d
        else:
            d += 1
    x = y
    """,
    domain=(1, 10_000),
)
def prime_factors(x: int) -> Ints:
    smallest = next((d for d in range(2, int(x**0.5) + 1) if x % d == 0), x)
    return [] if x == 1 else [smallest, *prime_factors(x // smallest)]


@operation(
    "number",
    "ints",
    "List it, then {k} less, then {k} less again, as long as the number is above 0.",
    """
    y = []
    while x > 0:
        y.append(x)
        x -= {k}
    x = y
    """,
    k=SMALL,
    domain=(-(10**12), 200),
)
def countdown(x: int, k: int) -> Ints:
    return list(range(x, 0, -k))


@operation(
    "number", "ints", "List the digits of its binary form.", "x = [int(d) for d in bin(x)[2:]]", domain=(0, 10**12)
)
def bits(x: int) -> Ints:
    return [x] if x < 2 else [*bits(x // 2), x % 2]
