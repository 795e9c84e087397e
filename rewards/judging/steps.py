"""A judge of steps as a reward of turns."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from palestra.rewards.base import RecordError, Trajectory
from palestra.rewards.judging.base import Question, StepJudge, StepVerdict

Asked = Callable[[Trajectory, int], Question | None]


@dataclass(slots=True, kw_only=True)
class JudgedReward:
    """A `StepReward` that asks a judge about every turn.

    A turn is paid ``2 * score - 1``, and 0 where the judge abstains or nothing is asked. What siblings did in one
    state is asked as one question, each action once, because judges compare better than they rate.

    The judge reads what agents wrote, so its opinion can be flattered: put `palestra.rewards.combine.clipped` or
    `palestra.rewards.process.ranked` behind it, and watch it with `HackingWatch`.

    Attributes:
        judge: such as a `Panel` of a `GenerativeJudge`.
        ask: of a trajectory and the number of a turn, the question whose one candidate is what was done; None for none.
        concurrency: questions in work at one time.
        seed: of whatever the judge draws.
        asked: questions so far.
        abstained: how many of them had no verdict.
    """

    judge: StepJudge
    ask: Asked
    concurrency: int = 8
    seed: int = 0
    asked: int = 0
    abstained: int = 0

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return one reward a turn, in [-1, 1]; for code in which no event loop runs.

        Raises:
            InfraError: the judge could not be asked.
            RecordError: a question has not one candidate.
        """
        return asyncio.run(self.scored(trajectories))

    async def scored(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return the same as `score`, within an event loop."""
        scores = [[0.0] * len(one.turns) for one in trajectories]
        together: dict[tuple[str, str, str], list[tuple[int, int, Question]]] = {}
        for place, one in enumerate(trajectories):
            for number in range(len(one.turns)):
                if (question := self.ask(one, number)) is not None:
                    if len(question.candidates) != 1:
                        raise RecordError(f"a turn is one candidate, not {len(question.candidates)}")
                    together.setdefault((one.env_id, one.group, question.key), []).append((place, number, question))
        gate = asyncio.Semaphore(self.concurrency)

        async def one_of(some: list[tuple[int, int, Question]]) -> None:
            distinct = tuple(dict.fromkeys(question.candidates[0] for *_, question in some))
            async with gate:
                verdict = await self.judge.judge(replace(some[0][2], candidates=distinct), self.seed)
            self._note(verdict)
            if not verdict.abstention:
                worth = dict(zip(distinct, verdict.scores, strict=True))
                for place, number, question in some:
                    scores[place][number] = 2.0 * worth[question.candidates[0]] - 1.0

        async with asyncio.TaskGroup() as tasks:
            for some in together.values():
                tasks.create_task(one_of(some))
        return scores

    def _note(self, verdict: StepVerdict) -> None:
        self.asked += 1
        self.abstained += bool(verdict.abstention)
