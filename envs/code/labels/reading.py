"""What programs a conversation about a programming task led to."""

from collections.abc import Mapping, Sequence
from typing import Any

from palestra.envs.actions import parse_action
from palestra.envs.base import Task
from palestra.envs.submission import MOST_CALLS, SUBMIT


def code_programs(task: Task, messages: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Return, for each of the agent's turns, the last program that it ran or handed in; None if there was none."""
    programs: list[str | None] = []
    for message in messages:
        if message.get("role") != "assistant":
            continue
        found = None
        for call in parse_action(message, task.tools).calls[:MOST_CALLS]:
            found = str(call.arguments["code"])
            if call.name == SUBMIT:
                break
        programs.append(found)
    return programs
