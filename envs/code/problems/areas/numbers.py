"""Problems about integers by themselves: divisors, digits, recurrences, sieves."""

import itertools
from collections.abc import Callable
from typing import Any, Final

from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Gives, archetype, code

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


@archetype("numbers", "divisors")
class Divisors(Archetype):
    """Divisors of a number of some kind."""

    def __init__(self, c: Choices) -> None:
        self.kind = c.pick("divisors", ("all", "proper", "prime", "odd", "square", "paired"))
        objective, which = c.pick("objective", tuple(_SUMMED)), c.pick("filter", tuple(_FILTERS))
        self.k = c.constant("k", (2, 3, 5), (4, 6, 7))
        self.of = c.pick("of", ("n", "n squared plus 1", "n times the next number"))
        self.words, self.gives, self.start, self.found, self.gather = _SUMMED[objective]
        self.told, self.condition, self.keeps = _FILTERS[which]
        self.condition = self.condition.replace("{k}", str(self.k))
        high = 400 if self.of == "n" else 20
        self.fields = (Field(name="given", sort="int", what="N" if self.of == "n" else "n", low=1, high=high),)

    def story(self) -> str:
        what = {
            "all": "the positive divisors of N",
            "proper": "the positive divisors of N other than N itself",
            "prime": "the prime numbers that divide N, each once,",
            "odd": "the odd positive divisors of N",
            "square": "the positive divisors of N that are squares of integers",
            "paired": "the positive divisors d of N for which d and N / d have no common divisor but 1",
        }[self.kind]

        named = "" if self.of == "n" else f" Let N be {self.of}."
        return (
            f"Given is an integer {'N' if self.of == 'n' else 'n'}.{named} Of "
            f"{what}{self.told.replace('{k}', str(self.k))}, find {self.words}."
        )

    def solve(self) -> str:
        value = {"n": "n", "n squared plus 1": "n * n + 1", "n times the next number": "n * (n + 1)"}[self.of]
        test = {
            "all": "True",
            "proper": "i != n",
            "prime": "is_prime(i)",
            "odd": "i % 2 == 1",
            "square": "is_square(i)",
            "paired": "common(i, n // i) == 1",
        }[self.kind]
        helper = {
            "prime": _PRIME,
            "square": "def is_square(n: int) -> bool:\n    i = 0\n    while i * i < n:\n        i += 1\n"
            "    return i * i == n",
            "paired": "def common(a: int, b: int) -> int:\n    x = a\n    y = b\n    while y > 0:\n"
            "        rest = x % y\n        x = y\n        y = rest\n    return x",
        }.get(self.kind, "")
        return self.code(
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
            value=value.replace("n", "given"),
            start=self.start,
            test=test,
            condition=self.condition,
            found="<found>",
        ).replace("            <found>\n", "".join(f"            {line}\n" for line in self.found.splitlines()))

    def law(self, given: int) -> Any:
        laws: dict[str, Callable[[int, int], bool]] = {
            "all": lambda i, n: True,
            "proper": lambda i, n: i < n,
            "prime": lambda i, n: _prime(i),
            "odd": lambda i, n: i & 1 == 1,
            "square": lambda i, n: i in {j * j for j in range(i + 1)},
            "paired": lambda i, n: not any(i % d == 0 and (n // i) % d == 0 for d in range(2, i + 1)),
        }
        n = {"n": given, "n squared plus 1": given**2 + 1}.get(self.of, given**2 + given)
        candidates = [i for i in range(1, n + 1) if n % i == 0]
        return self.gather([i for i in candidates if laws[self.kind](i, n) and self.keeps(i, self.k)])


@archetype("numbers", "digits")
class Digits(Archetype):
    """Something made of the digits of a number, perhaps again and again."""

    gives = "int"

    def __init__(self, c: Choices) -> None:
        self.base = int(c.pick("base", ("2", "3", "7", "10", "16")))
        self.measure = c.pick("measure", ("sum", "squares", "alternating", "distinct", "reversed", "longest"))
        self.repeat = c.pick("repeat", ("once", "until settled", "k times"))
        self.order = c.pick("combine", ("alone", "added to n", "taken from n"))
        self.k = c.constant("k", (2, 3, 5), (4, 6))
        self.fields = (Field(name="n", sort="int", what="the number", low=0, high=99_999),)

    def story(self) -> str:
        told = {
            "sum": "the sum of the digits",
            "squares": "the sum of the squares of the digits",
            "alternating": "the last digit, minus the one before it, plus the one before that, and so on, without "
            "regard to sign",
            "distinct": "the number of different digits",
            "reversed": "the number that has the digits in reversed order",
            "longest": "the length of the longest run of equal digits",
        }[self.measure]

        result = {"alone": "it is replaced by that", "added to n": "that is added to it"}.get(
            self.order, "it is replaced by the distance between it and that"
        )
        again = {
            "once": "The step is done once.",
            "k times": f"The step is done {self.k} times.",
            "until settled": "The step is repeated until the number is one that was there before (the given number "
            "counts), at most 20 times.",
        }[self.repeat]
        return (
            f"A step works on a number written in base {self.base} (without leading zeros; 0 has no digits): take "
            f"{told} (0 if there are no digits); {result}. {again} The result is the number at the end, printed in "
            "decimal."
        )

    def solve(self) -> str:
        step = {
            "sum": "made += digit",
            "squares": "made += digit * digit",
            "alternating": "made += digit * sign\nsign = 0 - sign",
            "distinct": "if digit not in seen:\n    made += 1\n    seen[digit] = 1",
            "reversed": f"made = made * {self.base} + digit",
            "longest": "run = run + 1 if digit == last else 1\nlast = digit\nmade = max(made, run)",
        }[self.measure]
        start = {
            "alternating": "sign = 1",
            "distinct": "seen: dict[int, int] = {}",
            "longest": "run = 0\nlast = -1",
        }.get(self.measure, "")
        combined = {"alone": "made", "added to n": "n + made", "taken from n": "abs(n - made)"}[self.order]
        loop = {
            "once": "value = step(value)",
            "k times": f"for turn in range({self.k}):\n    value = step(value)",
            "until settled": "seen: dict[int, int] = {}\nwhile value not in seen and len(seen) < 20:\n"
            "    seen[value] = 1\n    value = step(value)",
        }[self.repeat]
        return code(
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
            base=str(self.base),
            step=step,
            loop=loop,
            last=combined.replace("made", "abs(made)") if self.measure == "alternating" else combined,
        )

    def law(self, n: int) -> int:
        values = [n]
        turns = {"once": 1, "k times": self.k, "until settled": 20}[self.repeat]
        for _ in range(turns):
            values.append(self._once(values[-1]))
            if self.repeat == "until settled" and values[-1] in values[:-1]:
                break
        return values[-1]

    def _digits_of(self, n: int) -> list[int]:
        return [*self._digits_of(n // self.base), n % self.base] if n else []

    def _once(self, n: int) -> Any:
        own = self._digits_of(n)
        measures: dict[str, Callable[[], int]] = {
            "sum": lambda: sum(own),
            "squares": lambda: sum(d**2 for d in own),
            "alternating": lambda: abs(sum(own[::-1][::2]) - sum(own[::-1][1::2])),
            "distinct": lambda: len(set(own)),
            "reversed": lambda: sum(d * self.base**place for place, d in enumerate(own)),
            "longest": lambda: max((len(list(run)) for _, run in itertools.groupby(own)), default=0),
        }
        made = measures[self.measure]()
        return {"alone": made, "added to n": n + made}.get(self.order, max(n, made) - min(n, made))


@archetype("numbers", "recurrence")
class Recurrence(Archetype):
    """A sequence by its recurrence modulo a number."""

    def __init__(self, c: Choices) -> None:
        self.objective = c.pick("objective", ("term", "sum", "greatest", "zeros", "list", "first repeat"))
        self.shape = c.pick("shape", ("linear", "squared", "by parity", "by index"))
        first = c.pick("first", ("0 1", "1 1", "2 1", "1 3"))
        self.direction = c.pick("sign", ("plus", "minus"))
        self.p, self.q = c.constant("p", (1, 2, 5), (3, 4)), c.constant("q", (1, 3, 4), (2, 5))
        self.m = c.constant("m", (10, 17, 97, 100), (12, 29, 101))
        self.sign = "+" if self.direction == "plus" else "-"
        self.x0, self.x1 = first.split()
        most = 30 if self.objective == "list" else 120
        self.gives = "ints" if self.objective == "list" else "int"
        self.fields = (Field(name="n", sort="int", what="n", low=0, high=most),)

    def story(self) -> str:
        told = {
            "linear": f"{self.p} * x[i-1] {self.sign} {self.q} * x[i-2]",
            "squared": f"{self.p} * x[i-1] * x[i-1] {self.sign} {self.q} * x[i-2]",
            "by parity": f"{self.p} * x[i-1] (if x[i-1] is even) or x[i-1] + {self.p} (if it is odd), "
            f"{self.direction} {self.q} * x[i-2]",
            "by index": f"{self.p} * x[i-1] {self.sign} {self.q} * x[i-2] + i",
        }[self.shape]

        asked = {
            "term": "The result is x[n].",
            "sum": "The result is the sum of the first n terms x[0] to x[n-1] (0 if n is 0).",
            "greatest": "The result is the greatest of the first n terms x[0] to x[n-1] (0 if n is 0).",
            "zeros": "The result is how many of the first n terms x[0] to x[n-1] are 0.",
            "list": "The result is the first n terms x[0] to x[n-1].",
            "first repeat": "The result is the least i < n such that x[i] equals an earlier term, or -1 if there is "
            "none.",
        }[self.objective]
        return (
            f"A sequence begins with x[0] = {self.x0}, x[1] = {self.x1}; for i >= 2, x[i] is {told}, taken modulo "
            f"{self.m} (the remainder is from 0 to {self.m - 1} also for negative numbers). {asked}"
        )

    def solve(self) -> str:
        tail = {
            "linear": f"{self.p} * a {self.sign} {self.q} * b",
            "squared": f"{self.p} * a * a {self.sign} {self.q} * b",
            "by parity": f"({self.p} * a if a % 2 == 0 else a + {self.p}) {self.sign} {self.q} * b",
            "by index": f"{self.p} * a {self.sign} {self.q} * b + i",
        }[self.shape]
        start, each, end = {
            "term": ("", "", "return b"),
            "sum": ("total = 0", "total += b", "return total"),
            "greatest": ("best = 0", "best = max(best, b)", "return best"),
            "zeros": ("zeros = 0", "if b == 0:\n    zeros += 1", "return zeros"),
            "list": ("terms: list[int] = []", "terms.append(b)", "return terms"),
            "first repeat": ("seen: dict[int, int] = {}", "if b in seen:\n    return i - 1\nseen[b] = 1", "return -1"),
        }[self.objective]
        return self.code(
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
            x0=self.x0,
            x1=self.x1,
            start=start,
            each=each,
            tail=tail.replace("+ i", "+ (i + 1)"),
            m=str(self.m),
            end=end,
        )

    def law(self, n: int) -> Any:
        x = [int(self.x0), int(self.x1)]
        while len(x) <= n:
            a, b, i = x[-1], x[-2], len(x)
            grown = {"linear": self.p * a, "squared": self.p * a**2, "by index": self.p * a + i}.get(
                self.shape, a + self.p if a % 2 else self.p * a
            )
            x.append((grown + (self.q * b if self.direction == "plus" else -self.q * b)) % self.m)
        own = x[:n]
        match self.objective:
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


@archetype("numbers", "between")
class Between(Archetype):
    """Numbers of a kind between two bounds."""

    def __init__(self, c: Choices) -> None:
        self.kind = c.pick("kind", ("prime", "two prime factors", "square-free", "digits ascend", "palindrome"))
        objective, which = c.pick("objective", tuple(_SUMMED)), c.pick("filter", tuple(_FILTERS))
        self.bounds = c.pick("bounds", ("both", "low only", "neither"))
        self.swapped = c.pick("a above b", ("none", "swapped"))
        self.k = c.constant("k", (3, 5, 6), (2, 4, 7))
        self.told, self.condition, self.keeps = _FILTERS[which]
        self.words, self.gives, self.start, self.found, self.gather = _SUMMED[objective]
        self.fields = (
            Field(name="a", sort="int", what="a", low=1, high=150),
            Field(name="b", sort="int", what="b", low=1, high=150),
        )

    def story(self) -> str:
        what = {
            "prime": "prime numbers",
            "two prime factors": "numbers that are the product of exactly two primes (which may be equal)",
            "square-free": "positive integers that no square of an integer greater than 1 divides",
            "digits ascend": "positive integers whose decimal digits, from left to right, never get smaller",
            "palindrome": "positive integers that read the same backwards",
        }[self.kind]

        between_words = {
            "both": "from a to b, both included",
            "low only": f"from {'the smaller' if self.swapped == 'swapped' else 'a'}, included, to "
            f"{'the greater' if self.swapped == 'swapped' else 'b'}, not included",
            "neither": "between a and b, neither included",
        }[self.bounds]
        order_words = (
            "a may be greater than b: the bounds are then swapped"
            if self.swapped == "swapped"
            else ("if a is greater than b, there are no such numbers")
        )
        return (
            f"Of the {what}{self.told.replace('{k}', str(self.k))}, {between_words} ({order_words}), find {self.words}."
        )

    def solve(self) -> str:
        helper = {
            "prime": _PRIME.replace("is_prime", "is_one"),
            "two prime factors": "def is_one(n: int) -> bool:\n    left = n\n    count = 0\n    i = 2\n"
            "    while i <= left:\n        while left % i == 0:\n            left //= i\n            count += 1\n"
            "        i += 1\n    return count == 2",
            "square-free": "def is_one(n: int) -> bool:\n    i = 2\n    while i * i <= n:\n"
            "        if n % (i * i) == 0:\n            return False\n        i += 1\n    return n > 0",
            "digits ascend": "def is_one(n: int) -> bool:\n    left = n\n    last = 9\n    while left > 0:\n"
            "        if left % 10 > last:\n            return False\n        last = left % 10\n        left //= 10\n"
            "    return n > 0",
            "palindrome": "def is_one(n: int) -> bool:\n    turned = 0\n    left = n\n    while left > 0:\n"
            "        turned = turned * 10 + left % 10\n        left //= 10\n    return n > 0 and turned == n",
        }[self.kind]
        ends = {"both": ("low", "high + 1"), "low only": ("low", "high"), "neither": ("low + 1", "high")}[self.bounds]
        order = "low = min(a, b)\nhigh = max(a, b)" if self.swapped == "swapped" else "low = a\nhigh = b"
        return self.code(
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
            order=order,
            start=self.start,
            first=ends[0],
            last=ends[1],
            condition=self.condition.replace("{k}", str(self.k)),
            found="<found>",
        ).replace("            <found>\n", "".join(f"            {line}\n" for line in self.found.splitlines()))

    def law(self, a: int, b: int) -> Any:
        low, high = sorted((a, b)) if self.swapped == "swapped" else (a, b)
        inside = range(low + (self.bounds == "neither"), high + (self.bounds == "both"))
        return self.gather([n for n in inside if n > 0 and self._is_kind(n) and self.keeps(n, self.k)])

    def _is_kind(self, n: int) -> bool:
        text = str(n)
        match self.kind:
            case "prime":
                return _prime(n)
            case "two prime factors":
                return any(n % i == 0 and _prime(i) and _prime(n // i) for i in range(2, n))
            case "square-free":
                return not any(n % (i * i) == 0 for i in range(2, n + 1))
            case "digits ascend":
                return list(text) == sorted(text)
        return text == text[::-1]
