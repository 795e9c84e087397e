"""What the goals of several sites have alike: how they are said, and which elements and texts each needs."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from palestra.envs.base import Json
from palestra.envs.web.site import Data, Goal, Place, Site, changes, wording


class Asked(ABC):
    """The goals of one site, made when the site is, and what a shortest solution of each may use."""

    made: tuple[Goal, ...]

    def __init__(self, site: Site) -> None:
        self._site = site

    @abstractmethod
    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element can be part of a shortest solution."""

    def undoing(self, wrong: Mapping[str, Json]) -> Iterable[str]:
        """Return the keys that put back what nobody asked for, as far as that can be done.

        Args:
            wrong: the cells that are not as they are to be, with what stands there, as `changes` has them.
        """
        return ()

    def texts(self, goal: Goal, key: str) -> Sequence[str]:
        """Return what a field may take."""
        return goal.values

    def said(self, *wordings: str) -> str:
        """Return one of several wordings."""
        return wording(self._site.draws(f"intent {wordings[0]}"), self._site.knobs.paraphrase, wordings)


class AskingSite(Site):
    """A site whose goals are an object of their own."""

    _goals: Asked

    def goals(self) -> Iterator[Goal]:
        yield from self._goals.made

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        return self._goals.matters(place, goal, key) or key in self._undoing(place, goal)

    def _undoing(self, place: Place, goal: Goal) -> frozenset[str]:
        now, data = place.data, self._first
        if all(now[table] is rows for table, rows in data.items()):
            return frozenset()
        wanted = goal.changes if goal.kind == "change" else {}
        found = changes(data, now).items()
        wrong = {cell: value for cell, value in found if cell not in wanted or wanted[cell] != value}
        return frozenset(self._goals.undoing(wrong))

    @cached_property
    def _first(self) -> Data:
        return self.start().data

    def texts(self, place: Place, goal: Goal, key: str) -> Sequence[str]:
        return self._goals.texts(goal, key)


class Goals(Asked):
    """Goals of which each is registered by `about` with the keys that it uses and what fields take."""

    everywhere: ClassVar[tuple[str, ...]] = ()  # keys that matter to every goal

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._keys: dict[str, tuple[str, ...]] = {}  # by intent
        self._entries: dict[str, Mapping[str, Sequence[str]]] = {}  # by intent and field
        self.made = tuple(self._all())

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        """Whether using an element can be part of a shortest solution."""
        entries = self._entries[goal.intent]
        name, _, option = key.partition("=")
        if key in entries or (option and name in entries and "/" not in name):
            return key in entries or option in entries[name]
        return any(
            key.startswith(one[:-1]) if one.endswith("*") else key == one
            for one in ("do close offer", *self.everywhere, *self._keys[goal.intent])
        )

    def texts(self, goal: Goal, key: str) -> Sequence[str]:
        """Return what a field may take."""
        return self._entries[goal.intent].get(key, ())

    def about(self, goal: Goal, *keys: str, **entries: str | Sequence[str]) -> Goal:
        """Return the goal, of which is remembered what it needs.

        Args:
            goal: whose intent no other has.
            keys: of links and what is pressed; one that ends with ``*`` stands for all that begin so.
            entries: by field, the text or the texts that it takes.
        """
        told = {name: (texts,) if isinstance(texts, str) else tuple(texts) for name, texts in entries.items()}
        for intent in (goal.intent, *(part for part, _ in goal.parts)):
            self._keys[intent], self._entries[intent] = keys, told
        return goal

    @abstractmethod
    def _all(self) -> Iterator[Goal]:
        """Yield the goals."""
