"""Which comparisons are worth an expensive judge: those that a cheap scorer is unsure of.

Siblings are compared in pairs. A cheap scorer says how likely the one is better than the other; the pairs it is least
sure of go to the judge, as many as the budget allows, and the others keep the cheap answer. A sibling's advantage is
how much more often than not it wins. What the judge said also calibrates the cheap scorer.

Source: uncertainty-based routing between a reward model and a judge, arXiv:2510.20369; the calibration is ours.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from palestra.rewards.base import RecordError

Pair = tuple[int, int]
Judge = Callable[[Sequence[Pair]], Sequence[float | None]]  # chance that the first wins; None where it has no opinion
_BINS = 10


@dataclass(frozen=True, slots=True)
class Routed:
    """What came of a group."""

    advantages: tuple[float, ...]  # from -1/2 for losing to all to 1/2 for winning against all
    judged: tuple[Pair, ...]
    abstained: int  # judged pairs of which the judge had no opinion
    uncertainty: tuple[float, ...]  # of all pairs: 1 for an even chance, 0 for certainty


@dataclass(slots=True)
class Router:
    """Sends the most uncertain pairs to a judge.

    Attributes:
        budget: pairs of a group that are judged, at most.
        surest: pairs that are less uncertain than this are not judged, even if the budget would allow it.
        temperature: what the cheap scorer's differences are divided by; found from what was judged by `calibrate`.
        calls: pairs that were judged so far.
    """

    budget: int
    surest: float = 0.0
    temperature: float = 1.0
    calls: int = 0
    _seen: list[tuple[float, float]] = field(default_factory=list)  # difference, what the judge said

    def __post_init__(self) -> None:
        if self.budget < 0 or not self.temperature > 0.0:
            raise ValueError(f"budget is at least 0 and temperature above 0, not {self.budget} and {self.temperature}")

    def group(self, scores: Sequence[float], judge: Judge) -> Routed:
        """Compare siblings by their cheap scores, and by the judge where these say little.

        Raises:
            RecordError: a score is not finite, or the judge gave something else than a chance a pair.
        """
        chosen = self.choose(scores)
        return self.settle(scores, chosen, list(judge(chosen)) if chosen else [])

    def choose(self, scores: Sequence[float]) -> list[Pair]:
        """Return the pairs that are to be judged, the least sure first; the judge's answers go to `settle`.

        Raises:
            RecordError: a score is not finite.
        """
        pairs, _, unsure = self._compared(scores)
        return [pairs[n] for n in most_uncertain(unsure, self.budget) if unsure[n] >= self.surest]

    def settle(self, scores: Sequence[float], chosen: Sequence[Pair], said: Sequence[float | None]) -> Routed:
        """Return what comes of a group whose chosen pairs were judged; raises as `group`."""
        pairs, chances, unsure = self._compared(scores)
        if len(said) != len(chosen) or any(one is not None and not 0.0 <= one <= 1.0 for one in said):
            raise RecordError(
                f"a judge gives a chance from 0 to 1 or None for each of {len(chosen)} pairs, not {list(said)}"
            )
        self.calls += len(chosen)
        places = {pair: n for n, pair in enumerate(pairs)}
        for pair, one in zip(chosen, said, strict=True):
            if one is not None:
                chances[places[pair]] = one
                self._seen.append((scores[pair[0]] - scores[pair[1]], one))
        return Routed(
            advantages=tuple(pairwise_advantages(len(scores), pairs, chances)),
            judged=tuple(chosen),
            abstained=sum(one is None for one in said),
            uncertainty=tuple(unsure),
        )

    def _compared(self, scores: Sequence[float]) -> tuple[list[Pair], list[float], list[float]]:
        """Return all pairs, the chance that the first of each wins by the cheap scores, and how unsure that is."""
        if not all(map(math.isfinite, scores)):
            raise RecordError(f"cheap scores must be finite, not {list(scores)}")
        pairs = list(itertools.combinations(range(len(scores)), 2))
        chances = [self.chance(scores[i] - scores[j]) for i, j in pairs]
        return pairs, chances, [uncertainty(chance) for chance in chances]

    def chance(self, gap: float) -> float:
        """Return the cheap scorer's chance that the first of two wins, by how much better it scores."""
        return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, gap / self.temperature))))

    def calibrate(self) -> float:
        """Set the temperature to the one that explains the judged pairs best, and return it.

        Judged pairs are those that looked uncertain, so this says how far the scorer can be trusted where it matters;
        with fewer than eight of them nothing changes.
        """
        if len(self._seen) >= 8:
            tried = [2.0 ** (step / 4.0) for step in range(-40, 41)]
            self.temperature = min(tried, key=lambda one: _loss(self._seen, one))
        return self.temperature

    def report(self) -> dict[str, float]:
        """Return metrics: pairs judged, temperature, agreement of scorer and judge, error of calibration."""
        told = {"judge_calls": float(self.calls), "temperature": self.temperature}
        if self._seen:
            agreed = sum((gap > 0) == (said > 0.5) for gap, said in self._seen) / len(self._seen)
            told |= {"agreement": agreed, "calibration_error": self._calibration_error()}
        return told

    def _calibration_error(self) -> float:
        """Return the mean gap between told and seen chances, over ten bins."""
        bins: list[list[tuple[float, float]]] = [[] for _ in range(_BINS)]
        for gap, said in self._seen:
            chance = self.chance(gap)
            bins[min(_BINS - 1, int(chance * _BINS))].append((chance, said))
        gaps = [abs(sum(c for c, _ in one) - sum(s for _, s in one)) for one in bins if one]
        return math.fsum(gaps) / len(self._seen)


def uncertainty(chance: float) -> float:
    """Return the entropy of a chance in bits: 1 for 1/2, 0 for 0 and 1."""
    if chance <= 0.0 or chance >= 1.0:
        return 0.0
    return -(chance * math.log2(chance) + (1.0 - chance) * math.log2(1.0 - chance))


def most_uncertain(unsure: Sequence[float], budget: int) -> list[int]:
    """Return where the `budget` largest values are, the largest first and equal ones in their order."""
    return sorted(range(len(unsure)), key=lambda n: -unsure[n])[:budget]


def pairwise_advantages(count: int, pairs: Sequence[Pair], chances: Sequence[float]) -> list[float]:
    """Return each sibling's mean chance to win, less one half; 0 for one without a pair."""
    wins, played = [0.0] * count, [0] * count
    for (i, j), chance in zip(pairs, chances, strict=True):
        wins[i] += chance
        wins[j] += 1.0 - chance
        played[i] += 1
        played[j] += 1
    return [won / games - 0.5 if games else 0.0 for won, games in zip(wins, played, strict=True)]


def _loss(seen: Sequence[tuple[float, float]], temperature: float) -> float:
    total = 0.0
    for gap, said in seen:
        scaled = max(-40.0, min(40.0, gap / temperature))
        total += math.log1p(math.exp(-scaled)) + (1.0 - said) * scaled
    return total
