"""Problems about services that go on in time: counters with customers, stores with stock."""

from typing import Any

from palestra.envs.code.draws import Draws
from palestra.envs.code.problems.choices import Choices
from palestra.envs.code.problems.fields import Field
from palestra.envs.code.problems.parts import Archetype, Corner, archetype


@archetype("simulation", "counter")
class CustomerCounter(Archetype):
    """Customers who wait to be served."""

    def __init__(self, c: Choices) -> None:
        self.desks = int(c.pick("desks", ("1", "2", "3")))
        self.full = c.pick("queue", ("endless", "limited"))
        self.impatient = c.pick("patience", ("endless", "limited"))
        self.objective = c.pick("objective", ("total wait", "longest wait", "end", "lost", "waits", "served"))
        self.speed = c.pick("service", ("as given", "at least k", "every third twice as long"))
        self.k = c.constant("k", (2, 3), (4,))
        self.room = c.constant("room", (1, 2), (3,))
        self.gives = "ints" if self.objective == "waits" else "int"
        self.fields = (
            Field(
                name="rows",
                sort="rows",
                what="the customers in the order in which they come",
                columns=(
                    "the time since the customer before came (for the first: since 0), from 0 to 6",
                    "the time that the service takes, from 1 to 8",
                ),
            ),
        )

    def story(self) -> str:
        leave = []
        if self.full == "limited":
            leave.append(
                f"when {self.room} or more others are waiting (have come and begin to be served later than now) as "
                "one comes"
            )
        if self.impatient == "limited":
            leave.append(f"when one would have to wait more than {self.k}")
        lost = f" A customer leaves at once without being served {', or '.join(leave)}." if leave else ""
        takes = {
            "as given": "the time that is given",
            "at least k": f"the time that is given, but at least {self.k}",
            "every third twice as long": "the time that is given; every third customer who is served (the 3rd, the "
            "6th ...) needs twice that",
        }[self.speed]
        asked = {
            "total wait": "the sum of the waiting times of all who are served",
            "longest wait": "the longest waiting time (0 if nobody is served)",
            "end": "the time at which the last service ends (0 if nobody is served)",
            "lost": "how many customers leave without being served",
            "waits": "the waiting times of those who are served, in the order in which they came",
            "served": "how many customers are served",
        }[self.objective]
        desks_words = "one desk" if self.desks == 1 else f"{self.desks} desks"
        return (
            f"Customers come to a counter with {desks_words} and are served in the order in which they come, each as "
            f"soon as a desk is free (a desk is free again at the moment a service ends). A service takes {takes}. "
            f"Time starts at 0, when all desks are free.{lost} The result is {asked}."
        )

    def solve(self) -> str:
        time = {
            "as given": "row[1]",
            "at least k": f"max(row[1], {self.k})",
            "every third twice as long": "row[1] * 2 if served % 3 == 2 else row[1]",
        }[self.speed]
        end = {
            "total wait": "total",
            "longest wait": "longest",
            "end": "end",
            "lost": "len(rows) - served",
            "waits": "waits",
            "served": "served",
        }[self.objective]
        return self.code(
            """
def solve(rows: list[list[int]]) -> <type>:
    free = [0] * <desks>
    begins: list[int] = []
    waits: list[int] = []
    total = 0
    longest = 0
    served = 0
    end = 0
    now = 0
    for row in rows:
        now += row[0]
        desk = 0
        for i in range(<desks>):
            if free[i] < free[desk]:
                desk = i
        begin = max(now, free[desk])
        waiting = 0
        for other in begins:
            if other > now:
                waiting += 1
        if <fits> and <stays>:
            need = <time>
            served += 1
            begins.append(begin)
            waits.append(begin - now)
            total += begin - now
            longest = max(longest, begin - now)
            free[desk] = begin + need
            end = max(end, begin + need)
    return <end>
""",
            desks=str(self.desks),
            fits="True" if self.full == "endless" else f"waiting < {self.room}",
            stays="True" if self.impatient == "endless" else f"begin - now <= {self.k}",
            time=time,
            end=end,
        )

    def law(self, rows: list[list[int]]) -> Any:
        # Minute by minute: those who wait move up as soon as a desk is free.
        arrivals, now = [], 0
        for gap, need in rows:
            now += gap
            arrivals.append((now, need))
        accepted: list[tuple[int, int, int]] = []  # arrival, begin, end
        for arrival, need in arrivals:
            begin = next(
                t for t in range(arrival, 10_000) if sum(b <= t < e or b > t for _, b, e in accepted) < self.desks
            )
            waiting = sum(b > arrival for _, b, _ in accepted)
            if (self.full == "limited" and waiting >= self.room) or (
                self.impatient == "limited" and begin > arrival + self.k
            ):
                continue
            spent = {"as given": need, "at least k": max(need, self.k)}.get(
                self.speed, need * (1 + (len(accepted) % 3 == 2))
            )
            accepted.append((arrival, begin, begin + spent))
        waits = [b - a for a, b, _ in accepted]
        return {
            "total wait": sum(waits),
            "longest wait": max(waits, default=0),
            "end": max((e for *_, e in accepted), default=0),
            "lost": len(rows) - len(accepted),
            "waits": waits,
        }.get(self.objective, len(accepted))

    def draw(self, draws: Draws, size: int) -> tuple[list[list[int]]]:
        pace = draws.pick((1, 3, 6))
        return ([[draws.between(0, pace), draws.between(1, 8)] for _ in range(draws.between(0, size))],)

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("nobody", ([],)),
            ("one", ([[3, 5]],)),
            ("all at once", ([[0, 4], [0, 4], [0, 4], [0, 4]],)),
            ("just in time", ([[1, 3], [3, 3], [3, 3]],)),
            ("far apart", ([[6, 1], [6, 1]],)),
        )


