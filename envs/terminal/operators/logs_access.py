"""Counting and rates over a web server's log in the common log format."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, Value, csv_text, joined, lines, table
from palestra.envs.terminal.operators.logs_lines import LOGS, access_lines
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

KEYS: Final = {
    "client": ("$1", "the client's address"),
    "path": ("$7", "the path requested"),
    "status": ("$9", "the status code"),
    "method": ("substr($6, 2)", "the method"),
    "hour": ("substr($4, 14, 2)", "the hour of the day (two digits)"),
}
KEEPS: Final = {
    "all": ("1", "all requests"),
    "failed": ("$9 >= 400", "only requests whose status code is 400 or more"),
    "served": ("$9 < 300", "only requests whose status code is below 300"),
    "large": ("$10 >= 50000", "only requests with 50000 bytes or more"),
    "get": ('$6 == "\\"GET"', "only GET requests"),
}
LINE: Final = re.compile(
    r'(?P<client>\S+) - - \[[^:]+:(?P<hour>\d\d)\S+ \S+\] "(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<status>\d+)'
    r" (?P<size>\d+)"
)
OPENING: Final = Pool(
    ("`{}` is a web server's access log in the common log format.", "Analyse the access log `{}` (common log format)."),
    ("A web server wrote `{}`, one request a line, in the common log format.", "Take the common-format log `{}`."),
)


def requests(text: str, keep: str) -> list[dict[str, str]]:
    """Return the parts of the requests that are kept."""
    found = [match.groupdict() for match in map(LINE.fullmatch, text.splitlines()) if match]
    kept: Mapping[str, Callable[[dict[str, str]], bool]] = {
        "all": lambda one: True,
        "failed": lambda one: int(one["status"]) >= 400,
        "served": lambda one: int(one["status"]) < 300,
        "large": lambda one: int(one["size"]) >= 50_000,
        "get": lambda one: one["method"] == "GET",
    }
    return [one for one in found if kept[keep](one)]


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each key is there, or how many bytes it had."""

    source: str
    out: str
    by: str
    measure: str  # requests or bytes
    keep: str
    order: str  # most, fewest or key
    form: str  # count-key, key-count or csv
    top: Value
    ties: str = "up"

    def effect(self, tree: Tree) -> Tree:
        sums: dict[str, int] = defaultdict(int)
        for one in requests(tree.text(self.source), self.keep):
            sums[one[self.by]] += int(one["size"]) if self.measure == "bytes" else 1
        ranked = sorted(sums, reverse=self.ties == "down")
        if self.order != "key":
            ranked.sort(key=lambda key: sums[key] * (-1 if self.order == "most" else 1))
        ranked = ranked[: int(self.top.actual)]
        if self.form == "csv":
            return tree.put(self.out, csv_text([self.by, self.measure], [[key, str(sums[key])] for key in ranked]))
        shape = "{1} {0}" if self.form == "count-key" else "{0}\t{1}"
        return tree.put(self.out, joined(shape.format(key, sums[key]) for key in ranked))

    def bash(self) -> str:
        add = "$10" if self.measure == "bytes" else "1"
        ties = "r" if self.ties == "down" else ""
        sort = {"most": f"-k1,1nr -k2,2{ties}", "fewest": f"-k1,1n -k2,2{ties}", "key": f"-k2,2{ties}"}[self.order]
        shape = {"count-key": "$1 FS $2", "key-count": '$2 "\\t" $1', "csv": '$2 "," $1'}[self.form]
        head = f'BEGIN {{ print "{self.by},{self.measure}" }} ' if self.form == "csv" else ""
        return (
            f"awk '{KEEPS[self.keep][0]} {{ n[{KEYS[self.by][0]}] += {add} }} END {{ for (k in n) print n[k], k }}'"
            f" {self.source} |\n  LC_ALL=C sort {sort} | head -n {self.top.word} | awk '{head}{{ print {shape} }}'"
            f" > {self.out}"
        )


ORDERS: Final = {
    "most": "Highest number first; where numbers are equal, by {key} in ASCII order",
    "fewest": "Lowest number first; where numbers are equal, by {key} in ASCII order",
    "key": "Sort by {key} in ASCII order",
}
FORMS: Final = {
    "count-key": "one line each: the number, one space, and {key}",
    "key-count": "one line each: {key}, one tab, and the number",
    "csv": "as CSV with the header `{by},{measure}`",
}


