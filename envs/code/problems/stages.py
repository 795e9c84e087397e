"""What may be done before the heart of a problem, to a list of integers, and after it, to what it gives."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from palestra.envs.code.problems.parts import TYPES, Gives

SMALL: Final = ((2, 3, 5, 8), (4, 6, 7, 9))  # constants of stages, by split


@dataclass(frozen=True, slots=True)
class Stage:
    """One step on the way from the input to what is printed."""

    name: str
    takes: Gives
    gives: Gives
    phrase: str  # an imperative sentence; {k} is the constant
    body: str  # restricted Python from $x to $y; other names that begin with $ are its own
    law: Callable[[Any, int], Any]

    @property
    def needs_constant(self) -> bool:
        """True when the stage has a constant."""
        return "{k}" in self.phrase

    def inline(self, before: str, after: str, k: int, number: int) -> str:
        """Return the stage's statements, from one variable to another."""

        def name(found: re.Match[str]) -> str:
            return {"x": before, "y": after}.get(found[1], f"{found[1]}{number}")

        return re.sub(r"\$(\w+)", name, self.body.strip("\n").replace("{k}", str(k))) + "\n"

    def function(self, k: int, number: int) -> tuple[str, str]:
        """Return the name and the source of a function that is the stage."""
        name = f"{self.name}_{number}"
        body = re.sub(r"\$(\w+)", r"\1", self.body.strip("\n").replace("{k}", str(k)))
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        return name, f"def {name}(x: {TYPES[self.takes]}) -> {TYPES[self.gives]}:\n{lines}    return y\n"


def _kept(condition: str) -> str:
    return f"$y: list[int] = []\nfor $item in $x:\n    if {condition}:\n        $y.append($item)"


def _each(value: str) -> str:
    return f"$y: list[int] = []\nfor $item in $x:\n    $y.append({value})"


def _prefix(x: list[int], k: int) -> list[int]:
    return [sum(x[: place + 1]) for place in range(len(x))]


def _digits(x: int, k: int) -> int:
    return sum(map(int, str(abs(x))))


