"""Credit for siblings that are compared: by a cheap rule where it is sure, by an expensive judge where it is not.

It takes groups of trajectories and gives advantages, as every estimator of `palestra.rewards.credit` does, and knows no
trainer. What the judge owes to length is taken out of what it says.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from palestra.rewards.base import Trajectory
from palestra.rewards.credit.returns import members_by_group, spread_over_turns
from palestra.rewards.judging.base import StepJudge
from palestra.rewards.judging.length import LengthControl, Seen
from palestra.rewards.judging.responses import asked, preference, response_of, task_of
from palestra.rewards.routing import Routed, Router

# The chance that the first is better; None for no opinion.
Compare = Callable[[Trajectory, Trajectory], Awaitable[float | None]]
_REMEMBERED: Final = 4_096  # comparisons that the length control goes by


@dataclass(slots=True)
class RoutedCredit:
    """An estimator: each episode's advantage is how much more often than not it wins against its siblings.

    Example::

        credit = RoutedCredit(Router(budget=6), cheap=lambda played: played.reward, compare=by_judge(judge, votes=2))
        advantages = credit(trajectories)  # one a turn, the same for all turns of an episode
        credit.report()

    Attributes:
        router: which pairs of a group are judged; its budget is each group's.
        cheap: a rule or a reward model, in any unit; the router's temperature says how far it is trusted.
        compare: the judge.
        has_length_control: take out of the judge's answers what they owe to length, by the latest comparisons.
        calibrates: set the router's temperature after each batch by what was judged.
    """

    router: Router
    cheap: Callable[[Trajectory], float]
    compare: Compare
    has_length_control: bool = True
    calibrates: bool = False
    length: LengthControl = field(default_factory=LengthControl)
    _seen: list[Seen] = field(default_factory=list)
    _pairs: int = 0
    _abstained: int = 0
    _unsure: float = 0.0
    _groups: int = 0

    def __call__(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return one advantage a turn; 0 for an episode without siblings.

        Raises:
            ValueError: a cheap score is not finite, or the judge gave no chance.
            InfraError: the judge cannot be asked.
            RuntimeError: an event loop is running; await `credit` there.
        """
        return asyncio.run(self.credit(trajectories))

    async def credit(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return one advantage a turn under a running event loop; all groups are judged at once."""
        groups = list(members_by_group(trajectories).values())
        scores = [[float(self.cheap(trajectories[i])) for i in members] for members in groups]
        chosen = [self.router.choose(row) for row in scores]
        asking = [
            self.compare(trajectories[members[i]], trajectories[members[j]])
            for members, pairs in zip(groups, chosen, strict=True)
            for i, j in pairs
        ]
        answers = iter(await asyncio.gather(*asking))
        told = [[next(answers) for _ in pairs] for pairs in chosen]
        longer = [
            [_length(trajectories[members[i]]) - _length(trajectories[members[j]]) for i, j in pairs]
            for members, pairs in zip(groups, chosen, strict=True)
        ]
        if self.has_length_control:
            self._learn(scores, chosen, told, longer)
            told = [self._levelled(*one) for one in zip(scores, chosen, told, longer, strict=True)]
        values = [0.0] * len(trajectories)
        for members, row, pairs, said in zip(groups, scores, chosen, told, strict=True):
            routed = self.router.settle(row, pairs, said)
            self._count(routed)
            for i, value in zip(members, routed.advantages, strict=True):
                values[i] = value
        if self.calibrates:
            self.router.calibrate()
        return spread_over_turns(values, trajectories)

    def report(self) -> dict[str, float]:
        """Return metrics of all batches so far.

        ``judged_share`` and ``uncertainty`` (bits) are of all pairs, ``judge_abstained`` of those judged;
        ``judge_calls``, ``temperature``, ``agreement`` and ``calibration_error`` are the router's, ``length_weight``
        and ``prefers_longer`` those of the length control.
        """
        told = {"groups": float(self._groups), **self.router.report()}
        if self._pairs:
            told |= {"judged_share": self.router.calls / self._pairs, "uncertainty": self._unsure / self._pairs}
        if self.router.calls:
            told["judge_abstained"] = self._abstained / self.router.calls
        return told | self.length.report() if self.has_length_control else told

    def _learn(
        self,
        scores: Sequence[Sequence[float]],
        chosen: Sequence[Sequence[tuple[int, int]]],
        told: Sequence[Sequence[float | None]],
        longer: Sequence[Sequence[float]],
    ) -> None:
        for row, pairs, said, lengths in zip(scores, chosen, told, longer, strict=True):
            for (i, j), one, length in zip(pairs, said, lengths, strict=True):
                if one is not None:
                    self._seen.append(Seen(chance=one, longer=length, better=row[i] - row[j]))
        del self._seen[:-_REMEMBERED]
        self.length = LengthControl.of(self._seen)

    def _levelled(
        self,
        row: Sequence[float],
        pairs: Sequence[tuple[int, int]],
        said: Sequence[float | None],
        longer: Sequence[float],
    ) -> list[float | None]:
        return [
            None if one is None else self.length.level(one, length, row[i] - row[j])
            for (i, j), one, length in zip(pairs, said, longer, strict=True)
        ]

    def _count(self, routed: Routed) -> None:
        self._groups += 1
        self._pairs += len(routed.uncertainty)
        self._abstained += routed.abstained
        self._unsure += math.fsum(routed.uncertainty)


def by_judge(judge: StepJudge, *, rubric: Sequence[str] = (), votes: int = 1, seed: int = 0) -> Compare:
    """Return a comparison of whole episodes by a judge worded `COMPARED`, each shown first in as many votes."""

    async def compare(first: Trajectory, second: Trajectory) -> float | None:
        question = asked(task_of(first), response_of(first), response_of(second), rubric=rubric)
        return (await preference(judge, question, votes=votes, seed=seed)).chance

    return compare


def _length(played: Trajectory) -> float:
    return float(len(response_of(played)))
