"""What an archetype makes of its choices, and the list of all archetypes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field

Gives = Literal["int", "text", "ints", "words"]
Cost = Literal["linear", "loglinear", "quadratic", "other"]
Values = tuple[Any, ...]  # one for each field


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The heart of a problem: what is asked, in words, as a reference and as a law."""

    story: str  # what is to be found; it ends by saying what the result is, also when there is nothing
    fields: tuple[Field, ...]
    gives: Gives
    solve: str  # restricted Python: helper functions and last `solve`, whose parameters are the fields'
    law: Callable[..., Any]  # the same by another algorithm, in plain Python
    cost: Cost = "other"  # of `solve`, in the size of the input
    slow: str = ""  # `solve` as one would write it first, of a greater cost
    draw: Callable[[Draws, int], Values] | None = None  # instead of each field's own
    corners: tuple[tuple[str, Values], ...] = ()  # beside those of the fields, which are left out if there is a draw
    before: str = ""  # the name of a field of integers that stages may change; any integers are fine for it
    large: Callable[[Draws, int], Values] | None = None  # inputs that slow solutions are slowest on


Archetype = Callable[[Choices], Parts]
AREAS: Final[dict[str, dict[str, Archetype]]] = {}


def archetype(area: str) -> Callable[[Archetype], Archetype]:
    """Add the decorated function to the archetypes of an area, under its own name."""

    def add(make: Archetype) -> Archetype:
        AREAS.setdefault(area, {})[make.__name__] = make
        return make

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
