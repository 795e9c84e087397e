"""Problems about names and numbers: reports, ledgers, frequencies, tables that are joined."""

from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Gives, Parts, archetype, code

NAMES: Final = (("ada", "bo", "cy", "dan", "eve", "flo"), ("gus", "hal", "ivy", "jo", "kim", "lu"))


def _names(c: Choices) -> tuple[str, ...]:
    first = c.constant("names", (" ".join(NAMES[0]),), (" ".join(NAMES[1]),))
    return tuple(str(first).split())


def _lines(draws: Draws, size: int, names: tuple[str, ...], low: int, high: int) -> list[str]:
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


@archetype("maps")
def report(c: Choices) -> Parts:
    """Lines with a name and an amount, grouped, aggregated, sorted."""
    names = _names(c)
    aggregate = c.pick("aggregate", ("sum", "count", "greatest", "least", "last", "first"))
    order = c.pick("order", ("name", "rising", "falling"))
    ties = c.pick("ties", ("name", "name backwards"))
    kept = c.pick("kept", ("all", "at least", "top", "even"))
    shown = c.pick("entries", ("name:value", "name", "value:name"))
    k = c.constant("k", (2, 3), (1, 4))
    bar = c.constant("bar", (5, 12), (8, 10))
    update = {
        "sum": "values[name] = values.get(name, 0) + amount",
        "count": "values[name] = values.get(name, 0) + 1",
        "greatest": "values[name] = max(values.get(name, amount), amount)",
        "least": "values[name] = min(values.get(name, amount), amount)",
        "last": "values[name] = amount",
        "first": "values[name] = values.get(name, amount)",
    }[aggregate]
    here, there = "values.get(name, 0)", "values.get(best, 0)"
    later = f" or ({here} == {there} and name > best)" if ties == "name backwards" else ""
    better = {
        "name": "name > best" if ties == "name backwards" else "name < best",
        "rising": f"{here} < {there}{later}",
        "falling": f"{here} > {there}{later}",
    }[order]
    test = {
        "all": "True",
        "at least": f"values.get(name, 0) >= {bar}",
        "top": f"len(made) < {k}",
        "even": "values.get(name, 0) % 2 == 0",
    }[kept]
    entry = {
        "name": "name",
        "name:value": 'name + ":" + str(values.get(name, 0))',
        "value:name": 'str(values.get(name, 0)) + ":" + name',
    }[shown]
    solve = code(
        """
<ranked>

def solve(lines: list[str]) -> list[str]:
    values: dict[str, int] = {}
    for line in lines:
        words = line.split()
        name = words[0]
        amount = int(words[1])
        <update>
    made: list[str] = []
    for name in ranked(values):
        if <test>:
            made.append(<entry>)
    return made
""".replace("name = words[0]", "who = words[0]"),
        ranked=code(_RANKED, better=better),
        update=update.replace("name", "who"),
        test=test,
        entry=entry,
    )

    def law(lines: list[str]) -> list[str]:
        groups: dict[str, list[int]] = {}
        for line in lines:
            name, amount = line.split()
            groups.setdefault(name, []).append(int(amount))
        how: dict[str, Any] = {"sum": sum, "count": len, "greatest": max, "least": min, "last": lambda xs: xs[-1]}
        values = {name: how.get(aggregate, lambda xs: xs[0])(xs) for name, xs in groups.items()}
        ordered = sorted(values, reverse=ties == "name backwards")
        if order != "name":
            ordered.sort(key=lambda name: values[name] if order == "rising" else -values[name])
        tests: dict[str, Any] = {
            "all": lambda n: True,
            "at least": lambda n: values[n] >= bar,
            "even": lambda n: not values[n] & 1,
        }
        ordered = ordered[:k] if kept == "top" else [name for name in ordered if tests[kept](name)]
        return [
            {"name": name, "name:value": f"{name}:{values[name]}"}.get(shown, f"{values[name]}:{name}")
            for name in ordered
        ]

    what = {
        "sum": "the sum of its amounts",
        "count": "how many lines it has",
        "greatest": "its greatest amount",
        "least": "its least amount",
        "last": "its last amount",
        "first": "its first amount",
    }[aggregate]
    backwards = "backwards in alphabetical order" if ties == "name backwards" else "in alphabetical order"
    sorts = {
        "name": f"the names {backwards}",
        "rising": f"the least value first, equal values {backwards} of names",
        "falling": f"the greatest value first, equal values {backwards} of names",
    }[order]
    keeps = {
        "all": "",
        "at least": f" Leave out the names whose value is below {bar}.",
        "top": f" Keep only the first {k} of these (or all, if there are fewer).",
        "even": " Leave out the names whose value is odd.",
    }[kept]
    gives = {
        "name": "the name",
        "name:value": "the name, a colon and the value, without spaces",
        "value:name": "the value, a colon and the name, without spaces",
    }[shown]
    return Parts(
        story=f"Each line has a name and an amount. The value of a name is {what}. Sort the names that occur: "
        f"{sorts}.{keeps} "
        f"The result has an entry for each name that is left: {gives}.",
        fields=(
            Field(
                name="lines",
                sort="lines",
                what="the lines",
                shape=f"a name (one of {', '.join(names)}), a space and an integer from -9 to 20",
            ),
        ),
        gives="words",
        solve=solve,
        law=law,
        draw=lambda draws, size: (_lines(draws, size, names, -9, 20),),
        corners=(
            ("no lines", ([],)),
            ("one line", ([f"{names[1]} 0"],)),
            ("equal values", ([f"{name} 12" for name in names[:4]],)),
            ("negative", ([f"{names[0]} -3", f"{names[0]} -2", f"{names[2]} -3"],)),
        ),
    )


