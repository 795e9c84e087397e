"""`SubmissionEnv`: tasks that one text solves, which is tried as often as turns allow and handed in once."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Final

from palestra.envs.actions import Action, ToolCall
from palestra.envs.base import Task
from palestra.envs.env import AgentEnv, StepResult
from palestra.rewards.base import Check, Verdict

SUBMIT: Final = "submit"
MOST_CALLS: Final = 4  # carried out in one turn
TOO_MANY: Final = f"error: not done; at most {MOST_CALLS} calls are carried out in one turn"
ENDED: Final = "error: not done; the episode is over"


class SubmissionEnv(AgentEnv):
    """What families share whose tasks a program, a query, a module or an input solves (`palestra.envs.base.Judging`).

    The tool `submit` hands a text in and ends the episode; every other tool is a way to try. Calls of one turn are
    carried out in their order, and what comes after a `submit` is not.
    """

    no_call: ClassVar[str]  # the answer to an action without a call
    submits: ClassVar[str] = ""  # the argument of `submit` that is handed in, if it has one
    told: ClassVar[tuple[str, str]]  # the answer to a text that is right, and to one that is wrong

    @abstractmethod
    def artefact(self, task: Task) -> str:
        """Return the usual name of a file that holds a solution of the task."""

    @abstractmethod
    def judge(self, task: Task, text: str) -> Verdict:
        """Return the verdict that handing in the text would get in an episode of the task."""

    @abstractmethod
    def explain(self, task: Task, check: Check) -> str:
        """Return what a task's owner is told of a failed check; never to be shown to an agent."""

    @abstractmethod
    def _try(self, call: ToolCall) -> str:
        """Carry out a call that hands nothing in, and return what the agent is told."""

    def _pay(self, text: str, verdict: Verdict) -> Mapping[str, float]:
        """Return what handing in a text is paid; families with rewards of their own override it."""
        return {"outcome": float(verdict.passed)}

    def _tell(self, verdict: Verdict) -> str:
        """Return what the agent is told of what it handed in."""
        return self.told[0] if verdict.passed else self.told[1]

    def _handed_in(self, call: ToolCall) -> str:
        """Return the text that a call of `submit` hands in; families that keep it in their state override it."""
        return str(call.arguments[self.submits])

    def _is_costly(self, call: ToolCall) -> bool:
        """Whether a call is one of the few that are carried out in a turn."""
        return True

    def _act(self, action: Action) -> StepResult:
        if not action.calls:
            return StepResult(replies=(self.no_call,))
        replies: list[str] = []
        left = MOST_CALLS
        for call in action.calls:
            left -= self._is_costly(call)
            if left < 0:
                replies.append(TOO_MANY)
            elif call.name == SUBMIT:
                return self._end(self._handed_in(call), replies, len(action.calls))
            else:
                replies.append(self._try(call))
        return StepResult(replies=tuple(replies))

    def _end(self, text: str, replies: list[str], calls: int) -> StepResult:
        verdict = self.judge(self.task, text)
        return StepResult(
            replies=(*replies, self._tell(verdict), *[ENDED] * (calls - len(replies) - 1)),
            parts=self._pay(text, verdict),
            done=True,
            is_success=verdict.passed,
        )
