"""Judges that read nothing: what is the least and the most that a real one can be worth."""

import random
from collections.abc import Iterable, Mapping

from palestra.rewards.judge import Judgement
from palestra.rewards.judging.base import Question, StepJudge, StepVerdict


class RandomJudge:
    """Draws a score for each candidate."""

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return what was drawn; the same for the same question and seed."""
        shown = "\n".join(candidate.action for candidate in question.candidates)
        draws = random.Random(f"{question.key}/{shown}/{seed}")
        return StepVerdict(judgements=tuple(Judgement(draws.random()) for _ in question.candidates))


class FirstJudge:
    """Prefers whatever is shown first."""

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return 1.0 for the first candidate."""
        return StepVerdict(judgements=tuple(Judgement(float(not place)) for place in range(len(question.candidates))))


class LongestJudge:
    """Prefers the longest text."""

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return each candidate's length as a share of the longest."""
        lengths = [len(candidate.action) + len(candidate.thought) for candidate in question.candidates]
        return StepVerdict(judgements=tuple(Judgement(length / (max(lengths) or 1)) for length in lengths))


class ExactJudge:
    """Knows which actions are right: the most that any judge can be worth.

    Args:
        right: of a question's `key`, the actions that are right there.
    """

    def __init__(self, right: Mapping[str, Iterable[str]]) -> None:
        self._right = {key: frozenset(actions) for key, actions in right.items()}

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return 1.0 for what is right; an abstention where nothing is known."""
        right = self._right.get(question.key)
        if right is None:
            return StepVerdict(abstention="unknown question")
        return StepVerdict(judgements=tuple(Judgement(float(one.action in right)) for one in question.candidates))


BASELINES: Mapping[str, type[StepJudge]] = {"random": RandomJudge, "first": FirstJudge, "longest": LongestJudge}
