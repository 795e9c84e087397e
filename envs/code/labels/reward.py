"""A reward for each turn, by how right the lines of its program look."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from palestra.envs.base import Task
from palestra.envs.code.oracle import solution_of
from palestra.rewards.base import Trajectory
from palestra.rewards.lines import LineScorer, distinct_lines, program_score
from palestra.rewards.process import ranked

ReadPrograms = Callable[[Task, Sequence[Mapping[str, Any]]], list[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessReward:
    """A `StepReward` that ranks episodes which fail by the programs that they tried, below all that pass.

    Args:
        tasks: by id, those that the trajectories are about.
        read: returns the program after each of the agent's turns: `code_programs` or `repair_programs`.
        scorer: of a task: says how right lines look; `KnownLines` of the task's own labels, or a learnt one.
        weight: of the process, from 0 to below 1.
        passing: the least that the environment pays for an episode that passes.
    """

    tasks: Mapping[str, Task]
    read: ReadPrograms
    scorer: Callable[[Task], LineScorer]
    weight: float = 0.5
    passing: float = 1.0

    def score(self, trajectories: Sequence[Trajectory]) -> list[list[float]]:
        """Return one reward a turn, in the trajectories' order.

        Raises:
            KeyError: a trajectory is about a task that is not known.
            RecordError: the weight is out of range.
        """
        return [self._of(one) for one in trajectories]

    def _of(self, one: Trajectory) -> list[float]:
        task = self.tasks[one.task_id]
        scorer = self.scorer(task)
        programs = (*self.read(task, one.messages), *[None] * len(one.turns))[: len(one.turns)]
        needed = distinct_lines(solution_of(task))
        scores = [None if program is None else program_score(scorer, program, needed) for program in programs]
        return ranked(one.reward, scores, is_success=one.outcome.is_success, weight=self.weight, passing=self.passing)
