"""Judges: an opinion on how an episode went. It may lower a verdict and say why, and never raises one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from palestra.rewards.base import Check, Verdict, VerifierError

Message = Mapping[str, Any]
_ERROR_MARKS = ('"error"', "error:")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge found: 1.0 for nothing to object to, down to 0.0, and the reason."""

    score: float
    reason: str = ""


class Judge(Protocol):
    """Looks at a conversation that was verified."""

    def __call__(self, messages: Sequence[Message], verdict: Verdict) -> Judgement:
        """Return what is to be said against it."""
        ...


def tempered(verdict: Verdict, judgement: Judgement) -> Verdict:
    """Return the verdict lowered by a judgement; what it found wrong stays wrong, whatever the judge says.

    Raises:
        VerifierError: the judge's score is no number from 0 to 1.
    """
    if not (math.isfinite(judgement.score) and 0.0 <= judgement.score <= 1.0):
        raise VerifierError(f"a judgement's score must be in [0, 1], not {judgement.score!r}")
    check = Check(name="judge", passed=judgement.score == 1.0, evidence=judgement.reason)
    return replace(verdict, score=verdict.score * judgement.score, checks=(*verdict.checks, check))


class HeedsErrors:
    """The judge by rule: an error is heeded unless the same call is made again and fails in the same way.

    Once more is no fault, because some errors pass; the score is the share of errors that were heeded.
    """

    def __call__(self, messages: Sequence[Message], verdict: Verdict) -> Judgement:
        """Return the share of errors that were heeded, and what was repeated most."""
        failed = [told for told in _calls(messages) if _is_error(told[1])]
        counts = {told: failed.count(told) for told in failed}
        unheeded = sum(max(0, count - 2) for count in counts.values())
        if not unheeded:
            return Judgement(1.0)
        worst = max(counts, key=lambda told: counts[told])
        return Judgement(1.0 - unheeded / len(failed), f"{worst[0][:200]} failed alike {counts[worst]} times")


def _calls(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Return every call as text with its reply."""
    texts = {
        call["id"]: f"{call['function']['name']}({call['function']['arguments']})"
        for message in messages
        for call in message.get("tool_calls", ())
    }
    replies = [message for message in messages if message.get("role") == "tool"]
    return [(texts.get(message["tool_call_id"], ""), str(message["content"])) for message in replies]


def _is_error(reply: str) -> bool:
    return any(mark in reply[:40] for mark in _ERROR_MARKS)
