"""The schema of a database changes, and its data with it."""

from collections.abc import Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.databases_tables import (
    Content,
    Domain,
    asks,
    changing,
    content,
    database,
    described,
    domain,
    holds,
    script,
)
from palestra.envs.terminal.operators.drawing import Desk, Drawn, missed
from palestra.envs.terminal.step import Artefact, Operator, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("Change the schema of a database.", "A database needs another schema; its data must survive."),
    True: ("Migrate a database.", "Bring a database to its next version."),
}
_NEW: Final = {False: ("note", "origin", "channel"), True: ("remark", "source", "route")}
_VALUES: Final = {False: ("none", "import", "manual"), True: ("unset", "legacy", "paper")}


def _attempt(desk: Desk) -> Step | None:
    about = domain(desk.draws, heldout=desk.heldout)
    held = content(desk.draws, about, desk.knobs)
    path = desk.path(about.file)
    kinds = desk.draws.shuffled(("lookup", "split", "rename", "default"))[: desk.draws.between(1, 2)]
    kinds = [kind for kind in ("default", "rename", "split", "lookup") if kind in kinds]
    new, value, version = desk.of(_NEW), desk.of(_VALUES), desk.draws.between(2, 9)
    made = held
    for kind in kinds:
        made = _effect(about, made, kind, new, value)
    start_version = f"PRAGMA user_version = {version - 1};"
    starts = Tree().put(path, database(held, start_version))
    numbered: Json = asks(path, "PRAGMA user_version", [[version]])
    checks: tuple[Json, ...] = (*holds(path, made), numbered, *(_structure(path, about, made, kind) for kind in kinds))
    right = [*(_sql(about, kind, new, value) for kind in kinds), f"PRAGMA user_version = {version};"]
    wrong = {
        "forgets the version": right[:-1],
        **{f"goes half the way with {kind}": _near(about, right, kinds, kind) for kind in kinds},
    }
    failing = missed(checks, starts, {name: changing(path, "\n".join(sql)) for name, sql in wrong.items()})
    if len(failing) < 2:
        return None
    told = " ".join(f"({place}) {_told(about, kind, new, value)}" for place, kind in enumerate(kinds, 1))
    text = (
        f"{desk.of(_OPENINGS)} The SQLite database `{path}` has {described(held)}; `id` is the primary key of each. "
        f"{told} Then set the database's `user_version`, now {version - 1}, to {version}. All rows keep their `id` "
        "and all other values, and there are no other tables at the end."
    )
    return Step(
        operator="",
        choices=tuple(kinds),
        text=text,
        starts=starts,
        effect=lambda tree: tree.put(path, database(made, f"PRAGMA user_version = {version};")),
        solve=script(path, "\n".join(right)),
        checks=checks,
        wrong={name: script(path, "\n".join(sql)) for name, sql in wrong.items() if name in failing},
        tools=("sqlite3",),
        gives=Artefact("database", path, made, "the migrated data"),
    )


def _effect(about: Domain, held: Content, kind: str, new: str, value: str) -> Content:
    rows = held[about.children]
    if kind == "default":
        return {**held, about.children: [{**row, new: value} for row in rows]}
    if kind == "rename":
        parents = [
            {("label" if name == "name" else name): one for name, one in row.items()} for row in held[about.parents]
        ]
        return {**held, about.parents: parents}
    if kind == "split":
        split = [
            {
                **{name: one for name, one in row.items() if name != about.day},
                "year": int(row[about.day][:4]),
                "month": int(row[about.day][5:7]),
            }
            for row in rows
        ]
        return {**held, about.children: split}
    table, key = _lookup(about)
    names = sorted({row[about.kind] for row in rows})
    numbers = {name: number for number, name in enumerate(names, 1)}
    linked = [
        {
            **{name: one for name, one in row.items() if name != about.kind},
            key: numbers[row[about.kind]],
        }
        for row in rows
    ]
    return {**held, about.children: linked, table: [{"id": number, "name": name} for name, number in numbers.items()]}


def _lookup(about: Domain) -> tuple[str, str]:
    return f"{about.kind}_list", f"{about.kind}_id"


def _sql(about: Domain, kind: str, new: str, value: str) -> str:
    children, day = about.children, about.day
    table, key = _lookup(about)
    return {
        "default": f"ALTER TABLE {children} ADD COLUMN {new} TEXT NOT NULL DEFAULT '{value}';",
        "rename": f"ALTER TABLE {about.parents} RENAME COLUMN name TO label;",
        "split": f"ALTER TABLE {children} ADD COLUMN year INTEGER;\nALTER TABLE {children} ADD COLUMN month INTEGER;\n"
        f"UPDATE {children} SET year = CAST(substr({day}, 1, 4) AS INTEGER), "
        f"month = CAST(substr({day}, 6, 2) AS INTEGER);\nALTER TABLE {children} DROP COLUMN {day};",
        "lookup": f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);\n"
        f"INSERT INTO {table} (name) SELECT DISTINCT {about.kind} FROM {children} ORDER BY {about.kind};\n"
        f"ALTER TABLE {children} ADD COLUMN {key} INTEGER;\n"
        f"UPDATE {children} SET {key} = (SELECT id FROM {table} WHERE name = {children}.{about.kind});\n"
        f"ALTER TABLE {children} DROP COLUMN {about.kind};",
    }[kind]


def _near(about: Domain, right: Sequence[str], kinds: Sequence[str], kind: str) -> list[str]:
    """Return the whole migration, with one part of it almost right."""
    place = kinds.index(kind)
    lines = right[place].split("\n")
    changed = {
        "default": right[place].replace(" NOT NULL DEFAULT ", " DEFAULT '' || ").split(" DEFAULT")[0] + ";",
        "rename": f"ALTER TABLE {about.parents} ADD COLUMN label TEXT;\nUPDATE {about.parents} SET label = name;",
        "split": right[place].replace("6, 2", "9, 2"),
        "lookup": "\n".join(lines).replace(f"ORDER BY {about.kind}", f"ORDER BY {about.kind} DESC"),
    }[kind]
    return [*right[:place], changed, *right[place + 1 :]]


def _structure(path: str, about: Domain, made: Content, kind: str) -> Json:
    """Return the predicate that the columns are as told, and no others."""
    table = about.parents if kind == "rename" else about.children
    query = f"SELECT name FROM pragma_table_info('{table}')"
    return asks(path, query, [[name] for name in made[table][0]], any_order=True)


def _told(about: Domain, kind: str, new: str, value: str) -> str:
    table, key = _lookup(about)
    return {
        "default": f"`{about.children}` gets a column `{new}` of type TEXT, which is `{value}` in every row there is.",
        "rename": f"The column `name` of `{about.parents}` is called `label` from now on.",
        "split": f"`{about.children}` gets the columns `year` and `month`, both INTEGER, with the year and the month "
        f"(1 to 12) of `{about.day}`, which is YYYY-MM-DD; the column `{about.day}` goes.",
        "lookup": f"The different values of `{about.kind}` in `{about.children}` move to a new table `{table}` with "
        f"the columns `id` (INTEGER, the primary key) and `name`, numbered from 1 in ascending order of the values; "
        f"`{about.children}` gets an INTEGER column `{key}` with the number of its value, and the column "
        f"`{about.kind}` goes.",
    }[kind]


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("databases_migrations", "databases", None, _attempt),)
