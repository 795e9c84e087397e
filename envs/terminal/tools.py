"""What can be called in a terminal, and what an episode may use."""

from dataclasses import dataclass
from typing import Any, Final, Self

from palestra.envs.actions import function_tool
from palestra.envs.base import Json, Task, TaskError
from palestra.envs.terminal.keys import HANGUP, KEYS

USUAL_S: Final = 10  # how long a command is waited for if nobody says otherwise

TOOLS: Final[tuple[dict[str, Json], ...]] = (
    function_tool(
        "bash",
        "Run a command in your shell, which keeps its folder, variables and functions. You see what its terminal "
        "shows, stdout and stderr in one. A command that takes longer goes on: call bash with an empty command to "
        "wait for it. Instead of a call you may write the command in one ```bash block, or as a line that begins "
        'with "$ "; any other text runs nothing.',
        {
            "command": {"type": "string", "description": "one line or several; empty: wait for what is running"},
            "timeout_s": {
                "type": "integer",
                "minimum": 1,
                "maximum": 600,
                "description": f"seconds to wait for it, {USUAL_S} if not told",
            },
        },
        ["command"],
    ),
    function_tool(
        "write_file",
        "Create or replace a file, with the folders on its way. A relative path begins at your shell's folder.",
        {"path": {"type": "string"}, "content": {"type": "string"}},
    ),
    function_tool(
        "send_keys",
        "Type into the program that is running. Each item is a key by its name or a text to type as it is; "
        f"names: C-a to C-z, {', '.join(KEYS)}. {HANGUP} alone closes the terminal and opens another, with a new "
        "shell, where nothing else helps.",
        {"keys": {"type": "array", "items": {"type": "string"}, "description": 'such as ["print(1)", "Enter"]'}},
    ),
    function_tool("done", "Say that the task is done. What is there then is judged, and the episode ends.", {}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one episode may use besides turns."""

    seconds: int = 300  # of waiting for commands
    output_chars: int = 200_000  # shown
    command_s: int = 120  # the longest that one command is waited for at a time

    @classmethod
    def of(cls, task: Task) -> Self:
        """Return what a task's public limits say, where they say something.

        Raises:
            TaskError: a limit is unknown, or no positive integer.
        """
        told: Any = task.public.get("limits", {})
        for name, value in told.items():
            if name not in cls.__dataclass_fields__ or type(value) is not int or value < 1:
                known = ", ".join(cls.__dataclass_fields__)
                raise TaskError(f"the limits of {task.id!r} are positive integers ({known}), not {name}={value!r}")
        return cls(**told)
