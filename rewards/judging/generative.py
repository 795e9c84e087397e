"""A language model as a judge of steps or responses: it writes principles and justifications before it decides."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from palestra.rewards.judge import Judgement
from palestra.rewards.judging.base import Question, StepJudge, StepVerdict
from palestra.rewards.judging.fences import Nonces
from palestra.rewards.judging.prompt import REPLY_CHARS, STEPS, Malformed, Prompt, Wording, read_verdict


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said, and whether a limit of tokens ended it."""

    text: str
    is_cut: bool = False


class Unasked(ValueError):
    """A model cannot be asked this, whoever tries: it is too long for it, say."""


class Speaker(Protocol):
    """A language model, wherever it runs."""

    async def say(self, system: str, text: str, seed: int) -> Said:
        """Return what it says.

        Raises:
            Unasked: the question does not fit.
            InfraError: it cannot be asked now.
        """
        ...


class GenerativeJudge:
    """Asks a model; whatever it says that is not exactly a verdict is an abstention, and counted in `abstentions`.

    Args:
        speaker: the model.
        key: see `Nonces`.
        wording: what is asked of it: by default which of several steps is the best.
    """

    def __init__(self, speaker: Speaker, *, key: bytes | None = None, wording: Wording = STEPS) -> None:
        self._speaker, self._nonces, self._wording = speaker, Nonces(key), wording
        self.abstentions: Counter[str] = Counter()

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return the model's verdict, or an abstention.

        Raises:
            InfraError: the model cannot be asked.
        """
        prompt, said = Prompt.of(question, self._nonces, seed, self._wording), Said("")
        try:
            said = await self._speaker.say(prompt.system, prompt.text, seed)
            if said.is_cut:
                raise Malformed("cut off")
            return read_verdict(said.text, prompt)
        except (Malformed, Unasked) as error:
            self.abstentions[str(error)] += 1
            return StepVerdict(abstention=str(error), reply=said.text[:REPLY_CHARS])


class ActionsOnly:
    """A judge that is shown actions and nothing else, each written plainly.

    Other texts are worth 0: models are known to like some that say nothing, such as ":" or "Thought process:"
    (arXiv:2507.08794).

    Args:
        judge: who is asked about the actions.
        read: returns the action that a text is, without whatever was said around it; "" if it is none.
    """

    def __init__(self, judge: StepJudge, read: Callable[[str], str]) -> None:
        self._judge, self._read = judge, read

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return the judge's verdict. Where only one candidate is an action, it is the best, and nobody is asked."""
        plain = tuple(replace(one, action=self._read(one.action)) for one in question.candidates)
        places = [place for place, one in enumerate(plain) if one.action]
        verdict = StepVerdict(judgements=(Judgement(1.0, "the only action"),))
        if len(places) > 1:
            verdict = await self._judge.judge(replace(question, candidates=plain).showing(places), seed)
            if verdict.abstention:
                return verdict
        told = [Judgement(0.0, "no action")] * len(plain)
        for place, judgement in zip(places, verdict.judgements, strict=False):
            told[place] = judgement
        return StepVerdict(judgements=tuple(told), principles=verdict.principles)
