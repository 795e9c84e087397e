"""Times in words become lines of a crontab, which is judged by when its jobs run and not by how they are written."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from palestra.envs.base import Json
from palestra.envs.terminal.operators.drawing import Desk, Drawn, written
from palestra.envs.terminal.step import Operator, Step
from palestra.envs.terminal.tree import Folder, Tree

_OPENINGS: Final = {
    False: ("Jobs have to run at set times.", "Some work is to be done by cron."),
    True: ("A timetable of jobs is needed.", "Let cron do the rounds."),
}
_JOBS: Final = {
    False: ("backup", "rotate", "report", "sync", "prune", "mail-digest", "reindex"),
    True: ("vacuum", "archive", "probe", "refresh", "invoice", "snapshot", "scan"),
}
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS: Final = ("January", "April", "July", "October", "December")
# Prints for every line of a crontab the command and the sets of its five fields: what two ways of writing share.
JUDGE: Final = r"""
import json, re, sys
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES = ({}, {}, {}, dict(zip("jan feb mar apr may jun jul aug sep oct nov dec".split(), range(1, 13))),
    dict(zip("sun mon tue wed thu fri sat".split(), range(7))))
WHOLE = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}
def number(text, at):
    value = NAMES[at].get(text.lower())
    value = int(text) if value is None else value
    if not BOUNDS[at][0] <= value <= BOUNDS[at][1]:
        raise ValueError(text)
    return value
def field(text, at):
    found = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        low, dash, high = span.partition("-")
        if span == "*":
            first, last = BOUNDS[at]
        else:
            first = number(low, at)
            last = number(high, at) if dash else BOUNDS[at][1] if step else first
        if first > last or step == "0":
            raise ValueError(part)
        found |= set(range(first, last + 1, int(step or 1)))
    return sorted({value % 7 if at == 4 else value for value in found})
told = []
for line in open(sys.argv[1], encoding="utf-8").read().splitlines():
    if not line.strip() or line.lstrip().startswith("#") or re.match(r"\s*\w+\s*=", line):
        continue
    words = line.split(None, 1)
    if words[0] in WHOLE:
        line = WHOLE[words[0]] + " " + words[1]
    *fields, command = line.split(None, 5)
    if len(fields) != 5:
        raise ValueError(line)
    told.append([command.strip(), [field(text, at) for at, text in enumerate(fields)],
        fields[2][0] == "*" or fields[4][0] == "*"])
