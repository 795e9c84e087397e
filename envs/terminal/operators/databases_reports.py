"""Rows of two tables are joined, grouped and summed up."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.databases_tables import (
    Content,
    Domain,
    content,
    database,
    described,
    domain,
    rows_of,
)
from palestra.envs.terminal.operators.drawing import Desk, Drawn, csv_of, missed
from palestra.envs.terminal.step import Artefact, Operator, Step
from palestra.envs.terminal.tree import Tree

_OPENINGS: Final = {
    False: ("Make a report from a database.", "Sum up what a database says."),
    True: ("A summary of a database is wanted.", "Work out figures from two tables."),
}
_OUTPUTS: Final = {False: ("report", "summary", "totals"), True: ("figures", "overview", "digest")}
_MEASURES: Final[dict[str, Callable[[list[int]], int]]] = {
    "how many": len,
    "sum": sum,
    "largest": lambda values: max(values, default=0),
}
_SQL: Final = {"how many": "COUNT(c.id)", "sum": "COALESCE(SUM(c.{0}), 0)", "largest": "COALESCE(MAX(c.{0}), 0)"}


def _attempt(desk: Desk) -> Step | None:
    about = domain(desk.draws, heldout=desk.heldout)
    held = content(desk.draws, about, desk.knobs)
    path, out = desk.path(about.file), desk.path(f"{desk.of(_OUTPUTS)}.csv")
    measure, by = desk.draws.pick(tuple(_MEASURES)), desk.draws.pick(("parent", "group"))
    scope = desk.draws.pick(("all", "some", "most", "kind"))
    kind, count = desk.draws.pick(about.kinds), desk.draws.between(2, 3)
    starts = Tree().put(path, database(held))
    reference = _rows(about, held, measure, by, scope, kind, count)
    column = {"parent": "name", "group": about.group}[by]
    header = [column, measure.replace(" ", "_")]
    if len(reference) < 2:
        return None
    rows = [header, *reference]
    check: Json = {"kind": "csv", "group": 0, "path": out, "rows": [[str(value) for value in row] for row in rows]}
    if desk.knobs.strict:
        check = {"kind": "file", "group": 0, "path": out, "equals": csv_of(rows)}

    def query(measure: str, scope: str, *, left: bool, falling: bool = True) -> str:
        limit = f" LIMIT {count}" if scope == "most" else ""
        return _query(about, measure, by, scope, kind, header, left=left, falling=falling) + limit

    other = {"how many": "sum", "sum": "how many", "largest": "sum"}[measure]
    right = query(measure, scope, left=True)
    wrong = {
        "leaves out what has none": query(measure, scope, left=False),
        "has the order the other way round": query(measure, scope, left=True, falling=False),
        "works out another figure": query(other, scope, left=True),
        "heeds no condition": query(measure, "all", left=True),
    }
    wrong = {name: sql for name, sql in wrong.items() if sql != right}
    failing = missed((check,), starts, {name: _leaving(path, out, header, sql) for name, sql in wrong.items()})
    if len(failing) < 2:
        return None
    text = (
        f"{desk.of(_OPENINGS)} The SQLite database `{path}` has {described(held)}; `{about.key}` is the `id` of a row "
        f"of `{about.parents}`. {_told(about, measure, by, scope, kind, count, column)} Write this to `{out}` as CSV "
        f"with the header `{','.join(header)}`, the largest figure first; equal figures are in the order of "
        f"`{column}`, ascending, texts compared by their bytes. Leave the database as it is."
        + (" The file is compared byte for byte; every line ends with one newline." if desk.knobs.strict else "")
    )
    made = [dict(zip(header, map(str, row), strict=True)) for row in reference]
    return Step(
        operator="",
        choices=(measure, by, scope),
        text=text,
        starts=starts,
        effect=lambda tree: tree.put(out, csv_of(rows)),
        solve=_bash(path, out, right),
        checks=(check,),
        wrong={name: _bash(path, out, sql) for name, sql in wrong.items() if name in failing},
        makes=(out,),
        keeps=(path,),
        tools=("sqlite3",),
        gives=Artefact("table", out, made, "the report"),
    )


def _query(
    about: Domain, measure: str, by: str, scope: str, kind: str, header: Sequence[str], *, left: bool, falling: bool
) -> str:
    """Return the SQL of a report, however many rows are wanted."""
    column, figure = header[0], _SQL[measure].format(about.amount)
    also = f" AND c.{about.kind} = '{kind}'" if scope == "kind" else ""
    joined = f"{'LEFT ' if left else ''}JOIN {about.children} c ON c.{about.key} = p.id{also}"
    having = f" HAVING {figure} > 0" if scope == "some" else ""
    grouped = "p.id" if by == "parent" else f"p.{column}"
    order = f"{figure} {'DESC' if falling else 'ASC'}, p.{column}"
    return (
        f"SELECT p.{column} AS {column}, {figure} AS {header[1]} FROM {about.parents} p {joined} "
        f"GROUP BY {grouped}{having} ORDER BY {order}"
    )


def _rows(
    about: Domain, held: Content, measure: str, by: str, scope: str, kind: str, count: int
) -> list[tuple[str, int]]:
    column = "name" if by == "parent" else about.group
    groups: dict[str, list[int]] = {row[column]: [] for row in held[about.parents]}
    owners = {row["id"]: row[column] for row in held[about.parents]}
    for row in held[about.children]:
        if scope != "kind" or row[about.kind] == kind:
            groups[owners[row[about.key]]].append(row[about.amount])
    found = sorted((-_MEASURES[measure](values), name) for name, values in groups.items())
    if scope == "some":
        found = [one for one in found if one[0]]
    return [(name, -figure) for figure, name in (found[:count] if scope == "most" else found)]


def _told(about: Domain, measure: str, by: str, scope: str, kind: str, count: int, column: str) -> str:
    each = f"each row of `{about.parents}`" if by == "parent" else f"each `{column}` that occurs in `{about.parents}`"
    figure = {
        "how many": f"how many rows of `{about.children}` belong to it",
        "sum": f"the sum of `{about.amount}` of the rows of `{about.children}` that belong to it",
        "largest": f"the largest `{about.amount}` of the rows of `{about.children}` that belong to it",
    }[measure]
    limit = f", counting only rows whose `{about.kind}` is `{kind}`" if scope == "kind" else ""
    none = "; 0 if there are none" + (", and then leave it out" if scope == "some" else "")
    only = f" Only the first {count} in the order below are wanted." if scope == "most" else ""
    return f"For {each}, find {figure}{limit}{none}.{only}"


def _leaving(path: str, out: str, header: Sequence[str], query: str) -> Callable[[Tree], Tree]:
    def effect(tree: Tree) -> Tree:
        rows: list[Any] = [header, *rows_of(tree.data(path), query)]
        return tree.put(out, csv_of(rows))

    return effect


def _bash(path: str, out: str, query: str) -> str:
    return f"sqlite3 -csv -header {path} \"{query}\" | tr -d '\\r' > {out}"


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("databases_reports", "databases", None, _attempt),)
