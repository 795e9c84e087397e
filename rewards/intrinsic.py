"""Rewards for searches from the trace alone: do queries split the question, and do replies answer the queries?

Source: SubSearch, arXiv:2604.07415; the two scores and how they join the outcome are read from its released code. There
texts are compared by a small sentence encoder and the scores are added to the episode's reward as one number. Ours are
the spreading over turns, the equal weights of both scores, and the default comparison by words, which needs no model.
"""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from palestra.rewards.base import RecordError, Trajectory

Floats = NDArray[np.float64]
Embed = Callable[[Sequence[str]], Floats]  # (texts, width), each row of length 1 or 0
WIDTH: Final = 2**12
_REPHRASED: Final = 0.85  # how alike a question and its rephrasing best are
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Search:
    """One query of a turn, and what came back."""

    query: str
    reply: str


def by_words(texts: Sequence[str]) -> Floats:
    """Return texts as sets of words, hashed: the likeness of two is the cosine of their counts."""
    rows = np.zeros((len(texts), WIDTH))
    for row, text in zip(rows, texts, strict=True):
        for word in _WORD.findall(text.casefold()):
            digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4).digest()
            row[int.from_bytes(digest, "big") % WIDTH] += 1.0
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    norms[norms == 0.0] = 1.0
    scaled: Floats = rows / norms
    return scaled


def decomposition(question: str, queries: Sequence[str], embed: Embed = by_words) -> float:
    """Return how well queries split a question, from 0 to 1.

    A single query is a rephrasing: ``max(0, 1 - |s - 0.85| / 0.15)`` for its likeness ``s`` to the question, so that
    repeating the question pays nothing. Of several it is half how like their centroid is to the question, and half the
    mean over queries of ``s * (1 - mean likeness to the others)``.
    """
    if not queries:
        return 0.0
    rows = embed([question, *queries])
    parent, children = rows[0], rows[1:]
    alike = children @ parent
    if len(queries) == 1:
        return max(0.0, 1.0 - abs(float(alike[0]) - _REPHRASED) / (1.0 - _REPHRASED))
    centre = children.mean(axis=0)
    norm = float(np.linalg.norm(centre))
    coverage = float(centre @ parent) / norm if norm > 0.0 else 0.0
    among = (children @ children.T).sum(axis=1) - (children * children).sum(axis=1)
    parts = alike * (1.0 - among / (len(queries) - 1))
    return _bounded(0.5 * coverage + 0.5 * float(parts.mean()))


def answerability(searches: Sequence[Search], embed: Embed = by_words) -> float:
    """Return the mean likeness of queries and their replies, from 0 to 1; 0 without a search."""
    if not searches:
        return 0.0
    rows = embed([text for one in searches for text in (one.query, one.reply)])
    return _bounded(float((rows[0::2] * rows[1::2]).sum(axis=1).mean()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReward:
    """A `StepReward` of the turns that search.

    An episode's payments sum to ``weight * (1 - R)`` times the mean score of the turns that search, ``R`` being its
    reward between 0 and 1: what solves the task is paid nothing for how it looked. So no failure that was worth 0 is
    paid more than `weight`, and searching more often pays no more.

    What an agent writes as a query is its own, so the score can be flattered: within that bound.

    Attributes:
        question: of a trajectory, what was asked.
        searches: of a trajectory, for each turn, its searches.
        embed: compares texts.
        weight: from 0 to below 1.
    """

    question: Callable[[Trajectory], str]
    searches: Callable[[Trajectory], Sequence[Sequence[Search]]]
    embed: Embed = by_words
    weight: float = 0.2

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight < 1.0:
            raise RecordError(f"the weight is from 0 to below 1, not {self.weight!r}")

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return one reward a turn, 0 where nothing was searched.

        Raises:
            RecordError: the searches are not of as many turns.
        """
        return [self._of(one) for one in trajectories]

    def _of(self, one: Trajectory) -> list[float]:
        turns = self.searches(one)
        if len(turns) != len(one.turns):
            raise RecordError(f"{len(one.turns)} turns but searches of {len(turns)}; a turn may have none, as ()")
        question, searching = self.question(one), sum(map(bool, turns))
        unit = self.weight * (1.0 - _bounded(one.reward)) / max(1, searching)
        return [unit * self._quality(question, some) if some else 0.0 for some in turns]

    def _quality(self, question: str, some: Sequence[Search]) -> float:
        split = decomposition(question, [one.query for one in some], self.embed)
        return 0.5 * split + 0.5 * answerability(some, self.embed)


def _bounded(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
