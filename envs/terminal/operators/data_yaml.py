"""A table as YAML of a simple kind, which is compared as text."""

from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.data_sheets import Sheet, read, table_in
from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, joined
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

OPENING: Final = Pool(
    (
        "Write the CSV file `{}` (with a header) as YAML to `{}`.",
        "`{}` is a CSV file with a header; make YAML of it, `{}`.",
    ),
    (
        "The table in `{}` (CSV with a header) is wanted as YAML in `{}`.",
        "From the CSV file `{}`, header first, make `{}`.",
    ),
)
SHAPES: Final = {
    "items": "For each row, in their order, a line `- KEY: VALUE` for the first of these columns and below it, indented"
    " by two spaces, a line `KEY: VALUE` for each of the others",
    "keys": "For each row, in their order, a line with its value of the first of these columns and a colon, and below"
    " it, indented by {indent} spaces, a line `KEY: VALUE` for each of the others",
}


@dataclass(frozen=True, slots=True)
class Yaml:
    """Rows as a list of mappings, or as a mapping of mappings."""

    sheet: Sheet
    out: str
    numbers: tuple[str, ...]
    shown: tuple[str, ...]
    shape: str
    indent: int
    quoted: str  # texts or none
    top: str  # a key that all is below, or ""

    def effect(self, tree: Tree) -> Tree:
        made = []
        for row in read(tree, self.sheet.path):
            first, *others = [(column, self._value(column, row[column])) for column in self.shown]
            lead = f"- {first[0]}: {first[1]}" if self.shape == "items" else f"{row[first[0]]}:"
            made += [lead, *(f"{' ' * self._depth()}{column}: {value}" for column, value in others)]
        if self.top:
            made = [f"{self.top}:", *(f"  {line}" for line in made)]
        return tree.put(self.out, joined(made))

    def _depth(self) -> int:
        return 2 if self.shape == "items" else self.indent

    def _value(self, column: str, value: str) -> str:
        return f'"{value}"' if self.quoted == "texts" and column not in self.numbers else value

    def bash(self) -> str:
        def value(column: str) -> str:
            at = f"${self.sheet.place(column)}"
            return f'"\\"" {at} "\\""' if self.quoted == "texts" and column not in self.numbers else at

        base = "  " if self.top else ""
        first, *others = self.shown
        lead = (
            f'"{base}- {first}: " {value(first)}'
            if self.shape == "items"
            else f'"{base}" ${self.sheet.place(first)} ":"'
        )
        below = "".join(f'; print "{base}{" " * self._depth()}{one}: " {value(one)}' for one in others)
        top = f'BEGIN {{ print "{self.top}:" }} ' if self.top else ""
        return f"awk -F, '{top}NR > 1 {{ print {lead}{below} }}' {self.sheet.path} > {self.out}"


def to_yaml(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Yaml`."""
    sheet = table_in(desk)
    if sheet is None or not sheet.texts or len(sheet.columns) < 3:
        return None
    shape, quoted, top = desk.pick(tuple(SHAPES)), desk.pick(("texts", "none")), desk.pick(("", "rows", "data"))
    unique = [one for one in sheet.texts if len(set(sheet.values(one))) == len(sheet.rows)]
    odd = [value for one in sheet.texts for value in sheet.values(one) if not value.replace("-", "").isalnum()]
    if odd or (shape == "keys" and not unique):
        return None
    first = desk.pick(unique if shape == "keys" else sheet.texts)
    count = desk.draws.between(2, len(sheet.columns) - 1)
    shown = (first, *desk.some([one for one in sheet.columns if one != first], count - 1))
    indent, out = desk.pick((2, 4)), desk.out("table.yaml")
    plan = Yaml(sheet, out, tuple(sheet.numbers), shown, shape, indent, quoted, top)
    marks = (
        "Values that are texts stand in double quotes, numbers do not" if quoted == "texts" else "No value is quoted"
    )
    bare = "; what stands before a colon never does" if quoted == "texts" else ""
    above = f" All of it stands below the line `{top}:` and is indented by two more spaces." if top else ""
    text = (
        f"{desk.word(OPENING).format(sheet.path, out)} Of the columns only {', '.join(f'`{one}`' for one in shown)} are"
        f" wanted, in this order. {SHAPES[shape].format(indent=indent)}; KEY is the column's name."
        f" {marks}{bare}.{above} There are no other lines, no `---` either; the file is compared as text."
    )
    wrong = {
        "quoted otherwise": replace(plan, quoted="none" if quoted == "texts" else "texts"),
        "one column too few": replace(plan, shown=shown[:-1]),
        "all at the top": replace(plan, top="" if top else "rows"),
        "another shape": replace(plan, shape="items" if shape == "keys" else "keys", indent=2),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(shape, f"indent {indent}" if shape == "keys" else "-", quoted, "below a key" if top else "at the top"),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made),
        makes=(out,),
    )


OPERATORS: Final = (Operation("data_yaml", "data", "table", to_yaml),)
