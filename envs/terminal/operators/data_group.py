"""Tables by groups: what each group adds up to, and groups as columns."""

from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.data_sheets import Sheet, read, table_in
from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, Value, csv_text, table
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

OPENING: Final = Pool(
    ("`{}` is a CSV file with a header.", "Work on the table in `{}` (CSV with a header)."),
    ("There is a CSV table, with a header, in `{}`.", "Take `{}`, CSV whose first line names the columns."),
)
SUMS: Final = {
    "sum": ("sum of `{}`", "s[k]", "%d"),
    "min": ("lowest `{}`", "a[k]", "%d"),
    "max": ("highest `{}`", "z[k]", "%d"),
    "mean": ("mean of `{}`, with exactly two digits after the decimal point,", "s[k] / n[k]", "%.2f"),
    "spread": ("difference between the highest and the lowest `{}`", "z[k] - a[k]", "%d"),
}
ORDERS: Final = {
    "group": "Sort the rows by {groups}, in ASCII order",
    "most": "Sort the rows by their count, highest first, and where counts are equal by {groups}, in ASCII order",
    "value": "Sort the rows by their last column as a number, lowest first, and where it is equal by {groups}, in ASCII"
    " order",
}


@dataclass(frozen=True, slots=True)
class Group:
    """How many rows each group has, and what a column adds up to in it."""

    sheet: Sheet
    out: str
    by: tuple[str, ...]
    what: str  # of `SUMS`
    number: str
    least: Value
    order: str

    def effect(self, tree: Tree) -> Tree:
        groups: dict[tuple[str, ...], list[int]] = {}
        for row in read(tree, self.sheet.path):
            groups.setdefault(tuple(row[column] for column in self.by), []).append(int(row[self.number]))
        rows = [
            [*key, str(len(values)), self._total(values)]
            for key, values in sorted(groups.items())
            if len(values) >= int(self.least.actual)
        ]
        if self.order != "group":
            rows.sort(key=lambda row: -int(row[-2]) if self.order == "most" else float(row[-1]))
        return tree.put(self.out, csv_text([*self.by, "count", f"{self.what}_{self.number}"], rows))

    def _total(self, values: list[int]) -> str:
        if self.what == "mean":
            return f"{sum(values) / len(values):.2f}"
        low, high = min(values), max(values)
        return str({"sum": sum(values), "min": low, "max": high, "spread": high - low}[self.what])

    def bash(self) -> str:
        key = ' "," '.join(f"${self.sheet.place(column)}" for column in self.by)
        keys = " ".join(f"-k{at},{at}" for at in range(1, len(self.by) + 1))
        count, last = len(self.by) + 1, len(self.by) + 2
        first = {"group": "", "most": f"-k{count},{count}nr ", "value": f"-k{last},{last}n "}[self.order]
        _, total, shape = SUMS[self.what]
        return (
            f"{{ echo {','.join(self.by)},count,{self.what}_{self.number}\n"
            f"  awk -F, -v least={self.least.word} 'NR > 1 {{ k = {key}; v = ${self.sheet.place(self.number)} + 0\n"
            "    s[k] += v; if (!n[k]++) a[k] = z[k] = v; if (v < a[k]) a[k] = v; if (v > z[k]) z[k] = v }\n"
            f'    END {{ for (k in n) if (n[k] >= least) printf "%s,%d,{shape}\\n", k, n[k], {total} }}\''
            f" {self.sheet.path} |\n  LC_ALL=C sort -t, {first}{keys}; }} > {self.out}"
        )


