"""When a text without a call is a command."""

import re

_BLOCK = re.compile(r"^```[ \t]*(\w*)[ \t]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
_SHELLS = ("", "bash", "sh", "shell", "console", "terminal")


def command_of(text: str) -> str | None:
    """Return the command that a text is: what its one fenced block of shell holds, or a line after "$ ".

    Prose is none, however much it looks like one: running it would do what nobody has asked for.
    """
    blocks = [body for language, body in _BLOCK.findall(text) if language.lower() in _SHELLS]
    if blocks:
        return _unprompted(blocks[0]) if len(blocks) == 1 else None
    return _unprompted(text) if text.startswith("$ ") else None


def _unprompted(text: str) -> str:
    """Return a text without the prompt that it begins with, if it does."""
    return text.removeprefix("$ ").strip("\n")
