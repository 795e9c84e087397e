"""Databases are brought back from dumps, put together, and cut down to a part."""

from contextlib import closing
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.databases_tables import (
    Content,
    Domain,
    asks,
    content,
    database,
    declared,
    described,
    domain,
    holds,
    opened,
    script,
)
from palestra.envs.terminal.operators.drawing import Desk, Drawn
from palestra.envs.terminal.step import Artefact, Operator, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("A database is lost; dumps of it are left.", "Bring a database back."),
    True: ("Rebuild a database from its backups.", "Only backups of a database are there."),
}
_COPIES: Final = {
    False: ("Make a database from others.", "Another database is wanted."),
    True: ("A new database is needed.", "Put a database together."),
}
_FOLDERS: Final = {False: ("dumps", "backup", "saved"), True: ("nightly", "vault", "kept")}


def _attempt(desk: Desk) -> Step | None:
    about = domain(desk.draws, heldout=desk.heldout)
    kind = desk.draws.pick(("newest", "whole", "parts", "subset"))
    return {"newest": _newest, "whole": _newest, "parts": _parts, "subset": _subset}[kind](desk, about, kind)


def _dump(data: bytes) -> str:
    with closing(opened(data)) as connection:
        return "".join(f"{line}\n" for line in connection.iterdump())


