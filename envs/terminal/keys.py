"""Keys by their names, as the terminal sends them."""

import re
from collections.abc import Sequence
from typing import Final

KEYS: Final = {
    "Enter": b"\r",
    "Tab": b"\t",
    "Escape": b"\x1b",
    "Backspace": b"\x7f",
    "Delete": b"\x1b[3~",
    "Up": b"\x1b[A",
    "Down": b"\x1b[B",
    "Right": b"\x1b[C",
    "Left": b"\x1b[D",
    "Home": b"\x1b[H",
    "End": b"\x1b[F",
    "PageUp": b"\x1b[5~",
    "PageDown": b"\x1b[6~",
}
HANGUP: Final = "Hangup"  # no key, but what closing a terminal's window does
_CONTROL = re.compile(r"C-([a-zA-Z\\\]^_@\[])")


def typed(keys: Sequence[str]) -> bytes:
    """Return the bytes of keys: names as named, anything else letter for letter.

    Raises:
        ValueError: a text cannot be written as UTF-8.
    """
    return b"".join(_one(key) for key in keys)


def _one(key: str) -> bytes:
    if key in KEYS:
        return KEYS[key]
    if found := _CONTROL.fullmatch(key):
        return bytes([ord(found[1].upper()) & 0x1F])
    return key.encode()
