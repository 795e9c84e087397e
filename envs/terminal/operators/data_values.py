"""Values written otherwise in one column of a table: numbers of other countries, and dates as ISO has them."""

import datetime
from dataclasses import dataclass, replace
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Operation, Pool, joined, table
from palestra.envs.terminal.step import Step
from palestra.envs.terminal.tree import Tree

LOCALES: Final = {  # what stands between thousands, and before decimals
    "german": (".", ",", "with a point between thousands and a comma before decimals, as in 1.234,50"),
    "swiss": ("'", ".", "with an apostrophe between thousands and a point before decimals, as in 1'234.50"),
    "french": (" ", ",", "with a space between thousands and a comma before decimals, as in 1 234,50"),
}
TARGETS: Final = {
    "plain": "with a point before decimals and nothing between thousands, two digits after the point, as in 1234.50",
    "cents": "in hundredths, without point, as in 123450",
    "whole": "without decimals: what stands after the point is cut off, nothing is rounded, as in 1234",
}
ITEMS: Final = Pool(
    ("rent", "paper", "power", "travel", "repair"), ("water", "licence", "courier", "catering", "lease")
)
BOOKS: Final = Pool(("ledger", "invoices", "costs"), ("payments", "charges", "budget"))
OPENING: Final = Pool(
    ("`{}` has fields separated by semicolons, the header `{}` first.", "Take `{}`, semicolon-separated, header `{}`."),
    (
        "In `{}` fields are separated by semicolons; its header is `{}`.",
        "There is a table in `{}` with `;` between fields, its header `{}`.",
    ),
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The amounts of a table, as programs read them."""

    source: str
    out: str
    locale: str
    target: str
    bad: str  # drop, empty or keep: what becomes of a row without an amount
    parentheses: str  # minus or plus: what (5,00) means

    def effect(self, tree: Tree) -> Tree:
        header, *lines = tree.text(self.source).splitlines()
        made = [header.replace(";", ",")]
        for line in lines:
            first, item, amount = line.split(";")
            if amount == "n/a":
                made += [] if self.bad == "drop" else [f"{first},{item},{'' if self.bad == 'empty' else amount}"]
                continue
            made.append(f"{first},{item},{self._read(amount)}")
        return tree.put(self.out, joined(made))

    def _read(self, amount: str) -> str:
        thousands, point, _ = LOCALES[self.locale]
        minus = "-" if "-" in amount or ("(" in amount and self.parentheses == "minus") else ""
        whole, cents = amount.strip("()-").replace(thousands, "").split(point)
        return minus + {"plain": f"{whole}.{cents}", "cents": (whole + cents).lstrip("0"), "whole": whole}[self.target]

    def bash(self) -> str:
        thousands, point, _ = LOCALES[self.locale]
        taken = {".": "[.]", "'": "\\047", " ": " "}[thousands]
        bad = {"drop": "next", "empty": '$3 = ""', "keep": ""}[self.bad]
        wrapped = 'm = "-"' if self.parentheses == "minus" else ""
        last = {
            "plain": f'sub(/[{point}]/, ".", a)',
            "cents": f'sub(/[{point}]/, "", a); sub(/^0+/, "", a)',
            "whole": f'sub(/[{point}].*/, "", a)',
        }[self.target]
        return (
            f"awk -F';' -v OFS=, 'NR == 1 {{ $1 = $1; print; next }} $3 == \"n/a\" {{ {bad}; $1 = $1; print; next }}\n"
            f'  {{ a = $3; m = ""; if (a ~ /^-/) m = "-"; if (a ~ /^[(]/) {{ {wrapped} }} gsub(/[()-]/, "", a)\n'
            f'    gsub(/{taken}/, "", a); {last}; $3 = m a; print }}\' {self.source} > {self.out}'
        )


BAD: Final = {
    "drop": "Rows with `n/a` for the amount are left out.",
    "empty": "For the amount `n/a` nothing is written.",
    "keep": "The amount `n/a` stays.",
}


def amount_of(desk: Desk, locale: str) -> str:
    """Return an amount as it is written somewhere, or none."""
    thousands, point, _ = LOCALES[locale]
    if desk.draws.chance(0.12):
        return "n/a"
    whole = desk.pick((desk.draws.between(1, 999), desk.draws.between(1000, 99_999), desk.draws.between(10**6, 10**7)))
    text = f"{whole:,}".replace(",", thousands) + f"{point}{desk.draws.between(0, 99):02d}"
    return desk.pick((text, text, text, f"-{text}", f"({text})"))


def numbers(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Numbers`."""
    locale, target, bad = desk.pick(tuple(LOCALES)), desk.pick(tuple(TARGETS)), desk.pick(tuple(BAD))

    def made(count: int) -> str:
        lines = [f"{100 + at};{desk.word(ITEMS)};{amount_of(desk, locale)}" for at in range(count)]
        return joined(["no;item;amount", *lines])

    name = f"{desk.word(BOOKS)}.txt"
    source = desk.put(name, made(2 * desk.knobs.size))
    out = desk.out("amounts.csv")
    plan = Numbers(source, out, locale, target, bad, "minus")
    text = (
        f"{desk.word(OPENING).format(source, 'no;item;amount')} The amounts are written {LOCALES[locale][2]}; negative"
        f" ones have a minus before them or stand in parentheses. Write `{out}`, CSV separated by commas, with the same"
        f" columns, header and rows in the same order, the amounts {TARGETS[target]}, negative ones with a minus before"
        f" them. {BAD[bad]}"
    )
    wrong = {
        "parentheses lost": replace(plan, parentheses="plus"),
        "no amount otherwise": replace(plan, bad="empty" if bad != "empty" else "drop"),
        "written otherwise": replace(plan, target="plain" if target != "plain" else "cents"),
    }
    made_text = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(locale, target, bad),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.table_check(out, made_text),
        makes=(out,),
        gives=table(out, made_text, "the amounts") if bad == "drop" else None,
    )


MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STYLES: Final = {
    "dotted": "day.month.year as in 7.3.2024 (no leading zeros)",
    "american": "month/day/year as in 03/07/2024",
    "british": "day/month/year as in 07/03/2024",
    "worded": "as in Mar 7, 2024",
    "compact": "as in 20240307",
}
FORMS: Final = {
    "day": "the date as in 2024-03-07",
    "month": "the month as in 2024-03",
    "quarter": "the quarter as in 2024-Q1",
    "ordinal": "the year and the day of the year with three digits, as in 2024-067",
}


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a log of visits, as ISO has them."""

    source: str
    out: str
    style: str
    form: str
    order: str  # there or date
    takes: str  # the style that they are read as: another one is what is wrong

    def effect(self, tree: Tree) -> Tree:
        read = []
        for line in tree.text(self.source).splitlines():
            date, who = line.split("\t")
            read.append((self._day(date), who))
        if self.order == "date":
            read.sort(key=lambda pair: pair[0])
        return tree.put(self.out, joined(f"{self._written(day)},{who}" for day, who in read))

    def _day(self, date: str) -> datetime.date:
        shapes = {"american": "%m/%d/%Y", "british": "%d/%m/%Y", "compact": "%Y%m%d", "dotted": "%d.%m.%Y"}
        if self.takes != "worded":
            return datetime.datetime.strptime(date, shapes[self.takes]).date()
        month, day, year = date.replace(",", "").split(" ")
        return datetime.date(int(year), MONTHS.index(month) + 1, int(day))

    def _written(self, day: datetime.date) -> str:
        return {
            "day": day.isoformat(),
            "month": f"{day.year}-{day.month:02d}",
            "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
            "ordinal": f"{day.year}-{day.timetuple().tm_yday:03d}",
        }[self.form]

    def bash(self) -> str:
        read = {
            "dotted": 'split($1, p, "."); d = p[1]; m = p[2]; y = p[3]',
            "british": 'split($1, p, "/"); d = p[1]; m = p[2]; y = p[3]',
            "american": 'split($1, p, "/"); m = p[1]; d = p[2]; y = p[3]',
            "compact": "y = substr($1, 1, 4); m = substr($1, 5, 2); d = substr($1, 7)",
            "worded": 'split($1, p, "[ ,]+"); m = (index("JanFebMarAprMayJunJulAugSepOctNovDec", p[1]) + 2) / 3;'
            " d = p[2]; y = p[3]",
        }[self.takes]
        made = {
            "day": 'sprintf("%d-%02d-%02d", y, m, d)',
            "month": 'sprintf("%d-%02d", y, m)',
            "quarter": 'sprintf("%d-Q%d", y, int((m + 2) / 3))',
            "ordinal": 'sprintf("%d-%03d", y, n)',
        }[self.form]
        days = (
            'split("0 31 59 90 120 151 181 212 243 273 304 334", b, " "); n = b[m + 0] + d;'
            " if (m + 0 > 2 && y % 4 == 0 && (y % 100 || y % 400 == 0)) n++; "
        )
        sort = " | LC_ALL=C sort -s -k1,1 | cut -d ' ' -f 2-" if self.order == "date" else ""
        key = 'sprintf("%04d%02d%02d ", y, m, d) ' if self.order == "date" else ""
        return (
            f"awk -F'\\t' '{{ {read}; {days if self.form == 'ordinal' else ''}print {key}{made} \",\" $2 }}'"
            f" {self.source}{sort} > {self.out}"
        )


VISITORS: Final = Pool(("ana", "boris", "chen", "dana"), ("goran", "hana", "ivo", "jaya"))
VISITS: Final = Pool(("visits.tsv", "bookings.tsv"), ("arrivals.tsv", "checkins.tsv"))


DATED: Final = Pool(
    ("Each line of `{}` has a date", "The lines of `{}` begin with a date"),
    ("In `{}` every line begins with a date", "`{}` is a list whose lines have a date"),
)


def dates(desk: Desk) -> Step | None:
    """Return a drawn step of the plan `Dates`."""
    style, form, order = desk.pick(tuple(STYLES)), desk.pick(tuple(FORMS)), desk.pick(("there", "date"))

    def written(day: datetime.date) -> str:
        return {
            "dotted": f"{day.day}.{day.month}.{day.year}",
            "american": f"{day.month:02d}/{day.day:02d}/{day.year}",
            "british": f"{day.day:02d}/{day.month:02d}/{day.year}",
            "worded": f"{MONTHS[day.month - 1]} {day.day}, {day.year}",
            "compact": day.strftime("%Y%m%d"),
        }[style]

    def made(count: int) -> str:
        first = datetime.date(2023, 1, 1)
        days = [first + datetime.timedelta(days=desk.draws.between(0, 900)) for _ in range(count)]
        most = 12 if style in ("american", "british") else 31
        return joined(
            f"{written(day.replace(day=min(day.day, most)))}\t{desk.word(VISITORS)}{desk.draws.between(1, 9)}"
            for day in days
        )

    name = desk.word(VISITS)
    source = desk.put(name, made(2 * desk.knobs.size))
    out = desk.out("dates.csv")
    plan = Dates(source, out, style, form, order, style)
    last = (
        "by date, earliest first, lines of the same date in the order in which they stand there"
        if order == "date"
        else "in the same order"
    )
    text = (
        f"{desk.word(DATED).format(source)}, written {STYLES[style]}, then a tab and a name. Write to `{out}` for each"
        f" line {FORMS[form]}, a comma and the name, {last}. There is no header."
    )
    swapped = {"american": "british", "british": "american"}.get(style, style)
    wrong = {
        "day and month swapped": replace(plan, takes=swapped),
        "written otherwise": replace(plan, form="day" if form != "day" else "month"),
        "in another order": replace(plan, order="date" if order == "there" else "there"),
        "by quarter": replace(plan, form="quarter" if form != "quarter" else "ordinal"),
    }
    made_text = plan.effect(desk.start()).text(out)
    return desk.step(
        choices=(style, form, order),
        text=text,
        plan=plan,
        wrong=wrong,
        checks=desk.lines_check(out, made_text),
        makes=(out,),
    )


OPERATORS: Final = (
    Operation("data_numbers", "data", None, numbers),
    Operation("data_dates", "data", None, dates),
)
