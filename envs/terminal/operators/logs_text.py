"""What stands within the lines of logs: parts found by a regular expression, secrets, and records of several lines."""

import re
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, joined, lines
from palestra.envs.terminal.operators.logs_lines import APPS, EVENTS, LEVELS, PARTS, USERS, iso, moments
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

FOUND: Final = {  # what it is, for grep -E and for Python
    "address": (
        "IPv4 addresses (four numbers with points between)",
        r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+",
        r"(?:\d+\.){3}\d+",
    ),
    "mail": ("mail addresses", r"[a-z]+@[a-z]+\.[a-z]+", r"[a-z]+@[a-z]+\.[a-z]+"),
    "request": ("request ids (`req-` and eight characters, each 0-9 or a-f)", r"req-[0-9a-f]{8}", r"req-[\da-f]{8}"),
    "code": ("codes (three capital letters, a hyphen and digits)", r"\b[A-Z]{3}-[0-9]+", r"(?<!\w)[A-Z]{3}-\d+"),
    "file": ("absolute paths (from a `/` to the next space)", r" /[^ ]*", r"(?<= )/\S*"),
}
HOSTS: Final = Pool(("example.com", "mail.org", "corp.net"), ("sample.io", "post.de", "firm.eu"))
OPENING: Final = Pool(
    ("`{}` is a program's log.", "Look through the log `{}`."),
    ("A program has written `{}`.", "The log to work on is `{}`."),
)


def messages(desk: Desk, count: int) -> list[str]:
    """Return log lines with ids, addresses, paths and codes in them, some of them several times."""
    users, parts, hosts = desk.some(desk.of(USERS), 4), desk.some(desk.of(PARTS), 3), desk.of(HOSTS)
    digits = "0123456789abcdef"
    ids = ["".join(desk.pick(digits) for _ in range(8)) for _ in range(3)]
    net = desk.draws.between(11, 99)
    made = []
    for moment in moments(desk, count):
        kinds = (
            f"from {net}.1.0.{desk.draws.between(1, 6)} via {net}.2.0.{desk.draws.between(1, 3)}",
            f"sent to {desk.pick(users)}@{desk.pick(hosts)}",
            f"req-{desk.pick(ids)} took {desk.draws.between(1, 900)} ms",
            f"{desk.pick(('ERR', 'NET', 'DSK'))}-{desk.draws.between(1, 12)} raised by {desk.pick(users)}",
            f"wrote /var/{desk.pick(parts)}/{desk.draws.between(1, 4)}.dat and /tmp/{desk.pick(users)}",
        )
        picked = desk.some(kinds, desk.draws.between(1, 3))
        made.append(f"{iso(moment)} {desk.pick(LEVELS)} [{desk.pick(parts)}] {' '.join(picked)}")
    return made


@dataclass(frozen=True, slots=True)
class Extract:
    """All parts of a kind."""

    source: str
    out: str
    kind: str
    level: str  # only of lines of this level, or ""
    form: str  # all, unique, counts or first

    def effect(self, tree: Tree) -> Tree:
        rows = [
            re.findall(FOUND[self.kind][2], line) for line in tree.text(self.source).splitlines() if self._is_of(line)
        ]
        found = [one for row in rows for one in (row[:1] if self.form == "first" else row)]
        if self.form == "unique":
            return tree.put(self.out, joined(sorted(set(found))))
        if self.form == "counts":
            counts = {one: found.count(one) for one in sorted(set(found))}
            ranked = sorted(counts, key=lambda one: -counts[one])
            return tree.put(self.out, joined(f"{counts[one]} {one}" for one in ranked))
        return tree.put(self.out, joined(found))

    def _is_of(self, line: str) -> bool:
        return self.level in ("", line.split(" ")[1])

    def bash(self) -> str:
        kept = f"awk '$2 == \"{self.level}\"' {self.source}" if self.level else f"cat {self.source}"
        clean = " | sed 's/^ //'" if self.kind == "file" else ""
        grep = f"grep -oE '{FOUND[self.kind][1]}'"
        if self.form == "first":
            numbered = grep.replace("-oE", "-noE")
            return f"{kept} | {numbered} | awk -F: '!seen[$1]++' | cut -d: -f2-{clean} > {self.out}"
        last = {
            "all": "",
            "unique": " | LC_ALL=C sort -u",
            "counts": " | LC_ALL=C sort | uniq -c | awk '{ print $1, $2 }' | LC_ALL=C sort -k1,1nr -k2,2",
        }[self.form]
        return f"{kept} | {grep}{clean}{last} > {self.out}"


FORMS: Final = {
    "all": "one a line, as often as they are there and in the order in which they stand in the log",
    "unique": "each once, one a line, in ASCII order",
    "counts": "each once, one a line, after how often it is there and one space, the most frequent first and equally"
    " frequent ones in ASCII order",
    "first": "one a line and in their order, but of each line of the log only the first",
}


