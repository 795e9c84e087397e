"""Promises: what was said of a figure, what was measured, and whether it holds."""

import operator
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import machine

AT_LEAST, AT_MOST = ">=", "<="
TITLES = f"{'promise':50}{'bound':>12}{'median':>10}{'min':>10}{'max':>10}"


@dataclass(frozen=True)
class Bar:
    """A promise, what was measured, and whether it holds; None: it could not be measured here."""

    what: str
    relation: str
    bound: float
    unit: str
    measured: dict[str, float] | None
    holds: bool | None
    remark: str = ""


def judge(what: str, relation: str, bound: float, unit: str, values: Sequence[float] | None, remark: str = "") -> Bar:
    """Hold the median of some figures against a bound."""
    if not values:
        return Bar(what, relation, bound, unit, None, None, remark)
    compare = operator.ge if relation == AT_LEAST else operator.le
    return Bar(
        what, relation, bound, unit, machine.spread(values), bool(compare(statistics.median(values), bound)), remark
    )


def bar_line(bar: Bar) -> str:
    """Return a promise as a line of a table below `TITLES`."""
    found = bar.measured
    figures = "".join(f"{found[name]:10.2f}" for name in ("median", "min", "max")) if found else " " * 30
    verdict = {True: "PASS", False: "FAIL", None: "not measured"}[bar.holds]
    bound = f"{bar.relation} {bar.bound:g} {bar.unit}"
    return f"{bar.what:50}{bound:>12}{figures}  {verdict}{' - ' * bool(bar.remark)}{bar.remark}"
