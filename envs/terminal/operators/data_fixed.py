"""Columns of fixed width as CSV, and CSV as columns of fixed width."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.data_sheets import DOMAINS, Domain, Sheet, drawn, read, table_in
from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, csv_text, joined, table
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

EXPORTS: Final = Pool(("export.txt", "legacy.dat"), ("dump.txt", "mainframe.dat"))


@dataclass(frozen=True, slots=True)
class FromFixed:
    """Lines cut at fixed places."""

    source: str
    out: str
    columns: tuple[str, ...]
    places: tuple[tuple[int, int], ...]  # first character and length, from 1
    frame: str  # none, header or both: lines before and after that are no data
    zeros: str  # strip or keep: leading zeros of numbers
    skip: str  # none or dead: lines whose first character is * are left out
    numbers: tuple[str, ...]

    def effect(self, tree: Tree) -> Tree:
        lines = tree.text(self.source).splitlines()
        lines = lines[self.frame != "none" : len(lines) - (self.frame == "both")]
        rows = []
        for line in lines:
            if self.skip == "dead" and line.startswith("*"):
                continue
            cells = [line[first - 1 : first - 1 + length].strip() for first, length in self.places]
            named = zip(self.columns, cells, strict=True)
            rows.append(
                [str(int(cell)) if one in self.numbers and self.zeros == "strip" else cell for one, cell in named]
            )
        return tree.put(self.out, csv_text(self.columns, rows))

    def bash(self) -> str:
        cut = {"none": "cat", "header": "tail -n +2", "both": "sed '1d;$d'"}[self.frame] + f" {self.source}"
        live = " | grep -v '^[*]'" if self.skip == "dead" else ""
        cells = []
        for column, (first, length) in zip(self.columns, self.places, strict=True):
            cell = f"t(substr($0, {first}, {length}))"
            cells.append(f"{cell} + 0" if column in self.numbers and self.zeros == "strip" else cell)
        made = ' "," '.join(f"({cell})" for cell in cells)
        return (
            f"{{ echo {','.join(self.columns)}\n  {cut}{live} |\n"
            '    awk \'function t(s) { gsub(/^ +| +$/, "", s); return s }\n'
            f"    {{ print {made} }}'; }} > {self.out}"
        )


def fixed_text(desk: Desk, domain: Domain, count: int, widths: Sequence[int], choices: tuple[str, str, str]) -> str:
    """Return lines of columns of fixed width, framed, marked and aligned as is chosen."""
    frame, skip, align = choices
    held, numbers, rows = drawn(desk, domain, count), [one for one, _, _ in domain.numbers], []
    for row in held.rows:
        line = " "
        for column, cell, width in zip(held.columns, row, widths, strict=True):
            shown = cell.rjust(desk.draws.between(4, 6), "0") if column in numbers else cell
            line += shown.ljust(width) if align == "left" and column not in numbers else shown.rjust(width)
        rows.append(("*" if skip == "dead" and desk.draws.chance(0.25) else " ") + line[1:].rstrip())
    first = [f"REPORT {domain.name} {desk.draws.between(1, 99)}"] if frame != "none" else []
    return joined([*first, *rows, *([f"END {count} lines"] if frame == "both" else [])])


def from_fixed(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `FromFixed`."""
    domain = desk.word(DOMAINS)
    frame, zeros = desk.pick(("none", "header", "both")), desk.pick(("strip", "keep"))
    skip, align = desk.pick(("none", "dead")), desk.pick(("left", "right"))
    sheet = drawn(desk, domain, 0)
    widths = [desk.draws.between(11, 14) for _ in sheet.columns]
    numbers = tuple(one for one, _, _ in domain.numbers)

    name = desk.word(EXPORTS)
    source = desk.put(name, fixed_text(desk, domain, desk.knobs.size, widths, (frame, skip, align)))
    firsts = [2 + sum(widths[:at]) for at in range(len(widths))]
    places = tuple(zip(firsts, widths, strict=True))
    out = desk.out(f"{domain.name}.csv")
    plan = FromFixed(source, out, sheet.columns, places, frame, zeros, skip, numbers)
    told = ", ".join(
        f"`{column}` from character {first} to {first + width - 1}"
        for column, (first, width) in zip(sheet.columns, places, strict=True)
    )
    frames = {
        "none": "",
        "header": " The first line is a title and no data.",
        "both": " The first and the last line are no data.",
    }
    dead = " Lines that begin with `*` are void: leave them out." if skip == "dead" else ""
    numeric = " and ".join(f"`{one}`" for one in numbers)
    text = (
        f"`{source}` has columns of fixed width, characters counted from 1: {told}; character 1 is a mark that belongs"
        f" to no column, and spaces at the end of a line may be missing.{frames[frame]}{dead} Write `{out}`, a CSV file"
        f" with the header `{','.join(sheet.columns)}` and a row for each line, in their order, without the spaces"
        f" around values. {numeric} {'lose' if zeros == 'strip' else 'keep'} their leading zeros."
    )
    wrong = {
        "zeros otherwise": replace(plan, zeros="keep" if zeros == "strip" else "strip"),
        "void lines too": replace(plan, skip="none" if skip == "dead" else "dead"),
        "the title as data": replace(plan, frame="none", zeros="keep"),
        "one character off": replace(plan, places=tuple((first + 1, width) for first, width in places), zeros="keep"),
    }
    made_text = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(frame, zeros, skip, align),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made_text),
        makes=(out,),
        gives=table(out, made_text, domain.name),
    )


