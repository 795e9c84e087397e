"""How right a program's lines look: what is known of them, or what a small learnt scorer says.

The scorer is a logistic regression over hashed features of a line and the lines around it. It runs nothing and knows
no task: it has seen which lines were right in other programs.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WIDTH: Final = 2**14  # features
_WORD: Final = re.compile(r"[A-Za-z_]\w*|\d+|[<>=!+\-*/%&|:]+|\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One line of a program: where it stands, and whether it is right."""

    before: str
    text: str
    after: str
    is_good: bool


class LineScorer(Protocol):
    """Says how right lines look."""

    def score(self, lines: Sequence[str]) -> list[float]:
        """Return, for each line of a program, a number from 0 (wrong) to 1 (right)."""
        ...


def program_score(scorer: LineScorer, program: str, needed: int = 1) -> float:
    """Return the mean score of a program's lines, blank ones left out and equal ones counted once.

    A line that is known to be right is worth nothing when it is written again.

    Args:
        scorer: of lines.
        program: its source.
        needed: a program of fewer lines is scored as if the others were there and wrong.
    """
    lines = program.splitlines()
    by_text: dict[str, float] = {}
    for text, score in zip(map(str.strip, lines), scorer.score(lines), strict=True):
        if text:
            by_text[text] = min(score, by_text.get(text, 1.0))
    return math.fsum(by_text.values()) / max(len(by_text), needed, 1)


def distinct_lines(program: str) -> int:
    """Return how many lines a program has, blank ones left out and equal ones counted once."""
    return len({line.strip() for line in program.splitlines()} - {""})


@dataclass(frozen=True, slots=True)
class KnownLines:
    """Scores lines by their labels; of those without any it asks another scorer, or says `unknown`."""

    good: Mapping[str, float]  # by a line's text without the space around it: the share of its labels that are good
    otherwise: LineScorer | None = None
    unknown: float = 0.5

    @classmethod
    def of(cls, examples: Sequence[Example], otherwise: LineScorer | None = None) -> "KnownLines":
        """Return what some examples tell of their lines."""
        found: dict[str, list[bool]] = {}
        for one in examples:
            found.setdefault(one.text.strip(), []).append(one.is_good)
        return cls({text: sum(labels) / len(labels) for text, labels in found.items()}, otherwise)

    def score(self, lines: Sequence[str]) -> list[float]:
        """Return the share of good labels of each line."""
        rest = self.otherwise.score(lines) if self.otherwise else [self.unknown] * len(lines)
        return [self.good.get(line.strip(), other) for line, other in zip(lines, rest, strict=True)]


@dataclass(frozen=True, slots=True)
class LearntLines:
    """A logistic regression over hashed features of lines."""

    weights: Floats = field(repr=False)  # one a feature; the last is the same for all lines

    @classmethod
    def fit(
        cls, examples: Sequence[Example], *, epochs: int = 30, rate: float = 0.5, decay: float = 1e-2
    ) -> "LearntLines":
        """Return a scorer that was fit to examples by AdaGrad, good and bad ones weighing the same in all.

        Args:
            examples: of both labels.
            epochs: how often all are gone through, always in the same order.
            rate: of learning.
            decay: how much weights are drawn to 0.

        Raises:
            ValueError: all examples have the same label.
        """
        truth = np.array([one.is_good for one in examples], dtype=np.float64)
        good = float(truth.sum())
        if not 0 < good < len(examples):
            raise ValueError(f"a scorer is learnt from good and bad lines, not from {len(examples)} of one kind")
        rows = [_features(one.before, one.text, one.after) for one in examples]
        share = np.where(truth > 0.5, 0.5 / good, 0.5 / (len(examples) - good)) * len(examples)
        weights, seen = np.zeros(WIDTH + 1), np.full(WIDTH + 1, 1e-8)
        order = np.random.default_rng(0).permutation(len(rows))
        for _ in range(epochs):
            for at in order:
                row = rows[at]
                slope = share[at] * (_sigmoid(float(weights[row].sum())) - truth[at])
                steps = slope + decay * weights[row]
                seen[row] += steps * steps
                weights[row] -= rate * steps / np.sqrt(seen[row])
        return cls(weights)

    def score(self, lines: Sequence[str]) -> list[float]:
        """Return how probable it is that each line is right."""
        around = ["", *lines, ""]
        return [
            _sigmoid(float(self.weights[_features(around[at - 1], around[at], around[at + 1])].sum()))
            for at in range(1, len(around) - 1)
        ]


def examples_of(lines: Sequence[str], labels: Sequence[bool]) -> Iterator[Example]:
    """Yield a program's lines with their labels as examples; blank ones are left out."""
    around = ["", *lines, ""]
    for at, is_good in enumerate(labels, start=1):
        if around[at].strip():
            yield Example(before=around[at - 1], text=around[at], after=around[at + 1], is_good=is_good)


def _features(before: str, text: str, after: str) -> NDArray[np.int64]:
    words = ["<", *_WORD.findall(text), ">"]
    shapes = [_shape(word) for word in words]
    named = [f"1 {word}" for word in words]
    for size, tag in ((2, "2"), (3, "3")):
        named += [f"{tag} {' '.join(words[at : at + size])}" for at in range(len(words) - size + 1)]
        named += [f"s{tag} {' '.join(shapes[at : at + size])}" for at in range(len(words) - size + 1)]
    named += [f"before {word}" for word in _WORD.findall(before)] + [f"after {word}" for word in _WORD.findall(after)]
    return np.array([*sorted({_hashed(name) for name in named}), WIDTH], dtype=np.int64)


def _shape(word: str) -> str:
    return "name" if word[0].isalpha() and len(word) > 3 else "number" if word.isdigit() and len(word) > 1 else word


def _hashed(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big") % WIDTH


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))
