"""What an archetype decides: picks, which make the template, and constants, whose pools differ by split.

A problem is rebuilt from what was chosen; with one pick or constant another, it is the problem that
a careless reader solves instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from palestra.envs.base import Json, Split
from palestra.envs.code.draws import Draws

_OUTER: Final = ("form", "shown", "structure")  # prefixes of picks that are about input and output, not what is asked


class Choices:
    """The picks and constants of one problem, drawn as they are asked for unless they are given."""

    def __init__(self, draws: Draws, split: Split, given: Mapping[str, Json] | None = None) -> None:
        self._draws = draws
        self._split = split
        self._given = given or {}
        self._options: dict[str, tuple[str, ...]] = {}
        self.picks: dict[str, str] = {}
        self.constants: dict[str, Any] = {}

    def pick(self, name: str, options: Sequence[str]) -> str:
        """Return one of the options; which one is part of the template."""
        self._options[name] = tuple(options)
        given = self._given.get(name)
        self.picks[name] = str(given) if given in options else self._draws.pick(options)
        return self.picks[name]

    def constant(self, name: str, train: Sequence[Any], heldout: Sequence[Any]) -> Any:
        """Return a value of the split's own pool; it is not part of the template."""
        pool = train if self._split == "train" else heldout
        self.constants[name] = self._given[name] if name in self._given else self._draws.pick(pool)
        return self.constants[name]

    def chance(self, name: str, probability: float) -> bool:
        """Return True with this probability, as a pick between "yes" and "no"."""
        is_yes = self._draws.chance(probability)
        self._options[name] = ("yes", "no")
        self.picks[name] = self._given.get(name, "yes" if is_yes else "no")
        return self.picks[name] == "yes"

    @property
    def chosen(self) -> dict[str, Json]:
        """Everything that was chosen, by name."""
        return {**self.picks, **self.constants}

    def otherwise(self) -> Iterator[tuple[str, dict[str, Json]]]:
        """Yield what was chosen with one thing another, with a name for what is wrong."""
        for name, options in self._options.items():
            if not name.startswith(_OUTER):
                for option in options:
                    if option != self.picks[name]:
                        yield f"{name}={option}", {**self.chosen, name: option}
        for name, value in self.constants.items():
            if type(value) is int:
                yield f"{name}+1", {**self.chosen, name: value + 1}
                yield f"{name}-1", {**self.chosen, name: value - 1}
