"""Problems about machines with states: transition tables, vending machines, locks."""

from typing import Any, Final

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, Gives, archetype, code

STATES: Final = "PQRS"


@archetype("state_machines", "transducer")
class Transducer(Archetype):
    """A machine by a random transition table."""

    def __init__(self, c: Choices) -> None:
        count = int(c.pick("states", ("2", "3", "4")))
        self.symbols = "xyz"[: int(c.pick("symbols", ("2", "3")))]
        self.unknown = c.pick("undefined", ("ignored", "reset", "stops"))
        self.objective = c.pick("objective", ("final", "output", "visits", "path", "accepted", "ignored"))
        self.writes = c.pick("writes", ("on moves", "on changes"))
        self.names = STATES[:count]
        self.table: dict[tuple[str, str], tuple[str, str]] = {}
        for state in self.names:
            for symbol in self.symbols:
                to = c.constant(f"{state}{symbol}", self.names + self.names[:1] + "-", self.names[::-1] + "-")
                to = to if to in self.names or to == "-" else self.names[0]
                out = c.constant(f"{state}{symbol} writes", ("a", "b", "c", "ab"), ("d", "e", "f", "de"))
                if to != "-":
                    self.table[state, symbol] = (to, out)
        self.goal = c.constant("goal", self.names[-1:], self.names[-1:])
        self.goal = self.goal if self.goal in self.names else self.names[-1]
        self.cases = ""
        for (state, symbol), (to, out) in self.table.items():
            self.cases += f'if state == "{state}" and symbol == "{symbol}":\n    to = "{to}"\n    out = "{out}"\n'
        kinds: dict[str, Gives] = {"final": "text", "output": "text", "path": "text"}
        self.gives = kinds.get(self.objective, "int")
        self.fields = (Field(name="s", sort="text", what="the text", letters=self.symbols, scale=2),)

    def story(self) -> str:
        rows = [
            f"- in {state}, {symbol}: goes to {to} and writes {out}"
            for (state, symbol), (to, out) in self.table.items()
        ]
        gaps = [
            f"{state} {symbol}" for state in self.names for symbol in self.symbols if (state, symbol) not in self.table
        ]
        rule = {
            "ignored": "the machine stays in its state and writes nothing",
            "reset": f"the machine goes to {self.names[0]} and writes nothing",
            "stops": "the machine stops in its state, and the rest of the input is not read",
        }[self.unknown]
        missing_words = f" Where there is no rule (in the combinations {', '.join(gaps)}), {rule}." if gaps else ""
        only = (
            ""
            if self.writes == "on moves"
            else " A rule that goes to the state in which the machine is already writes nothing."
        )
        asked = {
            "final": "the state at the end",
            "output": "everything that was written, one after the other",
            "visits": f"how many symbols led to the state {self.goal} (also from itself); the start does not count",
            "path": f"the states one after the other, beginning with {self.names[0]}, one more for each symbol that "
            "led to a state (the same or another)",
            "accepted": f"1 if the machine is in {self.goal} at the end, else 0",
            "ignored": "for how many symbols there was no rule",
        }[self.objective]
        return (
            f"A machine starts in the state {self.names[0]} and reads the symbols of a text one after the other:\n"
            + "\n".join(rows)
            + f"\n{only.strip()}{missing_words}\nThe result is {asked}."
        )

    def solve(self) -> str:
        missing = {
            "ignored": "to = state\nmissed += 1",
            "reset": f'to = "{self.names[0]}"\nmissed += 1',
            "stops": "missed += 1\nbreak",
        }[self.unknown]
        end = {
            "final": "return state",
            "output": "return written",
            "visits": "return visits",
            "path": "return path",
            "accepted": f'return 1 if state == "{self.goal}" else 0',
            "ignored": "return missed",
        }[self.objective]
        return self.code(
            """
def solve(s: str) -> <type>:
    state = "<first>"
    written = ""
    path = "<first>"
    visits = 0
    missed = 0
    for symbol in s:
        to = ""
        out = ""
        <cases>
        if to == "":
            <missing>
        if <writes>:
            written = written + out
        state = to
        path = path + state
        if state == "<goal>":
            visits += 1
    <end>
""",
            first=self.names[0],
            cases=self.cases,
            missing=missing,
            writes="True" if self.writes == "on moves" else "to != state",
            goal=self.goal,
            end=end,
        )

    def law(self, s: str) -> Any:
        path, written, missed = [self.names[0]], list[str](), 0
        for symbol in s:
            if (path[-1], symbol) not in self.table:
                missed += 1
                if self.unknown == "stops":
                    break
                path.append(path[-1] if self.unknown == "ignored" else self.names[0])
                continue
            to, out = self.table[path[-1], symbol]
            if self.writes == "on moves" or to != path[-1]:
                written.append(out)
            path.append(to)
        return {
            "final": path[-1],
            "output": "".join(written),
            "visits": path[1:].count(self.goal),
            "path": "".join(path),
            "accepted": int(path[-1] == self.goal),
        }.get(self.objective, missed)


