"""How long things took and how often, in memory that does not grow."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

_LEAST_S, _PER_DOUBLING, _BUCKETS = 1e-5, 4, 128  # from 10 us to half a day, each 19 % wider than the one before


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """A histogram summed up; the quantiles are exact to the width of a bucket, a fifth."""

    count: int
    total_s: float
    median_s: float
    p90_s: float
    max_s: float

    def line(self) -> str:
        """Return the count, the median and the 90th percentile in a few words."""
        return f"{self.count}x {self.median_s * 1000:.2f}/{self.p90_s * 1000:.2f} ms"


class Histogram:
    """Durations counted in buckets. Not thread-safe."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._total_s, self._max_s = 0.0, 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = math.ceil(_PER_DOUBLING * math.log2(max(seconds, _LEAST_S) / _LEAST_S))
        self._counts[min(place, _BUCKETS - 1)] += 1
        self._total_s += seconds
        self._max_s = max(self._max_s, seconds)

    def summary(self) -> Durations:
        """Return what was counted so far."""
        return Durations(
            count=sum(self._counts),
            total_s=self._total_s,
            median_s=self._quantile(0.5),
            p90_s=self._quantile(0.9),
            max_s=self._max_s,
        )

    def _quantile(self, share: float) -> float:
        wanted, seen = share * sum(self._counts), 0
        for place, count in enumerate(self._counts):
            seen += count
            if seen >= wanted > 0:
                return min(_LEAST_S * 2 ** (place / _PER_DOUBLING), self._max_s)
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMetrics:
    """A pool at one moment, and what it did since it was made."""

    size: int  # places, each for one sandbox
    ready: int
    lent: int
    preparing: int  # being started or cleaned
    empty: int  # no sandbox could be started; tried again when somebody asks
    waiting: int  # borrowers in the queue

    borrowed: int
    programs: int
    refused: int  # borrowers turned away, for the queue was full or their time ran out
    recycled_uses: int  # sandboxes replaced after their share of programs
    recycled_suspicious: int  # after a time-out, a shortage of memory or a kill
    recycled_dead: int  # for they did not answer
    failures: int  # sandboxes that could not be started

    wait: Durations  # from asking to having
    run: Durations  # one program
    clean: Durations  # making a used sandbox blank
    start: Durations  # starting one

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return dataclasses.asdict(self)

    def line(self) -> str:
        """Return the figures in one line; durations are a count with median and 90th percentile."""
        recycled = f"{self.recycled_uses} used + {self.recycled_suspicious} suspicious + {self.recycled_dead} dead"
        return (
            f"{self.size} places: {self.ready} ready, {self.lent} lent, {self.preparing} preparing, "
            f"{self.empty} empty; {self.waiting} waiting, {self.refused} refused; wait {self.wait.line()}; "
            f"run {self.run.line()}; clean {self.clean.line()}; start {self.start.line()}; "
            f"recycled {recycled}; failures {self.failures}"
        )
