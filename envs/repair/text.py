"""A program that is edited by lines: how it is shown, and what an edit makes of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from palestra.envs.actions import ToolCall
from palestra.envs.base import Json

MOST_CHARS: Final = 65_536  # of a program


class EditError(ValueError):
    """An edit cannot be made; the message is for who asked for it."""


def numbered(lines: Sequence[str], first: int = 1) -> str:
    """Return lines with their numbers, of which the first is given."""
    return "\n".join(f"{number:>4}| {line}" for number, line in enumerate(lines, start=first))


def source(lines: Sequence[str]) -> str:
    """Return the program as a text."""
    return "".join(f"{line}\n" for line in lines)


def view(lines: Sequence[str], first: int = 1, last: int | None = None) -> str:
    """Return some lines, or all, as an agent is shown them.

    Raises:
        EditError: there are no such lines.
    """
    last = len(lines) if last is None else last
    if not lines and first == 1:
        return "the program is empty"
    _check(lines, first, last)
    return numbered(lines[first - 1 : last], first)


def replaced(lines: Sequence[str], first: int, last: int, text: str) -> list[str]:
    """Return a program with other lines in the place of some.

    Raises:
        EditError: there are no such lines, or the program would be too long.
    """
    _check(lines, first, last)
    return _kept([*lines[: first - 1], *_split(text), *lines[last:]])


def inserted(lines: Sequence[str], after: int, text: str) -> list[str]:
    """Return a program with lines after one of its own; 0 is before the first.

    Raises:
        EditError: there is no such line, no text, or the program would be too long.
    """
    if not 0 <= after <= len(lines):
        raise EditError(f"there is no line {after}: the program has {len(lines)}")
    if not text:
        raise EditError("no text was given to insert; an empty line is a text of one line break")
    return _kept([*lines[:after], *_split(text), *lines[after:]])


def edited(lines: Sequence[str], call: ToolCall) -> list[str]:
    """Return a program after a call of ``replace`` or ``insert``; other calls leave it as it is.

    Raises:
        EditError: the edit cannot be made.
    """
    text = str(call.arguments.get("text", ""))
    edits: Mapping[str, Callable[..., list[str]]] = {"replace": replaced, "insert": inserted}
    if (make := edits.get(call.name)) is None:
        return list(lines)
    return make(lines, **integers(call.arguments), text=text)


def integers(arguments: Mapping[str, Json]) -> Mapping[str, int]:
    """Return the line numbers among a call's arguments; JSON Schema takes 2.0 for an integer."""
    return {name: int(value) for name, value in arguments.items() if name != "text"}


def _split(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _check(lines: Sequence[str], first: int, last: int) -> None:
    if not 1 <= first <= last <= len(lines):
        raise EditError(f"there are no lines {first} to {last}: the program has {len(lines)}")


def _kept(lines: list[str]) -> list[str]:
    if (chars := sum(map(len, lines)) + len(lines)) > MOST_CHARS:
        raise EditError(f"the program would have {chars} characters; at most {MOST_CHARS} are kept")
    return lines