@dataclass(frozen=True, slots=True)
class ToFixed:
    """A table in columns that people can read, with a sum below."""

    sheet: Sheet
    out: str
    shown: tuple[str, ...]
    numbers: tuple[str, ...]
    width: int
    rule: str  # none, dashes or blank: the line below the header
    total: str  # "" or the column that is added up
    align: str  # right or left: of numbers

    def effect(self, tree: Tree) -> Tree:
        rows = [[row[one] for one in self.shown] for row in read(tree, self.sheet.path)]
        made = [self._line(self.shown)]
        if self.rule != "none":
            made.append("-" * self.width * len(self.shown) if self.rule == "dashes" else "")
        made += [self._line(row) for row in rows]
        if self.total:
            made.append(f"TOTAL {sum(int(row[self.shown.index(self.total)]) for row in rows)}")
        return tree.put(self.out, joined(made))

    def _line(self, cells: "tuple[str, ...] | list[str]") -> str:
        return "".join(
            cell.rjust(self.width) if one in self.numbers and self.align == "right" else cell.ljust(self.width)
            for one, cell in zip(self.shown, cells, strict=True)
        ).rstrip()

    def bash(self) -> str:
        sign = ["" if one in self.numbers and self.align == "right" else "-" for one in self.shown]
        shape = "".join(f"%{one}{self.width}s" for one in sign)
        cells = ", ".join(f"${self.sheet.place(one)}" for one in self.shown)
        rule = {"none": "", "dashes": "-" * self.width * len(self.shown), "blank": ""}[self.rule]
        ruled = f' NR == 1 {{ print "{rule}" }}' if self.rule != "none" else ""
        add = f"NR > 1 {{ sum += ${self.sheet.place(self.total)} }} " if self.total else ""
        end = ' END { print "TOTAL " sum }' if self.total else ""
        return (
            f'awk -F, \'{add}{{ l = sprintf("{shape}", {cells}); sub(/ +$/, "", l); print l }}{ruled}{end}\''
            f" {self.sheet.path} > {self.out}"
        )


RULES: Final = {
    "none": "",
    "dashes": " Below the header stands a line of {} hyphens.",
    "blank": " Below the header stands an empty line.",
}
REPORTS: Final = Pool(
    (
        "Make a report of the CSV file `{}` (with a header) that people can read",
        "Print the table `{}` (CSV with a header)",
    ),
    (
        "The CSV file `{}`, whose first line is a header, is to be laid out",
        "Lay the CSV table `{}` (with a header) out",
    ),
)


def to_fixed(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `ToFixed`."""
    sheet = table_in(desk)
    if sheet is None or not sheet.integers:
        return None
    rule, align = desk.pick(tuple(RULES)), desk.pick(("right", "right", "left"))
    number = desk.pick(sheet.integers)
    shown = tuple(desk.draws.shuffled([number, *desk.some([one for one in sheet.columns if one != number], 2)]))
    longest = max(len(cell) for one in shown for cell in (one, *sheet.values(one)))
    width = longest + desk.draws.between(1, 3)
    adds = desk.pick(("total", "none"))
    numbers = tuple(one for one in shown if one in sheet.numbers)
    out = desk.out("report.txt")
    plan = ToFixed(sheet, out, shown, numbers, width, rule, number if adds == "total" else "", align)
    sides = (
        f"{' and '.join(f'`{one}`' for one in numbers)} flush right (names too), all others flush left"
        if align == "right"
        else "all flush left"
    )
    below = f" The last line is `TOTAL`, a space and the sum of `{number}`." if adds == "total" else ""
    text = (
        f"{desk.word(REPORTS).format(sheet.path)} in `{out}`: the columns {', '.join(f'`{one}`' for one in shown)}, in"
        f" this order, each {width} characters wide, {sides}; first a line with their names, then the rows in their"
        f" order. Lines do not end with spaces.{RULES[rule].format(width * len(shown))}{below}"
    )
    wrong = {
        "one character wider": replace(plan, width=width + 1),
        "no total": replace(plan, total="" if adds == "total" else number),
        "aligned otherwise": replace(plan, align="left" if align == "right" else "right"),
        "another rule": replace(plan, rule="dashes" if rule != "dashes" else "none"),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(rule, align, adds),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made),
        makes=(out,),
    )


OPERATORS: Final = (
    Operation("data_from_fixed", "data", None, from_fixed),
    Operation("data_report", "data", "table", to_fixed),
)
