"""What printers write on: lines with their indentation, the statements that begin there, and names that are free."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from palestra.envs.code.ir.nodes import ForEach, ForRange, IrError, Let, Program
from palestra.envs.code.ir.place import Address, statements


class NotInThisLanguage(IrError):
    """A printer has no way to write something; another language may."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A program's text in a language, and the line, counted from 1, on which each statement begins."""

    source: str
    lines: Mapping[Address, int]


@dataclass(slots=True)
class Page:
    """Lines so far."""

    indent: str
    lines: list[str] = field(default_factory=list)
    marks: dict[Address, int] = field(default_factory=dict)
    depth: int = 0

    def mark(self, address: Address) -> None:
        """Note that a statement begins on the next line."""
        self.marks[address] = len(self.lines) + 1

    def write(self, *lines: str) -> None:
        """Write lines, indented as deep as the page is now."""
        self.lines += [self.indent * self.depth + line if line else "" for line in lines]

    @contextlib.contextmanager
    def inside(self, first: str = "", last: str = "") -> Iterator[None]:
        """Indent what is written within, between a line before and a line after, if they are given."""
        if first:
            self.write(first)
        self.depth += 1
        yield
        self.depth -= 1
        if last:
            self.write(last)

    def under(self, head: Iterable[str]) -> Printed:
        """Return the whole text, with other lines before these."""
        before = [*head]
        return Printed(
            "\n".join([*before, *self.lines]).rstrip("\n") + "\n",
            {address: line + len(before) for address, line in self.marks.items()},
        )


def names_in(program: Program) -> list[str]:
    """Return every name of a program, in the order in which they come."""
    found = [function.name for function in program.functions]
    found += [name for function in program.functions for name, _ in function.parameters]
    found += [each.name for _, each in statements(program) if isinstance(each, Let | ForRange | ForEach)]
    return [*dict.fromkeys(found)]


def free_names(program: Program, reserved: Iterable[str]) -> dict[str, str]:
    """Return what each name of a program is called where some are reserved: itself, or with "_" behind it."""
    taken, own = {*reserved}, names_in(program)
    made = {}
    for name in own:
        free = name
        while free in taken or (free != name and free in own):
            free += "_"
        made[name] = free
    return made
