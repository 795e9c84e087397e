"""The reference solver: try the task's own query on the example database, then hand it in."""

from collections.abc import Iterator

from palestra.envs.actions import call_text
from palestra.envs.base import Task


def solve(task: Task) -> Iterator[str]:
    """Yield the actions that solve a generated task."""
    sql = task.hidden["solution"]
    yield call_text("query", {"sql": sql})
    yield call_text("submit", {"sql": sql})
