"""Figures over seeds: the mean, its 95 % interval, and how both are written."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from palestra.rewards.forking import interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds with Student's 95 % interval."""

    mean: float
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def contains(self, value: float) -> bool:
        """Return whether the interval holds a value."""
        return self.low <= value <= self.high


def over(values: Sequence[float]) -> Estimate:
    """Return the estimate of one figure of each seed."""
    mean = sum(values) / len(values)
    if max(values) - min(values) <= 1e-12:  # of which `interval` says how wide it would be if one more differed
        return Estimate(mean, mean, mean, len(values))
    return Estimate(mean, *interval(values), len(values))


def ratio(top: Sequence[float], bottom: Sequence[float]) -> Estimate:
    """Return the estimate of a ratio that each seed gives."""
    return over([a / b for a, b in zip(top, bottom, strict=True)])


def table(rows: Mapping[str, Mapping[str, Estimate | float | str | None]], head: str) -> str:
    """Return rows of named figures as a Markdown table."""
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = [f"| {head} | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(_shown(row.get(column)) for column in columns)} |")
    return "\n".join(lines)


def plain(value: Any) -> Any:
    """Return a report as what JSON can hold."""
    if isinstance(value, Estimate):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def _shown(value: Estimate | float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
