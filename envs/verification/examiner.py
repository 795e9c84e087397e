"""What a task's certificate asks first, a question at a time: the oracle solves it, and no cheat earns anything."""

from functools import cached_property
from typing import Final

from palestra.envs.base import Task, TaskError, derive_seed
from palestra.envs.certify.declared import declared
from palestra.envs.certify.findings import CheckResult, Finding, ask
from palestra.envs.certify.oracle import Recording, solvable
from palestra.envs.certify.panel import NEGATIVES
from palestra.envs.certify.task import earns_nothing
from palestra.envs.env import AgentEnv
from palestra.envs.registry import EnvEntry, make

ORACLE: Final = "oracle"
ATTACK: Final = "attack:"  # before the name of one of the family's own
TRIES: Final = 2  # of a question that a fault kept from an answer


class Examiner:
    """Asks about tasks of one environment; for one thread.

    Args:
        entry: the registered environment, which is made when the first question is asked.

    Raises:
        Exception: whatever importing the family's attacks raises.
    """

    def __init__(self, entry: EnvEntry) -> None:
        self.entry = entry
        self._declared = declared(entry)
        self._known: Recording | None = None  # of the task that was asked about last

    @property
    def questions(self) -> tuple[str, ...]:
        """The names of all questions: the oracle, the general panel, the family's attacks."""
        return (ORACLE, *NEGATIVES, *(f"{ATTACK}{name}" for name in self._declared.attacks))

    def ask(self, task: Task, question: str) -> CheckResult:
        """Return the answer to a question about a task.

        Raises:
            TaskError: there is no such question.
        """
        if question not in self.questions:
            raise TaskError(f"unknown question {question!r}; known: {', '.join(self.questions)}")
        result = ask(question, lambda: self._answer(task, question))
        for _ in range(TRIES - 1):
            if result.status == "fault":
                result = ask(question, lambda: self._answer(task, question))
        return result

    def close(self) -> None:
        """Give back what the environment holds; it is not used again."""
        if "_env" in self.__dict__:
            self._env.close()

    @cached_property
    def _env(self) -> AgentEnv:
        return make(self.entry.id, render_mode="ansi")

    def _answer(self, task: Task, question: str) -> Finding:
        if question == ORACLE:
            finding, self._known = solvable(self._env, task, _seed(task))
            return finding
        name, family = question.removeprefix(ATTACK), self._declared
        script, floor = (
            (NEGATIVES[name], family.floors.get(name, 0.0)) if name == question else (family.attacks[name], 0.0)
        )
        return earns_nothing(self._recording(task), script, floor)

    def _recording(self, task: Task) -> Recording:
        if self._known is None or self._known.task is not task:
            self._known = Recording.of(self._env, task, _seed(task))
        return self._known


def _seed(task: Task) -> int:
    """Return the seed that certificates play the task's scripts with."""
    return derive_seed("certify", task.digest, 0, "scripts") % 2**31
