"""What the two sources of BFCL's entries share: seeds that give each entry once, and splits of whole groups."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from palestra.envs.base import SPLITS, Json, Split, Task, TaskError, merge_knobs
from palestra.envs.bfcl import package

_HELD_OUT: Final = 5  # one group in so many


class Entry(Protocol):
    """An entry of the package, as a source has it."""

    @property
    def entry(self) -> Mapping[str, Json]:
        """What the package says of it."""
        ...


Item = TypeVar("Item", bound=Entry)


class EntrySource(ABC, Generic[Item]):
    """Entries of the package as tasks. The seeds from 0 give each entry of the split once, then begin again.

    Raises:
        BfclMissingError: the package is not installed.
        TaskError: the split is unknown.
    """

    own_knobs: ClassVar[Mapping[str, Json]]

    def __init__(self, split: Split = "train") -> None:
        if split not in SPLITS:
            raise TaskError(f"split must be one of {', '.join(SPLITS)}, not {split!r}")
        package.root()
        self.split: Split = split
        self.knobs: Mapping[str, Json] = dict(self.own_knobs)

    def sample(self, seed: int, difficulty: Mapping[str, Json] | None = None) -> Task:
        """Return the task of a seed: the same bytes for the same arguments, in any process.

        Raises:
            TaskError: the seed is no integer, a knob is unknown, or the category is or has no entry here.
        """
        if type(seed) is not int or seed < 0:
            raise TaskError(f"a seed must be an integer of at least 0, not {seed!r}")
        knobs = merge_knobs(self.knobs, difficulty)
        fitting = self._items(knobs["category"])
        return self._task(fitting[seed % len(fitting)], seed, knobs)

    def __iter__(self) -> Iterator[Task]:
        """Yield the tasks of seeds 0, 1, 2 ... without end."""
        seed = 0
        while True:
            yield self.sample(seed)
            seed += 1

    @abstractmethod
    def _items(self, category: str) -> Sequence[Item]:
        """Return the split's entries of a category."""

    @abstractmethod
    def _task(self, item: Item, seed: int, knobs: Mapping[str, Json]) -> Task:
        """Return an entry as a task."""


def check_category(category: str, known: Sequence[str]) -> None:
    """Say so if a knob names no category.

    Raises:
        TaskError: it is not "any" either.
    """
    if category != "any" and category not in known:
        raise TaskError(f"knob 'category' must be any, {', '.join(known)}, not {category!r}")


def is_in(split: Split, group: str) -> bool:
    """Return whether a group of entries is of a split; about a fifth of the groups is held out."""
    return (_number(group) % _HELD_OUT == 0) == (split == "heldout")


def mixed(found: Iterable[Item]) -> tuple[Item, ...]:
    """Return entries in an order that mixes the categories and is the same everywhere."""
    return tuple(sorted(found, key=lambda item: _number(item.entry["id"])))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
