"""Rubrics: named criteria that score an episode, weighted and summed, with gates that nothing makes up for."""

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from palestra.rewards.base import RecordError, Trajectory, Verdict, VerifierError

Score = Callable[[Trajectory, Verdict | None], float | bool | Awaitable[float | bool]]
_WHOLE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One named thing that an episode is scored for.

    Attributes:
        name: unique in a rubric.
        score: of a trajectory and what its verifier said, from 0 to 1; may be a coroutine function, such as a judge's.
        weight: of the score in the sum; may be negative, for a penalty.
        gate: the least score with which the episode counts at all; None for no gate. A gate's weight may be 0.
    """

    name: str
    score: Score
    weight: float = 1.0
    gate: float | None = None

    def __post_init__(self) -> None:
        if not self.name or not math.isfinite(self.weight):
            raise RecordError(f"a criterion has a name and a finite weight, not {self.name!r} and {self.weight!r}")
        if self.gate is not None and not 0.0 < self.gate <= 1.0:
            raise RecordError(f"the gate of {self.name!r} is above 0 and at most 1, not {self.gate!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What a rubric said of an episode."""

    reward: float
    scores: Mapping[str, float]  # of every criterion, before weights
    parts: Mapping[str, float] = field(default_factory=dict)  # what each added; they sum to `reward`
    failed_gates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rubric:
    """Criteria, summed. Rubrics are values: `+` puts two together, `*` weighs one.

    Example::

        rubric = Rubric((Criterion(name="solved", score=lambda played, verdict: verdict.passed, gate=1.0),
                         Criterion(name="brief", score=lambda played, verdict: 1 / len(played.turns), weight=0.1)))
        rubric.grade(trajectory, verdict).reward
    """

    criteria: tuple[Criterion, ...]

    def __post_init__(self) -> None:
        names = [one.name for one in self.criteria]
        if not names or len(set(names)) != len(names):
            raise RecordError(f"a rubric has criteria with names of their own, not {names}")

    def __add__(self, other: "Rubric") -> "Rubric":
        """Return the criteria of both; a name may be in one only."""
        return Rubric((*self.criteria, *other.criteria))

    def __mul__(self, factor: float) -> "Rubric":
        """Return the rubric with all weights times `factor`; gates stay."""
        return Rubric(tuple(replace(one, weight=one.weight * factor) for one in self.criteria))

    __rmul__ = __mul__

    def grade(self, trajectory: Trajectory, verdict: Verdict | None = None) -> Graded:
        """Score an episode.

        Raises:
            VerifierError: a criterion failed or gave something else than a score from 0 to 1.
            RuntimeError: a criterion is asynchronous and an event loop is running; await `agrade` there.
        """
        return self.grade_all([(trajectory, verdict)])[0]

    def grade_all(self, played: Sequence[tuple[Trajectory, Verdict | None]]) -> list[Graded]:
        """Score episodes in their order, asynchronous criteria of all of them at once; raises as `grade`."""
        scored = [[self._begin(one, *each) for one in self.criteria] for each in played]
        if any(inspect.isawaitable(score) for row in scored for score in row):
            return asyncio.run(self._finish_all(scored))
        return [self._sum([self._checked(one, s) for one, s in zip(self.criteria, row, strict=True)]) for row in scored]

    async def agrade(self, trajectory: Trajectory, verdict: Verdict | None = None) -> Graded:
        """Score an episode under a running event loop; raises VerifierError as `grade`."""
        return (await self._finish_all([[self._begin(one, trajectory, verdict) for one in self.criteria]]))[0]

    async def _finish_all(self, scored: Sequence[Sequence[object]]) -> list[Graded]:
        return list(await asyncio.gather(*map(self._finish, scored)))

    async def _finish(self, row: Sequence[object]) -> Graded:
        found = await asyncio.gather(*(self._awaited(one, s) for one, s in zip(self.criteria, row, strict=True)))
        return self._sum(found)

    async def _awaited(self, criterion: Criterion, score: object) -> float:
        if inspect.isawaitable(score):
            try:
                score = await score
            except Exception as error:
                raise _failed(criterion, error) from error
        return self._checked(criterion, score)

    def _begin(self, criterion: Criterion, trajectory: Trajectory, verdict: Verdict | None) -> object:
        try:
            return criterion.score(trajectory, verdict)
        except Exception as error:
            raise _failed(criterion, error) from error

    def _checked(self, criterion: Criterion, score: object) -> float:
        if not isinstance(score, int | float) or not 0.0 <= score <= _WHOLE:
            raise VerifierError(f"the criterion {criterion.name!r} gave {score!r}, not a score from 0 to 1")
        return float(score)

    def _sum(self, scores: Sequence[float]) -> Graded:
        told = list(zip(self.criteria, scores, strict=True))
        failed = tuple(one.name for one, score in told if one.gate is not None and score < one.gate)
        parts = {one.name: 0.0 if failed else one.weight * score for one, score in told}
        by_name = {one.name: score for one, score in told}
        return Graded(reward=math.fsum(parts.values()), scores=by_name, parts=parts, failed_gates=failed)


def _failed(criterion: Criterion, error: Exception) -> VerifierError:
    return VerifierError(f"the criterion {criterion.name!r} failed with {type(error).__name__}: {error}")
