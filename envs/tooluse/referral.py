"""How a request names a row: a phrase, and the reading calls that resolve it.

A way is fixed before any world is drawn, so it is a part of a template. Used on a row of a world, it gives a
phrase, or is rejected because there the phrase would speak of another row, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

from palestra.envs.base import Json
from palestra.envs.tooluse import phrases
from palestra.envs.tooluse.interpret import names_row
from palestra.envs.tooluse.planner import QUERY, Draft, Known, Rejected
from palestra.envs.tooluse.schema import ID, Domain, Filter, Get, Search, Tool, Total, Write, shown_as

_ATTRIBUTES = 2  # told of a row at once, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to name a row.

    id: by its id. unique: by a column that no other row shares, with a tool that takes it. named: by attributes
    that a search takes. listed: by a row that it refers to, and attributes. reference: as what a row refers to.
    extreme: as the one among listed rows with the largest or smallest value of a column. made: as the row that the
    write before it makes. same: as the row that the write before it is about.
    """

    kind: Literal["id", "unique", "named", "listed", "reference", "extreme", "made", "same"]
    table: str
    level: int  # of indirection, 0 to 3
    tool: str = ""
    paths: tuple[str, ...] = ()  # of the attributes told
    via: "Way | None" = None  # how the other row is named
    column: str = ""  # the reference, or what is compared
    is_largest: bool = False

    @property
    def name(self) -> str:
        """What tells it apart in the name of a template."""
        told = "+".join([self.kind if self.kind != "named" else "", *self.paths]).strip("+")
        if self.kind == "extreme":
            told += f"{'^' if self.is_largest else '_'}{self.column}"
        if self.kind == "reference" and self.via is not None:
            told = f"{self.via.table}.{self.column}"
        return f"{told}({self.via.name})" if self.via else told


@lru_cache(maxsize=1024)
def ways(domain: Domain, table: str, *, is_inner: bool = False) -> tuple[Way, ...]:
    """Return every way to name a row of a table.

    Args:
        domain: where.
        table: of the row.
        is_inner: whether only the plain ways are wanted, by which another row is named on the way to one.
    """
    found = [Way(kind="id", table=table, level=0)]
    for tool in domain.tools:
        if isinstance(tool, Get) and tool.table == table and tool.by != ID:
            found.append(Way(kind="unique", table=table, level=1, tool=tool.name, paths=(tool.by,)))
        if isinstance(tool, Search) and tool.table == table:
            found += _named(domain, tool)
            if not is_inner:
                found += _listed(domain, tool)
    if not is_inner:
        found += _referred(domain, table)
    return tuple(found)


def _named(domain: Domain, tool: Search) -> Iterator[Way]:
    names = set(domain.by_name[tool.table].named_by)
    told = [path for path in _attributes(domain, tool) if _is_name(domain, tool.table, path)]
    for size in range(1, len(told) + 1):
        for paths in combinations(told, size):
            if names & set(paths):
                level = 1 if set(paths) <= names else 3
                yield Way(kind="named", table=tool.table, level=level, tool=tool.name, paths=paths)


def _listed(domain: Domain, tool: Search) -> Iterator[Way]:
    told = _attributes(domain, tool)
    for column, owner in linked(domain, tool):
        for via in ways(domain, owner, is_inner=True):
            for size in range(_ATTRIBUTES + 1):
                for paths in combinations(told, size):
                    level = 2 if size < 2 else 3
                    yield Way(
                        kind="listed",
                        table=tool.table,
                        level=level,
                        tool=tool.name,
                        paths=paths,
                        via=via,
                        column=column,
                    )
            for most in compared(domain, tool):
                for paths in [(), *((path,) for path in told if path != most)]:
                    for is_largest in (True, False):
                        yield Way(
                            kind="extreme",
                            table=tool.table,
                            level=3,
                            tool=tool.name,
                            paths=paths,
                            via=via,
                            column=f"{column}:{most}",
                            is_largest=is_largest,
                        )


