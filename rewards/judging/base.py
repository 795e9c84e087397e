"""What a judge of steps is asked, what it answers, and several of its answers as one.

A judge compares candidates in the order in which they are shown. Whoever uses one for something that matters asks it in
several orders, as `Panel` does, because judges that are models prefer places.
"""

import hashlib
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from palestra.rewards.base import VerifierError
from palestra.rewards.judge import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An action that might come next, and what its author thought, if that is to be judged as well."""

    action: str
    thought: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which of these is the best next step? All of it is text of others, and hostile.

    Attributes:
        instruction: what the agent was asked to do.
        state: what it is shown.
        history: what it did before, the latest last.
        rubric: what is asked of a good one, where somebody has written it down.
        reference: an answer that is known to be right, if there is one.
        candidates: what it might do next.
    """

    instruction: str
    state: str
    history: tuple[str, ...] = ()
    rubric: tuple[str, ...] = ()
    reference: str = ""
    candidates: tuple[Candidate, ...]

    def __post_init__(self) -> None:
        if not self.candidates:
            raise ValueError("a question has at least one candidate")

    def showing(self, places: Sequence[int]) -> "Question":
        """Return the question with only the candidates at some places, in this order."""
        return replace(self, candidates=tuple(self.candidates[place] for place in places))

    @property
    def key(self) -> str:
        """The sha256, in hex, of everything but the candidates."""
        told = (self.instruction, self.state, self.history, self.rubric, self.reference)
        return hashlib.sha256(repr(told).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepVerdict:
    """What a judge says of a question.

    Attributes:
        judgements: of each candidate, in the question's order: a score in [0, 1] and the justification; none at all
            where the judge abstains.
        principles: what it said that a good step of this task does.
        abstention: why it abstains; "" if it does not.
        reply: what a model said that was no verdict.
    """

    judgements: tuple[Judgement, ...] = ()
    principles: tuple[str, ...] = ()
    abstention: str = ""
    reply: str = ""

    def __post_init__(self) -> None:
        if bool(self.judgements) == bool(self.abstention):
            raise VerifierError("a verdict has either judgements or a reason to abstain")
        for score in self.scores:
            if not (math.isfinite(score) and 0.0 <= score <= 1.0):
                raise VerifierError(f"a judgement's score must be in [0, 1], not {score!r}")

    @property
    def scores(self) -> tuple[float, ...]:
        """The score of each candidate."""
        return tuple(judgement.score for judgement in self.judgements)

    @property
    def best(self) -> int | None:
        """The place of the candidate that is rated above all others; None if there is none such."""
        top = [place for place, score in enumerate(self.scores) if score == max(self.scores)]
        return top[0] if len(top) == 1 else None


class StepJudge(Protocol):
    """Compares actions that might come next. It gives no reward by itself and knows no environment."""

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return the verdict; what is no verdict is an abstention.

        Args:
            question: what might be done; the candidates are shown in this order.
            seed: of whatever the judge draws.

        Raises:
            InfraError: the judge could not be asked. That is no opinion about anybody.
        """
        ...


class Panel:
    """A judge asked several times, and the mean of what it said.

    It abstains where fewer than half of the votes say anything.

    Args:
        judge: who votes.
        votes: how often.
        shuffles: show the candidates in a drawn order and the next time in the reverse of it, so that an even number
            of votes shows each pair both ways equally often. Otherwise all votes see the question's own order.
    """

    def __init__(self, judge: StepJudge, votes: int, *, shuffles: bool = True) -> None:
        if votes < 1:
            raise ValueError(f"there must be at least 1 vote, not {votes!r}")
        self._judge, self._votes, self._shuffles = judge, votes, shuffles

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return the mean of the votes."""
        said: list[StepVerdict] = []
        for number, order in enumerate(self._orders(len(question.candidates), seed)):
            shown = question.showing(order)
            vote = await self._judge.judge(shown, seed + number)
            said.append(_back(vote, order))
        heard = [vote for vote in said if not vote.abstention]
        if 2 * len(heard) < len(said):
            return next(vote for vote in said if vote.abstention)
        return StepVerdict(
            judgements=tuple(map(_mean, zip(*(vote.judgements for vote in heard), strict=True))),
            principles=tuple(dict.fromkeys(text for vote in heard for text in vote.principles)),
        )

    def _orders(self, count: int, seed: int) -> list[list[int]]:
        orders: list[list[int]] = []
        for number in range(self._votes):
            order = list(range(count))
            if self._shuffles and number % 2:
                order = orders[-1][::-1]
            elif self._shuffles:
                random.Random(f"order/{seed}/{number}").shuffle(order)
            orders.append(order)
        return orders


def _back(vote: StepVerdict, order: Sequence[int]) -> StepVerdict:
    """Return a vote with its judgements in the question's own order."""
    if vote.abstention:
        return vote
    told = dict(zip(order, vote.judgements, strict=True))
    return StepVerdict(judgements=tuple(told[place] for place in sorted(told)), principles=vote.principles)


def _mean(judgements: Sequence[Judgement]) -> Judgement:
    score = math.fsum(one.score for one in judgements) / len(judgements)
    return Judgement(min(1.0, score), "\n".join(dict.fromkeys(one.reason for one in judgements if one.reason)))
