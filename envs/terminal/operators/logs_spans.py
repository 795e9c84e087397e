"""Logs by who is in them: when each was first and last seen, and sessions."""

import re
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, Value, csv_text, joined, table
from palestra.envs.terminal.operators.logs_lines import APPS, app_lines
from palestra.envs.terminal.operators.logs_time import STAMPED, STAMPS
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

USERS_OF: Final = Pool(("u101", "u205", "u330", "u412"), ("m7", "m19", "m23", "m48"))
EVENT_LOGS: Final = Pool(("events.log", "clicks.log"), ("actions.log", "activity.log"))


@dataclass(frozen=True, slots=True)
class Seen:
    """When each user or part was first and last seen."""

    source: str
    out: str
    by: str  # user or part
    level: str  # only of this level, or ""
    order: str  # key, first or count
    shows: str  # both, first or last

    def rows(self, text: str) -> list[list[str]]:
        """Return key, first, last and count, in order."""
        found: dict[str, list[str]] = {}
        for line in text.splitlines():
            match = re.fullmatch(r"(\S+) (\S+) \[(\w+)\] .* user=(\w+) ms=\d+", line)
            if match and self.level in ("", match[2]):
                found.setdefault(match[4] if self.by == "user" else match[3], []).append(match[1])
        rows = [[key, min(times), max(times), str(len(times))] for key, times in sorted(found.items())]
        if self.order == "count":
            return sorted(rows, key=lambda row: -int(row[3]))
        return rows if self.order == "key" else sorted(rows, key=lambda row: row[1])

    def columns(self) -> list[int]:
        """Return which of key, first, last and count are written."""
        return {"both": [0, 1, 2, 3], "first": [0, 1, 3], "last": [0, 2, 3]}[self.shows]

    def effect(self, tree: Tree) -> Tree:
        names = [self.by, "first", "last", "count"]
        rows = [[row[at] for at in self.columns()] for row in self.rows(tree.text(self.source))]
        return tree.put(self.out, csv_text([names[at] for at in self.columns()], rows))

    def bash(self) -> str:
        header = ",".join([self.by, "first", "last", "count"][at] for at in self.columns())
        key = 'k = $3; gsub(/[][]/, "", k)' if self.by == "part" else 'k = $(NF - 1); sub(/^user=/, "", k)'
        kept = f'$2 == "{self.level}" ' if self.level else ""
        sort = {"key": "-k1,1", "first": "-k2,2 -k1,1", "count": "-k4,4nr -k1,1"}[self.order]
        cut = ",".join(str(at + 1) for at in self.columns())
        return (
            f"{{ echo {header}\n  awk '{kept}{{ {key}; n[k]++; if (!(k in a) || $1 < a[k]) a[k] = $1;"
            f' if ($1 > z[k]) z[k] = $1 }}\n    END {{ for (k in n) print k "," a[k] "," z[k] "," n[k] }}\''
            f" {self.source} | LC_ALL=C sort -t, {sort} | cut -d, -f {cut}; }} > {self.out}"
        )


SEEN_ORDERS: Final = {
    "key": "by {by} in ASCII order",
    "first": "by the first time, earliest first, where these are equal by {by} in ASCII order",
    "count": "by the count, highest first, where counts are equal by {by} in ASCII order",
}