def _referred(domain: Domain, table: str) -> Iterator[Way]:
    for owner in domain.tables:
        plain = ways(domain, owner.name, is_inner=True)
        listed = [way for tool in domain.tools if isinstance(tool, Search) for way in _listed(domain, tool)]
        for column in (column for column in owner.columns if column.ref == table):
            shown = [way for way in plain if can_show(domain, way, column.name)]
            for via in shown or [way for way in listed if way.table == owner.name and column.name not in way.column]:
                if can_show(domain, via, column.name):
                    level = max(2, via.level)
                    yield Way(kind="reference", table=table, level=level, via=via, column=column.name)


def _attributes(domain: Domain, tool: Search) -> list[str]:
    """Return the paths of what can be told of a row for a search to find it: no ids, no bounds but of days."""
    found = dict.fromkeys(one.path for one in tool.filters if filters_of(tool, one.path))
    return [path for path in found if _is_told(domain, tool.table, path)]


def _is_told(domain: Domain, table: str, path: str) -> bool:
    column = domain.column(table, path)
    return column is not None and not column.ref and column.type != "boolean" and "." not in path


def _is_name(domain: Domain, table: str, path: str) -> bool:
    column = domain.column(table, path)
    return column is not None and (path in domain.by_name[table].named_by or bool(column.enum))


def linked(domain: Domain, tool: Search) -> list[tuple[str, str]]:
    """Return the references that a search takes, each with the table that it leads to."""
    found = []
    for one in tool.filters:
        column = domain.column(tool.table, one.path) if one.compare == "equals" else None
        if column is not None and column.ref and "." not in one.path:
            found.append((one.path, column.ref))
    return found


def compared(domain: Domain, tool: Search) -> list[str]:
    """Return the shown columns of which one row may have the most."""
    columns = [(path, domain.column(tool.table, path)) for path in tool.shows if "." not in path]
    return [
        path
        for path, column in columns
        if column is not None and not column.ref and (column.type in ("integer", "number") or column.format == "date")
    ]


def filters_of(tool: Search, path: str) -> list[Filter]:
    """Return the filters by which a search finds exactly the rows that hold a value at a path."""
    own = [one for one in tool.filters if one.path == path]
    for one in own:
        if one.compare in ("equals", "has_words"):
            return [one]
    return own if {one.compare for one in own} == {"at_least", "at_most"} else []


@lru_cache(maxsize=65536)
def can_show(domain: Domain, way: Way, path: str) -> bool:
    """Tell whether some tool can show a column of a row that is named in a way; or, for "id", make use of its id."""
    if path == ID:
        return way.kind != "id" or any(_takes(domain, tool, way.table) for tool in domain.tools)
    for tool in domain.tools:
        is_own = way.kind == "unique" and way.tool == tool.name
        if isinstance(tool, Get) and tool.table == way.table and path in tool.shows and (tool.by == ID or is_own):
            return True
        if isinstance(tool, Search) and tool.name == way.tool and path in tool.shows:
            return way.kind in ("named", "listed", "extreme")
    return False


def _takes(domain: Domain, tool: Tool, table: str) -> bool:
    if isinstance(tool, Get):
        return tool.table == table and tool.by == ID
    if isinstance(tool, Write):
        return any(names_row(domain, param) == table for param in tool.params)
    if isinstance(tool, Search | Total):
        columns = [domain.column(tool.table, one.path) for one in tool.filters]
        return any(column is not None and column.ref == table for column in columns)
    return False


# -- a way used on a row ---------------------------------------------------------------------------


