"""What is printed: text made safe for a terminal, consoles, and one JSON object."""

import json
import sys
import unicodedata

from rich.console import Console

from palestra.envs.base import Json


def printable(text: str) -> str:
    """Return the text with control characters spelled out, so that no agent or tool drives the terminal."""
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs") else ascii(c)[1:-1] for c in text)


def console(*, stderr: bool = False) -> Console:
    """Return a console that prints text as it is: no markup is read from it and nothing is cut."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_json(value: Json) -> None:
    """Print one JSON object on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, indent=2, allow_nan=False) + "\n")