@archetype("state_machines", "vending")
class Vending(Archetype):
    """A machine that takes coins and gives goods."""

    def __init__(self, c: Choices) -> None:
        self.over = c.pick("change", ("returned", "kept as credit", "lost"))
        self.cancel = c.pick("cancel", ("returns credit", "ignored"))
        self.stock = c.pick("stock", ("endless", "limited"))
        self.short = c.pick("too little", ("nothing", "credit lost"))
        self.output = c.pick("output", ("log", "sold", "cash", "returned", "credit"))
        self.price = c.constant("price", (3, 5), (4, 6))
        self.goods = c.constant("goods", (2, 3), (1, 4))
        coins = c.constant("coins", ("1 2 5",), ("1 3 4",))
        self.known = tuple(map(int, str(coins).split()))
        self.gives = "words" if self.output == "log" else "int"
        self.fields = (
            Field(name="lines", sort="lines", what="the commands", shape="coin A (A from 1 to 9), buy or cancel"),
        )

    def story(self) -> str:
        rules = [
            (
                f"coin A: a coin of value A (an integer) is put in. Only the values {', '.join(map(str, self.known))} "
                "are taken: then the credit grows by A, and ok is logged. Any other coin falls through: bad is "
                "logged, nothing else happens."
            ),
            "buy: "
            + (
                f"If {self.goods} pieces were sold, empty is logged, and that is all. Otherwise, if"
                if self.stock == "limited"
                else "If"
            )
            + f" the credit is less than the price {self.price}, short is logged"
            + (" and the credit is lost (it becomes 0)." if self.short == "credit lost" else ".")
            + " Otherwise a piece is sold, and sold is logged; what the credit was more than the price "
            + {
                "returned": "is returned as change, and the credit becomes 0.",
                "kept as credit": "stays as credit.",
                "lost": "is lost: the credit becomes 0.",
            }[self.over],
            "cancel: "
            + (
                "the whole credit is returned (the credit becomes 0), "
                if self.cancel == "returns credit"
                else "nothing is returned, "
            )
            + "and the credit that there is afterwards is logged.",
        ]
        asked = {
            "log": "the log, an entry for each command",
            "sold": "how many pieces were sold",
            "cash": "the sum of all coins that were taken minus everything that was returned",
            "returned": "the sum of everything that was returned",
            "credit": "the credit at the end",
        }[self.output]
        return (
            "A vending machine starts with credit 0 and gets commands:\n"
            + "\n".join(f"- {rule}" for rule in rules)
            + f"\nThe result is {asked}."
        )

    def solve(self) -> str:
        after = {
            "returned": "back += credit - price\ncredit = 0",
            "kept as credit": "credit -= price",
            "lost": "credit = 0",
        }[self.over]
        end = {"log": "log", "sold": "sold", "cash": "taken - back", "returned": "back", "credit": "credit"}[
            self.output
        ]
        return self.code(
            """
def solve(lines: list[str]) -> <type>:
    price = <price>
    credit = 0
    sold = 0
    taken = 0
    back = 0
    log: list[str] = []
    for line in lines:
        words = line.split()
        if words[0] == "coin":
            value = int(words[1])
            if <known>:
                credit += value
                taken += value
                log.append("ok")
            else:
                log.append("bad")
        elif words[0] == "cancel":
            <cancel>
            log.append(str(credit))
        elif <empty>:
            log.append("empty")
        elif credit < price:
            log.append("short")
            <short>
        else:
            sold += 1
            <after>
            log.append("sold")
    return <end>
""",
            price=str(self.price),
            known=" or ".join(f"value == {coin}" for coin in self.known),
            cancel="back += credit\ncredit = 0" if self.cancel == "returns credit" else "",
            empty="False" if self.stock == "endless" else f"sold >= {self.goods}",
            short="credit = 0" if self.short == "credit lost" else "",
            after=after,
            end=end,
        )

    def law(self, lines: list[str]) -> Any:
        def go(credit: int, left: list[str], log: tuple[str, ...], paid: int, back: int) -> Any:
            if not left:
                return {"log": list(log), "sold": log.count("sold"), "cash": paid - back, "returned": back}.get(
                    self.output, credit
                )
            kind, *rest = left[0].split()
            later = left[1:]
            if kind == "coin":
                value = int(rest[0])
                if value not in self.known:
                    return go(credit, later, (*log, "bad"), paid, back)
                return go(credit + value, later, (*log, "ok"), paid + value, back)
            if kind == "cancel":
                out = credit if self.cancel == "returns credit" else 0
                return go(credit - out, later, (*log, str(credit - out)), paid, back + out)
            if self.stock == "limited" and log.count("sold") >= self.goods:
                return go(credit, later, (*log, "empty"), paid, back)
            if credit < self.price:
                return go(credit if self.short == "nothing" else 0, later, (*log, "short"), paid, back)
            rest_credit = credit - self.price
            change = rest_credit if self.over == "returned" else 0
            return go(rest_credit if self.over == "kept as credit" else 0, later, (*log, "sold"), paid, back + change)

        return go(0, lines, (), 0, 0)

    def draw(self, draws: Draws, size: int) -> tuple[list[str]]:
        made = []
        for _ in range(draws.between(0, size)):
            roll = draws.between(0, 9)
            coin = draws.pick(self.known) if roll < 5 else draws.between(1, 9)
            made.append(f"coin {coin}" if roll < 6 else "buy" if roll < 9 else "cancel")
        return (made,)

    def corners(self) -> tuple[Corner, ...]:
        top = f"coin {max(self.known)}"
        return (
            ("no commands", ([],)),
            ("buy at once", (["buy"],)),
            ("cancel at once", (["cancel"],)),
            ("exact", ([f"coin {self.known[1]}", f"coin {self.price - self.known[1]}", "coin 1", "coin 1", "buy"],)),
            ("too much", ([top, top, "buy", "buy"],)),
            ("a bad coin", (["coin 9", top, "buy", "cancel"],)),
        )


