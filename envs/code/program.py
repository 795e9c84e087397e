"""A program as data: what it reads and the operations it applies, one after the other.

From the same data come the statement that an agent reads, the program that solves it, and the values
that the laws give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import palestra.envs.code.grids
import palestra.envs.code.lists
import palestra.envs.code.numbers
import palestra.envs.code.reductions
import palestra.envs.code.strings  # noqa: F401 - each import fills the catalogue
from palestra.envs.base import Json
from palestra.envs.code.catalogue import OPERATIONS, Constant, Kind, Operation

Value = Any  # int, str, list[int], list[str] or list[list[int]], by its kind
MOST: Final = 10**12  # no number on the way is further from 0
LONGEST: Final = 2_000  # no list or string on the way has more items

READS: Final[dict[Kind, tuple[str, str]]] = {
    "ints": ("one line of integers", "x = list(map(int, input().split()))"),
    "number": ("one integer", "x = int(input())"),
    "text": ("one line of lowercase letters", "x = input()"),
    "words": ("one line of lowercase words", "x = input().split()"),
    "grid": (
        "the number of rows, then a grid of integers row by row",
        "x = [list(map(int, input().split())) for _ in range(int(input()))]",
    ),
    "moves": ("one line of moves: U up, D down, L left, R right", "x = input()"),
}
PRINTS: Final[dict[Kind, tuple[str, str]]] = {
    "ints": ("Print the numbers on one line.", "print(*x)"),
    "number": ("Print the number.", "print(x)"),
    "text": ("Print the string.", "print(x)"),
    "words": ("Print the words on one line.", "print(*x)"),
    "grid": ("Print the grid row by row.", "for r in x:\n    print(*r)"),
    "moves": ("Print the moves on one line.", "print(x)"),
    "line": ("Print the string.", "print(x)"),
}


class OutOfRange(ValueError):
    """An input leads an operation to a value that it is not asked for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation with its constant, if it has one."""

    name: str
    k: Constant = None

    @property
    def operation(self) -> Operation:
        """The catalogue's entry."""
        return OPERATIONS[self.name]

    def fill(self, template: str) -> str:
        """Return a phrase or code with the constant written in."""
        return template if self.k is None else template.replace("{k}", str(self.k))

    def apply(self, value: Value) -> Value:
        """Return what the operation's law makes of a value.

        Raises:
            OutOfRange: the value, or what came of it, is not one the operation is asked for.
        """
        operation = self.operation
        if operation.domain and not operation.domain[0] <= value <= operation.domain[1]:
            raise OutOfRange(f"{self.name} is not asked for {value}")
        made = operation.law(value) if self.k is None else operation.law(value, self.k)
        if _is_huge(made):
            raise OutOfRange(f"{self.name} gives a value that is too large")
        return made


@dataclass(frozen=True, slots=True)
class Program:
    """What is read, and at least one step."""

    reads: Kind
    steps: tuple[Step, ...]

    @property
    def gives(self) -> Kind:
        """The kind of value that is printed."""
        return self.steps[-1].operation.gives

    @property
    def template(self) -> str:
        """The names of the operations: what two programs share that differ only in constants."""
        return "+".join(step.name for step in self.steps)

    def statement(self) -> str:
        """Return the task in words, for the agent."""
        phrases = [step.fill(step.operation.phrase) for step in self.steps]
        if len(phrases) > 1:
            phrases = [f"{number}. {phrase}" for number, phrase in enumerate(phrases, start=1)]
        return "\n".join([f"Input: {READS[self.reads][0]}.", *phrases, PRINTS[self.gives][0]])

    def source(self) -> str:
        """Return a Python program that solves the task; it shares no code with the laws."""
        lines = [step.fill(step.operation.code) for step in self.steps]
        return "\n".join([READS[self.reads][1], *lines, PRINTS[self.gives][1]]) + "\n"

    def trace(self, value: Value) -> list[Value]:
        """Return the input and the value after each step, by the laws.

        Raises:
            OutOfRange: an operation is not asked for its value.
        """
        values = [value]
        for step in self.steps:
            values.append(step.apply(values[-1]))
        return values

    def to_json(self) -> Json:
        """Return the program as JSON data."""
        return {"reads": self.reads, "steps": [[step.name, step.k] for step in self.steps]}


def written(kind: Kind, value: Value, *, is_input: bool = False) -> str:
    """Return a value as a program reads or prints it."""
    if kind == "grid":
        rows = "".join(" ".join(map(str, row)) + "\n" for row in value)
        return f"{len(value)}\n{rows}" if is_input else rows
    return (" ".join(map(str, value)) if isinstance(value, list) else str(value)) + "\n"


def _is_huge(value: Value) -> bool:
    if isinstance(value, int):
        return abs(value) > MOST
    items: Sequence[Value] = value
    return len(items) > LONGEST or (isinstance(value, list) and any(_is_huge(item) for item in items))
