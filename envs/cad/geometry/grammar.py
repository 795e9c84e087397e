"""The grammar of a BREP text, as far as the kernel's parser depends on it: it never ends where lists of these do not.

Checked are the counts of all tables, and every entry of the tables of places and of shapes. What the others hold may be
wrong: the parser gives up there.
"""

import re
from typing import Final

_REAL: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s+"
_INTEGER: Final = r"\d+\s+"
_SMOOTH: Final = r"(?:C[0-9N]|G[12])\s+"
_SPANNED: Final = _REAL * 2

_HEADER: Final = re.compile(r"\s*(?:DBRep_DrawableShape\s+)?CASCADE Topology V[13],[^\n]*\n")
_TABLE: Final = re.compile(
    r"^[A-Z][A-Za-z0-9]+ +(\d+)", re.MULTILINE
)  # how many entries follow, of a line or more each
_HUGE: Final = re.compile(r"(?<![\w.+-])\d{8,}(?![\w.])")  # no count or place of a shape that is accepted
_PLACES: Final = re.compile(r"^Locations +(\d+)\s+", re.MULTILINE)
_PLACE: Final = re.compile(rf"1\s+(?:{_REAL}){{12}}|2\s+(?:[1-9]\d*\s+-?\d+\s+)*0\s+")
_SHAPES: Final = re.compile(r"^TShapes +(\d+)\s+", re.MULTILINE)
_POINT: Final = rf"{_REAL}(?:1\s+{_INTEGER * 2}|2\s+{_INTEGER * 3}|3\s+{_REAL}{_INTEGER * 2})"
_CURVE: Final = (
    rf"1\s+{_INTEGER * 2}{_SPANNED}|2\s+{_INTEGER * 3}{_SPANNED}|3\s+{_INTEGER}\d+\s*{_SMOOTH}{_INTEGER * 2}{_SPANNED}"
    rf"|4\s+{_SMOOTH}{_INTEGER * 4}|5\s+{_INTEGER * 2}|6\s+{_INTEGER * 3}|7\s+{_INTEGER * 4}"
)
_SHAPE: Final = re.compile(
    rf"(?:Ve\s+{_REAL * 4}(?:{_POINT})*0\s+0\s+|Ed\s+{_REAL}(?:[01]\s+){{3}}(?:{_CURVE})*0\s+"
    rf"|Fa\s+[01]\s+{_REAL}{_INTEGER * 2}(?:2\s+{_INTEGER})?|(?:Wi|Sh|So|CS|Co)\s+)"
    r"[01]{7}\s+(?:[-+]\d+\s+\d+\s+)*\*\s+"
)


def is_brep(brep: bytes) -> bool:
    """Say whether a text begins as the kernel's do."""
    return _HEADER.match(brep[:400].decode("latin-1")) is not None


def is_sound(brep: bytes) -> bool:
    """Say whether the parser may be given a text."""
    text = brep.decode("latin-1")
    if _HUGE.search(text) or any(int(found[1]) > text.count("\n") for found in _TABLE.finditer(text)):
        return False
    places, shapes = _PLACES.search(text), _SHAPES.search(text)
    if places is None or shapes is None or shapes.start() < places.start():
        return False
    return _has(text, places, _PLACE) and _has(text, shapes, _SHAPE)


def _has(text: str, table: re.Match[str], entry: re.Pattern[str]) -> bool:
    """Say whether a table has as many entries as it announces."""
    at = table.end()
    for _ in range(int(table[1])):
        found = entry.match(text, at)
        if found is None:
            return False
        at = found.end()
    return True
