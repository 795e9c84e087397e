"""The user, scripted: tells what the case says that they know, when it is asked for by its name.

A question names a thing if its words, but for little ones, are exactly those of one of its names: whoever asks
for everything at once has asked for nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from palestra.envs.base import Json
from palestra.envs.tooluse.words import words

QUESTIONS = 3  # that cost, at the least; as many as there are things to tell, and one
UNKNOWN = "I do not know."
BETWEEN_NAMES = "|"  # in a key of `Case.user`
_WORD = re.compile(r"[^\W_]+")
_LITTLE = frozenset(
    words(
        "a an the of is are be do does did can could should would will shall may must what which who whom whose how "
        "please you your yours me my mine i we us our tell give need know want like let exactly exact one it its for"
    )
)
_WEAK = frozenset(words("name value parameter argument field new id"))  # unless there is nothing else


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text that count; all of them where none does."""
    found = frozenset(_WORD.findall(text.casefold()))
    return found - _LITTLE - _WEAK or found - _LITTLE or found


def is_named(about: str, names: Iterable[str]) -> bool:
    """Tell whether a question names a thing by one of its names."""
    asked = words_of(about)
    return bool(asked) and any(asked == words_of(name) for name in names)


@dataclass(frozen=True, slots=True)
class Talk:
    """What was asked so far."""

    told: tuple[str, ...] = ()  # keys of `Case.user`
    spent: int = 0  # questions that cost

    def dump(self) -> Json:
        """Return the talk as JSON."""
        return [list(self.told), self.spent]

    @classmethod
    def load(cls, state: Sequence[Json]) -> Self:
        """Return the talk that `dump` wrote."""
        return cls(tuple(state[0]), state[1])


@dataclass(frozen=True, slots=True)
class User:
    """What a user knows: under each key all the names that it goes by, and what the user says."""

    knows: Mapping[str, tuple[tuple[str, ...], str]]

    @classmethod
    def of(cls, told: Mapping[str, str], more_names: Mapping[str, Sequence[str]]) -> Self:
        """Return the user of a case.

        Args:
            told: as in `Case.user`: a key holds a thing's names, joined by ``|``.
            more_names: other names by key, such as what an augmentation calls a parameter.
        """
        keys = {key: (*key.split(BETWEEN_NAMES), *more_names.get(key, ())) for key in told}
        return cls({key: (names, told[key]) for key, names in keys.items()})

    def is_patient(self, talk: Talk) -> bool:
        """Tell whether the user still listens to a question that costs."""
        return talk.spent < max(QUESTIONS, len(self.knows) + 1)

    def answer(self, about: str, talk: Talk) -> tuple[str, Talk]:
        """Return what the user says, and the talk with it; what was told once is told again for nothing."""
        key = next((key for key, (names, _) in self.knows.items() if is_named(about, names)), None)
        if key is not None and key in talk.told:
            return self.knows[key][1], talk
        if key is None or not self.is_patient(talk):
            return UNKNOWN, replace(talk, spent=talk.spent + 1)
        return self.knows[key][1], Talk((*talk.told, key), talk.spent + 1)


def key_of(told: Mapping[str, str], path: str) -> str:
    """Return the key of `Case.user` that a source's path speaks of: the key itself, or its first name; "" if none."""
    return next((key for key in told if path in (key, key.split(BETWEEN_NAMES)[0])), "")
