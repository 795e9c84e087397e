"""The reference solver: try the input that the program was built around, then hand it in."""

from collections.abc import Iterator

from palestra.envs.actions import call_text
from palestra.envs.base import Task


def solve(task: Task) -> Iterator[str]:
    """Yield the actions that solve a generated task."""
    witness = task.hidden["witness"]
    yield call_text("run", {"input": witness})
    yield call_text("submit", {"input": witness})
