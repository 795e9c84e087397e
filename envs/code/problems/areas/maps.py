"""Problems about names and numbers: reports, ledgers, frequencies, tables that are joined."""

from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Gives, Values, archetype, code

NAMES: Final = (("ada", "bo", "cy", "dan", "eve", "flo"), ("gus", "hal", "ivy", "jo", "kim", "lu"))


def drawn_names(c: Choices) -> tuple[str, ...]:
    """Return the names that lines may have, a constant."""
    first = c.constant("names", (" ".join(NAMES[0]),), (" ".join(NAMES[1]),))
    return tuple(str(first).split())


def drawn_lines(draws: Draws, size: int, names: tuple[str, ...], low: int, high: int) -> list[str]:
    """Return lines with a name and a number from `low` to `high`."""
    few = names[: draws.between(1, len(names))]
    return [
        f"{draws.pick(few)} {draws.between(low, low + 3) if draws.chance(0.3) else draws.between(low, high)}"
        for _ in range(draws.between(0, size))
    ]


_RANKED: Final = """
def ranked(values: dict[str, int]) -> list[str]:
    made: list[str] = []
    left = sorted(values)
    while len(made) < len(left):
        best = ""
        for name in left:
            if name not in made:
                if best == "":
                    best = name
                elif <better>:
                    best = name
        made.append(best)
    return made
"""


@archetype("maps", "report")
class Report(Archetype):
    """Lines with a name and an amount, grouped, aggregated, sorted."""

    gives = "words"

    def __init__(self, c: Choices) -> None:
        self.names = drawn_names(c)
        self.aggregate = c.pick("aggregate", ("sum", "count", "greatest", "least", "last", "first"))
        self.order = c.pick("order", ("name", "rising", "falling"))
        self.ties = c.pick("ties", ("name", "name backwards"))
        self.kept = c.pick("kept", ("all", "at least", "top", "even"))
        self.shown = c.pick("entries", ("name:value", "name", "value:name"))
        self.k = c.constant("k", (2, 3), (1, 4))
        self.bar = c.constant("bar", (5, 12), (8, 10))
        self.fields = (
            Field(
                name="lines",
                sort="lines",
                what="the lines",
                shape=f"a name (one of {', '.join(self.names)}), a space and an integer from -9 to 20",
            ),
        )

    def story(self) -> str:
        what = {
            "sum": "the sum of its amounts",
            "count": "how many lines it has",
            "greatest": "its greatest amount",
            "least": "its least amount",
            "last": "its last amount",
            "first": "its first amount",
        }[self.aggregate]
        backwards = "backwards in alphabetical order" if self.ties == "name backwards" else "in alphabetical order"
        sorts = {
            "name": f"the names {backwards}",
            "rising": f"the least value first, equal values {backwards} of names",
            "falling": f"the greatest value first, equal values {backwards} of names",
        }[self.order]
        keeps = {
            "all": "",
            "at least": f" Leave out the names whose value is below {self.bar}.",
            "top": f" Keep only the first {self.k} of these (or all, if there are fewer).",
            "even": " Leave out the names whose value is odd.",
        }[self.kept]
        gives = {
            "name": "the name",
            "name:value": "the name, a colon and the value, without spaces",
            "value:name": "the value, a colon and the name, without spaces",
        }[self.shown]
        return (
            f"Each line has a name and an amount. The value of a name is {what}. Sort the names that occur: "
            f"{sorts}.{keeps} The result has an entry for each name that is left: {gives}."
        )

    def solve(self) -> str:
        update = {
            "sum": "values[who] = values.get(who, 0) + amount",
            "count": "values[who] = values.get(who, 0) + 1",
            "greatest": "values[who] = max(values.get(who, amount), amount)",
            "least": "values[who] = min(values.get(who, amount), amount)",
            "last": "values[who] = amount",
            "first": "values[who] = values.get(who, amount)",
        }[self.aggregate]
        here, there = "values.get(name, 0)", "values.get(best, 0)"
        later = f" or ({here} == {there} and name > best)" if self.ties == "name backwards" else ""
        better = {
            "name": "name > best" if self.ties == "name backwards" else "name < best",
            "rising": f"{here} < {there}{later}",
            "falling": f"{here} > {there}{later}",
        }[self.order]
        test = {
            "all": "True",
            "at least": f"values.get(name, 0) >= {self.bar}",
            "top": f"len(made) < {self.k}",
            "even": "values.get(name, 0) % 2 == 0",
        }[self.kept]
        entry = {
            "name": "name",
            "name:value": 'name + ":" + str(values.get(name, 0))',
            "value:name": 'str(values.get(name, 0)) + ":" + name',
        }[self.shown]
        return code(
            """
<ranked>

def solve(lines: list[str]) -> list[str]:
    values: dict[str, int] = {}
    for line in lines:
        words = line.split()
        who = words[0]
        amount = int(words[1])
        <update>
    made: list[str] = []
    for name in ranked(values):
        if <test>:
            made.append(<entry>)
    return made
""",
            ranked=code(_RANKED, better=better),
            update=update,
            test=test,
            entry=entry,
        )

    def law(self, lines: list[str]) -> list[str]:
        groups: dict[str, list[int]] = {}
        for line in lines:
            name, amount = line.split()
            groups.setdefault(name, []).append(int(amount))
        how: dict[str, Any] = {"sum": sum, "count": len, "greatest": max, "least": min, "last": lambda xs: xs[-1]}
        values = {name: how.get(self.aggregate, lambda xs: xs[0])(xs) for name, xs in groups.items()}
        ordered = sorted(values, reverse=self.ties == "name backwards")
        if self.order != "name":
            ordered.sort(key=lambda name: values[name] if self.order == "rising" else -values[name])
        tests: dict[str, Any] = {
            "all": lambda n: True,
            "at least": lambda n: values[n] >= self.bar,
            "even": lambda n: not values[n] & 1,
        }
        ordered = ordered[: self.k] if self.kept == "top" else [name for name in ordered if tests[self.kept](name)]
        return [
            {"name": name, "name:value": f"{name}:{values[name]}"}.get(self.shown, f"{values[name]}:{name}")
            for name in ordered
        ]

    def draw(self, draws: Draws, size: int) -> Values:
        return (drawn_lines(draws, size, self.names, -9, 20),)

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("no lines", ([],)),
            ("one line", ([f"{self.names[1]} 0"],)),
            ("equal values", ([f"{name} 12" for name in self.names[:4]],)),
            ("negative", ([f"{self.names[0]} -3", f"{self.names[0]} -2", f"{self.names[2]} -3"],)),
        )


