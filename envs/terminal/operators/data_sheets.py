"""Tables of plain words and numbers, drawn or given, that awk can read."""

import re
from dataclasses import dataclass
from typing import Final

from palestra.envs.terminal.operators.drafts import Desk, Pool, csv_text
from palestra.envs.terminal.tree import Tree

NUMBER: Final = re.compile(r"-?\d{1,9}(\.\d{1,6})?")
PLAIN: Final = re.compile(r"[^,\"\\\n\r\t'`$]{1,80}")
NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,30}")


@dataclass(frozen=True, slots=True)
class Domain:
    """What a table may be about."""

    name: str
    key: str  # its column, whose values are the prefix and a number
    prefix: str
    texts: tuple[tuple[str, tuple[str, ...]], ...]
    numbers: tuple[tuple[str, int, int], ...]
    day: str


DOMAINS: Final = Pool(
    (
        Domain(
            "orders",
            "order_id",
            "A",
            (("region", ("north", "south", "east", "west")), ("channel", ("web", "shop", "phone"))),
            (("quantity", 1, 40), ("amount", 10, 999)),
            "ordered",
        ),
        Domain(
            "staff",
            "badge",
            "E",
            (("team", ("core", "infra", "sales", "support")), ("site", ("brno", "graz", "lyon"))),
            (("age", 20, 66), ("salary", 2000, 9000)),
            "hired",
        ),
        Domain(
            "parts",
            "part",
            "P",
            (("maker", ("acme", "bolt", "corex", "dyna")), ("grade", ("a", "b", "c"))),
            (("stock", 0, 300), ("weight", 1, 90)),
            "checked",
        ),
    ),
    (
        Domain(
            "flights",
            "flight",
            "Q",
            (("origin", ("ams", "cdg", "muc", "vie")), ("carrier", ("blue", "gull", "kite"))),
            (("seats", 40, 380), ("delay", 0, 120)),
            "departed",
        ),
        Domain(
            "loans",
            "loan",
            "L",
            (("branch", ("dock", "hill", "mill", "park")), ("kind", ("book", "disc", "map"))),
            (("days", 1, 60), ("fee", 0, 500)),
            "lent",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table in a CSV file, no value of which needs quotes."""

    path: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def values(self, column: str) -> list[str]:
        """Return a column's values."""
        return [row[self.columns.index(column)] for row in self.rows]

    def place(self, column: str) -> int:
        """Return a column's number for awk and sort, from 1."""
        return self.columns.index(column) + 1

    @property
    def numbers(self) -> list[str]:
        """Columns of numbers."""
        return [one for one in self.columns if all(NUMBER.fullmatch(value) for value in self.values(one))]

    @property
    def integers(self) -> list[str]:
        """Columns of numbers without a point that every awk adds up exactly."""
        return [
            one
            for one in self.numbers
            if all(value.lstrip("-").isdigit() and len(value) < 7 for value in self.values(one))
        ]

    @property
    def texts(self) -> list[str]:
        """Columns none of whose values is a number."""
        return [one for one in self.columns if not any(NUMBER.fullmatch(value) for value in self.values(one))]

    @property
    def groups(self) -> list[str]:
        """Columns of texts of which some come several times."""
        return [one for one in self.texts if 1 < len(set(self.values(one))) < len(self.rows)]


def read(tree: Tree, path: str) -> list[dict[str, str]]:
    """Return the rows of a plain CSV file."""
    header, *rows = [line.split(",") for line in tree.text(path).splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


def drawn(desk: Desk, domain: Domain, count: int) -> Sheet:
    """Return a table of a domain, at no path yet."""
    first = desk.draws.between(100, 800)
    columns = [domain.key, *(name for name, _ in domain.texts), *(name for name, _, _ in domain.numbers), domain.day]
    rows = []
    for number in desk.draws.shuffled(range(first, first + count)):
        texts = [desk.pick(values) for _, values in domain.texts]
        numbers = [str(desk.draws.between(low, high)) for _, low, high in domain.numbers]
        day = f"{2023 if desk.heldout else 2024}-{desk.draws.between(1, 12):02d}-{desk.draws.between(1, 28):02d}"
        rows.append((f"{domain.prefix}{number}", *texts, *numbers, day))
    return Sheet("", tuple(columns), tuple(rows))


def text_of(sheet: Sheet) -> str:
    """Return a table as CSV."""
    return csv_text(sheet.columns, sheet.rows)


def table_in(desk: Desk) -> Sheet | None:
    """Return the given table, or one that is laid out; None if the given one is not plain."""
    if desk.given is None:
        domain = desk.word(DOMAINS)
        sheet = drawn(desk, domain, 2 * desk.knobs.size)
        name = f"{domain.name}.csv"
        return Sheet(desk.put(name, text_of(sheet)), sheet.columns, sheet.rows)
    rows = desk.given.content
    columns = tuple(rows[0])
    held = tuple(tuple(row[column] for column in columns) for row in rows)
    if not all(map(NAME.fullmatch, columns)) or not all(PLAIN.fullmatch(value) for row in held for value in row):
        return None
    return Sheet(desk.given.path, columns, held)
