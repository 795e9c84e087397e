"""The reference solver: simulate the task's own golden module, then hand it in."""

from collections.abc import Iterator

from palestra.envs.actions import call_text
from palestra.envs.base import Task


def solve(task: Task) -> Iterator[str]:
    """Yield the actions that solve a generated task."""
    code = task.hidden["golden"]
    yield call_text("simulate", {"code": code})
    yield call_text("submit", {"code": code})
