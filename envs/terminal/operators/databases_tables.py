"""What the operators on databases share: what databases are about, how one is made, and what queries find in it."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.draws import Draws
from palestra.envs.terminal.step import Artefact, Knobs
from palestra.envs.terminal.tree import Folder, Tree

Row = dict[str, Any]
Content = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Domain:
    """Two tables, one of which has rows that belong to rows of the other."""

    file: str
    parents: str  # the table of those that others belong to: id, name, group
    children: str  # id, the parent's id, a kind, an amount, a day
    key: str  # in the children: the parent's id
    group: str
    groups: tuple[str, ...]
    kind: str
    kinds: tuple[str, ...]
    amount: str
    names: tuple[str, ...]

    @property
    def day(self) -> str:
        """The children's column of dates."""
        return "day"


_TRAIN: Final = (
    Domain(
        "shop.db",
        "customers",
        "orders",
        "customer_id",
        "city",
        ("Lyon", "Porto", "Graz", "Turku"),
        "status",
        ("open", "paid", "sent", "void"),
        "total",
        ("Abel", "Bruna", "Cosmo", "Dalia", "Edwin", "Farah", "Gerda", "Hugo", "Irena", "Jonas", "Kadir", "Luisa"),
    ),
    Domain(
        "library.db",
        "members",
        "loans",
        "member_id",
        "branch",
        ("north", "south", "harbor", "campus"),
        "format",
        ("book", "map", "disc", "score"),
        "pages",
        ("Milo", "Nadia", "Oskar", "Petra", "Quinn", "Rosa", "Stefan", "Tilda", "Umar", "Vera", "Wanda", "Yusuf"),
    ),
    Domain(
        "plant.db",
        "machines",
        "repairs",
        "machine_id",
        "hall",
        ("A1", "A2", "B1", "C3"),
        "part",
        ("belt", "bearing", "fuse", "filter"),
        "minutes",
        ("press", "lathe", "mill", "saw", "drill", "oven", "crane", "pump", "fan", "loom", "mixer", "robot"),
    ),
)
_HELDOUT: Final = (
    Domain(
        "clinic.db",
        "patients",
        "visits",
        "patient_id",
        "ward",
        ("east", "west", "tower", "garden"),
        "reason",
        ("check", "xray", "lab", "therapy"),
        "cost",
        ("Ansel", "Birte", "Celio", "Dunya", "Elif", "Fynn", "Gita", "Hanno", "Ilse", "Jarl", "Kaya", "Lorenz"),
    ),
    Domain(
        "fleet.db",
        "vehicles",
        "trips",
        "vehicle_id",
        "depot",
        ("Bergen", "Cadiz", "Dover", "Esbjerg"),
        "cargo",
        ("timber", "grain", "steel", "mail"),
        "km",
        ("van1", "van2", "bus7", "bus9", "tram3", "truck4", "truck5", "cart6", "moped8", "lorry2", "taxi1", "taxi5"),
    ),
)


def domain(draws: Draws, *, heldout: bool) -> Domain:
    """Return what a database is about."""
    return draws.pick(_HELDOUT if heldout else _TRAIN)


