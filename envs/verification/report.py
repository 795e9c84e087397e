"""What came of all solutions: a row each, the counts, and the answer to whether all is well."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from palestra.envs.base import Json
from palestra.envs.junit import Case, Suite
from palestra.envs.verification.judged import Result

RowStatus = Literal["passed", "failed", "fault", "missing"]
STATUSES: Final[tuple[RowStatus, ...]] = ("passed", "failed", "missing", "fault")
MOST_STRANGERS: Final = 20  # that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A task and one solution of it; `where` is its place, or where one was looked for."""

    task_id: str
    where: str
    result: Result | None  # None: there is no solution

    @property
    def status(self) -> RowStatus:
        """What came of it."""
        return "missing" if self.result is None else self.result.status

    @property
    def detail(self) -> str:
        """One line: what failed first, or where a solution was looked for."""
        return f"no solution; wanted: {self.where}" if self.result is None else self.result.detail

    @property
    def explanation(self) -> str:
        """The first failing input and what was wanted, if it is known and to be told."""
        return "" if self.result is None else self.result.explanation

    def to_dict(self) -> dict[str, Json]:
        """Return the row as plain JSON data."""
        told: dict[str, Json] = {} if self.result is None else self.result.to_dict()
        told.pop("env_id", None)
        return {**told, "task_id": self.task_id, "status": self.status, "where": self.where, "detail": self.detail}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every task's solutions, in the order of the tasks."""

    env_id: str
    rows: tuple[Row, ...]
    strangers: tuple[str, ...] = ()  # solutions of none of the tasks

    @property
    def counts(self) -> Mapping[RowStatus, int]:
        """How many rows have each status."""
        return {status: sum(row.status == status for row in self.rows) for status in STATUSES}

    @property
    def samples(self) -> Sequence[tuple[int, int]]:
        """For each task that has solutions: how many, and how many of them passed."""
        tried: dict[str, list[bool]] = {}
        for row in self.rows:
            if row.result is not None:
                tried.setdefault(row.task_id, []).append(row.result.passed)
        return [(len(passed), sum(passed)) for passed in tried.values()]

    def to_dict(self) -> dict[str, Json]:
        """Return the report as plain JSON data."""
        rows = [row.to_dict() for row in self.rows]
        strangers = list(self.strangers[:MOST_STRANGERS])
        return {"env_id": self.env_id, "counts": dict(self.counts), "strangers": strangers, "rows": rows}


def junit_suite(report: Report, *, is_missing_wrong: bool = True) -> Suite:
    """Return the report as a test suite: a case for each solution, and for each task that has none.

    Args:
        report: of `verify`.
        is_missing_wrong: whether a task without a solution failed; else it is skipped.
    """
    tries = Counter(row.task_id for row in report.rows)
    return Suite(
        name=report.env_id,
        cases=[
            Case(
                classname=report.env_id.replace("/", "."),
                name=f"{row.task_id} {row.where}" if tries[row.task_id] > 1 else row.task_id,
                status=("failed" if is_missing_wrong else "absent") if row.status == "missing" else row.status,
                message=row.detail,
                text="\n".join(filter(None, [row.detail, row.where, row.explanation])),
                duration_s=row.result.duration_s if row.result else 0.0,
            )
            for row in report.rows
        ],
    )
