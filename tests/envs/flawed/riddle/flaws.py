"""The riddle with one rule broken: what its verifier takes for an answer."""

import re
from random import Random
from typing import Any

from tests.envs.flawed.corpus import caught_by
from tests.envs.flawed.riddle.env import Riddle, RiddleTasks

from palestra.envs.actions import Action
from palestra.envs.base import Task
from palestra.envs.env import StepResult


@caught_by("mutants", "fuzz")
class Substring(Riddle):
    """The answer may stand anywhere in the reply."""

    def wins(self, reply: str, answer: str) -> bool:
        return answer in reply


@caught_by("mutants", "fuzz")
class Prefix(Riddle):
    """Only the first letters are compared."""

    def wins(self, reply: str, answer: str) -> bool:
        return reply[: len(answer)] == answer


@caught_by("mutants", "fuzz")
class PartOfTheAnswer(Riddle):
    """A reply is right if it stands in the answer; the empty one does."""

    def wins(self, reply: str, answer: str) -> bool:
        return reply.strip() in answer


@caught_by("mutants")
class CaseIgnored(Riddle):
    """Large and small letters are the same, which the riddle is about."""

    def wins(self, reply: str, answer: str) -> bool:
        return reply.strip().casefold() == answer.casefold()


@caught_by("attack:as it stands")
class OrderIgnored(Riddle):
    """The letters count, and their order does not."""

    def wins(self, reply: str, answer: str) -> bool:
        return sorted(reply) == sorted(answer)


@caught_by("hostile", "fuzz")
class ReplyIsAPattern(Riddle):
    """The reply is used as a pattern."""

    def wins(self, reply: str, answer: str) -> bool:
        return reply.strip() == answer or re.fullmatch(reply[:10], answer) is not None


@caught_by("fuzz")
class SurrogatesRaise(Riddle):
    """The reply is written as bytes, which half of a character cannot be."""

    def wins(self, reply: str, answer: str) -> bool:
        return reply.encode().decode().strip() == answer


@caught_by("fuzz")
class DigitsRaise(Riddle):
    """A reply of digits is made a number, however long it is."""

    def wins(self, reply: str, answer: str) -> bool:
        return (int(reply) if reply.isdigit() else reply.strip()) == answer


@caught_by("huge", "fuzz")
class LengthWins(Riddle):
    """A reply that is too long to be read is taken for right."""

    def wins(self, reply: str, answer: str) -> bool:
        return len(reply) > 60_000 or reply.strip() == answer


class _TellingTasks(RiddleTasks):
    def words(self, word: str, answer: str) -> str:
        return f"Put the letters of {word} in order, such as {answer}"


@caught_by("attack:last word", "random")
class AnswerInTheInstruction(Riddle):
    """The instruction ends with the answer."""

    source = _TellingTasks


@caught_by("random", "rewards", "nop")
class TellsAndGoesOn(Riddle):
    """A wrong reply is answered with the right one, and the episode goes on."""

    def _act(self, action: Action) -> StepResult:
        result = super()._act(action)
        told = f"wrong, it is {self.task.hidden['answer']}"
        return result if result.is_success else StepResult(replies=(told,))


class _EasyTasks(RiddleTasks):
    def make(self, seed: int, draw: Random) -> Task:
        task = super().make(seed, draw)
        return Task(id=task.id, family="riddle", seed=seed, instruction=task.instruction, hidden={"answer": ""})


@caught_by("nop", "empty", "mutants", "rewards")
class EmptyAnswer(Riddle):
    """The answer of every riddle is the empty one."""

    source = _EasyTasks


@caught_by("leaks")
class HintInInfo(Riddle):
    """Info tells the last letter of the answer."""

    def _info(self, parts: Any, error: str) -> dict[str, Any]:
        return {**super()._info(parts, error), "hint": self.task.hidden["answer"][-1:]}
