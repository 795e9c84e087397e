"""The reference solver: try the task's own solution on the examples, then hand it in."""

from collections.abc import Iterator

from palestra.envs.actions import call_text
from palestra.envs.base import Task


def solve(task: Task) -> Iterator[str]:
    """Yield the actions that solve a generated task."""
    code = task.hidden["solution"]
    yield call_text("run", {"code": code})
    yield call_text("submit", {"code": code})
