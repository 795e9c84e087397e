"""The reference solver: undo each fault by one edit, and hand the program in."""

from collections.abc import Iterator, Sequence

from palestra.envs.actions import call_text
from palestra.envs.base import Task
from palestra.envs.code.hunks import Hunk, hunks


def solve(task: Task) -> Iterator[str]:
    """Yield the actions that mend a task's program: the lowest lines first, so that numbers stay what they are."""
    faulty, reference = task.public["program"].splitlines(), task.hidden["oracle"].splitlines()
    for hunk in reversed(hunks(faulty, reference)):
        yield edit(hunk, faulty)
    yield call_text("submit", {})


def edit(hunk: Hunk, lines: Sequence[str]) -> str:
    """Return the call that puts a hunk into a program; what is only added comes with the line before it, or after."""
    first, last, new = hunk.first + 1, hunk.end, [*hunk.new]
    if first > last:
        first = last = max(1, last)
        new = [lines[first - 1], *new] if hunk.first else [*new, lines[first - 1]]
    text = "\n".join(new) + ("\n" if new and not new[-1] else "")  # a last line that is empty
    return call_text("replace", {"first": first, "last": last, "text": text})
