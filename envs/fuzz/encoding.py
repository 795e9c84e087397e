"""Inputs as text: printable ASCII stands for itself, other bytes are written as in a string of C or Python."""

import re
from typing import Final

HOW: Final = (
    r"printable ASCII characters stand for themselves, any byte may be written \xHH, and \n, \r, \t, \0, \\ are "
    "understood; a line break at the very end does not count"
)
_NAMED: Final = {"n": 10, "r": 13, "t": 9, "0": 0, "\\": 92}
_LONGEST_ESCAPE: Final = 4  # characters for one byte
_PART: Final = re.compile(r"\\x([0-9a-fA-F]{2})|\\([nrt0\\])|([^\\])", re.DOTALL)
_ASCII: Final = 127


class InputError(ValueError):
    """A text is no input; the message says where and how to write it."""


def decode(text: str, most: int) -> bytes:
    """Return the bytes that a text stands for.

    Raises:
        InputError: it has an unknown escape, a character that is not ASCII, or more than `most` bytes.
    """
    text = text.removesuffix("\n").removesuffix("\r")
    if len(text) > _LONGEST_ESCAPE * most:
        raise InputError(f"the input is too long: {len(text)} characters; at most {most} bytes are read")
    data, place = bytearray(), 0
    while place < len(text):
        found = _PART.match(text, place)
        if found is None:
            raise InputError(f"unknown escape {text[place : place + 4]!a} at character {place}; {HOW}")
        if found[3] is not None and ord(found[3]) > _ASCII:
            raise InputError(f"the character {found[3]!a} at {place} is not ASCII; write its bytes as \\xHH")
        data.append(int(found[1], 16) if found[1] else _NAMED[found[2]] if found[2] else ord(found[3]))
        place = found.end()
    if len(data) > most:
        raise InputError(f"the input is too long: {len(data)} bytes; at most {most} are read")
    return bytes(data)


def encode(data: bytes) -> str:
    """Return the shortest text that stands for these bytes."""
    return "".join(_written(byte) for byte in data)


def encode_all(data: bytes) -> str:
    """Return a text that stands for these bytes in which every byte is an escape."""
    return "".join(f"\\x{byte:02x}" for byte in data)


def _written(byte: int) -> str:
    if byte == _NAMED["\\"]:
        return "\\\\"
    return chr(byte) if 32 <= byte < _ASCII else f"\\x{byte:02x}"