@archetype("simulation", "store")
class Store(Archetype):
    """A store whose stock goes in and out."""

    def __init__(self, c: Choices) -> None:
        self.short = c.pick("shortage", ("refused", "partial", "backorder"))
        self.capacity = c.pick("capacity", ("none", "cut", "refused"))
        self.reorder = c.pick("reorder", ("never", "when low"))
        self.objective = c.pick("objective", ("stock", "refused", "shipped", "least", "items"))
        self.k = c.constant("k", (3, 4), (2, 5))
        self.most = c.constant("most", (12, 15), (10, 14))
        self.items = str(c.constant("items", ("nut pin", "cap lid"), ("rod bolt", "fan belt"))).split()
        self.gives = "words" if self.objective in ("stock", "items") else "int"
        self.fields = (
            Field(
                name="lines",
                sort="lines",
                what="the commands",
                shape=f"in N A or out N A, with N one of {', '.join(self.items)} and A from 1 to 9",
            ),
        )

    def story(self) -> str:
        outs = {
            "refused": "if there is less than A, nothing leaves, and that is counted as a refusal",
            "partial": "if there is less than A, what is there leaves, and that is counted as a refusal",
            "backorder": "the stock may become negative",
        }[self.short]
        ins = {
            "none": "",
            "cut": f"; of what would make the stock greater than {self.most}, the excess is thrown away",
            "refused": f"; if that would make the stock greater than {self.most}, nothing is added, and that is "
            "counted as a refusal",
        }[self.capacity]
        low = (
            ""
            if self.reorder == "never"
            else (
                f" After every out command (also a refused one), if the stock of N is less than {self.k}, {self.k} "
                "pieces of N are added (whatever the stock)."
            )
        )
        asked = {
            "stock": "an entry for each item that occurs in the commands, in alphabetical order: the item, a colon "
            "and its stock, without spaces",
            "refused": "how many refusals were counted",
            "shipped": "how many pieces left by out commands",
            "least": "the least stock among the items that occur in the commands (0 if there are no commands)",
            "items": "the items with a stock greater than 0, in alphabetical order",
        }[self.objective]
        return (
            f"The stock of each item in a store is 0 at first. Commands: in N A adds A pieces of item N{ins}; out N A "
            f"takes A pieces of N away, where {outs}.{low} The result is {asked}."
        )

    def solve(self) -> str:
        room = {
            "none": "",
            "cut": f"amount = min(amount, {self.most} - have)",
            "refused": f"if have + amount > {self.most}:\n    refused += 1\n    amount = 0",
        }[self.capacity]
        out = {
            "refused": "if amount > have:\n    refused += 1\n    amount = 0",
            "partial": "if amount > have:\n    refused += 1\n    amount = max(have, 0)",
            "backorder": "",
        }[self.short]
        again = (
            f"if stock.get(name, 0) < {self.k}:\n    stock[name] = stock.get(name, 0) + {self.k}\n    orders += 1"
            if self.reorder != "never"
            else ""
        )
        end = {
            "stock": "made: list[str] = []\nfor item in sorted(stock):\n"
            '    made.append(item + ":" + str(stock.get(item, 0)))\nreturn made',
            "refused": "return refused",
            "shipped": "return shipped",
            "least": "least = 0\nis_first = True\nfor item in sorted(stock):\n"
            "    if is_first or stock.get(item, 0) < least:\n        least = stock.get(item, 0)\n"
            "    is_first = False\nreturn least",
            "items": "made: list[str] = []\nfor item in sorted(stock):\n    if stock.get(item, 0) > 0:\n"
            "        made.append(item)\nreturn made",
        }[self.objective]
        return self.code(
            """
def solve(lines: list[str]) -> <type>:
    stock: dict[str, int] = {}
    refused = 0
    shipped = 0
    orders = 0
    for line in lines:
        words = line.split()
        name = words[1]
        amount = int(words[2])
        have = stock.get(name, 0)
        if words[0] == "in":
            <room>
            stock[name] = have + amount
        else:
            <out>
            stock[name] = have - amount
            shipped += amount
            <again>
    <end>
""",
            room=room,
            out=out,
            again=again,
            end=end,
        )

    def law(self, lines: list[str]) -> Any:
        moves: list[tuple[str, int]] = []  # every change of a stock, in order
        refused = shipped = 0
        for kind, name, number in (line.split() for line in lines):
            have, amount = sum(n for item, n in moves if item == name), int(number)
            if kind == "in":
                if self.capacity != "none" and have + amount > self.most:
                    refused += self.capacity == "refused"
                    amount = 0 if self.capacity == "refused" else self.most - have
                moves.append((name, amount))
                continue
            if self.short != "backorder" and have < amount:
                refused += 1
                amount = 0 if self.short == "refused" or have < 0 else have
            shipped += amount
            moves.append((name, -amount))
            if self.reorder != "never" and have - amount < self.k:
                moves.append((name, self.k))
        stock = {item: sum(n for other, n in moves if other == item) for item in sorted({item for item, _ in moves})}
        return {
            "stock": [f"{item}:{n}" for item, n in stock.items()],
            "refused": refused,
            "shipped": shipped,
            "least": min(stock.values(), default=0),
        }.get(self.objective, [item for item, n in stock.items() if n > 0])

    def draw(self, draws: Draws, size: int) -> tuple[list[str]]:
        return (
            [
                f"{draws.pick(('in', 'out'))} {draws.pick(self.items)} {draws.between(1, draws.pick((4, 9)))}"
                for _ in range(draws.between(0, size))
            ],
        )

    def corners(self) -> tuple[Corner, ...]:
        return (
            ("no commands", ([],)),
            ("out at once", ([f"out {self.items[0]} 2"],)),
            ("all of it", ([f"in {self.items[0]} 6", f"out {self.items[0]} 6"],)),
            ("one too many", ([f"in {self.items[1]} 6", f"out {self.items[1]} 7"],)),
            ("full", ([f"in {self.items[0]} 9", f"in {self.items[0]} {self.most - 9}", f"in {self.items[0]} 1"],)),
            ("just low", ([f"in {self.items[0]} 9", f"out {self.items[0]} {9 - self.k}", f"out {self.items[0]} 1"],)),
        )