@archetype("maps", "ledger")
class Ledger(Archetype):
    """Commands that change balances, some of which are refused."""

    def __init__(self, c: Choices) -> None:
        self.names = drawn_names(c)[:4]
        self.short = c.pick("too little", ("refused", "all there is", "debt"))
        self.unknown = c.pick("unknown", ("opened", "refused"))
        self.fee = c.pick("fee", ("none", "taken from sender", "taken from amount"))
        self.output = c.pick("output", ("balances", "refused", "total", "richest"))
        self.closing = c.pick("zero", ("kept", "closed"))
        self.k = c.constant("fee amount", (1, 2), (3,))
        kinds: dict[str, Gives] = {"balances": "words", "richest": "text"}
        self.gives = kinds.get(self.output, "int")
        self.fields = (
            Field(
                name="lines",
                sort="lines",
                what="the commands",
                shape=f"add N A or move N M A, where names are among {', '.join(self.names)} and A is an integer "
                "from 0 to 12",
            ),
        )

    def story(self) -> str:
        rules = [
            "add N A opens an account for the name N with balance 0, if there is none, and adds A to it.",
            "move N M A takes A from N's balance and adds it to M's (N and M may be the same)."
            + {
                "none": "",
                "taken from sender": f" {self.k} more than A, a fee, is taken from N; M gets A."
                if self.short != "all there is"
                else f" {self.k} more than A, a fee, is taken from N; M gets {self.k} less than was taken.",
                "taken from amount": f" A fee of {self.k} is kept: M gets {self.k} less than was taken.",
            }[self.fee]
            + (" Nobody gets less than 0." if self.fee != "none" else ""),
            {
                "refused": "If what is to be taken is more than N's balance (0 without an account), the move is "
                "refused.",
                "all there is": "If what is to be taken is more than N's balance (0 without an account), all that is "
                "there is taken instead.",
                "debt": "A balance may become negative.",
            }[self.short],
            {
                "opened": "Names without an account get one when money is moved.",
                "refused": "A move with a name that has no account is refused.",
            }[self.unknown],
        ]
        if self.short == "refused" or self.unknown == "refused":
            rules.append("A refused command changes nothing.")
        if self.closing == "closed":
            rules.append(
                "After each command, refused or not, if the balance of N is 0 its account is closed (as if never "
                "opened)."
            )
        asked = {
            "balances": "an entry for each account, in alphabetical order: the name, a = and the balance, without "
            "spaces",
            "refused": "how many commands were refused",
            "total": "the sum of all balances (0 if there is no account)",
            "richest": "the name with the greatest balance, of equal ones the first in alphabetical order (empty if "
            "there is no account)",
        }[self.output]
        return (
            "Commands change accounts, one after the other.\n"
            + "\n".join(f"- {rule}" for rule in rules)
            + f"\nThe result is {asked}."
        )

    def solve(self) -> str:
        known = "True" if self.unknown == "opened" else "who in values"
        known_to = "True" if self.unknown == "opened" else "to in values"
        cost = {"none": "amount", "taken from sender": f"amount + {self.k}", "taken from amount": "amount"}[self.fee]
        arrives = {
            "taken from amount": f"max(paid - {self.k}, 0)",
            "taken from sender": f"max(paid - {self.k}, 0)",
        }.get(self.fee, "paid")
        rule = {
            "refused": "if values.get(who, 0) < paid:\n    is_fine = False",
            "all there is": "paid = max(min(paid, values.get(who, 0)), 0)",
            "debt": "",
        }[self.short]
        end = {
            "balances": "made: list[str] = []\nfor name in sorted(values):\n"
            '    made.append(name + "=" + str(values.get(name, 0)))\nreturn made',
            "refused": "return refused",
            "total": "total = 0\nfor name in sorted(values):\n    total += values.get(name, 0)\nreturn total",
            "richest": 'best = ""\nfor name in sorted(values):\n'
            '    if best == "" or values.get(name, 0) > values.get(best, 0):\n        best = name\nreturn best',
        }[self.output]
        closes = "if values.get(who, 0) == 0:\n    values.pop(who, None)" if self.closing == "closed" else ""
        return self.code(
            """
def solve(lines: list[str]) -> <type>:
    values: dict[str, int] = {}
    refused = 0
    for line in lines:
        words = line.split()
        who = words[1]
        is_fine = True
        if words[0] == "add":
            values[who] = values.get(who, 0) + int(words[2])
        else:
            to = words[2]
            amount = int(words[3])
            paid = <cost>
            if not (<known> and <known_to>):
                is_fine = False
            <rule>
            if is_fine:
                values[who] = values.get(who, 0) - paid
                values[to] = values.get(to, 0) + <arrives>
        if not is_fine:
            refused += 1
        <closes>
    <end>
""",
            cost=cost,
            known=known,
            known_to=known_to,
            rule=rule,
            arrives=arrives,
            closes=closes,
            end=end,
        )

    def law(self, lines: list[str]) -> Any:
        book: list[tuple[str, int]] = []  # every change of a balance that is open, in order
        refused = 0

        def balance(name: str) -> int:
            return sum(change for owner, change in book if owner == name)

        for line in lines:
            kind, who, *rest = line.split()
            if kind == "add":
                book.append((who, int(rest[0])))
            else:
                to, paid = rest[0], int(rest[1]) + (self.k if self.fee == "taken from sender" else 0)
                is_open = all(any(name == owner for owner, _ in book) for name in (who, to))
                if self.short == "all there is":
                    paid = sorted((0, paid, balance(who)))[1] if balance(who) > 0 else 0
                if (self.unknown == "refused" and not is_open) or (self.short == "refused" and balance(who) < paid):
                    refused += 1
                else:
                    book += [(who, -paid), (to, paid if self.fee == "none" else max(0, paid - self.k))]
            if self.closing == "closed" and balance(who) == 0:
                book = [one for one in book if one[0] != who]
        values = {name: balance(name) for name in sorted({owner for owner, _ in book})}
        match self.output:
            case "balances":
                return [f"{name}={value}" for name, value in values.items()]
            case "refused":
                return refused
            case "total":
                return sum(values.values())
        return next((name for name in values if values[name] == max(values.values())), "")

    def draw(self, draws: Draws, size: int) -> tuple[list[str]]:
        made = []
        for _ in range(draws.between(0, size)):
            who, to = draws.pick(self.names), draws.pick(self.names)
            amount = draws.between(0, 12)
            made.append(f"add {who} {amount}" if draws.chance(0.5) else f"move {who} {to} {amount}")
        return (made,)

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("no commands", ([],)),
            ("a move first", ([f"move {self.names[0]} {self.names[1]} 3"],)),
            ("to oneself", ([f"add {self.names[0]} 5", f"move {self.names[0]} {self.names[0]} 5"],)),
            (
                "all of it",
                ([f"add {self.names[0]} 6", f"add {self.names[1]} 1", f"move {self.names[0]} {self.names[1]} 6"],),
            ),
            (
                "too much",
                ([f"add {self.names[0]} 3", f"add {self.names[1]} 1", f"move {self.names[0]} {self.names[1]} 4"],),
            ),
            (
                "nothing moved",
                ([f"add {self.names[0]} 0", f"add {self.names[1]} 2", f"move {self.names[0]} {self.names[1]} 0"],),
            ),
        )
