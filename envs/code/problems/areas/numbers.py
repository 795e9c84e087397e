"""Problems about integers by themselves: divisors, digits, recurrences, sieves."""

import itertools
from collections.abc import Callable
from typing import Any, Final

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code

_SUMMED: Final[dict[str, tuple[str, Gives, str, str, Callable[[list[int]], Any]]]] = {
    # how the numbers that were found become a result: words, type, before the loop, in the loop, law
    "count": ("how many there are", "int", "found = 0", "found += 1", len),
    "sum": ("their sum (0 if there are none)", "int", "found = 0", "found += i", sum),
    "greatest": (
        "the greatest of them (0 if there are none)",
        "int",
        "found = 0",
        "found = max(found, i)",
        lambda xs: max(xs, default=0),
    ),
    "list": ("all of them, ascending", "ints", "found: list[int] = []", "found.append(i)", sorted),
    "span": (
        "the greatest minus the least of them (0 if there are none)",
        "int",
        "found = 0\nfirst = 0",
        "if first == 0:\n    first = i\nfound = i - first",
        lambda xs: max(xs) - min(xs) if xs else 0,
    ),
}
_FILTERS: Final[dict[str, tuple[str, str, Callable[[int, int], bool]]]] = {
    "any": ("", "True", lambda i, k: True),
    "above": (" that are greater than {k}", "i > {k}", lambda i, k: i > k),
    "foreign": (" that are not multiples of {k}", "i % {k} != 0", lambda i, k: i % k > 0),
    "rest": (" that leave 1 when divided by {k}", "i % {k} == 1", lambda i, k: i % k == 1),
}
_PRIME: Final = """
def is_prime(n: int) -> bool:
    if n < 2:
        return False
    i = 2
    while i * i <= n:
        if n % i == 0:
            return False
        i += 1
    return True
"""


def _prime(n: int) -> bool:
    return n > 1 and all(n % i for i in range(2, n))


