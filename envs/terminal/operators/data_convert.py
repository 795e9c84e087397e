"""Tables as JSON, and JSON as tables."""

import csv
import io
import json
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.data_sheets import DOMAINS, Sheet, drawn, read, table_in
from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, lines, table
from palestra.envs.terminal.step import Artefact, Step
from palestra.envs.terminal.tree import Tree

JSON_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
SHAPES: Final = {
    "list": "a list with an object for each row, in the order of the rows",
    "keyed": "an object that has, under each row's `{key}`, an object with that row's other columns",
    "groups": "an object that has, under each value of `{key}`, the list of objects for the rows with that value, in"
    " the order of the rows, without that column",
    "columns": "an object that has, under each column's name, the list of its values in the order of the rows",
}
READ: Final = Pool(
    ("Turn the CSV file `{}` (with a header) into JSON.", "`{}` is a CSV file with a header."),
    ("The CSV table `{}`, whose first line is a header, is wanted as JSON.", "Convert `{}` from CSV with a header."),
)


@dataclass(frozen=True, slots=True)
class ToJson:
    """A table as a JSON file."""

    sheet: Sheet
    out: str
    shape: str
    key: str
    numbers: tuple[str, ...]  # columns that are numbers in JSON
    shown: tuple[str, ...]

    def effect(self, tree: Tree) -> Tree:
        rows = read(tree, self.sheet.path)
        columns = [one for one in self.shown if one != self.key or self.shape in ("list", "columns")]
        cells = [{one: self._cell(one, row[one]) for one in columns} for row in rows]
        objects = [f"{{{', '.join(f'{json.dumps(one)}: {row[one]}' for one in columns)}}}" for row in cells]
        if self.shape == "list":
            return tree.put(self.out, "[\n" + ",\n".join(objects) + "\n]\n")
        if self.shape == "columns":
            held = {one: f"[{', '.join(row[one] for row in cells)}]" for one in columns}
        elif self.shape == "keyed":
            held = {row[self.key]: made for row, made in zip(rows, objects, strict=True)}
        else:
            groups: dict[str, list[str]] = {}
            for row, made in zip(rows, objects, strict=True):
                groups.setdefault(row[self.key], []).append(made)
            held = {key: f"[{', '.join(made)}]" for key, made in groups.items()}
        return tree.put(
            self.out, "{\n" + ",\n".join(f"{json.dumps(key)}: {one}" for key, one in held.items()) + "\n}\n"
        )

    def _cell(self, column: str, value: str) -> str:
        return value if column in self.numbers else json.dumps(value)

    def bash(self) -> str:
        columns = [one for one in self.shown if one != self.key or self.shape in ("list", "columns")]
        parts = {one: f"${self.sheet.place(one)}" for one in columns}
        cells = {one: at if one in self.numbers else f'"\\"" {at} "\\""' for one, at in parts.items()}
        made = ' ", " '.join(f'"\\"{one}\\": " {cells[one]}' for one in columns)
        first, last, key = "{", "}", f"${self.sheet.place(self.key)}"
        if self.shape == "columns":
            each = "; ".join(f"c[{at}] = c[{at}] s {cells[one]}" for at, one in enumerate(columns))
            ends = "; ".join(
                f'printf "%s\\"{one}\\": [%s]", "{"," if at else ""}{chr(92)}n", c[{at}]'
                for at, one in enumerate(columns)
            )
            body = f'NR > 1 {{ {each}; s = ", " }} END {{ printf "{{"; {ends}; print "\\n}}" }}'
            return f"awk -F, '{body}' {self.sheet.path} > {self.out}"
        if self.shape == "groups":
            body = (
                f'NR > 1 {{ k = {key}; if (!(k in g)) o[++n] = k; g[k] = g[k] (k in g && g[k] != "" ? ", " : "") "{{"'
                f' {made} "}}" }}\n  END {{ printf "{{"; for (i = 1; i <= n; i++) printf "%s\\"%s\\": [%s]",'
                f' (i > 1 ? "," : "") "\\n", o[i], g[o[i]]; print "\\n}}" }}'
            )
            return f"awk -F, '{body}' {self.sheet.path} > {self.out}"
        if self.shape == "list":
            first, last, label = "[", "]", ""
        else:
            label = f'"\\"" {key} "\\": " '
        return (
            f'awk -F, \'BEGIN {{ printf "{first}" }} NR > 1 {{ printf "%s", (NR > 2 ? "," : "") "\\n" {label}"{{"'
            f' {made} "}}" }}\n  END {{ print "\\n{last}" }}\' {self.sheet.path} > {self.out}'
        )


