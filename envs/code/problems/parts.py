"""The heart of a problem: archetypes, what they make of their choices, and the list of all of them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field

Gives = Literal["int", "text", "ints", "words"]
Cost = Literal["linear", "loglinear", "quadratic", "other"]
Values = tuple[Any, ...]  # one for each field
Corner = tuple[str, Values]  # a borderline input, with the name of its class
Maker = Callable[[Draws, int], Values]  # of a random input of at most so many items a field
TYPES: Final[dict[Gives, str]] = {"int": "int", "text": "str", "ints": "list[int]", "words": "list[str]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The heart of a problem: what is asked, in words, as a reference and as a law."""

    story: str
    fields: tuple[Field, ...]
    gives: Gives
    solve: str
    law: Callable[..., Any]
    cost: Cost
    slow: str
    draw: Maker | None
    corners: tuple[Corner, ...]
    before: str
    large: Maker | None


class Archetype(ABC):
    """A kind of problem: it takes what it needs of the choices as it is made, and tells each part from that."""

    fields: tuple[Field, ...]
    gives: Gives
    cost: Cost = "other"  # of `solve`, in the size of the input
    before: str = ""  # the name of a field of integers that stages may change; any integers are fine for it

    @abstractmethod
    def __init__(self, c: Choices) -> None: ...

    @abstractmethod
    def story(self) -> str:
        """Return what is to be found; it ends by saying what the result is, also when there is nothing."""

    @abstractmethod
    def solve(self) -> str:
        """Return restricted Python: helper functions and last `solve`, whose parameters are the fields'."""

    @abstractmethod
    def law(self, *values: Any, **_: Any) -> Any:
        """Return the result by another algorithm, in plain Python."""

    def slow(self) -> str:
        """Return `solve` as one would write it first, of a greater cost; empty if there is no such thing."""
        return ""

    def corners(self) -> tuple[Corner, ...]:
        """Return inputs beside the corners of the fields, which are left out if there is a draw."""
        return ()

    def draw(self, draws: Draws, size: int) -> Values:
        """Return a random input of at most `size` items a field; unless an archetype says how, each field its own."""
        return tuple(field.draw(draws, size) for field in self.fields)

    def large(self, draws: Draws, size: int) -> Values:
        """Return an input that slow solutions are slowest on, where any input will not do."""
        return self.draw(draws, size)

    def code(self, template: str, **parts: str) -> str:
        """Return source text as `code` does, where ``<type>`` is the type of what is given."""
        return code(template, type=TYPES[self.gives], **parts)

    def parts(self) -> Parts:
        """Return all parts, as they are for the choices."""
        kind = type(self)
        return Parts(
            story=self.story(),
            fields=self.fields,
            gives=self.gives,
            solve=self.solve(),
            law=self.law,
            cost=self.cost,
            slow=self.slow(),
            draw=None if kind.draw is Archetype.draw else self.draw,
            corners=self.corners(),
            before=self.before,
            large=None if kind.large is Archetype.large else self.large,
        )


AREAS: Final[dict[str, dict[str, type[Archetype]]]] = {}


def archetype(area: str, name: str) -> Callable[[type[Archetype]], type[Archetype]]:
    """Add the decorated class to the archetypes of an area, under a name, which templates and seeds have in them."""

    def add(made: type[Archetype]) -> type[Archetype]:
        AREAS.setdefault(area, {})[name] = made
        return made

    return add


def code(template: str, **parts: str) -> str:
    """Return source text with parts written in: ``<name>`` within a line, or alone on one with its indentation."""

    def block(found: re.Match[str]) -> str:
        return "".join(f"{found[1]}{line}\n" for line in parts[found[2]].strip("\n").splitlines())

    made = template.strip("\n") + "\n"
    names = "|".join(map(re.escape, parts))
    if names:
        made = re.sub(rf"^( *)<({names})>\n", block, made, flags=re.MULTILINE)
        made = re.sub(rf"<({names})>", lambda found: parts[found[1]], made)
    return made
