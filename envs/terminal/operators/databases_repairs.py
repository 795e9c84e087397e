"""Rows that break rules are found and mended: orphans, duplicates, spellings and signs."""

from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.terminal.operators.databases_tables import (
    Content,
    Domain,
    Row,
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
    False: ("Mend the data of a database.", "A database holds rows that break its rules; repair it."),
    True: ("Clean a database up.", "Some rows of a database are wrong and have to be put right."),
}
_RULES: Final[Mapping[str, Sequence[str]]] = {
    "orphans": ("delete", "move", "null"),
    "duplicates": ("lowest", "highest"),
    "spelling": ("lower",),
    "sign": ("absolute", "zero"),
}


def _attempt(desk: Desk) -> Step | None:
    about = domain(desk.draws, heldout=desk.heldout)
    held = content(desk.draws, about, desk.knobs)
    chosen = desk.draws.shuffled(tuple(_RULES))[: desk.draws.between(1, 2)]
    rules = [(rule, desk.draws.pick(_RULES[rule])) for rule in _RULES if rule in chosen]
    for rule, _ in rules[::-1]:  # what is mended first is broken last
        _break(desk, about, held, rule)
    path = desk.path(about.file)
    mended = held
    for rule, way in rules:
        mended = _mended(about, mended, rule, way)
    starts = Tree().put(path, database(held))
    checks = holds(path, mended)
    right = [_sql(about, rule, way) for rule, way in rules]
    near = {f"does something else about {rule}": [_other(about, rule, way)] for rule, way in rules}
    wrong = {
        name: [other if name.endswith(rules[place][0]) else sql for place, sql in enumerate(right) for other in others]
        for name, others in near.items()
    }
    if len(rules) == 2:
        wrong |= {f"forgets the {rule}": [sql for sql in right if sql != _sql(about, rule, way)] for rule, way in rules}
    else:
        rule, way = rules[0]
        wrong["does nothing but tidy up"] = ["VACUUM;"]
        wrong["loses rows"] = [
            *right,
            f"DELETE FROM {about.children} WHERE id = (SELECT MAX(id) FROM {about.children});",
        ]
    failing = missed(checks, starts, {name: changing(path, "\n".join(sql)) for name, sql in wrong.items()})
    if len(failing) < 2:
        return None
    told = " ".join(f"({place}) {_told(about, rule, way)}" for place, (rule, way) in enumerate(rules, 1))
    text = (
        f"{desk.of(_OPENINGS)} The SQLite database `{path}` has {described(held)}; `{about.key}` is the `id` of a row "
        f"of `{about.parents}`. {told} {'Do this in the order of the numbers. ' if len(rules) > 1 else ''}"
        "Everything else in the database stays as it is."
    )
    whole = all(value is not None for rows in mended.values() for row in rows for value in row.values())
    return Step(
        operator="",
        choices=tuple(f"{rule} {way}" for rule, way in rules),
        text=text,
        starts=starts,
        effect=lambda tree: tree.put(path, database(mended)),
        solve=script(path, "\n".join(right)),
        checks=checks,
        wrong={name: script(path, "\n".join(sql)) for name, sql in wrong.items() if name in failing},
        tools=("sqlite3",),
        gives=Artefact("database", path, mended, "the mended data") if whole and all(mended.values()) else None,
    )


def _break(desk: Desk, about: Domain, held: Content, rule: str) -> None:
    rows = held[about.children]
    count = desk.draws.between(2, 3)
    places = desk.draws.shuffled(range(len(rows)))[:count]
    if rule == "duplicates":
        for place in places:
            rows.append({**rows[place], "id": max(row["id"] for row in rows) + desk.draws.between(1, 3)})
        return
    for place in places:
        row = rows[place]
        if rule == "orphans":
            row[about.key] = len(held[about.parents]) + desk.draws.between(1, 9)
        elif rule == "spelling":
            ways = (row[about.kind].upper(), f" {row[about.kind]}", f"{row[about.kind].title()} ")
            row[about.kind] = desk.draws.pick(ways)
        else:
            row[about.amount] = -row[about.amount]