@archetype("maps")
def ledger(c: Choices) -> Parts:
    """Commands that change balances, some of which are refused."""
    names = _names(c)[:4]
    short = c.pick("too little", ("refused", "all there is", "debt"))
    unknown = c.pick("unknown", ("opened", "refused"))
    fee = c.pick("fee", ("none", "taken from sender", "taken from amount"))
    output = c.pick("output", ("balances", "refused", "total", "richest"))
    closing = c.pick("zero", ("kept", "closed"))
    k = c.constant("fee amount", (1, 2), (3,))
    known = "True" if unknown == "opened" else "who in values"
    known_to = "True" if unknown == "opened" else "to in values"
    cost = {"none": "amount", "taken from sender": f"amount + {k}", "taken from amount": "amount"}[fee]
    arrives = {"taken from amount": f"max(paid - {k}, 0)", "taken from sender": f"max(paid - {k}, 0)"}.get(fee, "paid")
    rule = {
        "refused": "if values.get(who, 0) < paid:\n    is_fine = False",
        "all there is": "paid = max(min(paid, values.get(who, 0)), 0)",
        "debt": "",
    }[short]
    end = {
        "balances": 'made: list[str] = []\nfor name in sorted(values):\n    made.append(name + "=" + '
        "str(values.get(name, 0)))\nreturn made",
        "refused": "return refused",
        "total": "total = 0\nfor name in sorted(values):\n    total += values.get(name, 0)\nreturn total",
        "richest": 'best = ""\nfor name in sorted(values):\n    if best == "" or values.get(name, 0) > '
        "values.get(best, 0):\n"
        "        best = name\nreturn best",
    }[output]
    gives: Gives = {"balances": "words", "richest": "text"}.get(output, "int")  # type: ignore[assignment]
    closes = "if values.get(who, 0) == 0:\n    values.pop(who, None)" if closing == "closed" else ""
    solve = code(
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
        type={"words": "list[str]", "text": "str", "int": "int"}[gives],
        cost=cost,
        known=known,
        known_to=known_to,
        rule=rule,
        arrives=arrives,
        closes=closes,
        end=end,
    )

    def law(lines: list[str]) -> Any:
        book: list[tuple[str, int]] = []  # every change of a balance that is open, in order
        refused = 0

        def balance(name: str) -> int:
            return sum(change for owner, change in book if owner == name)

        for line in lines:
            kind, who, *rest = line.split()
            if kind == "add":
                book.append((who, int(rest[0])))
            else:
                to, paid = rest[0], int(rest[1]) + (k if fee == "taken from sender" else 0)
                is_open = all(any(name == owner for owner, _ in book) for name in (who, to))
                if short == "all there is":
                    paid = sorted((0, paid, balance(who)))[1] if balance(who) > 0 else 0
                if (unknown == "refused" and not is_open) or (short == "refused" and balance(who) < paid):
                    refused += 1
                else:
                    book += [(who, -paid), (to, paid if fee == "none" else max(0, paid - k))]
            if closing == "closed" and balance(who) == 0:
                book = [one for one in book if one[0] != who]
        values = {name: balance(name) for name in sorted({owner for owner, _ in book})}
        match output:
            case "balances":
                return [f"{name}={value}" for name, value in values.items()]
            case "refused":
                return refused
            case "total":
                return sum(values.values())
        return next((name for name in values if values[name] == max(values.values())), "")

    def draw(draws: Draws, size: int) -> tuple[list[str]]:
        made = []
        for _ in range(draws.between(0, size)):
            who, to = draws.pick(names), draws.pick(names)
            amount = draws.between(0, 12)
            made.append(f"add {who} {amount}" if draws.chance(0.5) else f"move {who} {to} {amount}")
        return (made,)

    rules = [
        "add N A opens an account for the name N with balance 0, if there is none, and adds A to it.",
        "move N M A takes A from N's balance and adds it to M's (N and M may be the same)."
        + {
            "none": "",
            "taken from sender": f" {k} more than A, a fee, is taken from N; M gets A."
            if short != "all there is"
            else f" {k} more than A, a fee, is taken from N; M gets {k} less than was taken.",
            "taken from amount": f" A fee of {k} is kept: M gets {k} less than was taken.",
        }[fee]
        + (" Nobody gets less than 0." if fee != "none" else ""),
        {
            "refused": "If what is to be taken is more than N's balance (0 without an account), the move is refused.",
            "all there is": "If what is to be taken is more than N's balance (0 without an account), "
            "all that is there is taken instead.",
            "debt": "A balance may become negative.",
        }[short],
        {
            "opened": "Names without an account get one when money is moved.",
            "refused": "A move with a name that has no account is refused.",
        }[unknown],
    ]
    if short == "refused" or unknown == "refused":
        rules.append("A refused command changes nothing.")
    if closing == "closed":
        rules.append(
            "After each command, refused or not, if the balance of N is 0 its account is closed (as if never opened)."
        )
    asked = {
        "balances": "an entry for each account, in alphabetical order: the name, a = and the balance, without spaces",
        "refused": "how many commands were refused",
        "total": "the sum of all balances (0 if there is no account)",
        "richest": "the name with the greatest balance, of equal ones the first in alphabetical order (empty if there "
        "is "
        "no account)",
    }[output]
    return Parts(
        story="Commands change accounts, one after the other.\n"
        + "\n".join(f"- {rule}" for rule in rules)
        + f"\nThe result is {asked}.",
        fields=(
            Field(
                name="lines",
                sort="lines",
                what="the commands",
                shape="add N A or move N M A, where names are "
                "among "
                f"{', '.join(names)} and A is an integer from 0 to 12",
            ),
        ),
        gives=gives,
        solve=solve,
        law=law,
        draw=draw,
        corners=(
            ("no commands", ([],)),
            ("a move first", ([f"move {names[0]} {names[1]} 3"],)),
            ("to oneself", ([f"add {names[0]} 5", f"move {names[0]} {names[0]} 5"],)),
            ("all of it", ([f"add {names[0]} 6", f"add {names[1]} 1", f"move {names[0]} {names[1]} 6"],)),
            ("too much", ([f"add {names[0]} 3", f"add {names[1]} 1", f"move {names[0]} {names[1]} 4"],)),
            ("nothing moved", ([f"add {names[0]} 0", f"add {names[1]} 2", f"move {names[0]} {names[1]} 0"],)),
        ),
    )