print(json.dumps(sorted(told)))
"""


@dataclass(frozen=True, slots=True)
class Time:
    """When a job runs: in words, as five fields, and as the sets that these stand for."""

    words: str
    fields: str
    kind: str
    near: str  # fields that are nearly the same

    @property
    def sets(self) -> list[list[int]]:
        """Return what the fields stand for."""
        bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
        return [_set(text, *bounds[at]) for at, text in enumerate(self.fields.split())]


def _set(text: str, low: int, high: int) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        start, stop = (low, high) if span == "*" else (int(first), int(last) if dash else int(first))
        found |= set(range(start, stop + 1, int(step or 1)))
    return sorted(found)


def _time(desk: Desk) -> Time:
    minute, hour = desk.draws.between(1, 59), desk.draws.between(1, 22)
    at = f"{hour:02}:{minute:02}"
    kind = desk.draws.pick(("daily", "weekday", "days", "step", "monthly", "yearly", "span"))
    if kind == "daily":
        return Time(f"every day at {at}", f"{minute} {hour} * * *", kind, f"{hour} {minute % 24} * * *")
    if kind == "weekday":
        return Time(f"at {at} from Monday to Friday", f"{minute} {hour} * * 1-5", kind, f"{minute} {hour} * * 0-4")
    if kind == "days":
        one, two = sorted(desk.draws.shuffled(range(7))[:2])
        return Time(
            f"at {at} on {_DAYS[one]} and {_DAYS[two]}",
            f"{minute} {hour} * * {one},{two}",
            kind,
            f"{minute} {hour} * * {one}-{two}" if two - one > 1 else f"{minute} {hour} * * {one}",
        )
    if kind == "step":
        step = desk.draws.pick((5, 10, 15, 20))
        return Time(
            f"every {step} minutes, beginning with each full hour", f"*/{step} * * * *", kind, f"{step} * * * *"
        )
    if kind == "monthly":
        day = desk.draws.between(1, 28)
        return Time(
            f"at {at} on day {day} of every month",
            f"{minute} {hour} {day} * *",
            kind,
            f"{minute} {hour} * {day % 12 + 1} *",
        )
    if kind == "yearly":
        month, day = desk.draws.pick(_MONTHS), desk.draws.between(2, 28)
        number = {"January": 1, "April": 4, "July": 7, "October": 10, "December": 12}[month]
        return Time(
            f"once a year, on {month} {day} at {at}",
            f"{minute} {hour} {day} {number} *",
            kind,
            f"{minute} {hour} {day} * *",
        )
    last = min(23, hour + desk.draws.between(2, 8))
    return Time(
        f"{minute} minutes past every hour from {hour} to {last}, both included",
        f"{minute} {hour}-{last} * * *",
        kind,
        f"{minute} {hour}-{last - 1} * * *",
    )


def _attempt(desk: Desk) -> Step | None:
    kind = desk.draws.pick(("write", "change", "disable", "add"))
    path, jobs = desk.path("crontab"), desk.some(_JOBS, 4)
    commands = [f"/usr/local/bin/{job} --quiet" for job in jobs]
    times = [_time(desk) for _ in jobs]
    if len({time.fields for time in times}) < 4:
        return None
    lines = dict(zip(commands, times, strict=True))
    other = _time(desk)
    if other.fields in {time.fields for time in times}:
        return None
    start = "".join(f"{time.fields} {command}\n" for command, time in list(lines.items())[:3])
    head = "# jobs of this machine\nMAILTO=root\n"
    wanted, told = _wanted(kind, path, commands, lines, other)
    right = "".join(f"{time.fields} {command}\n" for command, time in wanted.items())
    last = list(wanted)[1 if kind in ("change", "write") else -1]
    near = right.replace(f"{wanted[last].fields} {last}", f"{wanted[last].near} {last}")
    head = "" if kind == "write" else head
    wrong = {
        "has fields that are almost right": written(path, head + near),
        "forgets a job": written(path, head + "".join(right.splitlines(keepends=True)[:-1])),
        "swaps minutes and hours": written(path, head + "".join(_swapped(line) for line in right.splitlines())),
    }
    if kind != "write":
        wrong["appends only"] = f"echo '{other.fields} {commands[0]}' >> {path}"
    return Step(
        operator="",
        choices=(kind, *sorted({time.kind for time in wanted.values()} - {"daily"})[:1]),
        text=f"{desk.of(_OPENINGS)} {told} Times are those of the machine's clock, of 24 hours; how fields are written "
        "does not matter, only when the jobs run. No crontab has to be installed.",
        starts=Tree().put(desk.folder, Folder()) if kind == "write" else Tree().put(path, head + start),
        effect=lambda tree: tree.put(path, head + right),
        solve=written(path, head + right),
        checks=_checks(kind, path, wanted, commands[1], times[1]),
        wrong=wrong,
    )


def _wanted(
    kind: str, path: str, commands: Sequence[str], lines: Mapping[str, Time], other: Time
) -> tuple[dict[str, Time], str]:
    """Return when which jobs are to run, and what the text says of that."""
    wanted = dict(list(lines.items())[:3])
    if kind == "write":
        told = " ".join(f"`{command}` runs {time.words}." for command, time in wanted.items())
        form = "in the form that `crontab FILE` takes, with these jobs and no others"
        return wanted, f"Write a crontab to `{path}`, {form}. {told}"
    if kind == "change":
        wanted[commands[1]] = other
        change = f"`{commands[1]}` is to run {other.words} from now on."
    elif kind == "disable":
        del wanted[commands[1]]
        change = f"`{commands[1]}` is to run no more: remove its line or make it a comment."
    else:
        wanted[commands[3]] = lines[commands[3]]
        change = f"`{commands[3]}` is to run as well, {lines[commands[3]].words}."
    told = f"`{path}` is a crontab. {change} The other jobs stay as they are, and so does the line `MAILTO=root`."
    return wanted, told


def _checks(kind: str, path: str, wanted: Mapping[str, Time], command: str, time: Time) -> tuple[Json, ...]:
    """Return what can be seen of a crontab at once, and what its jobs are to those who read all of it."""
    head = [] if kind == "write" else ["MAILTO=root"]
    check: Json = {"kind": "file", "group": 0, "path": path, "contains": [*wanted, *head]}
    if kind in ("change", "disable"):  # the old line may stay as a comment
        gone = command if kind == "disable" else f"{time.fields} {command}"
        check = {**check, "matches": rf"(?!(.*\n)*[^#\n]*{re.escape(gone)}).*(\n.*)*"}
    expected = json.dumps(
        sorted([name, one.sets, "*" in (one.fields.split()[2], one.fields.split()[4])] for name, one in wanted.items())
    )
    runs: Json = {"kind": "runs", "group": 0, "command": ["python3", "-I", "-S", "-c", JUDGE, path], "files": [path]}
    return check, {**runs, "cases": [{"stdout": f"{expected}\n"}]}


def _swapped(line: str) -> str:
    minute, hour, rest = line.split(" ", 2)
    return f"{hour} {minute} {rest}\n"


OPERATORS: Final[tuple[Operator, ...]] = (Drawn("scripting_cron", "scripting", None, _attempt),)
