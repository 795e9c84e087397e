"""Logs by time: a window of one, and several merged."""

import datetime
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, Value, joined, lines
from palestra.envs.terminal.operators.logs_lines import APPS, EVENTS, LEVELS, PARTS, UTC, iso, moments
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

STAMPS: Final = {
    "iso": "UTC as in 2024-05-06T07:08:09Z",
    "epoch": "seconds since 1970-01-01 UTC",
    "spaced": "local time as in 2024-05-06 07:08:09",
}
STAMPED: Final = Pool(
    ("Each line of `{}` begins with its time ({}).", "`{}` is a log whose lines begin with their time ({})."),
    (
        "In the log `{}` the time stands first in a line ({}).",
        "A program logged to `{}`, each line after its time ({}).",
    ),
)


def stamp(moment: datetime.datetime, kind: str) -> str:
    """Return a moment as a log has it."""
    if kind == "epoch":
        return str(int(moment.timestamp()))
    return iso(moment) if kind == "iso" else moment.strftime("%Y-%m-%d %H:%M:%S")


def read_stamp(line: str, kind: str) -> datetime.datetime:
    """Return the moment that a line begins with."""
    words = line.split(" ")
    if kind == "epoch":
        return datetime.datetime.fromtimestamp(int(words[0]), UTC)
    if kind == "iso":
        return datetime.datetime.strptime(words[0], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return datetime.datetime.strptime(" ".join(words[:2]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def stamped(desk: Desk, count: int, kind: str) -> list[str]:
    """Return log lines with times of a kind."""
    parts = desk.some(desk.of(PARTS), 3)
    return [
        f"{stamp(moment, kind)} {desk.pick(LEVELS)} {desk.pick(parts)}: {desk.word(EVENTS)}"
        f" {desk.draws.between(1, 999)}"
        for moment in moments(desk, count)
    ]


@dataclass(frozen=True, slots=True)
class Window:
    """The lines from one time to another."""

    source: str
    out: str
    kind: str
    begin: Value
    end: Value
    ends: str  # both, begin, end or neither: which of the times themselves belong to it
    side: str  # inside or outside
    form: str  # lines, count or reversed

    def effect(self, tree: Tree) -> Tree:
        begin, end = (read_stamp(one.actual, self.kind) for one in (self.begin, self.end))

        def is_in(line: str) -> bool:
            at = read_stamp(line, self.kind)
            after = at >= begin if self.ends in ("both", "begin") else at > begin
            return after and (at <= end if self.ends in ("both", "end") else at < end)

        kept = [line for line in tree.text(self.source).splitlines() if is_in(line) == (self.side == "inside")]
        if self.form == "count":
            return tree.put(self.out, f"{len(kept)}\n")
        return tree.put(self.out, joined(kept if self.form == "lines" else kept[::-1]))

    def bash(self) -> str:
        at = '$1 " " $2' if self.kind == "spaced" else "$1"
        after, until = (
            (">=" if self.ends in ("both", "begin") else ">"),
            ("<=" if self.ends in ("both", "end") else "<"),
        )
        inside = f"t {after} b && t {until} e"
        shown = inside if self.side == "inside" else f"!({inside})"
        last = {"lines": "", "count": " | wc -l", "reversed": " | tac"}[self.form]
        plain = "" if self.kind == "epoch" else ' ""'  # compared as texts
        return (
            f"awk -v b={self.begin.word} -v e={self.end.word} '{{ t = {at}{plain} }} {shown}' {self.source}{last}"
            f" > {self.out}"
        )


ENDS: Final = {
    "both": "both of these times included",
    "begin": "the first of these times included, the second excluded",
    "end": "the first of these times excluded, the second included",
    "neither": "both of these times excluded",
}
WINDOWS: Final = {
    "lines": "as they are and in their order",
    "reversed": "as they are, the last one first",
    "count": "only their number, as one line",
}


def window(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Window`."""
    kind, ends = desk.pick(tuple(STAMPS)), desk.pick(tuple(ENDS))
    side, form = desk.pick(("inside", "inside", "outside")), desk.pick(tuple(WINDOWS))
    name = desk.word(APPS)
    logged = stamped(desk, 2 * desk.knobs.size, kind)
    source = desk.put(name, joined(logged))
    times = [stamp(read_stamp(line, kind), kind) for line in logged]
    first = desk.draws.between(1, len(logged) // 2)
    begin, end = (
        desk.value("begin", times[first]),
        desk.value("end", times[desk.draws.between(first + 1, len(logged) - 2)]),
    )
    out = desk.out(f"{side}.{'txt' if form == 'count' else 'log'}")
    plan = Window(source, out, kind, begin, end, ends, side, form)
    wanted = "from" if side == "inside" else "that are not from"
    text = (
        f"{desk.word(STAMPED).format(source, STAMPS[kind])} Write to `{out}` the lines {wanted} the time between"
        f" {begin.told} and {end.told}, {ENDS[ends]}: {WINDOWS[form]}. If there are none, the file"
        f" {'holds 0' if form == 'count' else 'is empty'}."
    )
    flip = {"both": "neither", "neither": "both", "begin": "end", "end": "begin"}
    wrong = {
        "the ends the other way": replace(plan, ends=flip[ends]),
        "one end the other way": replace(plan, ends="begin" if ends in ("both", "neither") else "both"),
        "the other side": replace(plan, side="outside" if side == "inside" else "inside"),
        "no second time": replace(plan, end=Value.of(times[-1])),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(kind, ends, side, form),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made),
        makes=(out,),
        gives=lines(out, made, f"the lines {side} the window"),
    )


MERGES: Final = Pool(
    ("Merge these logs:", "Several programs wrote logs of the same day:"),
    ("One log is to be made of these:", "Bring together the logs"),
)


@dataclass(frozen=True, slots=True)
class Merge:
    """Lines of several logs by time."""

    sources: tuple[str, ...]
    out: str
    order: str  # oldest or newest
    mark: str  # none, prefix or suffix: where the log's name stands
    twice: str  # keep or drop lines that are in several logs

    def effect(self, tree: Tree) -> Tree:
        held = [(line, source) for source in self.sources for line in tree.text(source).splitlines()]
        if self.twice == "drop":
            seen: dict[str, str] = {}
            for line, source in held:
                seen.setdefault(line, source)
            held = list(seen.items())
        held.sort(key=lambda pair: pair[0].split(" ")[0])
        if self.order == "newest":
            held.sort(key=lambda pair: pair[0].split(" ")[0], reverse=True)
        return tree.put(self.out, joined(self._marked(line, source) for line, source in held))

    def _marked(self, line: str, source: str) -> str:
        name = source.rsplit("/", 1)[1].removesuffix(".log")
        return {"none": line, "prefix": f"{name}: {line}", "suffix": f"{line} ({name})"}[self.mark]

    def bash(self) -> str:
        named = 'n = FILENAME; sub(/.*\\//, "", n); sub(/\\.log$/, "", n); '
        shape = {"none": "$0", "prefix": 'n ": " $0', "suffix": '$0 " (" n ")"'}[self.mark]
        pattern = "!seen[$0]++ " if self.twice == "drop" else ""
        reverse = "r" if self.order == "newest" else ""
        return (
            f"awk '{pattern}{{ {named}print $1 \"\\t\" {shape} }}' {' '.join(self.sources)} |\n"
            f"  LC_ALL=C sort -s -t '\t' -k1,1{reverse} | cut -f 2- > {self.out}"
        ).replace("'\t'", "$'\\t'")


MARKS: Final = {
    "none": "Lines are written as they are.",
    "prefix": "Before each line write the name of its log without `.log`, a colon and a space.",
    "suffix": "After each line write a space and, in parentheses, the name of its log without `.log`.",
}


def merge(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Merge`."""
    order, mark = desk.pick(("oldest", "newest")), desk.pick(tuple(MARKS))
    twice, count = desk.pick(("keep", "drop")), desk.draws.between(2, 3)
    shared = sorted(stamped(desk, desk.knobs.size + 4, "iso"), key=lambda line: line.split(" ")[0])
    others = [f"{line.split(' ')[0]} {desk.word(EVENTS)} {number}" for number, line in enumerate(shared)]
    sources = []
    for part in desk.some(desk.of(PARTS), count):
        held = [desk.pick((one, two)) for one, two in zip(shared, others, strict=True) if desk.draws.chance(0.7)]
        sources.append(desk.put(f"{part}.log", joined(held)))
    out = desk.out("all.txt")
    plan = Merge(tuple(sources), out, order, mark, twice)
    listed = ", ".join(f"`{source}`" for source in sources)
    marked = " and with the name of the first log that has it" if mark != "none" else ""
    again = (
        f" A line that stands in several logs, or several times in one, is written once, at its first place{marked}."
        if twice == "drop"
        else " A line that stands in several logs is written as often as it is there."
    )
    text = (
        f"{desk.word(MERGES)} {listed}. Their lines begin with a time in UTC and are sorted by it. Write all lines to"
        f" `{out}`, by time, {order} first; lines of equal time stand in the order of the"
        f" logs as listed here and, within a log, in the order they have there.{again} {MARKS[mark]}"
    )
    wrong = {
        "one after the other": replace(plan, sources=tuple(sources[::-1])),
        "the other order": replace(plan, order="newest" if order == "oldest" else "oldest"),
        "twice the other way": replace(plan, twice="keep" if twice == "drop" else "drop"),
        "marked otherwise": replace(plan, mark="prefix" if mark == "none" else "none"),
        "one log left out": replace(plan, sources=tuple(sources[:-1])),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(order, mark, twice, str(count)),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made),
        makes=(out,),
        gives=lines(out, made, "the merged log"),
    )


OPERATORS: Final = (
    Operation("logs_window", "logs", None, window),
    Operation("logs_merge", "logs", None, merge),
)
