"""The reference solver: hand in the input that the program was built around."""

from collections.abc import Iterator

from palestra.envs.actions import call_text
from palestra.envs.base import Task


def solve(task: Task) -> Iterator[str]:
    """Yield the actions that solve a generated task."""
    yield call_text("submit", {"input": task.hidden["witness"]})
