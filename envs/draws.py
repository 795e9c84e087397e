"""Random choices that are the same in every Python: only ``Random.random()`` is drawn from.

Python promises the sequence of ``random()`` for a seed; ``choice`` and ``shuffle`` have changed.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

from palestra.envs.base import derive_seed

Item = TypeVar("Item")


class Draws:
    """The choices of one stage of the generator, named by template, seed and stage."""

    def __init__(self, family: str, template: str, seed: int, stage: str) -> None:
        self._random = random.Random(derive_seed(family, template, seed, stage))

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of the items."""
        return items[self.between(0, len(items) - 1)]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Return the items in a random order."""
        left = list(items)
        return [left.pop(self.between(0, len(left) - 1)) for _ in items]