def refer(draft: Draft, way: Way, id_: str) -> str:
    """Return a phrase for a row; the draft then knows the row's id, by the calls that it took.

    Raises:
        Rejected: here the phrase would not be clear, or no tool resolves it.
    """
    table = draft.domain.by_name[way.table]
    if way.kind == "id":
        draft.tell(way.table, id_)
        return phrases.by_id(table, id_)
    if way.kind in ("made", "same"):
        return f"the new {table.noun}" if way.kind == "made" else f"that {table.noun}"
    if way.kind == "reference":
        return _by_reference(draft, way, id_)
    if way.kind == "unique":
        tool = draft.domain.tool[way.tool]
        assert isinstance(tool, Get)
        value = draft.world.value(way.table, id_, tool.by)
        number = draft.read(tool, {tool.arg: Known(value, QUERY)})
        if draft.calls[number].reply[ID] != id_:
            raise Rejected(f"{tool.name} finds another {table.noun}")
        column = table.by_name[tool.by]
        return f"the {table.noun} with {phrases.noun(column)} {phrases.said(value)}"
    return _by_search(draft, way, id_)


def _by_reference(draft: Draft, way: Way, id_: str) -> str:
    assert way.via is not None
    owners = [owner for owner, row in draft.world.rows(way.via.table) if row[way.column] == id_]
    if not owners:
        raise Rejected(f"no {way.via.table} refers to {id_}")
    owner = draft.rng.choice(owners)
    phrase = refer(draft, way.via, owner)
    draft.know(way.via.table, owner, way.column)
    return f"the {phrases.role(draft.domain.by_name[way.via.table].by_name[way.column])} of {phrase}"


def _by_search(draft: Draft, way: Way, id_: str) -> str:
    phrase, number = listing(draft, way, id_)
    reply = draft.calls[number].reply
    if way.kind != "extreme":
        if reply["total"] != 1:
            raise Rejected(f"{reply['total']} rows of {way.table} fit what is told")
        return phrase
    most = way.column.partition(":")[2]
    if not _is_extreme(reply, id_, most, is_largest=way.is_largest):
        raise Rejected(f"{id_} does not stand out by its {most}")
    return phrase


def listing(draft: Draft, way: Way, id_: str) -> tuple[str, int]:
    """Return a phrase for the rows that hold what a way tells of one, and the number of the call that lists them.

    Where the way compares rows, the phrase says how.

    Raises:
        Rejected: no tool lists the row.
    """
    tool, table = draft.domain.tool[way.tool], draft.domain.by_name[way.table]
    assert isinstance(tool, Search)
    arguments: dict[str, Known] = {}
    of = ""
    if way.via is not None:
        link = way.column.partition(":")[0]
        owner = draft.world.value(way.table, id_, link)
        if owner is None:
            raise Rejected(f"{id_} refers to no {way.via.table}")
        of = phrases.link(draft.domain, table.by_name[link], refer(draft, way.via, owner), is_first=True)
        known = draft.know(way.via.table, owner, ID)
        arguments[next(one.arg for one in tool.filters if one.path == link and one.compare == "equals")] = known
    before, name, after = "", "", list[str]()
    for path in way.paths:
        value = draft.world.value(way.table, id_, path)
        if value is None:
            raise Rejected(f"{id_} has no {path}")
        arguments |= {one.arg: Known(value, QUERY) for one in filters_of(tool, path)}
        added = phrases.attribute(draft.domain, way.table, path, value)
        before, name = before + added[0], name + added[1]
        after.append(added[2])
    if way.kind == "extreme":
        column = table.by_name[way.column.partition(":")[2]]
        after.append(f" {phrases.extreme(column, is_largest=way.is_largest)}")
    return f"the {before}{table.noun}{name}{phrases.arranged(of, after)}", draft.read(tool, arguments, row=id_)


def _is_extreme(reply: Json, id_: str, path: str, *, is_largest: bool) -> bool:
    """Tell whether, of two rows at least that are all listed, one alone has the most or least."""
    values = {shown[ID]: shown[shown_as(path)] for shown in reply["results"]}
    if not 2 <= reply["total"] == len(values) or None in values.values():
        return False
    best = (max if is_largest else min)(values.values())
    return bool(values[id_] == best and sum(value == best for value in values.values()) == 1)
