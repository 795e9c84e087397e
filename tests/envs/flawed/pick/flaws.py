"""Picking with one rule broken: how often luck wins."""

from tests.envs.flawed.corpus import caught_by
from tests.envs.flawed.pick.env import Pick, PickTasks

from palestra.envs.base import Json


@caught_by("floor:random", "floor:spam")
class TriesWithoutEnd(Pick):
    """A wrong choice does not end the episode, so luck wins more often than is declared."""

    def ends(self, won: bool) -> bool:
        return won


class _FirstIsBest(PickTasks):
    def arranged(self, pairs: list[list[int]]) -> list[list[int]]:
        return sorted(pairs, key=sum, reverse=True)


@caught_by("guess:A")
class FirstIsBest(Pick):
    """The right choice is always the first."""

    source = _FirstIsBest


@caught_by("apart", "fork")
class ChoiceForgotten(Pick):
    """A snapshot after the choice has none."""

    def _load(self, state: Json) -> None:
        self.picked = "?"
