"""Two tables brought together by a key."""

from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.data_sheets import Sheet, read, table_in
from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, csv_text, table
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

OPENING: Final = Pool(
    ("`{}` and `{}` are CSV files with headers.", "Join two tables, `{}` and `{}`, both CSV with a header."),
    ("There are two CSV tables with headers, `{}` and `{}`.", "Bring `{}` and `{}`, CSV with headers, together."),
)
KINDS: Final = {
    "inner": "rows of the first whose key the second does not have are left out",
    "left": "rows of the first whose key the second does not have stay, with `{fill}` in the columns of the second",
    "missing": "",
}
LOOKED_UP: Final = Pool(("manager", "budget", "zone"), ("contact", "quota", "sector"))
WORDS: Final = Pool(("amber", "birch", "cedar", "dune", "ember"), ("frost", "grove", "heath", "inlet", "jade"))
TABLES: Final = Pool(("lookup", "owners"), ("directory", "register"))


@dataclass(frozen=True, slots=True)
class Join:
    """Each row of a table with what another has for its key."""

    sheet: Sheet
    other: str
    out: str
    key: str
    name: str  # what the other calls the key
    added: tuple[str, ...]
    kind: str  # inner, left or missing
    fill: str
    order: str  # there or key
    repeats: str = "first"  # which row of the other counts

    def effect(self, tree: Tree) -> Tree:
        held: dict[str, dict[str, str]] = {}
        for row in read(tree, self.other):
            if self.repeats == "last" or row[self.name] not in held:
                held[row[self.name]] = row
        rows = []
        for row in read(tree, self.sheet.path):
            found = held.get(row[self.key])
            if self.kind == "missing":
                rows += [list(row.values())] if found is None else []
            elif found is not None or self.kind == "left":
                rows.append([*row.values(), *(found[one] if found else self.fill for one in self.added)])
        if self.order == "key":
            rows.sort(key=lambda row: row[self.sheet.columns.index(self.key)])
        return tree.put(
            self.out, csv_text([*self.sheet.columns, *(() if self.kind == "missing" else self.added)], rows)
        )

    def bash(self) -> str:
        at = self.sheet.place(self.key)
        sort = f" | LC_ALL=C sort -s -t, -k{at},{at}" if self.order == "key" else ""
        fill = ",".join(self.fill for _ in self.added)
        body = {
            "missing": f"FNR > 1 && !(${at} in b)",
            "inner": f'FNR > 1 && ${at} in b {{ print $0 "," b[${at}] }}',
            "left": f'FNR > 1 {{ print $0 "," (${at} in b ? b[${at}] : "{fill}") }}',
        }[self.kind]
        guard = "if (!($1 in b)) " if self.repeats == "first" else ""
        header = ",".join([*self.sheet.columns, *(() if self.kind == "missing" else self.added)])
        return (
            f"{{ echo {header}\n  awk -F, 'NR == FNR {{ {guard}b[$1] = substr($0, length($1) + 2); next }} {body}'"
            f" {self.other} {self.sheet.path}{sort}; }} > {self.out}"
        )


def join(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Join`."""
    sheet = table_in(desk)
    if sheet is None or not sheet.groups:
        return None
    key, kind, order = desk.pick(sheet.groups), desk.pick(tuple(KINDS)), desk.pick(("there", "key"))
    name = desk.pick((key, f"{key}_name"))
    added = tuple(one for one in desk.some(desk.of(LOOKED_UP), desk.draws.between(1, 2)) if one not in sheet.columns)
    values = desk.draws.shuffled(sorted(set(sheet.values(key))))
    known = [*values[1:], *desk.some(("zulu", "yonder", "xeno"), 2)]
    repeats = desk.pick(("unique", "first", "last"))
    keys = desk.draws.shuffled(known + (known[:2] if repeats != "unique" else []))
    rows = [[one, *(f"{desk.word(WORDS)}{desk.draws.between(1, 99)}" for _ in added)] for one in keys]
    other = desk.put(f"{desk.word(TABLES)}.csv", csv_text([name, *added], rows))
    out, fill = desk.out("joined.csv"), desk.pick(("none", "unknown", "-"))
    plan = Join(sheet, other, out, key, name, added, kind, fill, order, "last" if repeats == "last" else "first")
    again = {
        "unique": "has each key once",
        "first": "may have a key in several rows, of which the first counts",
        "last": "may have a key in several rows, of which the last counts",
    }[repeats]
    what = (
        f"the rows of `{sheet.path}` whose key the second does not have, with their own columns only"
        if kind == "missing"
        else f"the rows of the first, each with the columns {', '.join(f'`{one}`' for one in added)} of the second"
        f" after its own; {KINDS[kind].format(fill=fill)}"
    )
    last = (
        f"sorted by `{key}` in ASCII order, equal ones as in the first"
        if order == "key"
        else "in the order of the first"
    )
    text = (
        f"{desk.word(OPENING).format(sheet.path, other)} The key is `{key}` in the first and `{name}` in the second,"
        f" which {again}. Write to `{out}`, as CSV with a header, {what}. The rows are {last}."
    )
    wrong = {
        "another kind": replace(plan, kind="left" if kind != "left" else "inner"),
        "sorted otherwise": replace(plan, order="there" if order == "key" else "key"),
        "the other row counts": replace(plan, repeats="last" if repeats != "last" else "first"),
        "those that are missing": replace(plan, kind="missing" if kind != "missing" else "inner"),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(kind, order, repeats, "same name" if name == key else "other name", f"{len(added)} more"),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made),
        makes=(out,),
        gives=table(out, made, "the joined table"),
    )


OPERATORS: Final = (Operation("data_join", "data", "table", join),)
