"""A clock that stands still and random numbers whose place can be told, for services that use the stdlib's.

`bfcl-eval`'s services ask for today's date, turn local times into time stamps and draw from their own seeded
generators. Under these stand-ins they answer the same in every process, time zone and year, and a
generator's state is two numbers.
"""

import random
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

NOW = (2024, 9, 1, 10, 30)  # the moment that the trading service itself takes for the present
_WORD_BITS = 32  # the generator makes numbers of whole words


class PinnedDatetime(datetime):
    """A datetime whose present is fixed and whose local zone is UTC."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the one present there is."""
        return cls(*NOW, tzinfo=tz)

    @classmethod
    def today(cls) -> Self:
        """Return the one present there is."""
        return cls(*NOW)

    @classmethod
    def fromtimestamp(cls, timestamp: float, tz: tzinfo | None = None) -> Self:
        """Return the moment of a time stamp, in UTC."""
        return cls(1970, 1, 1, tzinfo=tz) + timedelta(seconds=timestamp)

    def timestamp(self) -> float:
        """Return the seconds since 1970, for a naive moment as for one in UTC."""
        return datetime.combine(self.date(), self.time(), UTC).timestamp()


class CountedRandom(random.Random):
    """The stdlib's generator, which knows how many words it has drawn since its seed."""

    def __init__(self, start: int = 0, words: int = 0) -> None:
        super().__init__(start)
        self.start, self.words = start, words
        if words:
            super().getrandbits(_WORD_BITS * words)

    def random(self) -> float:
        """Draw from [0, 1): two words."""
        self.words += 2
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        """Draw `k` bits, in whole words."""
        self.words += -(-k // _WORD_BITS)
        return super().getrandbits(k)

    def __deepcopy__(self, memo: dict[int, Any]) -> "CountedRandom":
        return CountedRandom(self.start, self.words)
