"""What a judge's verdicts owe to length: a regression finds it, and it is taken out.

Judges that are models prefer longer texts. The chance that the first of two is preferred is explained by how much
better it is, as far as anything tells, and how much longer; what is kept is the answer for equal lengths.

Source: length-controlled AlpacaEval, Dubois et al. 2024, arXiv:2404.04475 (a logistic regression with the bounded
difference of lengths, predicted at zero). Its terms for models and instructions are replaced by a cheap score.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_ROUNDS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A comparison that was judged.

    Attributes:
        chance: that the first is preferred, as the judge says.
        longer: characters of the first less those of the second.
        better: by how much a cheap scorer puts the first above the second; 0 where there is none.
    """

    chance: float
    longer: float
    better: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControl:
    """How a judge goes by length.

    Attributes:
        weight: of length, in log-odds for a first text that is much longer; 0 for none.
        quality: of the cheap score's differences, in the same units.
        scale: the standard deviation of the differences of length, in characters.
        n: comparisons that this comes from.
        longer: share of decided comparisons in which the longer one was preferred; None without any.
    """

    weight: float = 0.0
    quality: float = 0.0
    scale: float = 1.0
    n: int = 0
    longer: float | None = None

    @classmethod
    def of(cls, seen: Sequence[Seen], *, ridge: float = 1.0, fewest: int = 32) -> "LengthControl":
        """Return what some comparisons say.

        Args:
            seen: any order; turning a comparison changes nothing.
            ridge: of the regression; the greater, the more comparisons an effect needs.
            fewest: with fewer comparisons nothing is taken out.

        Raises:
            ValueError: a value is not finite, or a chance is none.
        """
        for one in seen:
            if not (0.0 <= one.chance <= 1.0 and math.isfinite(one.longer) and math.isfinite(one.better)):
                raise ValueError(f"a comparison has a chance from 0 to 1 and finite differences, not {one}")
        uneven = [one for one in seen if one.longer and one.chance != 0.5]
        share = sum((one.chance > 0.5) == (one.longer > 0) for one in uneven) / len(uneven) if uneven else None
        scale = math.sqrt(math.fsum(one.longer**2 for one in seen) / len(seen)) if seen else 0.0
        if len(seen) < fewest or not scale:
            return cls(n=len(seen), longer=share)
        spread = math.sqrt(math.fsum(one.better**2 for one in seen) / len(seen)) or 1.0
        rows = [(math.tanh(one.longer / scale), one.better / spread, one.chance) for one in seen]
        weight, quality = _fitted(rows, ridge)
        return cls(weight=weight, quality=quality / spread, scale=scale, n=len(seen), longer=share)

    def level(self, chance: float, longer: float, better: float = 0.0) -> float:
        """Return the chance that the first would have been preferred if both were of one length.

        A verdict is taken for the sign of odds with logistic noise, of which length is a part: a longer text that was
        preferred keeps ``s(q) / s(q + l)`` of it, where s is the logistic function, q what it is better by and l what
        length did; a longer text that lost has lost. So a judge that goes by length alone comes to say 1/2, and none
        is turned around. The regression is the source's, this use of it for single verdicts ours.

        Args:
            chance: that the first is preferred, as the judge said.
            longer: characters of the first less those of the second.
            better: by how much the cheap scorer puts the first above the second.
        """
        by_length = self.weight * math.tanh(longer / self.scale)
        level, told = _sigmoid(self.quality * better), _sigmoid(self.quality * better + by_length)
        if by_length >= 0.0:
            return chance * min(1.0, level / told)
        return chance + (1.0 - chance) * max(0.0, (level - told) / (1.0 - told))

    def report(self) -> dict[str, float]:
        """Return metrics."""
        told = {"length_weight": self.weight}
        return told if self.longer is None else {**told, "prefers_longer": self.longer}


def _fitted(rows: Sequence[tuple[float, float, float]], ridge: float) -> tuple[float, float]:
    """Return the weights of two columns that explain a chance best, by Newton's method; a ridge keeps them finite."""
    a = b = 0.0
    for _ in range(_ROUNDS):
        grad_a, grad_b, aa, ab, bb = -ridge * a, -ridge * b, ridge, 0.0, ridge
        for x, y, said in rows:
            told = _sigmoid(a * x + b * y)
            slope = told * (1.0 - told)
            grad_a += (said - told) * x
            grad_b += (said - told) * y
            aa, ab, bb = aa + slope * x * x, ab + slope * x * y, bb + slope * y * y
        det = aa * bb - ab * ab
        step_a, step_b = (bb * grad_a - ab * grad_b) / det, (aa * grad_b - ab * grad_a) / det
        longest = max(1.0, abs(step_a), abs(step_b))
        a, b = a + step_a / longest, b + step_b / longest
        if max(abs(step_a), abs(step_b)) < 1e-9:
            break
    return a, b


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))