def extract(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Extract`."""
    kind, form = desk.pick(tuple(FOUND)), desk.pick(tuple(FORMS))
    level = desk.pick(("", "", "ERROR", "WARN"))
    name = desk.word(APPS)
    source = desk.put(name, joined(messages(desk, 2 * desk.knobs.size)))
    out = desk.out(f"{kind}_{form}.txt")
    plan = Extract(source, out, kind, level, form)
    where = f"lines of level {level} (the second word of a line)" if level else "all lines"
    text = (
        f"{desk.word(OPENING).format(source)} Find the {FOUND[kind][0]} in {where} and write them to `{out}`,"
        f" {FORMS[form]}. If there are none, the file is empty."
    )
    wrong = {
        "the other lines too": replace(plan, level="" if level else "ERROR"),
        "only the first": replace(plan, form="first" if form != "first" else "all"),
        "as often as there": replace(plan, form="all" if form != "all" else "unique"),
        "other parts": replace(plan, kind="mail" if kind != "mail" else "request"),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(kind, form, level or "all"),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made),
        makes=(out,),
        gives=lines(out, made, f"the {kind} parts of the log"),
    )


SECRETS: Final = {  # what it looks like, sed -E, and Python; the first group is what stays
    "password": (
        "passwords (what follows `password=`, to the next space)",
        r"(password=)[^ ]+",
        r"(?P<a>password=)(?P<s>\S+)",
    ),
    "token": ("tokens (what follows `Bearer `, to the next space)", r"(Bearer )[^ ]+", r"(?P<a>Bearer )(?P<s>\S+)"),
    "card": ("card numbers (what follows `card=`: 16 digits)", r"(card=)[0-9]{12}", r"(?P<a>card=)(?P<s>\d{16})"),
}
MASKS: Final = {
    "stars": "the three characters `***`",
    "word": "the word `REDACTED`",
    "last": "the three characters `***` and its own last four characters",
}


@dataclass(frozen=True, slots=True)
class Redact:
    """A log without its secrets."""

    source: str
    out: str
    kinds: tuple[str, ...]
    mask: str
    which: str  # every or first: of those in a line, of a kind
    lines: str  # all, or those that had a secret

    def effect(self, tree: Tree) -> Tree:
        made = []
        for line in tree.text(self.source).splitlines():
            now = line
            for kind in self.kinds:
                now = re.sub(SECRETS[kind][2], self._masked, now, count=0 if self.which == "every" else 1)
            if self.lines == "all" or now != line:
                made.append(now)
        return tree.put(self.out, joined(made))

    def _masked(self, match: re.Match[str]) -> str:
        mask = {"stars": "***", "word": "REDACTED", "last": "***" + match["s"][-4:]}[self.mask]
        return match["a"] + mask

    def bash(self) -> str:
        every = "g" if self.which == "every" else ""
        scripts = []
        for kind in self.kinds:
            head = SECRETS[kind][1].split(")")[0] + ")"
            body = "[0-9]{12}([0-9]{4})" if kind == "card" else "[^ ]*([^ ]{4})"
            mask = {"stars": "***", "word": "REDACTED", "last": "***\\2"}[self.mask]
            jump = "; ta" if self.lines != "all" and kind == self.kinds[-1] else ""
            scripts.append(f"s/{head}{body}/\\1{mask}/{every}{jump}")
        if self.lines == "all":
            return f"sed -E '{'; '.join(scripts)}' {self.source} > {self.out}"
        kept = "|".join(SECRETS[kind][1].split("(")[1].split(")")[0] for kind in self.kinds)
        return f"grep -E '({kept})[^ ]' {self.source} | sed -E '{'; '.join(scripts).replace('; ta', '')}' > {self.out}"


def secretive(desk: Desk, count: int) -> list[str]:
    """Return log lines of which some tell secrets."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    users, parts = desk.of(USERS), desk.some(desk.of(PARTS), 3)

    def secret(length: int, of: str = letters) -> str:
        return "".join(desk.pick(of) for _ in range(length))

    made = []
    for moment in moments(desk, count):
        kinds = (
            f"login user={desk.pick(users)} password={secret(9)} ok",
            f"header Authorization: Bearer {secret(16)} accepted",
            f"paid card={secret(16, '0123456789')} amount={desk.draws.between(5, 500)}",
            f"changed password={secret(8)} to password={secret(10)}",
            f"{desk.word(EVENTS)} passwords={desk.draws.between(1, 9)} cards=2",
        )
        made.append(f"{iso(moment)} [{desk.pick(parts)}] {' '.join(desk.some(kinds, desk.draws.between(1, 2)))}")
    return made


def redact(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Redact`."""
    kinds = tuple(sorted(desk.some(tuple(SECRETS), desk.draws.between(1, 3))))
    mask, which = desk.pick(tuple(MASKS)), desk.pick(("every", "every", "first"))
    shown = desk.pick(("all", "all", "those"))
    name = desk.word(APPS)
    source = desk.put(name, joined(secretive(desk, 2 * desk.knobs.size)))
    out = desk.out(f"clean-{name}")
    plan = Redact(source, out, kinds, mask, which, shown)
    once = "" if which == "every" else " Of several of a kind in one line only the first is replaced."
    left = "all its lines" if shown == "all" else "those of its lines in which there is one, and no others"
    text = (
        f"{desk.word(OPENING).format(source)} It tells secrets: {'; '.join(SECRETS[kind][0] for kind in kinds)}. Write"
        f" to `{out}` {left}, in their order, with each of these secrets replaced by {MASKS[mask]}; all else stays,"
        f" also what stands before the secret.{once}"
    )
    wrong = {
        "another mask": replace(plan, mask="stars" if mask != "stars" else "word"),
        "only the first": replace(plan, which="first" if which == "every" else "every"),
        "other lines": replace(plan, lines="those" if shown == "all" else "all"),
        "other secrets": replace(plan, kinds=kinds[:-1] if len(kinds) > 1 else tuple(sorted({*SECRETS} - {*kinds}))),
    }
    made = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=("+".join(kinds), mask, which, shown),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made),
        makes=(out,),
        gives=lines(out, made, "the log without secrets"),
    )


OPERATORS: Final = (
    Operation("logs_extract", "logs", None, extract),
    Operation("logs_redact", "logs", None, redact),
)