def _newest(desk: Desk, about: Domain, kind: str) -> Step:
    """The newest dump that is whole is restored: dumps that were cut short lack their end."""
    root, path = desk.path(desk.of(_FOLDERS)), desk.path(about.file)
    days = sorted({f"2025-{desk.draws.between(1, 12):02}-{desk.draws.between(1, 28):02}" for _ in range(4)})
    while len(days) < 3:
        days.append(f"2026-01-{10 + len(days)}")
    starts, held = Tree(), content(desk.draws, about, desk.knobs)
    cut = {days[-1]} if kind == "whole" else set()
    right, made = "", held
    for day in days:
        held = {**held, about.children: held[about.children][:-1]}
        text = _dump(database(held))
        at = f"{root}/{day}.sql"
        if day in cut:
            text = text[: len(text) * 2 // 3].rsplit("\n", 1)[0] + "\n"
        else:
            right, made = at, held
        starts = starts.put(at, text)
    told = (
        "The newest of them was cut short: a whole one ends with the line `COMMIT;`. Take the newest that is whole."
        if kind == "whole"
        else "Take the newest."
    )
    text = (
        f"{desk.of(_OPENINGS)} Each file in `{root}` is a dump that sqlite3 wrote on the day that it is named after. "
        f"{told} Make the SQLite database `{path}` from it; it must hold just what that dump does. "
        f"Leave the files in `{root}` as they are."
    )
    others = [f"{root}/{day}.sql" for day in days if f"{root}/{day}.sql" != right]
    return Step(
        operator="",
        choices=(kind,),
        text=text,
        starts=starts,
        effect=lambda tree: tree.put(path, database(made)),
        solve=f"sqlite3 {path} < {right}",
        checks=holds(path, made),
        wrong={
            "takes the oldest": f"sqlite3 {path} < {others[0]}",
            "takes another": f"sqlite3 {path} < {others[-1]} || true",
            "is empty": f"sqlite3 {path} 'VACUUM;'",
        },
        keeps=tuple(starts),
        tools=("sqlite3",),
        gives=Artefact("database", path, made, "the restored database"),
    )


def _parts(desk: Desk, about: Domain, kind: str) -> Step:
    """Two databases with the same tables become one; ids of the second may be taken."""
    held = content(desk.draws, about, desk.knobs)
    rows, cut = held[about.children], desk.draws.between(4, len(held[about.children]) - 3)
    overlap = desk.draws.pick(("none", "old wins", "new wins"))
    first: Content = {**held, about.children: rows[:cut]}
    start_of_second = cut if overlap == "none" else max(1, cut - desk.draws.between(2, 3))
    second_rows = [
        {**row, about.amount: row[about.amount] + (3 if place < cut else 0)}
        for place, row in enumerate(rows)
        if place >= start_of_second
    ]
    one, two, path = desk.path("first.db"), desk.path("second.db"), desk.path(f"all-{about.file}")
    by_id = {row["id"]: row for row in (first[about.children] if overlap == "new wins" else second_rows)}
    by_id |= {row["id"]: row for row in (second_rows if overlap == "new wins" else first[about.children])}
    made: Content = {about.children: list(by_id.values())}
    starts = Tree().put(one, database({about.children: first[about.children]}))
    starts = starts.put(two, database({about.children: second_rows}))
    told = {
        "none": "No `id` occurs in both.",
        "old wins": f"Where an `id` occurs in both, the row of `{one}` counts.",
        "new wins": f"Where an `id` occurs in both, the row of `{two}` counts.",
    }[overlap]
    text = (
        f"{desk.of(_COPIES)} Two SQLite databases, `{one}` and `{two}`, have a table "
        f"{described({about.children: rows})} each, with `id` as its primary key. Make a third, `{path}`, with the "
        f"same table that has the rows of both. {told} Leave `{one}` and `{two}` as they are."
    )
    key = asks(path, f"SELECT name FROM pragma_table_info('{about.children}') WHERE pk > 0", [["id"]])

    def merging(*sources: tuple[str, str]) -> str:
        sql = [f"CREATE TABLE {about.children} ({declared(rows)});"]
        for place, (source, how) in enumerate(sources):
            sql.append(f"ATTACH '{source}' AS part{place};")
            sql.append(f"{how} INTO {about.children} SELECT * FROM part{place}.{about.children};")
        return script(path, "\n".join(sql))

    late = "INSERT OR REPLACE" if overlap == "new wins" else "INSERT OR IGNORE"
    wrong = {
        "has the first only": merging((one, "INSERT")),
        "has the second only": merging((two, "INSERT")),
    }
    if overlap != "none":
        other = "INSERT OR IGNORE" if overlap == "new wins" else "INSERT OR REPLACE"
        wrong["takes the other of two"] = merging((one, "INSERT"), (two, other))
    return Step(
        operator="",
        choices=(kind, overlap),
        text=text,
        starts=starts,
        effect=lambda tree: tree.put(path, database(made)),
        solve=merging((one, "INSERT"), (two, late)),
        checks=(*holds(path, made), key),
        wrong=wrong,
        keeps=(one, two),
        tools=("sqlite3",),
        gives=Artefact("database", path, made, "both databases in one"),
    )


def _part(desk: Desk, about: Domain, held: Content) -> tuple[str, Content, str, str, str]:
    """Return by what a part is told, its rows, both tables' conditions, and what the text says of it."""
    by, group = desk.draws.pick(("group", "day")), desk.draws.pick(held[about.parents])[about.group]
    limit = sorted(row[about.day] for row in held[about.children])[len(held[about.children]) // 2]
    if by == "group":
        parents = [row for row in held[about.parents] if row[about.group] == group]
        children = [row for row in held[about.children] if row[about.key] in {one["id"] for one in parents}]
        where = f"WHERE {about.group} = '{group}'"
        inner = f"WHERE {about.key} IN (SELECT id FROM old.{about.parents} {where})"
        told = (
            f"the rows of `{about.parents}` whose `{about.group}` is `{group}`, and the rows of `{about.children}` "
            "that belong to them"
        )
    else:
        children = [row for row in held[about.children] if row[about.day] >= limit]
        parents = [row for row in held[about.parents] if row["id"] in {one[about.key] for one in children}]
        inner = f"WHERE {about.day} >= '{limit}'"
        where = f"WHERE id IN (SELECT {about.key} FROM old.{about.children} {inner})"
        told = (
            f"the rows of `{about.children}` whose `{about.day}` is `{limit}` or later, and the rows of "
            f"`{about.parents}` that one of these belongs to"
        )
    return by, {about.parents: parents, about.children: children}, where, inner, told


def _subset(desk: Desk, about: Domain, kind: str) -> Step | None:
    """A part of a database is copied, with what belongs to it, and the database is left."""
    held = content(desk.draws, about, desk.knobs)
    source, path = desk.path(about.file), desk.path(f"part-{about.file}")
    by, made, where, inner, told = _part(desk, about, held)
    if not all(made.values()) or len(made[about.parents]) == len(held[about.parents]):
        return None
    starts = Tree().put(source, database(held))

    def copying(where: str, inner: str) -> str:
        sql = [f"ATTACH '{source}' AS old;"]
        for name, which in ((about.parents, where), (about.children, inner)):
            sql.append(f"CREATE TABLE {name} ({declared(made[name])});")
            sql.append(f"INSERT INTO {name} SELECT * FROM old.{name} {which};")
        return script(path, "\n".join(sql))

    text = (
        f"{desk.of(_COPIES)} The SQLite database `{source}` has {described(held)}, where `{about.key}` is the `id` of "
        f"a row of `{about.parents}`. Make a database `{path}` with the same two tables, their columns and nothing "
        f"else, in which are {told}. Leave `{source}` as it is."
    )
    keys: tuple[Json, ...] = tuple(
        asks(
            path,
            f"SELECT name FROM pragma_table_info('{name}')",
            [[column] for column in made[name][0]],
            any_order=True,
        )
        for name in made
    )
    wrong = {"copies everything": copying("", ""), "forgets what belongs to it": copying("WHERE 0", inner)}
    if by == "day":
        wrong["keeps all of the others"] = copying("", inner)
    else:
        wrong["keeps all of the others"] = copying(where, "")
    return Step(
        operator="",
        choices=(kind, by),
        text=text,
        starts=starts,
        effect=lambda tree: tree.put(path, database(made)),
        solve=copying(where, inner),
        checks=(*holds(path, made), *keys),
        wrong=wrong,
        keeps=(source,),
        tools=("sqlite3",),
        gives=Artefact("database", path, made, "the part"),
    )


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("databases_dumps", "databases", None, _attempt),)