@archetype("maps")
def joined(c: Choices) -> Parts:
    """Two tables of names and numbers, joined."""
    names = _names(c)
    how = c.pick("join", ("both", "left", "right only", "either"))
    repeated = c.pick("repeated", ("last", "sum", "first"))
    combine = c.pick("combine", ("sum", "difference", "greatest", "product"))
    output = c.pick("output", ("entries", "count", "total", "names"))
    missing = int(c.constant("missing", (0, 1), (2, -1)))
    test = {
        "both": "name in a and name in b",
        "left": "name in a",
        "right only": "name not in a and name in b",
        "either": "name in a or name in b",
    }[how]
    put = {
        "last": "{t}[words[0]] = int(words[1])",
        "sum": "{t}[words[0]] = {t}.get(words[0], 0) + int(words[1])",
        "first": "{t}[words[0]] = {t}.get(words[0], int(words[1]))",
    }[repeated]
    value = {"sum": "x + y", "difference": "x - y", "greatest": "max(x, y)", "product": "x * y"}[combine]
    gather = {
        "entries": 'made.append(name + ":" + str(<value>))',
        "names": "made.append(name)",
        "count": "total += 1",
        "total": "total += <value>",
    }[output]
    gives: Gives = "int" if output in ("count", "total") else "words"
    solve = code(
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
        type="int" if gives == "int" else "list[str]",
        test=test,
        missing=str(missing),
        gather=code(gather, value=value),
        end="total" if gives == "int" else "made",
    )

    def law(left: list[str], right: list[str]) -> Any:
        tables: list[dict[str, Any]] = []
        for lines in (left, right):
            pairs = [line.split() for line in lines]
            values = {name: [int(n) for other, n in pairs if other == name] for name, _ in pairs}
            tables.append({n: {"last": v[-1], "sum": sum(v)}.get(repeated, v[0]) for n, v in values.items()})
        a, b = tables
        chosen = {"both": a.keys() & b.keys(), "left": set(a), "right only": b.keys() - a.keys()}.get(
            how, a.keys() | b.keys()
        )
        rows = []
        for name in sorted(chosen):
            x, y = a.get(name, missing), b.get(name, missing)
            rows.append((name, {"sum": x + y, "difference": x - y, "product": x * y}.get(combine, max(x, y))))
        return {"entries": [f"{n}:{v}" for n, v in rows], "names": [n for n, _ in rows], "count": len(rows)}.get(
            output, sum(v for _, v in rows)
        )

    who = {
        "both": "that occur in both tables",
        "left": "that occur in the first table",
        "right only": "that occur in the second table but not in the first",
        "either": "that occur in at least one of the tables",
    }[how]
    again = {
        "last": "only its last line there counts",
        "sum": "its numbers there are added up",
        "first": "only its first line there counts",
    }[repeated]
    made = {
        "sum": "the sum of its two numbers",
        "difference": "its number in the first table minus that in the second",
        "greatest": "the greater of its two numbers",
        "product": "the product of its two numbers",
    }[combine]
    asked = {
        "entries": "an entry for each of them, in alphabetical order: the name, a colon and the value, without spaces",
        "names": "these names in alphabetical order",
        "count": "how many these are",
        "total": "the sum of the values (0 if there are none)",
    }[output]
    valued = f" The value of a name is {made}; in a table in which it does not occur its number is {missing}."
    shape = f"a name (one of {', '.join(names)}), a space and an integer from -9 to 9"
    return Parts(
        story=f"Two tables give names numbers. If a name occurs several times in one table, {again}. Take the names "
        f"{who}."
        f"{valued if output in ('entries', 'total') else ''} The result is {asked}.",
        fields=(
            Field(name="left", sort="lines", what="the lines of the first table", shape=shape),
            Field(name="right", sort="lines", what="the lines of the second table", shape=shape),
        ),
        gives=gives,
        solve=solve,
        law=law,
        draw=lambda draws, size: (_lines(draws, size, names, -9, 9), _lines(draws, size, names, -9, 9)),
        corners=(
            ("empty tables", ([], [])),
            ("first empty", ([], [f"{names[0]} 2", f"{names[1]} -3"])),
            ("second empty", ([f"{names[0]} 2", f"{names[1]} -3", f"{names[0]} 4"], [])),
            ("the same names", ([f"{names[0]} 5", f"{names[1]} 2"], [f"{names[1]} 3", f"{names[0]} -4"])),
        ),
    )
