"""What programs a conversation about a repair task led to: its edits are made again, without running anything."""

from collections.abc import Mapping, Sequence
from typing import Any

from palestra.envs.actions import parse_action
from palestra.envs.base import Task
from palestra.envs.repair.text import EditError, edited, source
from palestra.envs.submission import SUBMIT


def repair_programs(task: Task, messages: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Return, for each of the agent's turns, the program as it was after the turn; None if no call was made in it."""
    lines = task.public["program"].splitlines()
    programs: list[str | None] = []
    for message in messages:
        if message.get("role") != "assistant":
            continue
        calls = parse_action(message, task.tools).calls
        for call in calls:
            if call.name == SUBMIT:
                break
            try:
                lines = edited(lines, call)
            except EditError:
                continue  # which the agent was told
        programs.append(source(lines) if calls else None)
    return programs