def to_json(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `ToJson`."""
    sheet = table_in(desk)
    if sheet is None or not sheet.groups:
        return None
    numbers = [one for one in sheet.numbers if all(map(JSON_NUMBER.fullmatch, sheet.values(one)))]
    shape, typed, scope = desk.pick(tuple(SHAPES)), desk.pick(("typed", "texts")), desk.pick(("all", "some"))
    unique = [one for one in sheet.texts if len(set(sheet.values(one))) == len(sheet.rows)]
    if not numbers or (shape == "keyed" and not unique):
        return None
    key = desk.pick(unique if shape == "keyed" else sheet.groups)
    kept = {*desk.some(sheet.columns, max(3, len(sheet.columns) - 2)), key, numbers[0]}
    shown = sheet.columns if scope == "all" else tuple(one for one in sheet.columns if one in kept)
    out = desk.out("table.json")
    plan = ToJson(sheet, out, shape, key, tuple(numbers) if typed == "typed" else (), shown)
    told = ", ".join(f"`{one}`" for one in numbers if one in shown)
    kinds = f"The values of {told} are numbers, all others texts" if typed == "typed" else "All values are texts"
    left = "" if scope == "all" else f" Only these columns are wanted: {', '.join(f'`{one}`' for one in shown)}."
    text = (
        f"{desk.word(READ).format(sheet.path)} Write `{out}`, a JSON file: {SHAPES[shape].format(key=key)}. The"
        f" columns' names are the keys. {kinds}.{left} Spaces, line breaks and the order of keys do not count."
    )
    wrong = {
        "numbers otherwise": replace(plan, numbers=() if typed == "typed" else tuple(numbers)),
        "another shape": replace(plan, shape="list" if shape != "list" else "columns"),
        "other columns": replace(plan, shown=tuple(one for one in shown if one != numbers[0])),
        "all columns": replace(plan, shown=sheet.columns),
    }
    value = json.loads(plan.effect(desk.start()).text(out))
    check: Json = {"kind": "json", "group": 0, "path": out, "equals": value}
    return desk.step(
        choices=(shape, typed, scope),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=[check],
        makes=(out,),
        gives=Artefact("records", out, value, "the table as JSON") if shape == "list" else None,
        is_bytewise=False,
    )


PROGRAM: Final = """python3 - <<'END'
import csv, json
with open({source!r}) as file:
    records = json.load(file)
{body}
END"""
BODIES: Final = {
    "csv": """with open({out!r}, "w", newline="") as file:
    writer = csv.writer(file, delimiter={delimiter!r}, lineterminator="\\n")
    writer.writerow({columns!r})
    for one in records:
        cells = [one.get(column) for column in {columns!r}]
        writer.writerow([{nothing!r} if cell is None else cell if isinstance(cell, str) else json.dumps(cell)
                         for cell in cells])""",
    "lines": """with open({out!r}, "w") as file:
    for one in records:
        held = {{column: one.get(column) for column in {columns!r}}}
        file.write(json.dumps({{k: v for k, v in held.items() if {kept}}}, separators=(",", ":")) + "\\n")""",
}


@dataclass(frozen=True, slots=True)
class FromJson:
    """A JSON file's list of objects as lines."""

    source: str
    out: str
    form: str  # comma, tab or lines
    columns: tuple[str, ...]
    nothing: str  # what stands for null, or "drop": such keys are left out of lines

    def effect(self, tree: Tree) -> Tree:
        made = io.StringIO()
        records = json.loads(tree.text(self.source))
        if self.form == "lines":
            for one in records:
                cells = ((column, one.get(column)) for column in self.columns)
                kept = (f"{json.dumps(k)}:{json.dumps(v)}" for k, v in cells if v is not None or self.nothing != "drop")
                made.write("{" + ",".join(kept) + "}\n")
        else:
            writer = csv.writer(made, delimiter="," if self.form == "comma" else "\t", lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows([self._cell(one.get(column)) for column in self.columns] for one in records)
        return tree.put(self.out, made.getvalue())

    def _cell(self, value: Any) -> str:
        if value is None:
            return self.nothing
        return str(value).lower() if isinstance(value, bool) else str(value)

    def bash(self) -> str:
        kept = "v is not None" if self.nothing == "drop" else "True"
        body = BODIES["lines" if self.form == "lines" else "csv"].format(
            out=self.out,
            columns=list(self.columns),
            delimiter="," if self.form == "comma" else "\t",
            nothing=self.nothing,
            kept=kept,
        )
        return PROGRAM.format(source=self.source, body=body)


OUTS: Final = {
    "comma": ("records.csv", "as CSV with a header"),
    "tab": ("records.tsv", "as columns separated by tabs (TSV), with a header"),
    "lines": (
        "records.jsonl",
        "as JSON lines: one object a line, without spaces outside of texts, its keys in this order",
    ),
}


def records_in(desk: Desk) -> tuple[str, list[dict[str, Any]]] | None:
    """Return the given records and where they are, or some that are laid out."""
    if desk.given is not None:
        cells = [cell for one in desk.given.content for cell in one.values()]
        flat = all(isinstance(cell, str | int | None) and str(cell).isascii() for cell in cells)
        return (desk.given.path, desk.given.content) if flat else None
    domain = desk.word(DOMAINS)

    def made(count: int) -> list[dict[str, Any]]:
        sheet = drawn(desk, domain, count)
        rows, integers = [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows], sheet.integers
        return [
            {
                **{one: int(cell) if one in integers else cell for one, cell in row.items()},
                "open": desk.draws.chance(0.5),
                "note": None if desk.draws.chance(0.4) else desk.pick(("late", "two, or more", "ok")),
            }
            for row in rows
        ]

    name = f"{domain.name}.json"
    held = made(desk.knobs.size)
    return desk.put(name, json.dumps(held, indent=2) + "\n"), held


LISTS: Final = Pool(
    ("`{}` holds a JSON list of flat objects.", "Convert the JSON file `{}`, a list of flat objects."),
    ("In `{}` there is a list of flat objects in JSON.", "The records in `{}`, a JSON list, are wanted otherwise."),
)


def from_json(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `FromJson`."""
    found = records_in(desk)
    if found is None or len(found[1][0]) < 3:
        return None
    source, held = found
    names = list(held[0])
    form, order = desk.pick(tuple(OUTS)), desk.pick(("named", "sorted", "fewer"))
    columns = tuple(sorted(names) if order == "sorted" else desk.some(names, len(names) - (order == "fewer")))
    nothing = desk.pick(("drop", "null")) if form == "lines" else desk.pick(("", "NULL"))
    out = desk.out(OUTS[form][0])
    plan = FromJson(source, out, form, columns, nothing)
    empty = {
        "drop": "Keys whose value is null are left out.",
        "null": "A null stays null.",
        "": "For null nothing is written, not even a space.",
        "NULL": "For null write `NULL`.",
    }[nothing]
    cells = (
        ""
        if form == "lines"
        else " true and false are written so. Fields are in double quotes only where CSV needs it."
    )
    text = (
        f"{desk.word(LISTS).format(source)} Write it to `{out}` {OUTS[form][1]}, in the order of the list. The"
        f" {'keys' if form == 'lines' else 'columns'} are {', '.join(f'`{one}`' for one in columns)}, in this order"
        f"{' and no others' if order == 'fewer' else ''}. {empty}{cells}"
    )
    other = {"drop": "null", "null": "drop", "": "NULL", "NULL": ""}[nothing]
    wrong = {
        "null otherwise": replace(plan, nothing=other),
        "in the file's order": replace(plan, columns=tuple(names)),
        "one column too few": replace(plan, columns=columns[:-1]),
    }
    made = plan.effect(desk.start()).text(out)
    gives = {"comma": table, "lines": lines}.get(form)
    checks = desk.table_check(out, made) if form == "comma" else desk.lines_check(out, made)
    return desk.step(
        choices=(form, order, nothing or "nothing"),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=checks,
        makes=(out,),
        gives=gives(out, made, "the records") if gives else None,
        tools=("python3",),
    )


OPERATORS: Final = (
    Operation("data_to_json", "data", "table", to_json),
    Operation("data_from_json", "data", "records", from_json),
)
