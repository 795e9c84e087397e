"""Choosing from a table: rows, columns and their order; and of rows that are alike, one."""

from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.data_sheets import Sheet, read, table_in
from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, Value, csv_text, table
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

TESTS: Final = {
    "every": ("", "all rows"),
    "at_least": (">=", "the rows whose {column} is {value} or more"),
    "below": ("<", "the rows whose {column} is less than {value}"),
    "is": ("==", "the rows whose {column} is {value}"),
    "is_not": ("!=", "the rows whose {column} is not {value}"),
}
SORTS: Final = {
    "as_there": "in the order that they have there",
    "number_up": "sorted by {column} as a number, lowest first",
    "number_down": "sorted by {column} as a number, highest first",
    "text_up": "sorted by {column} in ASCII order",
    "text_down": "sorted by {column} in reverse ASCII order",
}


@dataclass(frozen=True, slots=True)
class Query:
    """Rows that pass a test, sorted, some columns of them."""

    sheet: Sheet
    out: str
    test: str
    tested: str
    value: Value
    sort: str
    key: str
    shown: tuple[str, ...]

    def effect(self, tree: Tree) -> Tree:
        rows = [row for row in read(tree, self.sheet.path) if self._passes(row)]
        if self.sort.startswith("number"):
            rows.sort(key=lambda row: float(row[self.key]), reverse=self.sort.endswith("down"))
        elif self.sort.startswith("text"):
            rows.sort(key=lambda row: row[self.key], reverse=self.sort.endswith("down"))
        return tree.put(self.out, csv_text(self.shown, [[row[column] for column in self.shown] for row in rows]))

    def _passes(self, row: dict[str, str]) -> bool:
        has, value = row[self.tested], self.value.actual
        if self.test in ("every", "is", "is_not"):
            return self.test == "every" or (has == value) == (self.test == "is")
        return (float(has) >= float(value)) == (self.test == "at_least")

    def bash(self) -> str:
        at, key = self.sheet.place(self.tested), self.sheet.place(self.key)
        text = ' ""' if self.test in ("is", "is_not") else ""
        test = f"-v v={self.value.word} " if self.test != "every" else ""
        passes = f"${at}{text} {TESTS[self.test][0]} v" if self.test != "every" else "1"
        flags = ("n" if self.sort.startswith("number") else "") + ("r" if self.sort.endswith("down") else "")
        sort = f" | LC_ALL=C sort -s -t, -k{key},{key}{flags}" if self.sort != "as_there" else ""
        shown = ' "," '.join(f"${self.sheet.place(column)}" for column in self.shown)
        return (
            f"{{ echo {','.join(self.shown)}\n  tail -n +2 {self.sheet.path} | awk -F, {test}'{passes}'{sort} |"
            f" awk -F, '{{ print {shown} }}'; }} > {self.out}"
        )


TAKE: Final = Pool(
    ("From the CSV file `{}`, take", "Of the table in `{}` (CSV with a header), take"),
    (
        "`{}` is a CSV file with a header; select",
        "Read `{}`, a table in CSV whose first line names its columns, and keep",
    ),
)


