"""Lists of lines: sorted, counted, numbered, cut and compared with another list."""

import re
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, joined, lines
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

LINE: Final = re.compile(r"[ -~]{1,200}")
ORDERS: Final = {
    "there": "in the order in which they first stand there",
    "up": "in ASCII order",
    "down": "in reverse ASCII order",
    "length": "shortest first, equally long ones in ASCII order",
}
SHOWS: Final = {
    "each": "each line once",
    "repeated": "each line that is there more than once, once",
    "single": "the lines that are there exactly once",
    "shared": "each line that is also in `{other}`, once",
    "missing": "each line that is not in `{other}`, once",
}
FORMS: Final = {
    "plain": "as it is",
    "counted": "after how often it is in `{source}` and one tab",
    "numbered": "after its number in what you write, from 1, and `) `",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines of a list, each once."""

    source: str
    other: str
    out: str
    shows: str
    order: str
    form: str

    def effect(self, tree: Tree) -> Tree:
        counts: dict[str, int] = {}
        for line in tree.text(self.source).splitlines():
            counts[line] = counts.get(line, 0) + 1
        known = set(tree.text(self.other).splitlines()) if self.other in tree else set[str]()
        kept = [line for line in counts if self._is_shown(line, counts[line], known)]
        if self.order != "there":
            kept.sort(reverse=self.order == "down")
        if self.order == "length":
            kept.sort(key=len)
        shape = {"plain": "{2}", "counted": "{1}\t{2}", "numbered": "{0}) {2}"}[self.form]
        return tree.put(self.out, joined(shape.format(at, counts[line], line) for at, line in enumerate(kept, 1)))

    def _is_shown(self, line: str, count: int, known: set[str]) -> bool:
        return {
            "each": True,
            "repeated": count > 1,
            "single": count == 1,
            "shared": line in known,
            "missing": line not in known,
        }[self.shows]

    def bash(self) -> str:
        test = {
            "each": "1",
            "repeated": "n[l] > 1",
            "single": "n[l] == 1",
            "shared": "l in b",
            "missing": "!(l in b)",
        }[self.shows]
        has_other = self.shows in ("shared", "missing")
        first = f'FILENAME == "{self.other}" {{ b[$0]; next }} ' if has_other else ""
        files = f"{self.other} {self.source}" if has_other else self.source
        key = 'length(l) "\\t" ' if self.order == "length" else ""
        sort = {
            "there": "",
            "up": " | LC_ALL=C sort -t $'\\t' -k2",
            "down": " | LC_ALL=C sort -r -t $'\\t' -k2",
            "length": " | LC_ALL=C sort -t $'\\t' -k1,1n -k3 | cut -f 2-",
        }[self.order]
        shape = {
            "plain": " | cut -f 2-",
            "counted": "",
            "numbered": ' | awk \'{ sub(/^[0-9]+\\t/, ""); print NR ") " $0 }\'',
        }
        return (
            f"awk '{first}!n[$0]++ {{ o[++c] = $0 }}\n  END {{ for (i = 1; i <= c; i++) {{ l = o[i]; if ({test})"
            f' print {key}n[l] "\\t" l }} }}\' {files}{sort}{shape[self.form]} > {self.out}'
        )


WORDS: Final = Pool(
    ("kiwi", "plum", "fig", "apple pie", "Banana", "cherry", "date", "Elder", "grape", "lemon", "melon 2", "nut"),
    ("oak", "pine tree", "Ash", "birch", "cedar", "elm", "Fir", "hazel", "larch 7", "maple", "rowan", "yew"),
)
LISTS: Final = Pool(("words.txt", "items.txt", "list.txt"), ("names.txt", "entries.txt", "stock.txt"))
OPENING: Final = Pool(
    ("`{}` is a list, one entry a line.", "Work through the lines of `{}`."),
    ("There is one entry a line in `{}`.", "Take the lines of the list `{}`."),
)


def listing(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Listing`."""
    shows, order, form = desk.pick(tuple(SHOWS)), desk.pick(tuple(ORDERS)), desk.pick(tuple(FORMS))
    if desk.given is None:
        name = desk.word(LISTS)
        held = [desk.word(WORDS) for _ in range(desk.knobs.size)]
        source = desk.put(name, joined(held))
    else:
        source, held = desk.given.path, desk.given.content
    if not all(map(LINE.fullmatch, held)):
        return None
    other = desk.path("known.txt")
    if shows in ("shared", "missing"):
        known = [*desk.some(sorted(set(held)), max(1, len(set(held)) // 2)), *desk.some(desk.of(WORDS), 2)]
        desk.put("known.txt", joined(desk.draws.shuffled(sorted(set(known)))))
    out = desk.out(f"{shows}.txt")
    plan = Listing(source, other, out, shows, order, form)
    text = (
        f"{desk.word(OPENING).format(source)} Write to `{out}` {SHOWS[shows].format(other=other)}, {ORDERS[order]}, one"
        f" a line, {FORMS[form].format(source=source)}. Lines are the same if they are so to the letter. If there are"
        " none, the file is empty."
    )
    wrong = {
        "other lines": replace(plan, shows="each" if shows != "each" else "single"),
        "in another order": replace(plan, order="up" if order != "up" else "there"),
        "the other half": replace(plan, shows={"shared": "missing", "missing": "shared"}.get(shows, "repeated")),
        "written otherwise": replace(plan, form="plain" if form != "plain" else "numbered"),
    }
    if shows not in ("shared", "missing"):
        del wrong["the other half"]
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(shows, order, form),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made),
        makes=(out,),
        gives=lines(out, made, f"the {shows} lines"),
    )


OPERATORS: Final = (Operation("data_lines", "data", "lines", listing),)
