"""A language model as a judge of steps: it writes principles and justifications before it decides."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from palestra.rewards.judge import Judgement
from palestra.rewards.judging.base import Question, StepVerdict
from palestra.rewards.judging.fences import Nonces
from palestra.rewards.judging.prompt import REPLY_CHARS, Malformed, Prompt, read_verdict


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
        read: returns an action as it is to be shown, without what was said around it, and "" for what is none. That is
            worth 0 and not shown: models are known to like texts such as ":" or "Thought process:" (arXiv:2507.08794).
            By default every text is shown as it is.
        key: see `Nonces`.
    """

    def __init__(self, speaker: Speaker, *, read: Callable[[str], str] | None = None, key: bytes | None = None) -> None:
        self._speaker, self._read, self._nonces = speaker, read, Nonces(key)
        self.abstentions: Counter[str] = Counter()

    async def judge(self, question: Question, seed: int = 0) -> StepVerdict:
        """Return the model's verdict. Where only one candidate is an action, it is the best, and nobody is asked.

        Raises:
            InfraError: the model cannot be asked.
        """
        if self._read is not None:
            shown = tuple(replace(one, action=self._read(one.action)) for one in question.candidates)
            question = replace(question, candidates=shown)
        is_shown = [bool(one.action) or self._read is None for one in question.candidates]
        places = [place for place, so in enumerate(is_shown) if so]
        if len(places) > 1:
            verdict = await self._asked(question.showing(places), seed)
            if verdict.abstention:
                return verdict
        else:
            verdict = StepVerdict(judgements=(Judgement(1.0, "the only action"),))
        told = [Judgement(0.0, "no action")] * len(is_shown)
        for place, judgement in zip(places, verdict.judgements, strict=False):
            told[place] = judgement
        return StepVerdict(judgements=tuple(told), principles=verdict.principles)

    async def _asked(self, question: Question, seed: int) -> StepVerdict:
        prompt, said = Prompt.of(question, self._nonces, seed), Said("")
        try:
            said = await self._speaker.say(prompt.system, prompt.text, seed)
            if said.is_cut:
                raise Malformed("cut off")
            return read_verdict(said.text, prompt)
        except (Malformed, Unasked) as error:
            self.abstentions[str(error)] += 1
            return StepVerdict(abstention=str(error), reply=said.text[:REPLY_CHARS])
