"""Values that replies may show in the place of right ones: such as cannot be, and such as others contradict."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time

from palestra.envs.base import Json
from palestra.envs.tooluse.operators.operator import Subject
from palestra.envs.tooluse.operators.reading import Kind, kind_of
from palestra.envs.tooluse.operators.replay import at_path
from palestra.envs.tooluse.planner import leaves
from palestra.envs.tooluse.schema import ID, Column, Get, Search, Total, shown_as


@dataclass(frozen=True, slots=True)
class Spot:
    """A value that the oracle takes from a reply."""

    step: int
    path: str  # in the reply
    tool: str
    id: str  # of the row that it is of, "" where it is of many
    kind: Kind  # table and column

    @property
    def key(self) -> str:
        """What the reply calls it."""
        return self.path.rpartition(".")[2]

    @property
    def prefix(self) -> str:
        """Where in the reply the row is."""
        return self.path.removesuffix(self.key)


def spots(at: Subject) -> Iterator[Spot]:
    """Yield the values that the oracle takes from replies, ids but not."""
    sources = [source for step in at.case.steps for source in step.sources.values()]
    for source in dict.fromkeys(leaf for one in (*sources, *at.case.goal.sources) for leaf in leaves(one)):
        step, reply = at.case.steps[source.step], at.played.replies[source.step]
        tool = at.domain.tool[step.tool]
        key = source.path.rpartition(".")[2]
        if isinstance(tool, Total):
            column = tool.of if tool.how != "count" else ""
            yield Spot(source.step, source.path, tool.name, "", kind_of(at.domain, tool.table, column or ID))
        elif isinstance(tool, Get | Search):
            path = next((path for path in tool.shows if shown_as(path) == key), "")
            row = at_path(reply, source.path.removesuffix(key).rstrip("."))
            if path and kind_of(at.domain, tool.table, path)[1] != ID:
                yield Spot(source.step, source.path, tool.name, row[ID], kind_of(at.domain, tool.table, path))


def impossible(at: Subject, spot: Spot, rng: random.Random) -> Json:
    """Return a value that a field cannot have, None where every value might be right."""
    right = at_path(at.played.replies[spot.step], spot.path)
    column = _column(at, spot.kind)
    if isinstance(right, (int, float)) and not isinstance(right, bool):
        value: Json = -(right + rng.randint(1, 9)) if isinstance(right, int) else -round(right + rng.randint(1, 9), 2)
    elif column is None:
        return None
    elif column.format == "date":
        value = f"{str(right)[:4]}-{rng.randint(13, 19)}-{rng.randint(32, 39)}"
    elif column.format == "time":
        value = f"{rng.randint(25, 29)}:{rng.randint(60, 79)}"
    elif column.format == "email":
        value = str(right).replace("@", " ")
    else:
        value = f"#{rng.randint(100, 999)}" if column.enum else None
    return value if value is not None and broken(at, spot.kind, value) else None


def broken(at: Subject, kind: Kind, value: Json) -> str:
    """Return what of a field's values does not hold for one, "" if it may be right."""
    column = _column(at, kind)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        rows = at.ground.base.rows[kind[0]].values()
        least = 0 if column is None else min((row[kind[1]] for row in rows if row[kind[1]] is not None), default=0)
        return "it is negative, and no such amount is" if value < 0 <= least else ""
    if column is None or not isinstance(value, str):
        return ""
    if column.enum:
        return "" if value in column.enum else "it is none of the values that there are"
    if column.format == "email":
        return "" if "@" in value else "it is no address"
    return "it is none that the calendar or the clock has" if column.format and not _is_real(column, value) else ""


def plausible(at: Subject, spot: Spot, rng: random.Random) -> Json:
    """Return another value that a field may well have, None where there is none."""
    right = at_path(at.played.replies[spot.step], spot.path)
    if not spot.id:
        more = rng.randint(1, 9)
        return right + more if isinstance(right, int) else round(right + more, 2)
    held = {row[spot.kind[1]] for row in at.ground.base.rows[spot.kind[0]].values()} - {None, right}
    found = sorted(held, key=str)
    return rng.choice(found) if found else None


def _is_real(column: Column, value: str) -> bool:
    try:
        if column.format == "date":
            date.fromisoformat(value)
        else:
            time.fromisoformat(value)
    except ValueError:
        return False
    return True


def _column(at: Subject, kind: Kind) -> Column | None:
    return at.domain.by_name[kind[0]].by_name.get(kind[1])
