"""The second solver's writes, found backward: which calls make the wanted changes, with arguments that are known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from palestra.envs.base import Json, canonical_json
from palestra.envs.tooluse.interpret import call, cents, is_fault, names_row
from palestra.envs.tooluse.literals import MOMENTS, numbers, occurs
from palestra.envs.tooluse.schema import ID, Arg, Cell, Delete, Domain, Effect, Insert, Param, Set, Sum, Tool, Write
from palestra.envs.tooluse.world import World

MAX_TRIED = 300  # writing calls
MAX_WRITES = 4  # in a row
_MAX_TERMS = 3  # of a sum
_MAX_HELD = 20  # numbers that are tried in sums

Place = tuple[str, str, str]  # table, id, column
Calls = frozenset[int]  # numbers of reading calls
Changes = Sequence[Sequence[Json]]
Plan = list[tuple[str, dict[str, Json], Calls]]


def writes_for(
    world: World,
    changes: Changes,
    tools: Sequence[Tool],
    text: str,
    values: Mapping[tuple[str, str], Mapping[Json, Calls]],
    cells: Mapping[Place, tuple[Json, Calls]],
    *,
    is_strict: bool = True,
) -> Plan | None:
    """Return writing calls that make all of some changes and no other, each with the reading calls that it needs.

    Args:
        world: where; changed.
        changes: to make.
        tools: that may be used.
        text: of the request.
        values: what is known, by the (table, column) that holds it.
        cells: what is known to stand in a cell.
        is_strict: whether arguments are as the changes tell them; else a later call may have written over some.

    Returns:
        The calls, or None where none were found.
    """
    changed = {(str(cell[0]), str(cell[2])) for cell in changes}
    fitting = [tool for tool in tools if isinstance(tool, Write) and world.domain.written(tool) & changed]
    found = _Backward(world.domain, changes, fitting, text, values, cells, is_strict, _places(changes))
    return found.writes(world, frozenset(_key(cell) for cell in changes))


@dataclass(slots=True)
class _Backward:
    domain: Domain
    changes: Changes
    tools: Sequence[Write]
    text: str
    values: Mapping[tuple[str, str], Mapping[Json, Calls]]
    cells: Mapping[Place, tuple[Json, Calls]]
    is_strict: bool
    places: frozenset[tuple[Json, ...]]  # that change
    left: int = MAX_TRIED
    borrowed: dict[tuple[str, str, Json], Calls | None] = field(default_factory=dict)  # what `_borrowed` found

    def writes(self, world: World, wanted: frozenset[str], depth: int = 0) -> Plan | None:
        """Return writing calls that lead from a world to the wanted changes, or None."""
        before = world.diff()
        if frozenset(_key(cell) for cell in before) == wanted:
            return []
        if depth == MAX_WRITES:
            return None
        for tool in self.tools:
            for arguments in self._bindings(world, tool):
                self.left -= 1
                if self.left < 0:
                    return None
                needed = self._known(tool, arguments, world)
                if needed is None:
                    continue
                after = world.copy()
                if is_fault(call(after, tool.name, arguments)):
                    continue
                changes = after.diff()
                if changes == before or not _places(changes) <= self.places:
                    continue
                rest = self.writes(after, wanted, depth + 1)
                if rest is not None:
                    return [(tool.name, arguments, needed), *rest]
        return None

    def _bindings(self, world: World, tool: Write) -> Iterator[dict[str, Json]]:
        """Yield the arguments with which a tool may make some of the changes."""
        params = [param for param in tool.params if param.is_required]
        for row, bound in self._bound(world, tool):
            options = [
                [bound[param.name]]
                if param.name in row or (self.is_strict and param.name in bound)
                else self._candidates(world, param, bound.get(param.name))
                for param in params
            ]
            for values in product(*options):
                yield dict(zip([param.name for param in params], values, strict=True))

    def _bound(self, world: World, tool: Write) -> Iterator[tuple[set[str], dict[str, Json]]]:
        """Yield what the wanted changes say of a tool's arguments, and which one is thereby the row that changes.

        There is one way for each row that the tool may change.
        """
        tables = {param.name: names_row(self.domain, param) for param in tool.params}
        near = [effect for effect in tool.effects if not isinstance(effect, Set) or "." not in effect.path]
        for effect in near:
            table = effect.table if isinstance(effect, Insert) else tables[effect.arg]
            rows = dict.fromkeys(str(cell[1]) for cell in self.changes if cell[0] == table)
            found = [bound for row in rows if (bound := self._unify(world, tool, table, row, effect)) is not None]
            yield from (({effect.arg} if not isinstance(effect, Insert) else set(), bound) for bound in found)
            if found:
                return
        if not near:
            yield set(), {}

    def _unify(self, world: World, tool: Write, table: str, row: str, anchor: Effect) -> dict[str, Json] | None:
        """Return the arguments that follow if a row is what an effect changes; None if it cannot be."""
        cells = {str(cell[2]): cell[3] for cell in self.changes if cell[0] == table and cell[1] == row}
        if isinstance(anchor, Insert):
            if cells.get(ID) != row:
                return None
            told = {value.name: cells.get(name) for name, value in anchor.values.items() if isinstance(value, Arg)}
            return {name: value for name, value in told.items() if value is not None}
        if isinstance(anchor, Delete):
            return {anchor.arg: row} if ID in cells and cells[ID] is None else None
        bound: dict[str, Json] = {anchor.arg: row}
        own = [e for e in tool.effects if isinstance(e, Set) and e.arg == anchor.arg and "." not in e.path]
        if not any(effect.path in cells for effect in own):
            return None
        for effect in own:
            if effect.path not in cells:
                continue
            new, worth = cells[effect.path], effect.value
            if isinstance(worth, Arg):
                bound[worth.name] = new
            elif isinstance(worth, Sum) and isinstance(worth.right, Arg) and isinstance(worth.left, Cell):
                before = world.value(table, row, effect.path)
                if isinstance(before, int | float) and isinstance(new, int | float):
                    bound[worth.right.name] = cents((new - before) * worth.sign)
        return bound

    def _candidates(self, world: World, param: Param, bound: Json) -> list[Json]:
        """Return the values that an argument may have: what the changes say, what is known, what is told."""
        found = {} if bound is None else {bound: None}
        if table := names_row(self.domain, param):
            made = [
                id_ for id_, row in world.changes.get(table, {}).items() if row and id_ not in world.base.rows[table]
            ]
            return list(found | dict.fromkeys(made) | dict.fromkeys(self.values.get((table, ID), {})))
        column = self.domain.by_name[param.table].by_name[param.column]
        if column.type in ("integer", "number"):
            told: list[float] = sorted(numbers(self.text))
            found |= dict.fromkeys(told if column.type == "number" else [int(one) for one in told if one == int(one)])
        elif column.format in MOMENTS:
            found |= dict.fromkeys(MOMENTS[column.format].findall(self.text))
        return list(found | dict.fromkeys(self.values.get((param.table, param.column), {})))

    def _known(self, tool: Write, arguments: Mapping[str, Json], world: World) -> Calls | None:
        """Return the calls that make the arguments known; None where one cannot be known."""
        needed: Calls = frozenset()
        for param in tool.params:
            if param.name not in arguments:
                continue
            value, table = arguments[param.name], names_row(self.domain, param)
            if table:
                if value in world.changes.get(table, {}) and value not in world.base.rows[table]:
                    continue  # made by an earlier call, whose reply tells
                calls = self.values.get((table, ID), {}).get(value)
            elif occurs(value, self.text):
                continue
            else:
                asked = param.table, param.column, value
                if asked not in self.borrowed:
                    self.borrowed[asked] = self._borrowed(*asked)
                calls = self.borrowed[asked]
            if calls is None:
                return None
            needed |= calls
        return needed

    def _borrowed(self, table: str, column: str, value: Json) -> Calls | None:
        """Return the calls that show a value in a cell, or numbers that it follows from; None where none do."""
        own = self.domain.by_name[table].by_name[column]
        found = [calls] if (calls := self.values.get((table, column), {}).get(value)) is not None else []
        if own.type not in ("integer", "number") or not own.unit or not isinstance(value, int | float):
            return found[0] if found else None
        held = [
            (number, calls)
            for (owner, _, name), (number, calls) in self.cells.items()
            if name != ID and self.domain.by_name[owner].by_name[name].unit == own.unit
        ]
        found += [calls for number, calls in held if number == value]
        for size in range(2, _MAX_TERMS + 1):
            for some in combinations(held[:_MAX_HELD], size):
                terms = [number for number, _ in some]
                if cents(sum(terms)) == value or (size == 2 and cents(abs(terms[0] - terms[1])) == value):
                    found.append(some[0][1].union(*(calls for _, calls in some[1:])))
        return min(found, key=len) if found else None


def _places(changes: Changes) -> frozenset[tuple[Json, ...]]:
    return frozenset(tuple(cell[:3]) for cell in changes)


def _key(cell: Sequence[Json]) -> str:
    return canonical_json(list(cell))
