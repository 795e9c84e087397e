"""English for rows, columns and values, from what a domain declares of them."""

import re

from palestra.envs.base import Json
from palestra.envs.tooluse.schema import Column, Domain, Table

_PARTICIPLES = frozenset(
    {"made", "sent", "born", "paid", "taken", "begun", "bought", "sold", "left", "held", "written"}
)
_PARTICIPLES |= {"seen", "set", "given", "lent", "drawn"}
_PREPOSITIONS = {"city": "in", "home_city": "from", "country": "in", "place": "in", "origin": "from"}
_PREPOSITIONS |= {"destination": "to", "room": "in", "station": "at", "workshop": "at"}
_NAMES = {"email": "e-mail address", "sku": "SKU", "used_kb": "space used in kB"}
_SHORT = {"no": "number", "kb": "in kB", "mb": "in MB", "km": "in km"}


def spoken(name: str) -> str:
    """Return a declared name as words: ``shipping_fee`` is "shipping fee"."""
    if name in _NAMES:
        return _NAMES[name]
    words = name.replace("_", " ")
    for short, long in _SHORT.items():
        words = words.replace(f" {short}", f" {long}") if words.endswith(f" {short}") else words
    return words


def said(value: Json) -> str:
    """Return a value as a request says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}".removesuffix(".00") if round(value, 2) == value else repr(value)
    return str(value)


def by_id(table: Table, id_: str) -> str:
    """Return how a row is named by its id."""
    return f"{table.noun} {id_}"


def role(column: Column) -> str:
    """Return what a reference calls the row that it leads to: ``assignee_id`` is "assignee"."""
    return spoken(column.name.removesuffix("_id"))


def noun(column: Column) -> str:
    """Return what a column's value is called: "shipping fee", "number of seats left"."""
    words = spoken(column.name)
    if column.type in ("integer", "number") and re.search(r"[^su]s\b", words) and "number of" not in words:
        return f"number of {words}"
    return words


def happening(column: Column, *, is_plural: bool = False) -> str:
    """Return what happens on a column's day or at its time: "was placed", "departs"; "" for other columns."""
    stem, _, end = column.name.rpartition("_")
    if column.format not in ("date", "time") or end not in ("on", "at", "from", "until") or not stem:
        return ""
    verb = stem.split("_")[-1]
    if verb.endswith("ed") or verb in _PARTICIPLES:
        return f"{'were' if is_plural else 'was'} {spoken(stem)}"
    if verb.endswith("s") and len(verb) > 3:
        return spoken(stem).removesuffix("s") if is_plural else spoken(stem)
    return f"{'are' if is_plural else 'is'} {spoken(stem)}"


def cell(column: Column, row: str) -> str:
    """Return how a request speaks of what a row holds: "the shipping fee of order ord_1"."""
    if event := happening(column):
        return f"the {'day on' if column.format == 'date' else 'time at'} which {row} {event}"
    return f"the {noun(column)} of {row}"


def link(domain: Domain, column: Column, owner: str, *, is_first: bool) -> str:
    """Return what a reference adds to the noun of a row, given how the row that it leads to is named.

    What belongs to a thing in one way only is "of" it; else the phrase says in which way.
    """
    named = domain.by_name[column.ref].noun
    if role(column) in (named, named.split()[-1]):
        return f" {'of' if is_first else 'and of'} {owner}"
    return f" {'whose' if is_first else 'and whose'} {role(column)} is {owner}"


def attribute(domain: Domain, table: str, path: str, value: Json, *, is_plural: bool = False) -> tuple[str, str, str]:
    """Return what an attribute adds to the noun of a row: before it, right after it (a name), and further on."""
    column = domain.column(table, path)
    assert column is not None  # a path to an id names nobody
    told = said(value)
    if column.name in ("name", "full_name", "model"):
        return "", f" {told}", ""
    if column.name in ("title", "subject"):
        return "", f' "{told}"', ""
    if column.format == "date":
        event = happening(column, is_plural=is_plural)
        return "", "", f" that {event} on {told}" if event else f" of {told}"
    if column.format == "time":
        return "", "", f" at {told}"
    if column.name in _PREPOSITIONS:
        return "", "", f" {_PREPOSITIONS[column.name]} {told}"
    if column.enum and column.name in ("status", "state", "tier", "kind", "category", "type", "brand"):
        return f"{spoken(told)} ", "", ""
    return "", "", f" with {noun(column)} {told}"


def arranged(of: str, after: list[str]) -> str:
    """Return what stands after a noun: attributes first, then whose it is, then what happened to it.

    So no attribute seems to be that of the row that it belongs to.
    """
    late = [one for one in after if one.startswith(" that ")]
    return "".join([*(one for one in after if one not in late), of, *late])


def extreme(column: Column, *, is_largest: bool) -> str:
    """Return what sets apart the row with the largest or smallest value: "with the highest amount"."""
    if column.format == "date":
        if event := happening(column):
            return f"that {event} {'last' if is_largest else 'first'}"
        return f"with the {'latest' if is_largest else 'earliest'} {noun(column)}"
    if column.format == "time":
        if event := happening(column):
            return f"that {event} {'latest' if is_largest else 'earliest'}"
        return f"with the {'latest' if is_largest else 'earliest'} {noun(column)}"
    if column.type == "integer" and noun(column).startswith("number of "):
        return f"with the {'most' if is_largest else 'fewest'} {spoken(column.name)}"
    return f"with the {'highest' if is_largest else 'lowest'} {noun(column)}"


def bounded(column: Column, value: Json, *, is_least: bool) -> str:
    """Return what narrows rows to those with a value at least or at most so high."""
    if event := happening(column, is_plural=True):
        at = f"{'at' if column.format == 'time' else 'on'} {said(value)}"
        return f" that {event} {at} or {'later' if is_least else 'earlier'}"
    if column.format in ("date", "time"):
        return f" of {said(value)} or {'later' if is_least else 'earlier'}"
    return f" with a {noun(column)} of at {'least' if is_least else 'most'} {said(value)}"


def compared(column: Column, how: str, rows: list[str]) -> str:
    """Return how a request speaks of what follows from a column of several rows."""
    cells = [cell(column, row) for row in rows]
    if how == "difference":
        return f"the difference between {joined(cells)}"
    if how == "sum":
        return f"the sum of {joined(cells)}"
    rank = ("latest" if how == "largest" else "earliest") if column.format else how
    return f"the {rank} of these: {joined(cells)}"


def over_all(column: Column, how: str, rows: str) -> str:
    """Return how a request speaks of what follows from a column of all rows of a kind."""
    if how == "sum":
        words = spoken(column.name)
        return f"the {words if words == 'total' else f'total {words}'} of all {rows}"
    rank = {"max": "highest", "min": "lowest", "mean": "average", "largest": "highest", "smallest": "lowest"}[how]
    if column.format:
        rank = {"largest": "latest", "smallest": "earliest"}[how]
        if event := happening(column):
            unit = "day on" if column.format == "date" else "time at"
            return f"the {rank} {unit} which any of the {rows} {event}"
    return (
        f"the {rank} {noun(column)} among all {rows}" if how != "mean" else f"the average {noun(column)} of all {rows}"
    )


def plural(words: str) -> str:
    """Return a noun for several."""
    if words.endswith("y") and words[-2] not in "aeiou":
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith(("s", "x", "ch", "sh")) else f"{words}s"


def joined(some: list[str]) -> str:
    """Return phrases with commas and an "and" between them."""
    return some[0] if len(some) == 1 else f"{', '.join(some[:-1])} and {some[-1]}"
