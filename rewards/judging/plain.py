"""The judge as it is usually written, and graders that read nothing: what a defended judge is to be compared with."""

import random
import re
from collections.abc import Mapping
from typing import Final

from palestra.rewards.judge import Judgement
from palestra.rewards.judging.base import Question, StepJudge, StepVerdict
from palestra.rewards.judging.generative import Speaker, Unasked

_SYSTEM: Final = "You are a helpful assistant that checks answers."
_TEXT: Final = """\
Given a question, a reference answer and a response, say whether the response gives the same final answer.

Question: {task}
Reference answer: {reference}
Response: {response}

Is the response right? Reply with YES or NO."""
_ANSWER: Final = re.compile(r"\W*(yes|no)\b", re.I)


class PlainGrader:
    """Asks a model for YES or NO, without fences and with texts of others as they are.

    This is the judge that master keys were found against; it is here to be measured, not to be used.

    Args:
        speaker: the model.
    """

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return 1.0 for YES and 0.0 for NO as the first word; anything else is an abstention.

        Raises:
            InfraError: the model cannot be asked.
        """
        scores = []
        for one in question.candidates:
            text = _TEXT.format(task=question.instruction, reference=question.reference, response=one.action)
            try:
                said = await self._speaker.say(_SYSTEM, text, seed)
            except Unasked as error:
                return StepVerdict(abstention=str(error))
            found = _ANSWER.match(said.text)
            if found is None:
                return StepVerdict(abstention="neither yes nor no", reply=said.text)
            scores.append(Judgement(float(found[1].lower() == "yes")))
        return StepVerdict(judgements=tuple(scores))


class YesGrader:
    """Says that everything is right."""

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return 1.0 for all."""
        return StepVerdict(judgements=(Judgement(1.0),) * len(question.candidates))


class CoinGrader:
    """Tosses a coin for each response."""

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return what was tossed; the same for the same question and seed."""
        draws = [random.Random(f"{question.key}/{one.action}/{seed}") for one in question.candidates]
        return StepVerdict(judgements=tuple(Judgement(float(draw.random() < 0.5)) for draw in draws))


class ContainsGrader:
    """Says that a response is right if the reference stands in it as a word of its own."""

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return 1.0 where it does; an abstention where there is no reference."""
        if not question.reference:
            return StepVerdict(abstention="no reference")
        form = re.compile(rf"(?<!\w){re.escape(question.reference)}(?!\w)", re.I)
        return StepVerdict(
            judgements=tuple(Judgement(float(bool(form.search(one.action)))) for one in question.candidates)
        )


GRADERS: Mapping[str, type[StepJudge]] = {"yes": YesGrader, "coin": CoinGrader, "contains": ContainsGrader}