def query(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Query`."""
    sheet = table_in(desk)
    if sheet is None:
        return None
    test, sort = desk.pick(tuple(TESTS)), desk.pick(tuple(SORTS))
    tested = _column(desk, sheet, test in ("at_least", "below"), test in ("is", "is_not"))
    key = _column(desk, sheet, sort.startswith("number"), sort.startswith("text"))
    if tested is None or key is None or len(sheet.columns) < 2:
        return None
    count = desk.draws.between(2, len(sheet.columns))
    shown = tuple(desk.some(sheet.columns, count))
    moved = "all" if len(shown) == len(sheet.columns) else "some"
    wanted, name = desk.pick(sheet.values(tested)), "limit" if test in ("at_least", "below") else "wanted"
    value = Value.of(wanted) if test == "every" else desk.value(name, wanted)
    out = desk.out("selected.csv")
    plan = Query(sheet, out, test, tested, value, sort, key, shown)
    ties = "" if sort == "as_there" else "; rows where it is equal keep the order that they have there"
    text = (
        f"{desk.word(TAKE).format(sheet.path)} {TESTS[test][1].format(column=f'`{tested}`', value=value.told)},"
        f" {SORTS[sort].format(column=f'`{key}`')}{ties}. Write to `{out}`, as CSV with a header, of each the columns"
        f" {', '.join(f'`{column}`' for column in shown)}, in this order and no others. If no row is left, only the"
        " header is written."
    )
    flip = {"at_least": "below", "below": "at_least", "is": "is_not", "is_not": "is", "every": "is"}
    kinds = {"number_up": "text_up", "number_down": "text_down", "text_up": "text_down", "text_down": "text_up"}
    wrong = {
        "the other rows": replace(plan, test=flip[test]),
        "every row": replace(plan, test="every"),
        "sorted otherwise": replace(plan, sort=kinds.get(sort, "text_up")),
        "not sorted": replace(plan, sort="as_there"),
        "columns in the file's order": replace(plan, shown=tuple(one for one in sheet.columns if one in shown)),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(test, sort, moved),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made),
        makes=(out,),
        gives=table(out, made, "the selected rows"),
    )


def _column(desk: Desk, sheet: Sheet, is_number: bool, is_text: bool) -> str | None:
    columns = sheet.numbers if is_number else sheet.texts if is_text else list(sheet.columns)
    return desk.pick(columns) if columns else None


ALIKE: Final = Pool(
    ("In the CSV file `{}` (with a header),", "In the table `{}`, CSV with a header,"),
    ("Look at the CSV file `{}`, whose first line is a header:", "Of `{}`, a CSV table with a header:"),
)


@dataclass(frozen=True, slots=True)
class Dedupe:
    """Of rows that agree in some columns, one; or all the others."""

    sheet: Sheet
    out: str
    by: tuple[str, ...]
    which: str  # first, last or highest
    number: str  # of which column, if the highest is kept
    shows: str  # kept or dropped
    ties: str = "first"

    def effect(self, tree: Tree) -> Tree:
        rows = read(tree, self.sheet.path)
        kept: dict[tuple[str, ...], int] = {}
        for at, row in enumerate(rows):
            key = tuple(row[column] for column in self.by)
            if key not in kept or self._is_better(row, rows[kept[key]]):
                kept[key] = at
        chosen = set(kept.values())
        shown = [list(row.values()) for at, row in enumerate(rows) if (at in chosen) == (self.shows == "kept")]
        return tree.put(self.out, csv_text(self.sheet.columns, shown))

    def _is_better(self, row: dict[str, str], than: dict[str, str]) -> bool:
        if self.which != "highest":
            return self.which == "last"
        more, before = float(row[self.number]), float(than[self.number])
        return more > before or (more == before and self.ties == "last")

    def bash(self) -> str:
        key = " FS ".join(f"${self.sheet.place(column)}" for column in self.by)
        at = self.sheet.place(self.number)
        over = ">" if self.ties == "first" else ">="
        better = {"first": "", "last": " || 1", "highest": f" || ${at} + 0 {over} m[k]"}[self.which]
        has = "==" if self.shows == "kept" else "!="
        return (
            f"awk -F, 'NR == FNR {{ k = {key}; if (FNR > 1 && (!(k in l){better})) {{ l[k] = FNR; m[k] = ${at} + 0 }};"
            f" next }}\n  FNR == 1 || l[{key}] {has} FNR' {self.sheet.path} {self.sheet.path} > {self.out}"
        )


def dedupe(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Dedupe`."""
    sheet = table_in(desk)
    if sheet is None or not sheet.groups or not sheet.numbers:
        return None
    by = tuple(desk.some(sheet.groups, desk.draws.between(1, 2)))
    which, shows, ties = (
        desk.pick(("first", "last", "highest")),
        desk.pick(("kept", "dropped")),
        desk.pick(("first", "last")),
    )
    number = desk.pick(sheet.numbers)
    out = desk.out("unique.csv" if shows == "kept" else "repeated.csv")
    plan = Dedupe(sheet, out, by, which, number, shows, ties)
    alike = " and ".join(f"`{column}`" for column in by)
    best = f"the one with the highest number in `{number}` (the {ties} such row, if several have it)"
    one = best if which == "highest" else f"the {which} one"
    text = (
        f"{desk.word(ALIKE).format(sheet.path)} rows with the same {alike} are taken for repetitions of each other, and"
        f" {one} counts. Write to `{out}`, as CSV with the same header,"
        f" {'the rows that count' if shows == 'kept' else 'all rows but those that count'}, unchanged and in the order"
        " that they have there."
    )
    wrong = {
        "another one counts": replace(plan, which="last" if which == "first" else "first"),
        "the highest counts": replace(plan, which="highest" if which != "highest" else "last"),
        "the other rows": replace(plan, shows="dropped" if shows == "kept" else "kept"),
        "ties the other way": replace(plan, ties="last" if ties == "first" else "first"),
        "by one column": replace(plan, by=by[:1]),
    }
    made = plan.effect(desk.start()).text(out)
    if not 1 < len(made.splitlines()) <= len(sheet.rows):  # none or all of the rows
        return None
    return desk.step(
        choices=(f"{len(by)} columns", which, shows, ties if which == "highest" else "-"),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made),
        makes=(out,),
        gives=table(out, made, f"the {shows} rows"),
    )


OPERATORS: Final = (
    Operation("data_query", "data", "table", query),
    Operation("data_dedupe", "data", "table", dedupe),
)
