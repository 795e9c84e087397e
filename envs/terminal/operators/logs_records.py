"""Logs whose records go over several lines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, Value, joined, lines
from palestra.envs.terminal.operators.logs_lines import APPS, EVENTS, LEVELS, PARTS, iso, moments
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

FAULTS: Final = Pool(("KeyError", "TimeoutError", "ValueError"), ("IOError", "StateError", "ParseError"))
FILES: Final = Pool(("main.py", "store.py", "http.py", "queue.py"), ("core.py", "disk.py", "sync.py", "tree.py"))
OPENING: Final = Pool(
    ("Records of the log `{}` may go over several lines:", "`{}` is a log whose records may go over several lines:"),
    (
        "In the log `{}` some records have more than one line:",
        "The program that wrote `{}` puts some records on several lines:",
    ),
)
PICKS: Final = {
    "level": "those of level {value}",
    "part": "those of the part {value}",
    "fault": "those in one of whose indented lines {value} occurs",
    "long": "those that have at least {value} lines, the first included",
}
FORMS: Final = {
    "whole": "whole, as they are and in their order",
    "first": "but of each only its first line, in their order",
    "last": "but of each only its last line, without the spaces at its beginning, in their order",
    "joined": "each on one line: its lines without the spaces at their beginnings, joined by ` | `, in their order",
}


def records(desk: Desk, count: int) -> list[str]:
    """Return the lines of records, some with a traceback."""
    parts, made = desk.some(desk.of(PARTS), 3), []
    for moment in moments(desk, count):
        level = desk.pick(LEVELS)
        made.append(f"{iso(moment)} {level} {desk.pick(parts)}: {desk.word(EVENTS)}")
        if desk.draws.chance(0.45):
            calls = desk.draws.between(1, 3)
            made += [f"  at {desk.word(FILES)}:{desk.draws.between(1, 400)}" for _ in range(calls)]
            made.append(f"    {desk.word(FAULTS)}: {desk.pick(LEVELS)} {desk.pick(parts)}")
    return made


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a log that something is true of."""

    source: str
    out: str
    by: str
    value: Value
    form: str
    side: str = "those"  # or others

    def effect(self, tree: Tree) -> Tree:
        found: list[list[str]] = []
        for line in tree.text(self.source).splitlines():
            if not line.startswith(" "):
                found.append([])
            found[-1].append(line)
        kept = [record for record in found if self._is_picked(record) == (self.side == "those")]
        shapes: Mapping[str, Callable[[list[str]], list[str]]] = {
            "whole": lambda record: record,
            "first": lambda record: record[:1],
            "last": lambda record: [record[-1].strip()],
            "joined": lambda record: [" | ".join(line.strip() for line in record)],
        }
        return tree.put(self.out, joined(line for record in kept for line in shapes[self.form](record)))

    def _is_picked(self, record: list[str]) -> bool:
        _, level, part, *_ = record[0].split(" ")
        value = self.value.actual
        tests = {
            "level": level == value,
            "part": part == f"{value}:",
            "fault": any(value in line for line in record[1:]),
        }
        return len(record) >= int(value) if self.by == "long" else tests[self.by]

    def bash(self) -> str:
        test = {
            "level": 'split(r[1], w, " ") && w[2] == v',
            "part": 'split(r[1], w, " ") && w[3] == v ":"',
            "fault": "has(v)",
            "long": "n >= v + 0",
        }[self.by]
        test = test if self.side == "those" else f"!({test})"
        shown = {
            "whole": "for (i = 1; i <= n; i++) print r[i]",
            "first": "print r[1]",
            "last": "print bare(r[n])",
            "joined": 'l = bare(r[1]); for (i = 2; i <= n; i++) l = l " | " bare(r[i]); print l',
        }[self.form]
        return (
            f'awk -v v={self.value.word} \'function bare(s) {{ sub(/^ +/, "", s); return s }}\n'
            "  function has(v) { for (i = 2; i <= n; i++) if (index(r[i], v)) return 1; return 0 }\n"
            f"  function out() {{ if (n && ({test})) {{ {shown} }} n = 0 }}\n"
            f"  /^[^ ]/ {{ out() }} {{ r[++n] = $0 }} END {{ out() }}' {self.source} > {self.out}"
        )


def pick(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Records`."""
    by, form = desk.pick(tuple(PICKS)), desk.pick(tuple(FORMS))
    side = desk.pick(("those", "those", "others"))
    name = desk.word(APPS)
    held = records(desk, 2 * desk.knobs.size)
    source = desk.put(name, joined(held))
    wanted = {
        "level": desk.pick(("ERROR", "WARN", "INFO")),
        "part": held[0].split(" ")[2].removesuffix(":"),
        "fault": desk.word(FAULTS),
        "long": str(desk.pick((2, 3, 4))),
    }[by]
    value = desk.value("lines" if by == "long" else by, wanted)
    out = desk.out(f"records_{form}.txt")
    plan = Records(source, out, by, value, form, side)
    which = PICKS[by].format(value=value.told)
    text = (
        f"{desk.word(OPENING).format(source)} the first line of a record begins with a time, then come a space, the"
        " level, a space, the part of the program, a colon and what happened; indented lines below it (they begin with"
        f" a space) belong to the same record. Take {which if side == 'those' else f'all records but {which}'} and"
        f" write them to `{out}`, {FORMS[form]}. If there are none, the file is empty."
    )
    wrong = {
        "the other records": replace(plan, side="others" if side == "those" else "those"),
        "only first lines": replace(plan, form="first" if form != "first" else "whole"),
        "whole": replace(plan, form="whole" if form != "whole" else "joined"),
        "something else": replace(plan, by="long", value=Value.of(5 if wanted == "2" else 2)),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(by, form, side),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made),
        makes=(out,),
        gives=lines(out, made, "the chosen records") if form != "whole" else None,
    )


OPERATORS: Final = (Operation("logs_records", "logs", None, pick),)