def group(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Group`."""
    sheet = table_in(desk)
    if sheet is None or not sheet.groups or not sheet.integers:
        return None
    by = tuple(desk.some(sheet.groups, desk.draws.between(1, 2)))
    what, order, number = desk.pick(tuple(SUMS)), desk.pick(tuple(ORDERS)), desk.pick(sheet.integers)
    few = desk.pick(("few", "every"))
    least = desk.value("least_rows", desk.pick((2, 3))) if few == "few" else Value.of(1)
    out = desk.out(f"{what}_by_{by[0]}.csv")
    plan = Group(sheet, out, by, what, number, least, order)
    if what == "mean" and _is_near_half(sheet, plan):
        return None
    groups, pair = " and then ".join(f"`{one}`" for one in by), " and ".join(f"`{one}`" for one in by)
    made = plan.effect(desk.start()).text(out)
    last = f" Leave out groups of fewer than N rows; N is {least.told}." if few == "few" else ""
    text = (
        f"{desk.word(OPENING).format(sheet.path)} Its rows form groups by"
        f" {pair}{' together' if len(by) == 2 else ''}. Write `{out}`, a CSV"
        f" file with the header `{made.splitlines()[0]}`: for each group"
        f" {'its value' if len(by) == 1 else 'its two values'}, how many rows it has, and the"
        f" {SUMS[what][0].format(number)} in it. {ORDERS[order].format(groups=groups)}.{last}"
    )
    wrong = {
        "another sum": replace(plan, what="sum" if what != "sum" else "max"),
        "sorted otherwise": replace(plan, order="most" if order != "most" else "group"),
        "fewer groups": replace(plan, least=Value.of(int(least.actual) + 1)),
        "every group": replace(plan, least=Value.of(1)),
        "another column": replace(
            plan, number=sheet.integers[(sheet.integers.index(number) + 1) % len(sheet.integers)]
        ),
    }
    return desk.step(
        choices=(f"{len(by)} columns", what, order, few),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made),
        makes=(out,),
        gives=table(out, made, f"{what} of {number} by {' and '.join(by)}"),
    )


def _is_near_half(sheet: Sheet, plan: Group) -> bool:
    """Return whether the rounding of a mean might go either way."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for row in sheet.rows:
        held = dict(zip(sheet.columns, row, strict=True))
        groups.setdefault(tuple(held[column] for column in plan.by), []).append(int(held[plan.number]))
    return any(abs(200 * sum(one)) % (2 * len(one)) == len(one) for one in groups.values())


@dataclass(frozen=True, slots=True)
class Pivot:
    """One column's values as rows, another's as columns."""

    sheet: Sheet
    out: str
    down: str
    across: str
    number: str  # added up, or "" where rows are counted
    empty: str  # what stands where there is no row
    total: str  # none, row or column

    def effect(self, tree: Tree) -> Tree:
        cells: dict[tuple[str, str], int] = {}
        for row in read(tree, self.sheet.path):
            place = row[self.down], row[self.across]
            cells[place] = cells.get(place, 0) + (int(row[self.number]) if self.number else 1)
        names, columns = sorted({one for one, _ in cells}), sorted({one for _, one in cells})
        rows = [[name, *(str(cells.get((name, column), self.empty)) for column in columns)] for name in names]
        if self.total == "row":
            sums = [sum(value for (_, one), value in cells.items() if one == column) for column in columns]
            rows.append(["total", *map(str, sums)])
        if self.total == "column":
            rows = [[*row, str(sum(cells.get((row[0], column), 0) for column in columns))] for row in rows]
            return tree.put(self.out, csv_text([self.down, *columns, "total"], rows))
        return tree.put(self.out, csv_text([self.down, *columns], rows))

    def bash(self) -> str:
        down, across = self.sheet.place(self.down), self.sheet.place(self.across)
        add = f"${self.sheet.place(self.number)}" if self.number else "1"
        first = {"column": 't = t ",total"; ', "row": "", "none": ""}[self.total]
        each = {"column": 'print l "," sum', "row": "print l", "none": "print l"}[self.total]
        last = (
            '\n    l = "total"; for (j = 1; j <= c; j++) l = l "," cs[cols[j]]; print l' if self.total == "row" else ""
        )
        return (
            f"tail -n +2 {self.sheet.path} | LC_ALL=C sort -t, -k{across},{across} | awk -F, '\n"
            f"  {{ if (!(${across} in cs)) cols[++c] = ${across}; cs[${across}] += {add}; rows[${down}]\n"
            f"    v[${down}, ${across}] += {add} }}\n"
            f'  END {{ t = "{self.down}"; for (j = 1; j <= c; j++) t = t "," cols[j]; {first}print t; fflush()\n'
            "    for (r in rows) { l = r; sum = 0; for (j = 1; j <= c; j++) if ((r, cols[j]) in v) {\n"
            f'      l = l "," v[r, cols[j]]; sum += v[r, cols[j]] }} else l = l ",{self.empty}"; {each}'
            ' | "LC_ALL=C sort -t, -k1,1" }\n'
            f'    close("LC_ALL=C sort -t, -k1,1"){last} }}\' > {self.out}'
        )


EMPTY: Final = {"0": "`0`", "": "nothing", "-": "`-`"}
TOTALS: Final = {
    "none": "",
    "row": " The last row, after the sorted ones, is `total` and the sum of each column.",
    "column": " A last column with the header `total` has the sum of each row.",
}


def pivot(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Pivot`."""
    sheet = table_in(desk)
    groups = [] if sheet is None else [one for one in sheet.groups if len(set(sheet.values(one))) <= 8]
    if sheet is None or len(groups) < 2 or not sheet.integers:
        return None
    down, across = desk.some(groups, 2)
    number = desk.pick(["", *sheet.integers])
    empty, total = desk.pick(tuple(EMPTY)), desk.pick(tuple(TOTALS))
    out = desk.out(f"{down}_by_{across}.csv")
    plan = Pivot(sheet, out, down, across, number, empty, total)
    what = f"the sum of `{number}` over" if number else "the number of"
    text = (
        f"{desk.word(OPENING).format(sheet.path)} Write `{out}`, a CSV file with a row for each value of `{down}` and a"
        f" column for each value of `{across}`, both in ASCII order. The header is `{down}` and the values of"
        f" `{across}`; each row has the value of `{down}` and then {what} the rows with these two values, or"
        f" {EMPTY[empty]} where there are none.{TOTALS[total]}"
    )
    wrong = {
        "rows and columns swapped": replace(plan, down=across, across=down),
        "another cell where there is none": replace(plan, empty="" if empty else "0"),
        "another total": replace(plan, total="none" if total != "none" else "column"),
        "another number": replace(plan, number="" if number else sheet.integers[0]),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=("sum" if number else "count", empty or "nothing", total),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made),
        makes=(out,),
        gives=table(out, made, f"{down} by {across}") if empty == "0" and total != "row" else None,
    )


OPERATORS: Final = (
    Operation("data_group", "data", "table", group),
    Operation("data_pivot", "data", "table", pivot),
)