@archetype("state_machines", "lock")
class Lock(Archetype):
    """A lock that waits for a sequence of keys."""

    def __init__(self, c: Choices) -> None:
        self.size = int(c.pick("length", ("2", "3")))
        self.wrong = c.pick("wrong key", ("starts anew", "is forgiven", "may begin anew"))
        self.opened = c.pick("after opening", ("closes", "stays open", "sleeps"))
        self.objective = c.pick("objective", ("openings", "places", "state", "longest"))
        self.alarm = c.pick("alarm", ("none", "after mistakes"))
        keys = c.constant("keys", ("aab", "aba", "bba", "abb"), ("bab", "bbc", "cab"))
        self.secret = str(keys)[: self.size]
        self.k = c.constant("k", (2, 3), (1, 4))
        self.gives = "ints" if self.objective == "places" else "int"
        self.fields = (Field(name="s", sort="text", what="the keys that are typed", letters="abc", scale=3),)

    def story(self) -> str:
        wrongs = {
            "starts anew": "the sequence has to be typed from its start again (the wrong key does not count as its "
            "first)",
            "is forgiven": "nothing is lost: the same key is still waited for",
            "may begin anew": "the sequence has to be typed from its start again, where the wrong key itself already "
            f"counts if it is {self.secret[0]}",
        }[self.wrong]
        then = {
            "closes": "It closes at once, and the sequence can be typed again.",
            "stays open": "No further key is looked at.",
            "sleeps": f"It closes at once and sleeps for the next {self.k} keys, which do nothing; then the sequence "
            "can be typed again.",
        }[self.opened]
        alarms = (
            ""
            if self.alarm == "none"
            else (
                f" With the {self.k + 1}. wrong key since the start or the last opening an alarm begins: that wrong "
                "key still has its effect, but no later key is looked at."
            )
        )
        progress = "how many keys of the sequence are typed in a row and count at the end"
        asked = {
            "openings": "how often the lock opens",
            "places": "the positions of the keys that open the lock, the first key being 1",
            "state": f"{progress} (0 to {self.size - 1 if self.opened != 'stays open' else self.size})",
            "longest": f"the greatest number of keys of the sequence that ever counted at once (0 to {self.size})",
        }[self.objective]
        return (
            f"A lock opens when the sequence {self.secret} is typed, key by key. After a wrong key {wrongs}.{alarms} "
            f"When the lock opens: {then} The result is {asked}."
        )

    def solve(self) -> str:
        done = {"closes": "place = 0", "stays open": "break", "sleeps": f"place = 0\nsleep = {self.k}"}[self.opened]
        anew = {
            "starts anew": "place = 0",
            "is forgiven": "",
            "may begin anew": f'place = 1 if key == "{self.secret[0]}" else 0',
        }[self.wrong]
        bad = f"mistakes += 1\nif mistakes >= {self.k + 1}:\n    is_dead = True" if self.alarm != "none" else ""
        end = {"openings": "len(places)", "places": "places", "state": "place", "longest": "longest"}[self.objective]
        return self.code(
            """
def solve(s: str) -> <type>:
    secret = "<secret>"
    place = 0
    sleep = 0
    mistakes = 0
    longest = 0
    is_dead = False
    places: list[int] = []
    for i in range(len(s)):
        key = s[i]
        if sleep > 0:
            sleep -= 1
            continue
        if is_dead:
            continue
        if key == secret[place]:
            place += 1
            longest = max(longest, place)
        <otherwise>
        if place == len(secret):
            places.append(i + 1)
            mistakes = 0
            <done>
    return <end>
""",
            secret=self.secret,
            otherwise=code("else:\n    <both>", both=f"{bad}\n{anew}".strip("\n")) if bad or anew else "",
            done=done,
            end=end,
        )

    def law(self, s: str) -> Any:
        places, typed, asleep, mistakes, longest = list[int](), "", 0, 0, 0
        for number, key in enumerate(s, start=1):
            if asleep >= number or (self.alarm != "none" and mistakes > self.k):
                continue
            if self.secret.startswith(typed + key):
                typed += key
            else:
                mistakes += 1
                fresh = key if self.wrong == "may begin anew" and self.secret.startswith(key) else ""
                typed = typed if self.wrong == "is forgiven" else fresh
            longest = max(longest, len(typed)) if self.secret.startswith(typed) else longest
            if typed == self.secret:
                places.append(number)
                mistakes = 0
                if self.opened == "stays open":
                    break
                typed, asleep = "", number + self.k if self.opened == "sleeps" else 0
        return {"openings": len(places), "places": places, "state": len(typed)}.get(self.objective, longest)