def seen(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Seen`."""
    by, level = desk.pick(("user", "part")), desk.pick(("", "", "ERROR", "INFO"))
    order, shows = desk.pick(tuple(SEEN_ORDERS)), desk.pick(("both", "both", "first", "last"))
    name = desk.word(APPS)
    mixed = desk.pick(("sorted", "mixed"))
    logged = app_lines(desk, 3 * desk.knobs.size)
    source = desk.put(name, joined(logged if mixed == "sorted" else desk.draws.shuffled(logged)))
    out = desk.out(f"seen_by_{by}.csv")
    plan = Seen(source, out, by, level, order, shows)
    which = f"lines of level {level}" if level else "any line, whatever its level"
    what = {"both": "its first and its last time", "first": "its first time", "last": "its last time"}[shows]
    made = plan.effect(desk.start()).text(out)
    text = (
        f"{desk.word(STAMPED).format(source, STAMPS['iso'])} After the time come the level, the part of the program in"
        f" brackets, what happened, `user=NAME` and `ms=NUMBER`. The lines are"
        f" {'in the order of their times' if mixed == 'sorted' else 'in no order'}. Write `{out}`, a CSV file with the"
        f" header `{made.splitlines()[0]}`: for each {by} that occurs in {which}, the {by}, {what} as the log has it,"
        f" and in how many such lines it occurs. Sort the rows {SEEN_ORDERS[order].format(by=by)}."
    )
    wrong = {
        "another level": replace(plan, level="" if level else "ERROR"),
        "of the other key": replace(plan, by="part" if by == "user" else "user"),
        "sorted otherwise": replace(plan, order="count" if order != "count" else "key"),
        "the other time": replace(plan, shows="last" if shows == "first" else "first"),
    }
    return desk.step(
        choices=(by, level or "all", order, shows, mixed),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made),
        makes=(out,),
        gives=table(out, made, f"when each {by} was seen"),
    )


@dataclass(frozen=True, slots=True)
class Sessions:
    """What each user did with no longer pause than the gap."""

    source: str
    out: str
    unit: str  # s or min
    gap: Value
    least: int  # events that a session must have
    order: str  # user or start
    starts: str = "above"  # a pause of exactly the gap: above goes on, from begins another

    def effect(self, tree: Tree) -> Tree:
        times: dict[str, list[int]] = {}
        for line in tree.text(self.source).splitlines():
            at, user, _ = line.split(" ", 2)
            times.setdefault(user, []).append(int(at))
        gap = int(self.gap.actual) * (60 if self.unit == "min" else 1)
        found: list[list[int | str]] = []
        for user in sorted(times):
            opened: list[list[int]] = []
            for moment in times[user]:
                pause = moment - opened[-1][-1] if opened else -1
                if not opened or (pause > gap if self.starts == "above" else pause >= gap):
                    opened.append([])
                opened[-1].append(moment)
            found += [[user, one[0], one[-1], len(one)] for one in opened if len(one) >= self.least]
        if self.order == "start":
            found.sort(key=lambda row: int(row[1]))
        return tree.put(
            self.out, csv_text(["user", "start", "end", "events"], [[str(one) for one in row] for row in found])
        )

    def bash(self) -> str:
        scale = " * 60" if self.unit == "min" else ""
        over = ">" if self.starts == "above" else ">="
        sort = "-k1,1 -k2,2n" if self.order == "user" else "-k2,2n -k1,1"
        return (
            f"{{ echo user,start,end,events\n"
            f"  awk -v gap={self.gap.word} 'function out(u) {{ if (n[u] >= {self.least})"
            ' print u "," a[u] "," z[u] "," n[u] }\n'
            f"    {{ u = $2; if (u in n && $1 - z[u] {over} gap{scale}) {{ out(u); n[u] = 0 }}\n"
            "      if (!n[u]) a[u] = $1; z[u] = $1; n[u]++ }\n"
            f"    END {{ for (u in n) out(u) }}' {self.source} | LC_ALL=C sort -t, {sort}; }} > {self.out}"
        )


ACTIONS: Final = Pool(("view", "click", "search", "buy"), ("open", "play", "pause", "share"))


def sessions(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Sessions`."""
    unit, order = desk.pick(("s", "min")), desk.pick(("user", "start"))
    least = desk.pick((1, 2))
    minutes = desk.draws.between(5, 30)
    users = desk.some(desk.of(USERS_OF), 3)
    now, logged = 1_700_000_000 + desk.draws.between(0, 9_999_999), []
    for _ in range(3 * desk.knobs.size):
        now += desk.pick((20, 60, 60 * minutes // 2, 60 * minutes, 60 * minutes + 1)) if desk.draws.chance(0.7) else 0
        logged.append(f"{now} {desk.pick(users)} {desk.word(ACTIONS)}")
    name = desk.word(EVENT_LOGS)
    source = desk.put(name, joined(logged))
    gap = desk.value("gap", minutes if unit == "min" else 60 * minutes)
    out = desk.out("sessions.csv")
    starts = desk.pick(("above", "from"))
    plan = Sessions(source, out, unit, gap, least, order, starts)
    rule = "more than" if starts == "above" else "at least"
    few = " Leave out sessions of a single event." if least == 2 else ""
    last = (
        "user in ASCII order, then start" if order == "user" else "start, where starts are equal by user in ASCII order"
    )
    text = (
        f"Each line of `{source}` has a time in seconds since 1970, a user and what the user did, with single spaces"
        f" between; the lines are in the order of their times. A user's session ends, and the next one begins, where"
        f" {rule} N {'seconds' if unit == 's' else 'minutes'} pass between one event of that user and the next; N is"
        f" {gap.told}. Write `{out}`, a CSV file with the header `user,start,end,events`: for each session the user,"
        f" the times of its first and last event as in the log, and how many events it has.{few} Sort by {last}."
    )
    wrong = {
        "a pause of exactly the gap": replace(plan, starts="from" if starts == "above" else "above"),
        "the other unit": replace(plan, unit="min" if unit == "s" else "s"),
        "single events the other way": replace(plan, least=3 - least),
        "sorted otherwise": replace(plan, order="start" if order == "user" else "user"),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(unit, order, "all" if least == 1 else "longer", starts),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made),
        makes=(out,),
        gives=table(out, made, "the sessions"),
    )


OPERATORS: Final = (
    Operation("logs_seen", "logs", None, seen),
    Operation("logs_sessions", "logs", None, sessions),
)