def _mended(about: Domain, held: Content, rule: str, way: str) -> Content:
    rows = [dict(row) for row in held[about.children]]
    made = dict(held)
    if rule == "orphans":
        known = {row["id"] for row in held[about.parents]}
        lost = [row for row in rows if row[about.key] not in known]
        if way == "null":
            rows = [{**row, about.key: None} if row in lost else row for row in rows]
        else:
            rows = [row for row in rows if row not in lost]
        if way == "move":
            made[f"lost_{about.children}"] = lost
    elif rule == "duplicates":
        best: dict[tuple[object, ...], Row] = {}
        for row in sorted(rows, key=lambda row: row["id"], reverse=way == "lowest"):
            best[tuple(value for name, value in row.items() if name != "id")] = row
        rows = [row for row in rows if row in best.values()]
    elif rule == "spelling":
        rows = [{**row, about.kind: row[about.kind].strip().lower()} for row in rows]
    else:
        rows = [
            {**row, about.amount: abs(row[about.amount]) if way == "absolute" else max(0, row[about.amount])}
            for row in rows
        ]
    return {**made, about.children: rows}


def _sql(about: Domain, rule: str, way: str) -> str:
    orphan = f"{about.key} NOT IN (SELECT id FROM {about.parents})"
    same = ", ".join((about.key, about.kind, about.amount, about.day))
    function = "MIN" if way == "lowest" else "MAX"
    moved = f"lost_{about.children}"
    return {
        "delete": f"DELETE FROM {about.children} WHERE {orphan};",
        "move": f"CREATE TABLE {moved} AS SELECT * FROM {about.children} WHERE {orphan};\n"
        f"DELETE FROM {about.children} WHERE {orphan};",
        "null": f"UPDATE {about.children} SET {about.key} = NULL WHERE {orphan};",
        "lowest": f"DELETE FROM {about.children} WHERE id NOT IN "
        f"(SELECT {function}(id) FROM {about.children} GROUP BY {same});",
        "highest": f"DELETE FROM {about.children} WHERE id NOT IN "
        f"(SELECT {function}(id) FROM {about.children} GROUP BY {same});",
        "lower": f"UPDATE {about.children} SET {about.kind} = LOWER(TRIM({about.kind}));",
        "absolute": f"UPDATE {about.children} SET {about.amount} = ABS({about.amount});",
        "zero": f"UPDATE {about.children} SET {about.amount} = MAX(0, {about.amount});",
    }[way]


def _other(about: Domain, rule: str, way: str) -> str:
    """Return what does nearly the same about a rule."""
    if rule == "spelling":
        return f"UPDATE {about.children} SET {about.kind} = LOWER({about.kind});"
    ways = _RULES[rule]
    return _sql(about, rule, ways[(ways.index(way) + 1) % len(ways)])


def _told(about: Domain, rule: str, way: str) -> str:
    rest = ", ".join(f"`{name}`" for name in (about.key, about.kind, about.amount, about.day))
    orphans = f"Rows of `{about.children}` whose `{about.key}` is the `id` of no row of `{about.parents}`"
    return {
        "delete": f"{orphans} are deleted.",
        "move": f"{orphans} are moved, as they are, to a new table `lost_{about.children}` with the same columns.",
        "null": f"{orphans} stay, but get NULL as their `{about.key}`.",
        "lowest": f"Of rows of `{about.children}` that are alike in {rest}, only that with the lowest `id` stays.",
        "highest": f"Of rows of `{about.children}` that are alike in {rest}, only that with the highest `id` stays.",
        "lower": f"Every `{about.kind}` of `{about.children}` is written in lower case, without blanks around it.",
        "absolute": f"A negative `{about.amount}` in `{about.children}` has lost its sense: it becomes positive.",
        "zero": f"A negative `{about.amount}` in `{about.children}` becomes 0.",
    }[way]


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("databases_repairs", "databases", None, _attempt),)
