"""What matters to a goal that a walk has found, of which its site knows nothing: read off the goal's changes.

An element matters unless it is about a row, or a value, that the goal has nothing to do with. What goes too far is left
in, so distances are those of all that a user can do; tests compare with a search that leaves nothing out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from palestra.envs.base import Json
from palestra.envs.web.element import Command, Page
from palestra.envs.web.site import Data, Goal, Place, Site

WALK: Final = "walk"  # the first word of the templates of such goals
LONGEST_TEXT: Final = 80  # that counts as the name of something
_SHORTEST_NAME: Final = 4
_NUMBERS: Final = re.compile(r"\d+")
ASIDE: Final = ("/about", "/help", "/terms", "/privacy", "/jobs", "/newsletter")


def is_walked(goal: Goal) -> bool:
    """Tell whether a goal was found by a walk."""
    return goal.template.split(" ", 1)[0] == WALK


class Walked(Site):
    """Another site, where goals that walks have found are searched for.

    Args:
        site: which it is.
    """

    name: ClassVar[str] = "walked"

    def __init__(self, site: Site) -> None:
        super().__init__(site.seed, site.split, site.knobs)
        self.site, self.name = site, site.name  # type: ignore[misc]
        self._start = site.start().data
        self._known: dict[str, frozenset[str]] = {}  # by intent

    def start(self) -> Place:
        return self.site.start()

    def page(self, place: Place) -> Page | None:
        return self.site.page(place)

    def do(self, place: Place, command: Command) -> Place:
        return self.site.do(place, command)

    def goals(self) -> Iterator[Goal]:
        return self.site.goals()

    def matters(self, place: Place, goal: Goal, key: str) -> bool:
        if key.startswith("to /"):
            path, _, query = key.removeprefix("to ").partition("?")
            if path in ASIDE:
                return False
            about = path if "page=" not in query else ""
        else:
            about = key
        field, mark, option = key.partition("=")
        if mark and "/" not in field and (wanted := _wanted(goal, field)):
            return option in wanted
        numbers = _NUMBERS.findall(about)
        return not numbers or not self._numbers(goal).isdisjoint(numbers) or numbers == _NUMBERS.findall(place.path)

    def texts(self, place: Place, goal: Goal, key: str) -> Sequence[str]:
        if wanted := _wanted(goal, key):
            return wanted
        known = vocabulary(self.site, place, key)
        if not known:
            return goal.values
        names = names_of(self._start)
        is_search, sure = not names.isdisjoint(known), {*known, *map(str, goal.changes.values())}
        return [value for value in goal.values if value in sure or (value in names) == is_search]

    def _numbers(self, goal: Goal) -> frozenset[str]:
        """Return the numbers in all that a goal is about."""
        if goal.intent not in self._known:
            rows = about(self._start, goal.changes)
            told = [str(value) for table, row in rows for value in (row, *self._start[table][row].values())]
            told += [*goal.changes, *map(str, goal.changes.values())]
            self._known[goal.intent] = frozenset(number for one in told for number in _NUMBERS.findall(one))
        return self._known[goal.intent]


def vocabulary(site: Site, place: Place, key: str) -> Sequence[str]:
    """Return what the goals of a site enter in a field, or choose of a list."""
    found: dict[str, None] = {}
    for goal in site.goals():
        if goal.kind == "change":
            found |= dict.fromkeys(site.texts(place, goal, key))
    return [text for text in found if text]


def names_of(data: Data) -> frozenset[str]:
    """Return the texts by which rows of data may be looked for."""
    return frozenset(text for rows in data.values() for cells in rows.values() for text in _texts(cells))


def about(start: Data, changes: Mapping[str, Json]) -> dict[tuple[str, str], None]:
    """Return the rows of the start that changes are about: which change, and which these name by id or by a text."""
    ids = {cell.split("/")[1] for cell in changes} | {value for value in changes.values() if isinstance(value, str)}
    values = [value for value in changes.values() if isinstance(value, str)]
    found: dict[tuple[str, str], None] = {}
    for table, rows in start.items():
        shared = Counter(text for cells in rows.values() for text in _texts(cells))
        for row, cells in rows.items():
            names = [text for text in _texts(cells) if len(text) >= _SHORTEST_NAME and shared[text] == 1]
            if row in ids or any(name in value for name in names for value in values):
                found[table, row] = None
    named = {value for table, row in found for value in start[table][row].values() if isinstance(value, str)}
    return found | {(table, row): None for table, rows in start.items() for row in rows if row in named}


def _texts(cells: Mapping[str, Json]) -> list[str]:
    return [value for value in cells.values() if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT]


def _wanted(goal: Goal, field: str) -> list[str]:
    """Return what becomes of the column of a field's name."""
    cells = ((cell.split("/"), value) for cell, value in goal.changes.items())
    return list(dict.fromkeys(str(value) for cell, value in cells if len(cell) == 3 and cell[2] == field))