LISTS: Final = (
    Stage(
        "keep_even",
        "ints",
        "ints",
        "Leave out the odd numbers.",
        _kept("$item % 2 == 0"),
        lambda x, k: [one for one in x if not one & 1],
    ),
    Stage(
        "keep_above",
        "ints",
        "ints",
        "Keep only the numbers greater than {k}.",
        _kept("$item > {k}"),
        lambda x, k: [one for one in x if not one <= k],
    ),
    Stage(
        "keep_not_multiple",
        "ints",
        "ints",
        "Leave out the multiples of {k} (0 is one).",
        _kept("$item % {k} != 0"),
        lambda x, k: [one for one in x if one not in range(-1000 * k, 1001 * k, k)],
    ),
    Stage(
        "absolute",
        "ints",
        "ints",
        "Replace every number by its absolute value.",
        _each("abs($item)"),
        lambda x, k: [max(one, -one) for one in x],
    ),
    Stage(
        "scale",
        "ints",
        "ints",
        "Multiply every number by {k}.",
        _each("$item * {k}"),
        lambda x, k: [sum([one] * k) for one in x],
    ),
    Stage(
        "cap",
        "ints",
        "ints",
        "Replace every number greater than {k} by {k}.",
        _each("min($item, {k})"),
        lambda x, k: [k if one > k else one for one in x],
    ),
    Stage(
        "distinct",
        "ints",
        "ints",
        "Of equal numbers keep only the first.",
        "$y: list[int] = []\n$seen: dict[int, int] = {}\nfor $item in $x:\n    if $item not in $seen:\n"
        "        $seen[$item] = 1\n        $y.append($item)",
        lambda x, k: list(dict.fromkeys(x)),
    ),
    Stage(
        "differences",
        "ints",
        "ints",
        "Replace the list by the differences of neighbours, each number after the first minus the one before "
        "(fewer than two numbers give an empty list).",
        "$y: list[int] = []\nfor $i in range(1, len($x)):\n    $y.append($x[$i] - $x[$i - 1])",
        lambda x, k: [b - a for a, b in itertools.pairwise(x)],
    ),
    Stage(
        "every_other",
        "ints",
        "ints",
        "Keep the first, the third, the fifth number and so on.",
        "$y: list[int] = []\nfor $i in range(len($x)):\n    if $i % 2 == 0:\n        $y.append($x[$i])",
        lambda x, k: x[::2],
    ),
    Stage(
        "drop_last",
        "ints",
        "ints",
        "Leave out the last number, if there is one.",
        "$y: list[int] = []\nfor $i in range(len($x) - 1):\n    $y.append($x[$i])",
        lambda x, k: x[:-1],
    ),
)
AFTER: Final = (
    *LISTS,
    Stage("ascend", "ints", "ints", "Sort the numbers ascending.", "$y = sorted($x)", lambda x, k: sorted(x)),
    Stage(
        "reverse", "ints", "ints", "Reverse the order of the numbers.", "$y = $x[::-1]", lambda x, k: list(reversed(x))
    ),
    Stage(
        "running",
        "ints",
        "ints",
        "Replace every number by the sum of the numbers up to and including it.",
        "$y: list[int] = []\n$total = 0\nfor $item in $x:\n    $total += $item\n    $y.append($total)",
        _prefix,
    ),
    Stage(
        "total",
        "ints",
        "int",
        "Add all numbers up (no numbers give 0).",
        "$y = 0\nfor $item in $x:\n    $y += $item",
        lambda x, k: sum(x),
    ),
    Stage(
        "greatest",
        "ints",
        "int",
        "Take the greatest number, or 0 if there are none.",
        "$y = 0\nfor $i in range(len($x)):\n    if $i == 0 or $x[$i] > $y:\n        $y = $x[$i]",
        lambda x, k: max(x, default=0),
    ),
    Stage(
        "digit_sum",
        "int",
        "int",
        "Replace the result by the sum of its decimal digits, without regard to its sign.",
        "$y = 0\n$left = abs($x)\nwhile $left > 0:\n    $y += $left % 10\n    $left //= 10",
        _digits,
    ),
    Stage(
        "plus_square", "int", "int", "Add to the result its own square.", "$y = $x + $x * $x", lambda x, k: x * (x + 1)
    ),
    Stage(
        "times_plus",
        "int",
        "int",
        "Multiply the result by {k}, and subtract 1.",
        "$y = $x * {k} - 1",
        lambda x, k: x * k - 1,
    ),
    Stage(
        "halve",
        "int",
        "int",
        "While the result is even and not 0, halve it; then add {k}.",
        "$y = $x\nwhile $y != 0 and $y % 2 == 0:\n    $y //= 2\n$y += {k}",
        lambda x, k: k + (x // (x & -x) if x else 0),
    ),
    Stage(
        "distance",
        "int",
        "int",
        "Replace the result by its distance from {k}.",
        "$y = abs($x - {k})",
        lambda x, k: max(x, k) - min(x, k),
    ),
    Stage(
        "marked",
        "text",
        "text",
        "Put a [ before the result and a ] after it.",
        '$y = "[" + $x + "]"',
        lambda x, k: f"[{x}]",
    ),
    Stage("mirrored", "text", "text", "Reverse the result.", "$y = $x[::-1]", lambda x, k: "".join(reversed(x))),
    Stage(
        "twofold",
        "text",
        "text",
        "Write the result twice, with a - between.",
        '$y = $x + "-" + $x',
        lambda x, k: "-".join([x, x]),
    ),
    Stage(
        "words_reversed",
        "words",
        "words",
        "Reverse the order of what is listed.",
        "$y = $x[::-1]",
        lambda x, k: list(reversed(x)),
    ),
    Stage(
        "words_odd",
        "words",
        "words",
        "Keep the first, the third, the fifth of what is listed and so on.",
        "$y: list[str] = []\nfor $i in range(len($x)):\n    if $i % 2 == 0:\n        $y.append($x[$i])",
        lambda x, k: x[::2],
    ),
    Stage(
        "words_numbered",
        "words",
        "words",
        "Put before each entry its position, counted from {k}, and a colon, without a space.",
        '$y: list[str] = []\nfor $i in range(len($x)):\n    $y.append(str($i + {k}) + ":" + $x[$i])',
        lambda x, k: [f"{place}:{one}" for place, one in enumerate(x, start=k)],
    ),
    Stage("words_count", "words", "int", "Take the number of entries.", "$y = len($x)", lambda x, k: len(x)),
)
STAGES: Final = {stage.name: stage for stage in AFTER}
