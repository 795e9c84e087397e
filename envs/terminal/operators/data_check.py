"""A table's rows against rules: the good ones in one file, the others in another."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, joined, table
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

COLUMNS: Final = ("id", "name", "mail", "age", "joined", "plan")
PLANS: Final = Pool(("basic", "plus", "team"), ("free", "pro", "max"))
NAMES: Final = Pool(("ana", "boris", "chen", "dana", "emil"), ("goran", "hana", "ivo", "jaya", "kim"))
MEMBERS: Final = Pool(("members.csv", "users.csv"), ("patients.csv", "readers.csv"))
RULES: Final[Mapping[str, tuple[str, str]]] = {  # the text, and awk that says whether it is broken
    "age": ("`age` is a whole number (digits only) from 18 to 99", "$4 !~ /^[0-9]+$/ || $4 + 0 < 18 || $4 + 0 > 99"),
    "mail": (
        "`mail` is made of small letters, one `@`, small letters, a point and two or three small letters",
        "$3 !~ /^[a-z]+@[a-z]+[.][a-z][a-z][a-z]?$/",
    ),
    "joined": (
        "`joined` has the form of 2024-03-07, its month from 01 to 12 and its day from 01 to 31",
        "$5 !~ /^[0-9][0-9][0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/",
    ),
    "plan": ("`plan` is one of {plans}", "$6 !~ /^({plans})$/"),
    "fields": ("there are exactly 6 fields", "NF != 6"),
    "name": ("`name` is not empty", '$2 == ""'),
    "id": ("`id` does not stand in an earlier row, good or not", "seen[$1]++"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """Rows that keep the rules, and rows that do not."""

    source: str
    good: str
    bad: str
    rules: tuple[str, ...]  # in the order in which they are tried
    plans: tuple[str, ...]
    form: str  # reason, line or row: what stands in the file of the others
    limit: int = 18  # the lowest age

    def effect(self, tree: Tree) -> Tree:
        header, *lines = tree.text(self.source).splitlines()
        good, bad, seen = [header], [], set[str]()
        for number, line in enumerate(lines, 2):
            row = line.split(",")
            broken = [rule for rule in self.rules if self._is_broken(rule, row, seen)]
            seen.add(row[0])
            if not broken:
                good.append(line)
            else:
                bad.append({"reason": f"{number}: {broken[0]}", "row": line, "line": f"{number}"}[self.form])
        return tree.put(self.good, joined(good)).put(self.bad, joined(bad))

    def _is_broken(self, rule: str, row: list[str], seen: set[str]) -> bool:
        cells = [*row, "", "", "", "", ""]
        day = re.fullmatch(r"\d{4}-(\d\d)-(\d\d)", cells[4])
        tests: Mapping[str, Callable[[], bool]] = {
            "age": lambda: not (cells[3].isdigit() and self.limit <= int(cells[3]) <= 99),
            "mail": lambda: not re.fullmatch(r"[a-z]+@[a-z]+\.[a-z]{2,3}", cells[2]),
            "joined": lambda: not (day and 1 <= int(day[1]) <= 12 and 1 <= int(day[2]) <= 31),
            "plan": lambda: cells[5] not in self.plans,
            "fields": lambda: len(row) != 6,
            "name": lambda: cells[1] == "",
            "id": lambda: row[0] in seen,
        }
        return tests[rule]()

    def bash(self) -> str:
        plans = "|".join(self.plans)
        tries = []
        for rule in self.rules:
            test = RULES[rule][1].replace("{plans}", plans).replace("< 18", f"< {self.limit}")
            tries.append(f'  if (why == "" && ({test.replace("seen[$1]++", "$1 in seen")})) why = "{rule}"')
        told = {"reason": 'FNR ": " why', "row": "$0", "line": "FNR"}[self.form]
        body = "\n".join(tries)
        return (
            f": > {self.bad}\nawk -F, -v bad={self.bad} 'NR == 1 {{ print; next }}\n"
            f'{{ why = ""\n{body}\n  seen[$1] = 1\n'
            f'  if (why == "") print; else print {told} > bad }}\' {self.source} > {self.good}'
        )


FORMS: Final = {
    "reason": "a line for each of the other rows: its line number in `{source}` (the header is line 1), a colon, a"
    " space and the name of the first rule that it breaks",
    "row": "the other rows, unchanged and in their order, without a header",
    "line": "a line for each of the other rows: its line number in `{source}` (the header is line 1)",
}
OPENING: Final = Pool(
    ("Check the CSV file `{}`.", "`{}` is a CSV file, some of whose rows are faulty."),
    ("The CSV file `{}` was typed by hand.", "Go through the rows of the CSV file `{}`."),
)


def people(desk: Desk, count: int, plans: tuple[str, ...]) -> list[str]:
    """Return rows of which many have a fault, some two."""
    made = []
    for number in range(count):
        name = desk.word(NAMES)
        row = [
            str(500 + number), name, f"{name}@{desk.word(NAMES)}.org", str(desk.draws.between(18, 99)),
            f"2024-{desk.draws.between(1, 12):02d}-{desk.draws.between(1, 28):02d}", desk.pick(plans),
        ]  # fmt: skip
        faults = (
            (0, str(500 + desk.draws.between(0, number))),
            (1, ""),
            (
                2,
                desk.pick(
                    (f"{name}.org", f"{name}@host", f"{name.title()}@host.org", f"{name}@@host.de", f"{name}@a.b.org")
                ),
            ),
            (3, desk.pick(("17", "100", "18", "99", "-20", "", "twenty", "40.5"))),
            (4, desk.pick(("2024-13-01", "2024-1-05", "24-01-05", "2024/01/05", "2024-02-32", ""))),
            (5, desk.pick((plans[0].upper(), f"{plans[1]}s", "", "gold"))),
            (6, "extra"),
        )
        for at, cell in desk.some(faults, desk.pick((0, 0, 1, 1, 2))):
            row = [*row[:at], cell, *row[at + 1 :]]
        made.append(",".join(row))
    return made


def check(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Check`."""
    count, form = desk.draws.between(2, 4), desk.pick(tuple(FORMS))
    rules = tuple(desk.some(tuple(RULES), count))
    plans = tuple(desk.draws.shuffled(desk.of(PLANS)))
    name = desk.word(MEMBERS)
    header = ",".join(COLUMNS)
    source = desk.put(name, joined([header, *people(desk, 2 * desk.knobs.size, plans)]))
    good, bad = desk.out("good.csv"), desk.out("rejects.txt")
    plan = Check(source, good, bad, rules, plans, form)
    told = "; ".join(
        f"`{rule}`: {RULES[rule][0].format(plans=', '.join(f'`{one}`' for one in plans))}" for rule in rules
    )
    text = (
        f"{desk.word(OPENING).format(source)} Its header is `{header}`; fields are separated by commas and never"
        f" quoted. Rows are to keep these rules, tried in this order - {told}. Write to `{good}` the header and the"
        f" rows that keep all of them, unchanged and in their order, and to `{bad}`"
        f" {FORMS[form].format(source=source)}. If there are none, the latter is empty. A field that a row does not"
        " have counts as empty."
    )
    wrong = {
        "the last rule is not tried": replace(plan, rules=rules[:-1]),
        "the first rule is not tried": replace(plan, rules=rules[1:]),
        "the rules in another order": replace(plan, rules=rules[::-1]),
        "one line off": replace(plan, form="row" if form != "row" else "line"),
        "the lowest age is too low": replace(plan, limit=19),
    }
    end = plan.effect(desk.start())
    return desk.step(
        choices=(form, *sorted(rules)),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=[*desk.lines_check(good, end.text(good)), *desk.lines_check(bad, end.text(bad))],
        makes=(good, bad),
        gives=table(good, end.text(good), "the good rows") if "fields" in rules else None,
    )


OPERATORS: Final = (Operation("data_check", "data", None, check),)
