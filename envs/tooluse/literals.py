"""What a request says outright: which values of a world, or of its columns' kinds, stand in its words."""

import re

from palestra.envs.base import Json
from palestra.envs.tooluse.schema import ID
from palestra.envs.tooluse.world import Base

COMPARING = re.compile(
    r"\b(latest|earliest|last|first|highest|lowest|most|fewest|largest|smallest|newest|oldest|cheapest)\b", re.I
)
MOMENTS = {
    "date": re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)"),
    "time": re.compile(r"(?<!\d)\d\d:\d\d(?!\d)"),
}
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-]|\.\d)")


def literals(base: Base, text: str) -> dict[tuple[str, str], tuple[Json, ...]]:
    """Return the values that stand in a text, in order, by the (table, column) that holds them; ids under "id"."""
    folded, amounts = plain(text), numbers(text)
    found: dict[tuple[str, str], set[Json]] = {}
    for table in base.domain.tables:
        rows = base.rows[table.name]
        found[table.name, ID] = {id_ for id_ in rows if id_ in text and occurs_plainly(id_, text)}
        for column in table.columns:
            if column.ref or column.type == "boolean":
                continue
            name = column.name
            if column.enum:
                said: set[Json] = {value for value in column.enum if occurs_plainly(plain(value), folded)}
            elif column.type == "string":
                held = {row[name] for row in rows.values() if row[name] is not None and row[name] in text}
                said = {value for value in held if occurs_plainly(value, text)}
            else:
                said = {row[name] for row in rows.values() if row[name] in amounts}
            found[table.name, name] = said
    return {place: tuple(sorted(said)) for place, said in found.items() if said}


def numbers(text: str) -> set[float]:
    """Return the numbers that stand in a text."""
    return {float(one) for one in _NUMBER.findall(text)}


def plain(text: str) -> str:
    """Return a text with its case and underscores evened out, ids kept whole."""
    return re.sub(r"(?<=[a-z])_(?=[a-z])", " ", text.casefold())


def occurs_plainly(value: str, text: str) -> bool:
    """Tell whether a value stands in a text as whole words, both `plain`."""
    at = text.find(value)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(value) : at + len(value) + 1]
        if not (before.isalnum() and value[:1].isalnum()) and not (after.isalnum() and value[-1:].isalnum()):
            return True
        at = text.find(value, at + 1)
    return False


def occurs(value: Json, text: str) -> bool:
    """Tell whether a value stands in a text: a text as whole words, whatever its case, or a number."""
    if isinstance(value, str):
        return bool(value.strip()) and occurs_plainly(plain(value), plain(text))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) in numbers(text)
    return False


def is_singled_out(reply: Json, row: int, text: str) -> bool:
    """Tell whether a text says which row of a listing is meant.

    It does where there is no other, where it tells something that only this row shows, or where it compares rows,
    all of which are shown, and this one has the most or least of something.
    """
    rows = reply["results"]
    shown, others = rows[row], [other for at, other in enumerate(rows) if at != row]
    if reply["total"] == 1 or occurs(shown[ID], text):
        return True
    if reply["total"] > len(rows):
        return False
    for key, value in shown.items():
        held = [other[key] for other in others]
        if value is None or isinstance(value, bool):
            continue
        if value not in held and occurs(value, text):
            return True
        if COMPARING.search(text) and None not in held and (value > max(held) or value < min(held)):
            return True
    return False