@archetype("numbers")
def divisors(c: Choices) -> Parts:
    """Divisors of a number of some kind."""
    kind = c.pick("divisors", ("all", "proper", "prime", "odd", "square", "paired"))
    objective, which = c.pick("objective", tuple(_SUMMED)), c.pick("filter", tuple(_FILTERS))
    k = c.constant("k", (2, 3, 5), (4, 6, 7))
    of = c.pick("of", ("n", "n squared plus 1", "n times the next number"))
    value = {"n": "n", "n squared plus 1": "n * n + 1", "n times the next number": "n * (n + 1)"}[of]
    what = {
        "all": "the positive divisors of N",
        "proper": "the positive divisors of N other than N itself",
        "prime": "the prime numbers that divide N, each once,",
        "odd": "the odd positive divisors of N",
        "square": "the positive divisors of N that are squares of integers",
        "paired": "the positive divisors d of N for which d and N / d have no common divisor but 1",
    }[kind]
    test = {
        "all": "True",
        "proper": "i != n",
        "prime": "is_prime(i)",
        "odd": "i % 2 == 1",
        "square": "is_square(i)",
        "paired": "common(i, n // i) == 1",
    }[kind]
    laws: dict[str, Callable[[int, int], bool]] = {
        "all": lambda i, n: True,
        "proper": lambda i, n: i < n,
        "prime": lambda i, n: _prime(i),
        "odd": lambda i, n: i & 1 == 1,
        "square": lambda i, n: i in {j * j for j in range(i + 1)},
        "paired": lambda i, n: not any(i % d == 0 and (n // i) % d == 0 for d in range(2, i + 1)),
    }
    helper = {
        "prime": _PRIME,
        "square": "def is_square(n: int) -> bool:\n    i = 0\n    while i * i < n:\n        i += 1\n    return i * i "
        "== n",
        "paired": "def common(a: int, b: int) -> int:\n    x = a\n    y = b\n    while y > 0:\n        rest = x % y\n"
        "        x = y\n        y = rest\n    return x",
    }.get(kind, "")
    words, gives, start, found, gather = _SUMMED[objective]
    told, condition, keeps = _FILTERS[which]
    condition = condition.replace("{k}", str(k))
    solve = code(
        """
<helper>
def solve(given: int) -> <type>:
    n = <value>
    small: list[int] = []
    large: list[int] = []
    d = 1
    while d * d <= n:
        if n % d == 0:
            small.append(d)
            if d * d != n:
                large.append(n // d)
        d += 1
    <start>
    for i in small + large[::-1]:
        if <test> and <condition>:
            <found>
    return found
""",
        helper=helper,
        type="int" if gives == "int" else "list[int]",
        value=value.replace("n", "given"),
        start=start,
        test=test,
        condition=condition,
        found="<found>",
    ).replace("            <found>\n", "".join(f"            {line}\n" for line in found.splitlines()))

    def law(given: int) -> Any:
        n = {"n": given, "n squared plus 1": given**2 + 1}.get(of, given**2 + given)
        candidates = [i for i in range(1, n + 1) if n % i == 0]
        return gather([i for i in candidates if laws[kind](i, n) and keeps(i, k)])

    named = "" if of == "n" else f" Let N be {of}."
    story = (
        f"Given is an integer {'N' if of == 'n' else 'n'}.{named} Of {what}{told.replace('{k}', str(k))}, find {words}."
    )
    high = 400 if of == "n" else 20
    return Parts(
        story=story,
        fields=(Field(name="given", sort="int", what="N" if of == "n" else "n", low=1, high=high),),
        gives=gives,
        solve=solve,
        law=law,
    )


@archetype("numbers")
def digits(c: Choices) -> Parts:
    """Something made of the digits of a number, perhaps again and again."""
    base = int(c.pick("base", ("2", "3", "7", "10", "16")))
    measure = c.pick("measure", ("sum", "squares", "alternating", "distinct", "reversed", "longest"))
    repeat = c.pick("repeat", ("once", "until settled", "k times"))
    order = c.pick("combine", ("alone", "added to n", "taken from n"))
    k = c.constant("k", (2, 3, 5), (4, 6))
    told = {
        "sum": "the sum of the digits",
        "squares": "the sum of the squares of the digits",
        "alternating": "the last digit, minus the one before it, plus the one before that, and so on, without regard "
        "to sign",
        "distinct": "the number of different digits",
        "reversed": "the number that has the digits in reversed order",
        "longest": "the length of the longest run of equal digits",
    }[measure]
    step = {
        "sum": "made += digit",
        "squares": "made += digit * digit",
        "alternating": "made += digit * sign\nsign = 0 - sign",
        "distinct": "if digit not in seen:\n    made += 1\n    seen[digit] = 1",
        "reversed": f"made = made * {base} + digit",
        "longest": "run = run + 1 if digit == last else 1\nlast = digit\nmade = max(made, run)",
    }[measure]
    start = {
        "alternating": "sign = 1",
        "distinct": "seen: dict[int, int] = {}",
        "longest": "run = 0\nlast = -1",
    }.get(measure, "")
    combined = {"alone": "made", "added to n": "n + made", "taken from n": "abs(n - made)"}[order]
    loop = {
        "once": "value = step(value)",
        "k times": f"for turn in range({k}):\n    value = step(value)",
        "until settled": "seen: dict[int, int] = {}\nwhile value not in seen and len(seen) < 20:\n    seen[value] = 1\n"
        "    value = step(value)",
    }[repeat]
    solve = code(
        """
def step(n: int) -> int:
    made = 0
    <start>
    left = n
    while left > 0:
        digit = left % <base>
        <step>
        left //= <base>
    return <last>

def solve(n: int) -> int:
    value = n
    <loop>
    return value
""",
        start=start,
        base=str(base),
        step=step,
        loop=loop,
        last=combined.replace("made", "abs(made)") if measure == "alternating" else combined,
    )

    def digits_of(n: int) -> list[int]:
        return [*digits_of(n // base), n % base] if n else []

    def once(n: int) -> Any:
        own = digits_of(n)
        measures: dict[str, Callable[[], int]] = {
            "sum": lambda: sum(own),
            "squares": lambda: sum(d**2 for d in own),
            "alternating": lambda: abs(sum(own[::-1][::2]) - sum(own[::-1][1::2])),
            "distinct": lambda: len(set(own)),
            "reversed": lambda: sum(d * base**place for place, d in enumerate(own)),
            "longest": lambda: max((len(list(run)) for _, run in itertools.groupby(own)), default=0),
        }
        made = measures[measure]()
        return {"alone": made, "added to n": n + made}.get(order, max(n, made) - min(n, made))

    def law(n: int) -> int:
        values = [n]
        turns = {"once": 1, "k times": k, "until settled": 20}[repeat]
        for _ in range(turns):
            values.append(once(values[-1]))
            if repeat == "until settled" and values[-1] in values[:-1]:
                break
        return values[-1]

    result = {"alone": "it is replaced by that", "added to n": "that is added to it"}.get(
        order, "it is replaced by the distance between it and that"
    )
    again = {
        "once": "The step is done once.",
        "k times": f"The step is done {k} times.",
        "until settled": "The step is repeated until the number is one that was there before (the given number "
        "counts), at most 20 times.",
    }[repeat]
    story = (
        f"A step works on a number written in base {base} (without leading zeros; 0 has no digits): take {told} "
        f"(0 if there are no digits); {result}. {again} The result is the number at the end, printed in decimal."
    )
    return Parts(
        story=story,
        fields=(Field(name="n", sort="int", what="the number", low=0, high=99_999),),
        gives="int",
        solve=solve,
        law=law,
    )


@archetype("numbers")
def recurrence(c: Choices) -> Parts:
    """A sequence by its recurrence modulo a number."""
    objective = c.pick("objective", ("term", "sum", "greatest", "zeros", "list", "first repeat"))
    shape = c.pick("shape", ("linear", "squared", "by parity", "by index"))
    first = c.pick("first", ("0 1", "1 1", "2 1", "1 3"))
    direction = c.pick("sign", ("plus", "minus"))
    p, q = c.constant("p", (1, 2, 5), (3, 4)), c.constant("q", (1, 3, 4), (2, 5))
    m = c.constant("m", (10, 17, 97, 100), (12, 29, 101))
    sign = "+" if direction == "plus" else "-"
    tail = {
        "linear": f"{p} * a {sign} {q} * b",
        "squared": f"{p} * a * a {sign} {q} * b",
        "by parity": f"({p} * a if a % 2 == 0 else a + {p}) {sign} {q} * b",
        "by index": f"{p} * a {sign} {q} * b + i",
    }[shape]
    told = {
        "linear": f"{p} * x[i-1] {sign} {q} * x[i-2]",
        "squared": f"{p} * x[i-1] * x[i-1] {sign} {q} * x[i-2]",
        "by parity": f"{p} * x[i-1] (if x[i-1] is even) or x[i-1] + {p} (if it is odd), {direction} {q} * x[i-2]",
        "by index": f"{p} * x[i-1] {sign} {q} * x[i-2] + i",
    }[shape]
    x0, x1 = first.split()
    start, each, end = {
        "term": ("", "", "return b"),
        "sum": ("total = 0", "total += b", "return total"),
        "greatest": ("best = 0", "best = max(best, b)", "return best"),
        "zeros": ("zeros = 0", "if b == 0:\n    zeros += 1", "return zeros"),
        "list": ("terms: list[int] = []", "terms.append(b)", "return terms"),
        "first repeat": ("seen: dict[int, int] = {}", "if b in seen:\n    return i - 1\nseen[b] = 1", "return -1"),
    }[objective]
    solve = code(
        """
def solve(n: int) -> <type>:
    b = <x0>
    a = <x1>
    <start>
    for i in range(1, n + 1):
        <each>
        c = (<tail>) % <m>
        b = a
        a = c
    <end>
""",
        type="list[int]" if objective == "list" else "int",
        x0=x0,
        x1=x1,
        start=start,
        each=each,
        tail=tail.replace("+ i", "+ (i + 1)"),
        m=str(m),
        end=end,
    )

    def law(n: int) -> Any:
        x = [int(x0), int(x1)]
        while len(x) <= n:
            a, b, i = x[-1], x[-2], len(x)
            grown = {"linear": p * a, "squared": p * a**2, "by index": p * a + i}.get(shape, a + p if a % 2 else p * a)
            x.append((grown + (q * b if direction == "plus" else -q * b)) % m)
        own = x[:n]
        match objective:
            case "term":
                return x[n]
            case "sum":
                return sum(own)
            case "greatest":
                return max(own, default=0)
            case "zeros":
                return own.count(0)
            case "list":
                return own
        return next((i for i, one in enumerate(own) if one in own[:i]), -1)

    asked = {
        "term": "The result is x[n].",
        "sum": "The result is the sum of the first n terms x[0] to x[n-1] (0 if n is 0).",
        "greatest": "The result is the greatest of the first n terms x[0] to x[n-1] (0 if n is 0).",
        "zeros": "The result is how many of the first n terms x[0] to x[n-1] are 0.",
        "list": "The result is the first n terms x[0] to x[n-1].",
        "first repeat": "The result is the least i < n such that x[i] equals an earlier term, or -1 if there is none.",
    }[objective]
    story = (
        f"A sequence begins with x[0] = {x0}, x[1] = {x1}; for i >= 2, x[i] is {told}, taken modulo {m} "
        f"(the remainder is from 0 to {m - 1} also for negative numbers). {asked}"
    )
    most = 30 if objective == "list" else 120
    return Parts(
        story=story,
        fields=(Field(name="n", sort="int", what="n", low=0, high=most),),
        gives="ints" if objective == "list" else "int",
        solve=solve,
        law=law,
    )


@archetype("numbers")
def between(c: Choices) -> Parts:
    """Numbers of a kind between two bounds."""
    kind = c.pick("kind", ("prime", "two prime factors", "square-free", "digits ascend", "palindrome"))
    objective, which = c.pick("objective", tuple(_SUMMED)), c.pick("filter", tuple(_FILTERS))
    bounds = c.pick("bounds", ("both", "low only", "neither"))
    swapped = c.pick("a above b", ("none", "swapped"))
    k = c.constant("k", (3, 5, 6), (2, 4, 7))
    told, condition, keeps = _FILTERS[which]
    words, gives, start, found, gather = _SUMMED[objective]
    what = {
        "prime": "prime numbers",
        "two prime factors": "numbers that are the product of exactly two primes (which may be equal)",
        "square-free": "positive integers that no square of an integer greater than 1 divides",
        "digits ascend": "positive integers whose decimal digits, from left to right, never get smaller",
        "palindrome": "positive integers that read the same backwards",
    }[kind]
    helper = {
        "prime": _PRIME.replace("is_prime", "is_one"),
        "two prime factors": "def is_one(n: int) -> bool:\n    left = n\n    count = 0\n    i = 2\n    while i <= "
        "left:\n"
        "        while left % i == 0:\n            left //= i\n            count += 1\n        i += 1\n    return "
        "count == 2",
        "square-free": "def is_one(n: int) -> bool:\n    i = 2\n    while i * i <= n:\n        if n % (i * i) == 0:\n"
        "            return False\n        i += 1\n    return n > 0",
        "digits ascend": "def is_one(n: int) -> bool:\n    left = n\n    last = 9\n    while left > 0:\n"
        "        if left % 10 > last:\n            return False\n        last = left % 10\n        left //= 10\n    "
        "return n > 0",
        "palindrome": "def is_one(n: int) -> bool:\n    turned = 0\n    left = n\n    while left > 0:\n"
        "        turned = turned * 10 + left % 10\n        left //= 10\n    return n > 0 and turned == n",
    }[kind]
    ends = {"both": ("low", "high + 1"), "low only": ("low", "high"), "neither": ("low + 1", "high")}[bounds]
    order = "low = min(a, b)\nhigh = max(a, b)" if swapped == "swapped" else "low = a\nhigh = b"
    solve = code(
        """
<helper>

def solve(a: int, b: int) -> <type>:
    <order>
    <start>
    for i in range(<first>, <last>):
        if is_one(i) and <condition>:
            <found>
    return found
""",
        helper=helper,
        type="int" if gives == "int" else "list[int]",
        order=order,
        start=start,
        first=ends[0],
        last=ends[1],
        condition=condition.replace("{k}", str(k)),
        found="<found>",
    ).replace("            <found>\n", "".join(f"            {line}\n" for line in found.splitlines()))

    def is_kind(n: int) -> bool:
        text = str(n)
        match kind:
            case "prime":
                return _prime(n)
            case "two prime factors":
                return any(n % i == 0 and _prime(i) and _prime(n // i) for i in range(2, n))
            case "square-free":
                return not any(n % (i * i) == 0 for i in range(2, n + 1))
            case "digits ascend":
                return list(text) == sorted(text)
        return text == text[::-1]

    def law(a: int, b: int) -> Any:
        low, high = sorted((a, b)) if swapped == "swapped" else (a, b)
        inside = range(low + (bounds == "neither"), high + (bounds == "both"))
        return gather([n for n in inside if n > 0 and is_kind(n) and keeps(n, k)])

    between_words = {
        "both": "from a to b, both included",
        "low only": f"from {'the smaller' if swapped == 'swapped' else 'a'}, included, to "
        f"{'the greater' if swapped == 'swapped' else 'b'}, not included",
        "neither": "between a and b, neither included",
    }[bounds]
    order_words = (
        "a may be greater than b: the bounds are then swapped"
        if swapped == "swapped"
        else ("if a is greater than b, there are no such numbers")
    )
    return Parts(
        story=f"Of the {what}{told.replace('{k}', str(k))}, {between_words} ({order_words}), find {words}.",
        fields=(
            Field(name="a", sort="int", what="a", low=1, high=150),
            Field(name="b", sort="int", what="b", low=1, high=150),
        ),
        gives=gives,
        solve=solve,
        law=law,
    )
