"""A world: tables that are drawn once and shared, and the changes that an episode makes to them."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from palestra.envs.base import Json, Split, canonical_json, derive_seed
from palestra.envs.tooluse.draw import Drawing, Row, Rows, distinct
from palestra.envs.tooluse.schema import ID, Domain

FAMILY = "tooluse"
Changes = dict[str, dict[str, dict[str, Json] | None]]  # table -> id -> the row, None for one that is gone
_FIRST_DAY, _DAYS = date(2024, 1, 8), 720


@dataclass(frozen=True, slots=True)
class Base:
    """What a world begins with; shared by every episode in it and never changed."""

    domain: Domain
    today: str  # ISO date
    rows: Rows  # table -> id -> row, by ascending id

    def digest(self) -> str:
        """Return a hash of all of it."""
        return hashlib.sha256(canonical_json([self.domain.name, self.today, self.rows]).encode()).hexdigest()


@lru_cache(maxsize=64)
def fill(domain: Domain, split: Split, seed: int, scale: float = 1.0) -> Base:
    """Return the world of a seed.

    Args:
        domain: what is in it.
        split: whose words its rows are made of.
        seed: any integer.
        scale: how many rows, as a multiple of what the tables declare; each has two at least.
    """
    rng = random.Random(derive_seed(FAMILY, f"{domain.name}/{split}", seed, "world"))
    today = _FIRST_DAY + timedelta(days=rng.randrange(_DAYS))
    rows: Rows = {}
    ids: dict[str, list[str]] = {}
    at = Drawing(rng, domain.pools[split], ids, today)
    for table in domain.tables:
        n = max(2, round(table.rows * scale))
        ids[table.name] = sorted(f"{table.prefix}_{number}" for number in rng.sample(range(10_000, 100_000), n))
        columns = [
            distinct(column.draw, at, n) if column.is_unique else column.draw.many(at, n) for column in table.columns
        ]
        names = [column.name for column in table.columns]
        made = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        rows[table.name] = dict(zip(ids[table.name], made, strict=True))
    if domain.settle is not None:
        domain.settle(rows)
    return Base(domain, today.isoformat(), rows)


class World:
    """A base and the changes to it. Copies and snapshots cost as much as there are changes."""

    __slots__ = ("base", "changes")

    def __init__(self, base: Base, changes: Changes | None = None) -> None:
        """Begin with a base, and changes as `save` returned them, which stay as they are."""
        self.base = base
        self.changes: Changes = {table: dict(changed) for table, changed in (changes or {}).items()}

    @property
    def domain(self) -> Domain:
        """What can be done here."""
        return self.base.domain

    def row(self, table: str, id_: Json) -> Row | None:
        """Return a row, or None if there is none of that id."""
        changed = self.changes.get(table)
        if changed is not None and id_ in changed:
            return changed[id_]
        return self.base.rows[table].get(id_)

    def rows(self, table: str) -> Iterator[tuple[str, Row]]:
        """Yield ids and rows, by ascending id."""
        changed, base = self.changes.get(table), self.base.rows[table]
        if not changed:
            yield from base.items()
            return
        for id_ in sorted(base.keys() | changed.keys()):
            row = changed[id_] if id_ in changed else base[id_]
            if row is not None:
                yield id_, row

    def value(self, table: str, id_: Json, path: str) -> Json:
        """Return what a row holds at a path; None where a reference on the way leads nowhere."""
        if path == ID:
            return id_
        row = self.row(table, id_)
        if row is None:
            return None
        name, _, rest = path.partition(".")
        return self.value(self.domain.by_name[table].by_name[name].ref, row[name], rest) if rest else row[name]

    def set(self, table: str, id_: str, column: str, value: Json) -> None:
        """Write a cell of a row that exists."""
        row = self.row(table, id_)
        if row is None:
            raise KeyError(f"no {table} {id_!r}")
        self._put(table, id_, {**row, column: value})

    def insert(self, table: str, row: Mapping[str, Json]) -> str:
        """Add a row and return its id, which follows from what the row holds, so that order does not matter."""
        prefix, count = self.domain.by_name[table].prefix, 0
        while True:
            text = canonical_json([table, dict(row), count]).encode("utf-8", "surrogatepass")
            id_ = f"{prefix}_{100_000 + int(hashlib.sha256(text).hexdigest()[:12], 16) % 900_000}"
            if self.row(table, id_) is None and id_ not in self.changes.get(table, {}):
                self._put(table, id_, dict(row))
                return id_
            count += 1

    def delete(self, table: str, id_: str) -> None:
        """Remove a row."""
        self._put(table, id_, None)

    def _put(self, table: str, id_: str, row: dict[str, Json] | None) -> None:
        changed = self.changes.setdefault(table, {})
        if row == self.base.rows[table].get(id_) and _same_types(row, self.base.rows[table].get(id_)):
            changed.pop(id_, None)  # as it was: no change
            if not changed:
                del self.changes[table]
        else:
            changed[id_] = row

    def save(self) -> Changes:
        """Return the changes as JSON data that stays as it is: rows are replaced here, never changed."""
        return {table: dict(changed) for table, changed in self.changes.items()}

    def copy(self) -> "World":
        """Return a world that stands where this one does and is independent of it."""
        return World(self.base, self.changes)

    def diff(self) -> list[list[Json]]:
        """Return every cell that is not as in the base, as ``[table, id, column, value]``, sorted.

        A row that is gone is ``[table, id, "id", None]``; a new one is told cell by cell, its id first.
        """
        found: list[list[Json]] = []
        for table, changed in self.changes.items():
            for id_, row in changed.items():
                before = self.base.rows[table].get(id_)
                if row is None or before is None:
                    found.append([table, id_, ID, None if row is None else id_])
                if row is not None:
                    old = before or {}
                    found += [
                        [table, id_, name, value]
                        for name, value in row.items()
                        if name not in old or not _same(old[name], value)
                    ]
        return sorted(found, key=lambda cell: (cell[0], cell[1], cell[2] != ID, cell[2]))


def _same(one: Json, other: Json) -> bool:
    return type(one) is type(other) and bool(one == other)


def _same_types(one: Row | None, other: Row | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(_same(one[name], other[name]) for name in one)
