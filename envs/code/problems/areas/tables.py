"""Problems about two tables that are joined."""

from typing import Any

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.areas.maps import drawn_lines, drawn_names
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Values, archetype, code


@archetype("maps", "joined")
class Joined(Archetype):
    """Two tables of names and numbers, joined."""

    def __init__(self, c: Choices) -> None:
        self.names = drawn_names(c)
        self.how = c.pick("join", ("both", "left", "right only", "either"))
        self.repeated = c.pick("repeated", ("last", "sum", "first"))
        self.combine = c.pick("combine", ("sum", "difference", "greatest", "product"))
        self.output = c.pick("output", ("entries", "count", "total", "names"))
        self.missing = int(c.constant("missing", (0, 1), (2, -1)))
        self.gives = "int" if self.output in ("count", "total") else "words"
        shape = f"a name (one of {', '.join(self.names)}), a space and an integer from -9 to 9"
        self.fields = (
            Field(name="left", sort="lines", what="the lines of the first table", shape=shape),
            Field(name="right", sort="lines", what="the lines of the second table", shape=shape),
        )

    def story(self) -> str:
        who = {
            "both": "that occur in both tables",
            "left": "that occur in the first table",
            "right only": "that occur in the second table but not in the first",
            "either": "that occur in at least one of the tables",
        }[self.how]
        again = {
            "last": "only its last line there counts",
            "sum": "its numbers there are added up",
            "first": "only its first line there counts",
        }[self.repeated]
        made = {
            "sum": "the sum of its two numbers",
            "difference": "its number in the first table minus that in the second",
            "greatest": "the greater of its two numbers",
            "product": "the product of its two numbers",
        }[self.combine]
        asked = {
            "entries": "an entry for each of them, in alphabetical order: the name, a colon and the value, without "
            "spaces",
            "names": "these names in alphabetical order",
            "count": "how many these are",
            "total": "the sum of the values (0 if there are none)",
        }[self.output]
        valued = f" The value of a name is {made}; in a table in which it does not occur its number is {self.missing}."
        return (
            f"Two tables give names numbers. If a name occurs several times in one table, {again}. Take the names "
            f"{who}.{valued if self.output in ('entries', 'total') else ''} The result is {asked}."
        )

    def solve(self) -> str:
        test = {
            "both": "name in a and name in b",
            "left": "name in a",
            "right only": "name not in a and name in b",
            "either": "name in a or name in b",
        }[self.how]
        put = {
            "last": "{t}[words[0]] = int(words[1])",
            "sum": "{t}[words[0]] = {t}.get(words[0], 0) + int(words[1])",
            "first": "{t}[words[0]] = {t}.get(words[0], int(words[1]))",
        }[self.repeated]
        value = {"sum": "x + y", "difference": "x - y", "greatest": "max(x, y)", "product": "x * y"}[self.combine]
        gather = {
            "entries": 'made.append(name + ":" + str(<value>))',
            "names": "made.append(name)",
            "count": "total += 1",
            "total": "total += <value>",
        }[self.output]
        return self.code(
            """
def table(lines: list[str]) -> dict[str, int]:
    made: dict[str, int] = {}
    for line in lines:
        words = line.split()
        <put>
    return made


def solve(left: list[str], right: list[str]) -> <type>:
    a = table(left)
    b = table(right)
    everyone: dict[str, int] = {}
    for name in sorted(a):
        everyone[name] = 1
    for name in sorted(b):
        everyone[name] = 1
    made: list[str] = []
    total = 0
    for name in sorted(everyone):
        if <test>:
            x = a.get(name, <missing>)
            y = b.get(name, <missing>)
            <gather>
    return <end>
""",
            put=put.replace("{t}", "made"),
            test=test,
            missing=str(self.missing),
            gather=code(gather, value=value),
            end="total" if self.gives == "int" else "made",
        )

    def law(self, left: list[str], right: list[str]) -> Any:
        tables: list[dict[str, Any]] = []
        for lines in (left, right):
            pairs = [line.split() for line in lines]
            values = {name: [int(n) for other, n in pairs if other == name] for name, _ in pairs}
            tables.append({n: {"last": v[-1], "sum": sum(v)}.get(self.repeated, v[0]) for n, v in values.items()})
        a, b = tables
        chosen = {"both": a.keys() & b.keys(), "left": set(a), "right only": b.keys() - a.keys()}.get(
            self.how, a.keys() | b.keys()
        )
        rows = []
        for name in sorted(chosen):
            x, y = a.get(name, self.missing), b.get(name, self.missing)
            rows.append((name, {"sum": x + y, "difference": x - y, "product": x * y}.get(self.combine, max(x, y))))
        return {"entries": [f"{n}:{v}" for n, v in rows], "names": [n for n, _ in rows], "count": len(rows)}.get(
            self.output, sum(v for _, v in rows)
        )

    def draw(self, draws: Draws, size: int) -> Values:
        return (drawn_lines(draws, size, self.names, -9, 9), drawn_lines(draws, size, self.names, -9, 9))

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("empty tables", ([], [])),
            ("first empty", ([], [f"{self.names[0]} 2", f"{self.names[1]} -3"])),
            ("second empty", ([f"{self.names[0]} 2", f"{self.names[1]} -3", f"{self.names[0]} 4"], [])),
            (
                "the same names",
                ([f"{self.names[0]} 5", f"{self.names[1]} 2"], [f"{self.names[1]} 3", f"{self.names[0]} -4"]),
            ),
        )