def tally(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Tally`."""
    by, measure = desk.pick(tuple(KEYS)), desk.pick(("requests", "bytes"))
    keep, order, form = desk.pick(tuple(KEEPS)), desk.pick(tuple(ORDERS)), desk.pick(tuple(FORMS))
    name = desk.word(LOGS)
    source = desk.put(name, joined(access_lines(desk, 2 * desk.knobs.size)))
    limit = desk.pick((2, 3, 4)) if desk.draws.chance(0.6) else 0
    top = desk.value("top", limit) if limit else Value.of(1000)
    out = desk.out(f"{measure}_by_{by}.{'csv' if form == 'csv' else 'txt'}")
    plan = Tally(source, out, by, measure, keep, order, form, top)
    key = KEYS[by][1]
    least = f" Keep only the first N of them, N being {top.told} (all, if there are fewer)." if limit else ""
    what = "the number of requests" if measure == "requests" else "the sum of the bytes (the last field)"
    text = (
        f"{desk.word(OPENING).format(source)} For each value of {key} that occurs, find {what}, counting"
        f" {KEEPS[keep][1]}. Write them to `{out}`, {FORMS[form].format(key=key, by=by, measure=measure)}."
        f" {ORDERS[order].format(key=key)}.{least}"
    )
    wrong = {
        "every request counts": replace(plan, keep="all"),
        "ties the other way": replace(plan, ties="down"),
        "the other order": replace(plan, order="fewest" if order == "most" else "most"),
        "one too few": replace(plan, top=Value.of(int(top.actual) - 1) if limit else Value.of(1)),
        "the other measure": replace(plan, measure="bytes" if measure == "requests" else "requests"),
    }
    made = plan.effect(desk.start()).text(out)
    about = f"{measure} by {by}"
    return desk.step(
        choices=(by, measure, keep, order, form, "top" if limit else "whole"),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made) if form == "csv" else desk.lines_check(out, made),
        makes=(out,),
        gives=table(out, made, about) if form == "csv" else lines(out, made, about),
    )


@dataclass(frozen=True, slots=True)
class Rate:
    """The share of failed requests of each key."""

    source: str
    out: str
    by: str
    failing: int  # the lowest status code that is a failure
    least: Value  # requests that a key must have
    form: str  # percent or share
    digits: int
    shows: str  # all, or those with failures

    def effect(self, tree: Tree) -> Tree:
        total: dict[str, int] = defaultdict(int)
        failed: dict[str, int] = defaultdict(int)
        for one in requests(tree.text(self.source), "all"):
            total[one[self.by]] += 1
            failed[one[self.by]] += int(one["status"]) >= self.failing
        scale = 100 if self.form == "percent" else 1
        rows = [
            [key, str(total[key]), str(failed[key]), f"{failed[key] * scale / total[key]:.{self.digits}f}"]
            for key in sorted(total)
            if total[key] >= int(self.least.actual) and (failed[key] or self.shows == "all")
        ]
        return tree.put(self.out, csv_text([self.by, "total", "failed", self.form], rows))

    def bash(self) -> str:
        share = "100 * f[k] / n[k]" if self.form == "percent" else "f[k] / n[k]"
        shown = "" if self.shows == "all" else " && f[k]"
        return (
            f"{{ echo {self.by},total,failed,{self.form}\n"
            f"  awk -v least={self.least.word} '{{ k = {KEYS[self.by][0]}; n[k]++; f[k] += $9 >= {self.failing} }}\n"
            f'    END {{ for (k in n) if (n[k] >= least{shown}) printf "%s,%d,%d,%.{self.digits}f\\n", k, n[k], f[k],'
            f" {share} }}' {self.source} | LC_ALL=C sort -t, -k1,1; }} > {self.out}"
        )


def rate(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Rate`."""
    by, form = desk.pick(("client", "path", "method", "hour")), desk.pick(("percent", "share"))
    failing, shows = desk.pick((400, 500)), desk.pick(("all", "failing"))
    name = desk.word(LOGS)
    source = desk.put(name, joined(access_lines(desk, 3 * desk.knobs.size)))
    least = desk.value("least_requests", desk.pick((2, 3, 4)))
    out = desk.out(f"error_rate_by_{by}.csv")
    plan = Rate(source, out, by, failing, least, form, desk.pick((1, 2, 3)) + (form == "share"), shows)
    key = KEYS[by][1]
    if any(_is_near_half(row, plan) for row in _rates(plan, desk.start())):
        return None
    last = "" if shows == "all" else " Leave out those without any failed request."
    text = (
        f"{desk.word(OPENING).format(source)} A request failed if its status code is {failing} or more. Write `{out}`,"
        f" a CSV file with the header `{by},total,failed,{form}`: for each value of {key} with at least N requests, N"
        f" being {least.told}, the value, how many requests it had, how many of them failed, and the failed ones"
        f" {'in percent of' if form == 'percent' else 'divided by'} all of its requests, with exactly {plan.digits}"
        f" digits after the decimal point. Sort by {key} in ASCII order.{last}"
    )
    wrong = {
        "another class fails": replace(plan, failing=900 - failing),
        "the least is exceeded": replace(plan, least=Value.of(int(least.actual) + 1)),
        "no least": replace(plan, least=Value.of(0)),
        "too few digits": replace(plan, digits=plan.digits - 1),
        "the others too": replace(plan, shows="failing" if shows == "all" else "all"),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(by, form, str(failing), shows),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made),
        makes=(out,),
        gives=table(out, made, f"error rates by {by}"),
    )


def _rates(plan: Rate, tree: Tree) -> list[list[str]]:
    made = replace(plan, least=Value.of(1), shows="all").effect(tree).text(plan.out)
    return [row.split(",") for row in made.splitlines()[1:]]


def _is_near_half(row: list[str], plan: Rate) -> bool:
    """Return whether rounding might go either way."""
    exact = int(row[2]) * (200 if plan.form == "percent" else 2) * int("1" + "0" * plan.digits)
    return exact % int(row[1]) == 0 and exact // int(row[1]) % 2 == 1


OPERATORS: Final = (
    Operation("logs_tally", "logs", None, tally),
    Operation("logs_rate", "logs", None, rate),
)
