"""A database gets indexes and views."""

from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.databases_tables import (
    Content,
    Domain,
    asks,
    changed,
    content,
    database,
    described,
    domain,
    holds,
    script,
)
from palestra.envs.terminal.operators.drawing import Desk, Drawn, missed
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("Queries on a database are slow, and always the same.", "Add to the schema of a database."),
    True: ("A database needs an index and a view.", "Prepare a database for its readers."),
}
_PREFIXES: Final = {False: ("by", "of", "on"), True: ("for", "via", "at")}


def _attempt(desk: Desk) -> Step | None:
    about = domain(desk.draws, heldout=desk.heldout)
    held = content(desk.draws, about, desk.knobs)
    path = desk.path(about.file)
    kind, view = desk.draws.pick(("one", "two", "partial", "unique")), desk.draws.pick(("join", "count", "recent"))
    prefix = desk.of(_PREFIXES)
    limit = sorted(row[about.day] for row in held[about.children])[len(held[about.children]) // 2]
    value = desk.draws.pick(about.kinds)
    starts = Tree().put(path, database(held))
    index, told_index = _index(about, kind, f"{prefix}_{kind}", value)
    named = f"{prefix}_{about.children}"
    query, told_view, columns, rows = _view(about, held, view, limit)
    if not rows:
        return None
    checks: tuple[Json, ...] = (
        *holds(path, held),
        *_index_checks(path, about, kind, f"{prefix}_{kind}"),
        asks(path, f"SELECT {', '.join(columns)} FROM {named}", rows, any_order=True),
        asks(path, f"SELECT type FROM sqlite_master WHERE name = '{named}'", [["view"]]),
    )
    made = f"CREATE VIEW {named} AS {query};"
    near = _index(
        about, {"one": "two", "two": "one", "partial": "one", "unique": "one"}[kind], f"{prefix}_{kind}", value
    )
    wrong = {
        "makes a table of the view": f"{index}\nCREATE TABLE {named} AS {query};",
        "makes another index": f"{near[0]}\n{made}",
        "makes a view of less": f"{index}\nCREATE VIEW {named} AS {query} LIMIT 1;",
    }
    effects: dict[str, Any] = {
        name: lambda tree, sql=sql: tree.put(path, changed(tree.data(path), sql)) for name, sql in wrong.items()
    }
    failing = missed(checks, starts, effects)
    if len(failing) < 2:
        return None
    text = (
        f"{desk.of(_OPENINGS)} The SQLite database `{path}` has {described(held)}; `{about.key}` is the `id` of a row "
        f"of `{about.parents}`. (1) {told_index} (2) Make a view `{named}` with the columns "
        f"{', '.join(f'`{one}`' for one in columns)}: {told_view} The view must follow later changes of the tables. "
        "The tables and their rows stay as they are."
    )
    return Step(
        operator="",
        choices=(kind, view),
        text=text,
        starts=starts,
        effect=lambda tree: tree.put(path, database(held, f"{index}\n{made}")),
        solve=script(path, f"{index}\n{made}"),
        checks=checks,
        wrong={name: script(path, sql) for name, sql in wrong.items() if name in failing},
        tools=("sqlite3",),
    )


def _index(about: Domain, kind: str, name: str, value: str) -> tuple[str, str]:
    """Return the statement that makes an index, and what the text says of it."""
    table = about.children
    if kind == "unique":
        return (
            f"CREATE UNIQUE INDEX {name} ON {about.parents} (name);",
            f"Make an index `{name}` that sees to it that no two rows of `{about.parents}` have the same `name`.",
        )
    columns = [about.key, about.day] if kind == "two" else [about.key]
    where = f" WHERE {about.kind} = '{value}'" if kind == "partial" else ""
    told = f"Make an index `{name}` on {' and then '.join(f'`{one}`' for one in columns)} of `{table}`"
    only = f", which has only the rows whose `{about.kind}` is `{value}`" if where else ""
    return f"CREATE INDEX {name} ON {table} ({', '.join(columns)}){where};", f"{told}{only}; it is not unique."


def _index_checks(path: str, about: Domain, kind: str, name: str) -> tuple[Json, ...]:
    table = about.parents if kind == "unique" else about.children
    columns = {"unique": ["name"], "two": [about.key, about.day]}.get(kind, [about.key])
    facts = [[int(kind == "unique"), int(kind == "partial")]]
    return (
        asks(path, f"SELECT \"unique\", partial FROM pragma_index_list('{table}') WHERE name = '{name}'", facts),
        asks(path, f"SELECT name FROM pragma_index_info('{name}') ORDER BY seqno", [[one] for one in columns]),
    )


def _view(about: Domain, held: Content, view: str, limit: str) -> tuple[str, str, list[str], list[list[Any]]]:
    """Return a view's query, what the text says of it, its columns and its rows."""
    parents, children = held[about.parents], held[about.children]
    names = {row["id"]: row["name"] for row in parents}
    if view == "join":
        columns = ["id", "name", about.amount]
        return (
            f"SELECT c.id AS id, p.name AS name, c.{about.amount} AS {about.amount} FROM {about.children} c "
            f"JOIN {about.parents} p ON p.id = c.{about.key}",
            f"for every row of `{about.children}` its `id`, the `name` of that row of `{about.parents}` which it "
            f"belongs to, and its `{about.amount}`.",
            columns,
            [[row["id"], names[row[about.key]], row[about.amount]] for row in children],
        )
    if view == "count":
        figures = [(one, [row for row in children if row[about.key] == one["id"]]) for one in parents]
        return (
            f"SELECT p.name AS name, COUNT(c.id) AS many, COALESCE(SUM(c.{about.amount}), 0) AS whole "
            f"FROM {about.parents} p LEFT JOIN {about.children} c ON c.{about.key} = p.id GROUP BY p.id",
            f"for every row of `{about.parents}` its `name`, how many rows of `{about.children}` belong to it, and the "
            f"sum of their `{about.amount}`; 0 and 0 if there are none.",
            ["name", "many", "whole"],
            [[one["name"], len(rows), sum(row[about.amount] for row in rows)] for one, rows in figures],
        )
    columns = ["id", about.key, about.day]
    return (
        f"SELECT {', '.join(columns)} FROM {about.children} WHERE {about.day} >= '{limit}'",
        f"the rows of `{about.children}` whose `{about.day}` is `{limit}` or later.",
        columns,
        [[row[name] for name in columns] for row in children if row[about.day] >= limit],
    )


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("databases_views", "databases", None, _attempt),)