def content(draws: Draws, about: Domain, knobs: Knobs) -> Content:
    """Return rows of both tables; one parent has no children, and amounts and kinds occur more than once."""
    count = max(5, min(knobs.size // 2, len(about.names)))
    parents = [
        {"id": number, "name": name, about.group: draws.pick(about.groups)}
        for number, name in enumerate(draws.shuffled(about.names)[:count], 1)
    ]
    lonely = draws.between(1, count)
    others = [row["id"] for row in parents if row["id"] != lonely]
    children = [
        {
            "id": number,
            about.key: draws.pick(others),
            about.kind: draws.pick(about.kinds),
            about.amount: draws.between(1, 40) * 5,
            about.day: f"2025-{draws.between(1, 12):02}-{draws.between(1, 28):02}",
        }
        for number in range(1, max(10, min(2 * knobs.size, 200)) + 1)
    ]
    return {about.parents: parents, about.children: children}


def declared(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the columns of a table as it is made: integers or texts, and id as the primary key."""
    kinds = {name: "INTEGER" if all(isinstance(row[name], int | None) for row in rows) else "TEXT" for name in rows[0]}
    return ", ".join(f"{name} {kind}{' PRIMARY KEY' if name == 'id' else ''}" for name, kind in kinds.items())


def database(held: Content, more: str = "", *, keyless: bool = False) -> bytes:
    """Return an sqlite file with tables, and what SQL adds to it; the same bytes with every version of SQLite."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA page_size = 512")
        for name, rows in held.items():
            columns = declared(rows).replace(" PRIMARY KEY", "" if keyless else " PRIMARY KEY")
            connection.execute(f"CREATE TABLE {name} ({columns})")
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", [tuple(row.values()) for row in rows])
        connection.commit()
        connection.executescript(more)
        return connection.serialize()


def opened(data: bytes) -> sqlite3.Connection:
    """Return a connection to a copy of an sqlite file."""
    connection = sqlite3.connect(":memory:")
    if data:
        connection.deserialize(data)
    return connection


def changed(data: bytes, sql: str) -> bytes:
    """Return an sqlite file after statements."""
    with closing(opened(data)) as connection:
        connection.executescript(sql)
        connection.commit()
        return connection.serialize()


def rows_of(data: bytes, query: str) -> list[list[Any]]:
    """Return what a query finds in an sqlite file."""
    with closing(opened(data)) as connection:
        return [list(row) for row in connection.execute(query)]


def content_of(data: bytes) -> Content:
    """Return the rows of every table of an sqlite file that has some."""
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    with closing(opened(data)) as connection:
        connection.row_factory = sqlite3.Row
        names = [str(row[0]) for row in connection.execute(listed)]
        held = {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in names}
    return {name: rows for name, rows in held.items() if rows}


def changing(path: str, sql: str) -> Callable[[Tree], Tree]:
    """Return the effect of statements on the database at a path."""
    return lambda tree: tree.put(path, changed(tree.data(path), sql))


def asks(path: str, query: str, rows: Sequence[Sequence[Any]], *, any_order: bool = False) -> Json:
    """Return the predicate that a query on a database finds rows."""
    told: Json = {"kind": "sqlite", "group": 0, "path": path, "query": query, "rows": [list(row) for row in rows]}
    return {**told, "any_order": True} if any_order else told


def holds(path: str, held: Content, *, tables: bool = True) -> tuple[Json, ...]:
    """Return predicates that a database has these tables with these rows, told by their columns' names."""
    found = []
    for name, rows in held.items():
        query = f"SELECT {', '.join(rows[0])} FROM {name}"
        found.append(asks(path, query, [list(row.values()) for row in rows], any_order=True))
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return (*found, *([asks(path, listed, [[name] for name in sorted(held)])] if tables else []))


def taken(
    given: Artefact | None, draws: Draws, folder: str, knobs: Knobs, *, heldout: bool
) -> tuple[str, Content, Tree]:
    """Return the database to go on with, or one of the step's own: its path, its content, and what must be there."""
    if given is not None and given.shape == "database":
        return given.path, given.content, Tree().put(folder, Folder())
    about = domain(draws, heldout=heldout)
    held = content(draws, about, knobs)
    path = f"{folder}/{about.file}"
    return path, held, Tree().put(path, database(held))


def described(held: Content) -> str:
    """Return the tables and their columns in words."""
    told = [f"`{name}` ({', '.join(f'`{column}`' for column in rows[0])})" for name, rows in held.items()]
    return " and ".join(told)


def script(path: str, sql: str) -> str:
    """Return bash that has sqlite3 run statements on a database, and fails if one fails."""
    return f"sqlite3 -bail {path} <<'SQL'\n{sql}\nSQL"
